//! The catalogue out of a home and into another one: every record as it is stored, so that what comes back is what went, to the byte.
//!
//! A restored catalogue is written beside the one that is there, as `catalogue.restoring`; its renaming to `catalogue.restored` is the
//! moment from which it counts, and the next opening finishes what a stop after that left undone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::digest::Digest;
use super::ledger::{Entry, Ledger};
use super::{
    Catalogue, DIGEST_KEY, FORMAT, FORMAT_KEY, IDENTITY_KEY, RECORDS_KEY, SEQUENCE_KEY, Stamp, changes, examine, store,
};
use crate::disk;
use crate::error::{IndexError, Result};

/// Written while a restore runs.
const RESTORING: &str = "catalogue.restoring";
/// Complete, and to be put in place.
const RESTORED: &str = "catalogue.restored";
/// What was there before.
const REPLACED: &str = "catalogue.replaced";
/// Records written at a time.
const BATCH: usize = 500;

/// What an export hands over, in this order.
#[derive(Clone, Copy, Debug)]
pub enum Exported<'a> {
    /// Once, first.
    Begin(&'a Totals),
    /// A study as it is stored; in the order of the ids.
    Study(&'a [u8]),
    /// A record of [`Catalogue::records`]; in the order of tree and key.
    Record {
        /// Name of its tree.
        tree: &'a str,
        /// Its key.
        key: &'a [u8],
        /// Its value.
        value: &'a [u8],
    },
}

/// The state that an export belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// [`Catalogue::identity`]
    pub identity: String,
    /// [`Catalogue::sequence`]
    pub sequence: u64,
    /// [`Catalogue::record_changes`]
    pub record_changes: u64,
}

/// What a stored study says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStudy {
    /// Its id.
    pub id: String,
    /// Sequence number of its last change.
    pub sequence: u64,
}

/// Checks that `stored` is a study as a catalogue stores it, with the right hash.
///
/// # Errors
/// What is wrong, without the record's text.
pub fn read_stored(stored: &[u8]) -> Result<StoredStudy, &'static str> {
    examine::read(stored).map(|(id, stamp)| StoredStudy { id, sequence: stamp.sequence })
}

impl Catalogue {
    /// Hands everything over while nobody writes: one consistent state. Searches go on, imports and deletions wait, so `visit` should be quick.
    ///
    /// # Errors
    /// [`IndexError::DamagedRecord`] for a record that is not what was stored; whatever `visit` says.
    pub fn export<E: From<IndexError>>(
        &self,
        mut visit: impl FnMut(Exported<'_>) -> Result<(), E>,
    ) -> Result<Totals, E> {
        let _writing = self.lock();
        let totals = Totals {
            identity: self.identity.clone(),
            sequence: self.sequence()?,
            record_changes: self.record_changes()?,
        };
        visit(Exported::Begin(&totals))?;
        for entry in &self.documents {
            let (id, bytes) = entry.map_err(|e| self.store(e))?;
            if let Err(reason) = examine::check(&id, &bytes, totals.sequence) {
                let (id, reason) = (String::from_utf8_lossy(&id).into_owned(), reason.words().to_owned());
                return Err(IndexError::DamagedRecord { id, reason }.into());
            }
            visit(Exported::Study(&bytes))?;
        }
        for tree in self.record_trees()? {
            for entry in self.records(&tree)?.list("") {
                let (key, value) = entry?;
                visit(Exported::Record { tree: &tree, key: &key, value: &value })?;
            }
        }
        Ok(totals)
    }

    /// True when a restore was stopped after it was complete: the next opening puts it in place.
    pub fn restore_is_pending(home: &Path) -> bool {
        home.join(RESTORED).is_dir()
    }

    /// Finishes a restore that was stopped after it was complete.
    pub(super) fn finish_restore(home: &Path) -> Result<()> {
        if Self::restore_is_pending(home) { put_in_place(home, &home.join(REPLACED)) } else { Ok(()) }
    }
}

/// A catalogue that is being restored. Nothing of it is there before [`Restore::finish`]; dropping it leaves the home as it was.
pub struct Restore {
    home: PathBuf,
    /// Held until the end: nobody else opens the home meanwhile.
    current: Option<Catalogue>,
    /// The catalogue that is there cannot be opened.
    damaged: bool,
    db: sled::Db,
    documents: sled::Tree,
    batch: Vec<(Vec<u8>, Vec<u8>)>,
    records: BTreeMap<String, sled::Tree>,
    digest: Digest,
    last: u64,
}

impl Restore {
    /// Begins; `replace` allows a home that has studies, or a catalogue that cannot be opened.
    ///
    /// # Errors
    /// [`IndexError::NotEmpty`], [`IndexError::InUse`], and what opening a catalogue meets.
    pub fn begin(home: &Path, replace: bool) -> Result<Self> {
        Catalogue::finish_restore(home)?;
        let (mut current, mut damaged) = (None, false);
        if home.join("catalogue").exists() {
            match Catalogue::open(home) {
                Ok(catalogue) => current = Some(catalogue),
                Err(IndexError::DamagedCatalogue { .. } | IndexError::Store { .. }) if replace => damaged = true,
                Err(error) => return Err(error),
            }
        }
        if let Some(catalogue) = &current
            && !replace
            && !(catalogue.is_empty() && catalogue.record_trees()?.is_empty())
        {
            return Err(IndexError::NotEmpty { path: home.to_owned(), studies: catalogue.len() });
        }
        let dir = home.join(RESTORING);
        disk::remove(&dir)?;
        let db = store::open(&dir)?.db;
        let failed = |source| store::failed(&dir, source);
        let documents = db.open_tree("documents").map_err(failed)?;
        Ok(Self {
            home: home.to_owned(),
            current,
            damaged,
            db,
            documents,
            batch: Vec::new(),
            records: BTreeMap::new(),
            digest: Digest::default(),
            last: 0,
        })
    }

    /// Adds a study as an export handed it over.
    ///
    /// # Errors
    /// [`IndexError::DamagedRecord`]; when the store cannot be written.
    pub fn study(&mut self, stored: &[u8]) -> Result<()> {
        let damaged = |reason: &str| IndexError::DamagedRecord { id: "?".to_owned(), reason: reason.to_owned() };
        let (id, Stamp { sequence, hash }) = examine::read(stored).map_err(damaged)?;
        self.digest.add(id.as_bytes(), sequence, &hash);
        self.last = self.last.max(sequence);
        self.batch.push((id.into_bytes(), stored.to_vec()));
        if self.batch.len() < BATCH { Ok(()) } else { self.write() }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn record(&mut self, tree: &str, key: &[u8], value: &[u8]) -> Result<()> {
        if !self.records.contains_key(tree) {
            let opened = self.db.open_tree(super::records::tree_name(tree)).map_err(|e| self.store(e))?;
            self.records.insert(tree.to_owned(), opened);
        }
        if let Some(tree) = self.records.get(tree) {
            tree.insert(key, value).map_err(|e| self.store(e))?;
        }
        Ok(())
    }

    /// Makes everything durable, and puts it in the place of the catalogue that is there. It gets an identity of its own: it may go
    /// another way than the one that was saved.
    ///
    /// # Errors
    /// When it cannot be written; then the home is as it was.
    pub fn finish(mut self, sequence: u64, record_changes: u64) -> Result<()> {
        self.write()?;
        let identity = store::new_identity(&self.db).map_err(|e| self.store(e))?;
        let sequence = sequence.max(self.last);
        let meta = self.db.open_tree("meta").map_err(|e| self.store(e))?;
        let mut batch = sled::Batch::default();
        batch.insert(FORMAT_KEY, &FORMAT.to_be_bytes());
        batch.insert(IDENTITY_KEY, identity.as_bytes());
        batch.insert(SEQUENCE_KEY, &sequence.to_be_bytes());
        batch.insert(changes::COMPLETE_AFTER_KEY, &sequence.to_be_bytes());
        batch.insert(RECORDS_KEY, &record_changes.to_be_bytes());
        batch.insert(DIGEST_KEY, self.digest.to_bytes());
        meta.apply_batch(batch).map_err(|e| self.store(e))?;
        self.db.flush().map_err(|e| self.store(e))?;
        let dir = self.home.join(RESTORING);
        fs::File::open(dir.join("db"))?.sync_all()?;
        let entry = Entry { identity, sequence, records: record_changes, closed: true, removing: false };
        Ledger::new(&dir).write(&entry)?;
        let Self { home, current, damaged, db, documents, records, .. } = self;
        drop((db, documents, records, meta));
        fs::rename(&dir, home.join(RESTORED))?;
        disk::sync_dir(&home)?;
        if let Some(current) = &current {
            current.retire();
        }
        let aside = if damaged { free_name(&home) } else { home.join(REPLACED) };
        put_in_place(&home, &aside)
    }

    fn write(&mut self) -> Result<()> {
        let mut batch = sled::Batch::default();
        for (id, stored) in self.batch.drain(..) {
            batch.insert(id, stored);
        }
        self.documents.apply_batch(batch).map_err(|source| store::failed(&self.home.join(RESTORING), source))
    }

    fn store(&self, source: sled::Error) -> IndexError {
        store::failed(&self.home.join(RESTORING), source)
    }
}

/// The catalogue that is there goes to `aside`, the restored one takes its place. What went to [`REPLACED`] is removed.
fn put_in_place(home: &Path, aside: &Path) -> Result<()> {
    let place = home.join("catalogue");
    let replaced = home.join(REPLACED);
    disk::remove(&replaced)?;
    if place.exists() {
        fs::rename(&place, aside)?;
    }
    fs::rename(home.join(RESTORED), &place)?;
    disk::sync_dir(home)?;
    disk::remove(&replaced)
}

/// `catalogue.damaged-1`, or the next number that is free.
fn free_name(home: &Path) -> PathBuf {
    let name = |number: usize| home.join(format!("catalogue.damaged-{number}"));
    (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::Change;
    use super::*;
    use crate::testing::{build, document, documents};
    use crate::{Index, Manifest};

    type Everything = (Vec<Vec<u8>>, Vec<(String, Vec<u8>, Vec<u8>)>);

    fn everything(catalogue: &Catalogue) -> (Totals, Everything) {
        let (mut studies, mut records) = (Vec::new(), Vec::new());
        let totals = catalogue.export(|part| {
            match part {
                Exported::Begin(_) => {}
                Exported::Study(stored) => studies.push(stored.to_vec()),
                Exported::Record { tree, key, value } => records.push((tree.to_owned(), key.to_vec(), value.to_vec())),
            }
            Ok::<(), IndexError>(())
        });
        (totals.unwrap(), (studies, records))
    }

    fn full(home: &Path) -> Catalogue {
        let catalogue = Catalogue::open(home).unwrap();
        catalogue.put(&documents(30)).unwrap();
        catalogue.remove(&["s00004", "s00029"]).unwrap();
        let change = [Change::put("k", vec![0, 255, 1]), Change::put("l", "two")];
        catalogue.records("cohorts").unwrap().apply(&change).unwrap();
        catalogue
    }

    fn restore(home: &Path, replace: bool, (totals, (studies, records)): &(Totals, Everything)) -> Result<()> {
        let mut restore = Restore::begin(home, replace)?;
        studies.iter().try_for_each(|study| restore.study(study))?;
        records.iter().try_for_each(|(tree, key, value)| restore.record(tree, key, value))?;
        restore.finish(totals.sequence, totals.record_changes)
    }

    #[test]
    fn what_comes_back_is_what_went() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let catalogue = full(old.path());
        let saved = everything(&catalogue);
        assert_eq!((saved.1.0.len(), saved.1.1.len(), saved.0.sequence, saved.0.record_changes), (28, 2, 32, 2));
        restore(new.path(), false, &saved).unwrap();
        let restored = Catalogue::open(new.path()).unwrap();
        let again = everything(&restored);
        assert_eq!(again.1, saved.1);
        assert_eq!((again.0.sequence, again.0.record_changes), (32, 2));
        assert_ne!(again.0.identity, saved.0.identity);
        assert_eq!(restored.digest().unwrap(), catalogue.digest().unwrap());
        assert_eq!(std::fs::read_dir(new.path()).unwrap().count(), 1);
        restored.put(&[document(4)]).unwrap();
        assert_eq!(restored.sequence().unwrap(), 33);
    }

    #[test]
    fn a_home_with_studies_is_replaced_only_when_told_so_and_its_index_catches_up() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let saved = everything(&full(old.path()));
        let there = Catalogue::open(new.path()).unwrap();
        there.put(&[document(1), document(99)]).unwrap();
        build(new.path(), &there, "a");
        drop(there);
        let error = restore(new.path(), false, &saved).expect_err("it has studies");
        assert!(matches!(error, IndexError::NotEmpty { studies: 2, .. }) && error.is_caller_fault(), "{error}");
        assert_eq!(Catalogue::open(new.path()).unwrap().len(), 2);
        // begun and given up: nothing has changed
        let mut begun = Restore::begin(new.path(), true).unwrap();
        begun.study(&saved.1.0[0]).unwrap();
        assert!(matches!(Catalogue::open(new.path()), Err(IndexError::InUse { .. })));
        drop(begun);
        assert_eq!(Catalogue::open(new.path()).unwrap().len(), 2);
        restore(new.path(), true, &saved).unwrap();
        let restored = Catalogue::open(new.path()).unwrap();
        assert_eq!(everything(&restored).1, saved.1);
        assert!(!new.path().join(REPLACED).exists());
        assert!(!Manifest::current(new.path()).unwrap().unwrap().is_current("a", &restored).unwrap());
        let index = Index::open_beside(new.path(), &restored).unwrap().unwrap();
        assert_eq!((index.live(), index.row("s00099"), index.behind().added), (1, None, 27));
    }

    #[test]
    fn stopped_at_any_rename_it_is_the_old_one_or_the_new_one() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let saved = everything(&full(old.path()));
        restore(new.path(), false, &saved).unwrap();
        let home = new.path();
        // complete, but not in place: with the old one still there, and with it moved away
        std::fs::rename(home.join("catalogue"), home.join(RESTORED)).unwrap();
        assert_eq!(Catalogue::open(home).unwrap().len(), 28);
        std::fs::rename(home.join("catalogue"), home.join(RESTORED)).unwrap();
        std::fs::create_dir(home.join("catalogue")).unwrap();
        std::fs::create_dir(home.join(REPLACED)).unwrap();
        assert!(Catalogue::restore_is_pending(home));
        assert_eq!(Catalogue::open(home).unwrap().len(), 28);
        assert!(!home.join(REPLACED).exists());
        // not complete: the old one
        std::fs::create_dir(home.join(RESTORING)).unwrap();
        assert_eq!(Catalogue::open(home).unwrap().len(), 28);
    }

    #[test]
    fn a_catalogue_that_cannot_be_opened_is_set_aside_when_told_so() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let saved = everything(&full(old.path()));
        drop(full(new.path()));
        std::fs::write(new.path().join("catalogue/acknowledged.json"), "junk").unwrap();
        assert!(matches!(restore(new.path(), false, &saved), Err(IndexError::DamagedCatalogue { .. })));
        restore(new.path(), true, &saved).unwrap();
        assert_eq!(everything(&Catalogue::open(new.path()).unwrap()).1, saved.1);
        assert!(new.path().join("catalogue.damaged-1/db").exists());
    }

    #[test]
    fn a_damaged_record_is_neither_exported_nor_restored() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let catalogue = full(old.path());
        let (_, (studies, _)) = everything(&catalogue);
        catalogue.damage("s00007", |bytes| {
            let at = bytes.len() - 30;
            bytes[at] ^= 2;
        });
        let error = catalogue.export(|_| Ok::<(), IndexError>(())).expect_err("one is damaged");
        assert!(matches!(&error, IndexError::DamagedRecord { id, .. } if id == "s00007"), "{error}");
        let mut restore = Restore::begin(new.path(), false).unwrap();
        let mut changed = studies[0].clone();
        changed.pop();
        assert!(restore.study(&changed).is_err());
        assert_eq!(read_stored(&studies[0]).unwrap(), StoredStudy { id: "s00000".to_owned(), sequence: 1 });
    }
}
