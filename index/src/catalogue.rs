//! The catalogue: the one truth, in sled. A batch is acknowledged when its transaction is flushed.
//!
//! - `store` opens sled
//! - `ledger` what was acknowledged, in a file of its own: sled does not always notice what it lost
//! - `records` user data that is no study, in trees of its own: cohorts
//! - `version` the content hash and sequence number of a document
//! - `digest` a hash of the set of records, to see whether they are all there
//! - `changes` which documents changed since a sequence number
//! - `examine` every record beside what was stored, for `doctor`
//! - `transfer` everything out, for a backup, and into another home
//! - `upgrade` catalogues of older formats, and those that met a hard stop

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sled::Transactional;
use sled::transaction::{
    ConflictableTransactionError, TransactionError, TransactionalTree, UnabortableTransactionError,
};

use crate::document::{Document, Value};
use crate::error::{IndexError, Result};

use digest::Digest;
use ledger::{Entry, Ledger};

pub use records::{Change, Records};
pub use transfer::{Exported, Restore, StoredStudy, Totals, read_stored};
pub use version::Version;

mod changes;
mod digest;
mod examine;
mod ledger;
mod records;
mod store;
mod transfer;
mod upgrade;
mod version;

/// Format of the catalogue; written at the first opening. Format 1 has no change log and no digest, and is brought up to date.
const FORMAT: u64 = 2;
const FORMAT_KEY: &str = "format";
const SEQUENCE_KEY: &str = "sequence";
const IDENTITY_KEY: &str = "identity";
const RECORDS_KEY: &str = "records";
const DIGEST_KEY: &str = "digest";

/// The documents of a home. Share it by `Arc`; one process at a time has it open.
pub struct Catalogue {
    path: PathBuf,
    identity: String,
    db: sled::Db,
    documents: sled::Tree,
    changes: sled::Tree,
    meta: sled::Tree,
    ledger: Ledger,
    /// Another catalogue has taken its place: its ledger is no longer its own.
    retired: AtomicBool,
    // sled's iterators are no snapshots: whoever writes or must see a consistent whole holds this
    writing: Mutex<()>,
    pub(crate) building: Arc<AtomicBool>,
}

/// What a [`Catalogue::put`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PutOutcome {
    /// Ids that were not there.
    pub added: usize,
    /// Ids whose document differs from the one that was there.
    pub updated: usize,
    /// Documents that were there as given.
    pub unchanged: usize,
}

#[derive(Serialize, Deserialize)]
struct Record<D> {
    sequence: u64,
    hash: String,
    document: D,
}

/// What is needed to see whether a document changed: the document itself is skipped.
#[derive(Deserialize)]
struct Stamp {
    sequence: u64,
    hash: String,
}

/// The trees of a transaction.
struct Trees<'a> {
    documents: &'a TransactionalTree,
    changes: &'a TransactionalTree,
    meta: &'a TransactionalTree,
}

/// Sequence number and digest while a transaction changes them.
struct Counters {
    sequence: u64,
    /// `None` once a record that does not parse was replaced: nobody knows what to take out.
    digest: Option<Digest>,
}

impl Catalogue {
    /// Opens or creates `home/catalogue`. The home itself must exist.
    ///
    /// # Errors
    /// [`IndexError::HomeMissing`], [`IndexError::ReadOnly`], [`IndexError::InUse`] when another process has it open,
    /// [`IndexError::NewerFormat`], [`IndexError::DamagedCatalogue`] when less is there than was acknowledged.
    pub fn open(home: &Path) -> Result<Self> {
        Self::open_heeding(home, true)
    }

    /// As [`Catalogue::open`], where the note of what was acknowledged is damaged: the store is taken as it is, and the note is made anew.
    /// What sled may have lost without a word is then not missed, so this is for a repair that says so.
    ///
    /// # Errors
    /// As [`Catalogue::open`].
    pub fn open_without_ledger(home: &Path) -> Result<Self> {
        Self::open_heeding(home, false)
    }

    fn open_heeding(home: &Path, heed_ledger: bool) -> Result<Self> {
        if !home.is_dir() {
            return Err(IndexError::HomeMissing { path: home.to_owned() });
        }
        Self::finish_restore(home)?;
        let path = home.join("catalogue");
        let ledger = Ledger::new(&path);
        let acknowledged = if heed_ledger { ledger.read()? } else { None };
        let store::Opened { db, healed } = store::open(&path)?;
        let failed = |source| store::failed(&path, source);
        let meta = db.open_tree("meta").map_err(failed)?;
        let format = meta.get(FORMAT_KEY).map_err(failed)?.map(|bytes| number(&bytes));
        if let Some(found) = format.filter(|found| *found > FORMAT) {
            let what = format!("the catalogue in {}", path.display());
            return Err(IndexError::NewerFormat { what, found, known: FORMAT });
        }
        let documents = db.open_tree("documents").map_err(failed)?;
        let changes = db.open_tree("changes").map_err(failed)?;
        let identity = meta.get(IDENTITY_KEY).map_err(failed)?;
        let identity = identity.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        if let Some(entry) = &acknowledged {
            let sequence = meta.get(SEQUENCE_KEY).map_err(failed)?.map_or(0, |bytes| number(&bytes));
            let records = meta.get(RECORDS_KEY).map_err(failed)?.map_or(0, |bytes| number(&bytes));
            ledger::check(&path, entry, identity.as_deref(), sequence, records)?;
        }
        let identity = match identity {
            Some(identity) => identity,
            None => {
                let identity = store::new_identity(&db).map_err(failed)?;
                meta.insert(FORMAT_KEY, &FORMAT.to_be_bytes()).map_err(failed)?;
                meta.insert(IDENTITY_KEY, identity.as_bytes()).map_err(failed)?;
                db.flush().map_err(failed)?;
                identity
            }
        };
        let (writing, building) = (Mutex::new(()), Arc::default());
        let catalogue = Self {
            path,
            identity,
            db,
            documents,
            changes,
            meta,
            ledger,
            retired: AtomicBool::new(false),
            writing,
            building,
        };
        catalogue.bring_up_to_date(format, acknowledged.as_ref())?;
        if healed && catalogue.walk()?.digest != catalogue.digest()? {
            catalogue.retire();
            let reason = "its snapshot was damaged, and not every record is there without it".to_owned();
            return Err(IndexError::DamagedCatalogue { path: catalogue.path.clone(), reason });
        }
        catalogue.acknowledge(false)?;
        Ok(catalogue)
    }

    /// Another catalogue takes its place: from now on nothing is written in its name.
    fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    fn acknowledge(&self, closed: bool) -> Result<()> {
        self.ledger.write(&self.entry(closed)?)
    }

    fn entry(&self, closed: bool) -> Result<Entry> {
        let (sequence, records) = (self.sequence()?, self.record_changes()?);
        Ok(Entry { identity: self.identity.clone(), sequence, records, closed, removing: false })
    }

    /// Stores the documents; when it returns, they are on disk. All of them or, on an error, none.
    ///
    /// An unchanged document changes nothing, not even the sequence; each changed one gets the next sequence number.
    ///
    /// # Errors
    /// [`IndexError::BadDocument`] for an empty id, key or hash and for a number that is not finite.
    pub fn put(&self, documents: &[Document]) -> Result<PutOutcome> {
        let mut prepared = Vec::with_capacity(documents.len());
        for document in documents {
            check(document)?;
            let json = serde_json::to_vec(document)?;
            prepared.push((document, blake3::hash(&json).to_hex().to_string()));
        }
        let _writing = self.lock();
        let outcome = self.transaction(|trees| {
            let mut outcome = PutOutcome::default();
            let mut counters = trees.counters()?;
            for (document, hash) in &prepared {
                let id = document.id.as_bytes();
                let old = trees.documents.get(id)?;
                // a record that does not parse counts as changed: importing again is the cure
                match old.as_deref().map(serde_json::from_slice::<Stamp>) {
                    Some(Ok(stamp)) if stamp.hash == *hash => {
                        outcome.unchanged += 1;
                        continue;
                    }
                    Some(stamp) => {
                        counters.take(id, stamp.ok());
                        outcome.updated += 1;
                    }
                    None => outcome.added += 1,
                }
                let sequence = trees.log(&mut counters, id)?;
                if let Some(digest) = &mut counters.digest {
                    digest.add(id, sequence, hash);
                }
                let record = Record { sequence, hash: hash.clone(), document };
                let bytes = serde_json::to_vec(&record)
                    .map_err(|error| ConflictableTransactionError::Abort(IndexError::Json(error)))?;
                trees.documents.insert(id, bytes)?;
            }
            if outcome.added + outcome.updated > 0 {
                trees.write(&counters)?;
            }
            Ok(outcome)
        })?;
        if outcome.added + outcome.updated > 0 {
            self.flush()?;
            self.acknowledge(false)?;
        }
        Ok(outcome)
    }

    /// Removes the documents of these ids in one transaction and tells how many there were; each removal takes a sequence number.
    /// When it returns, that is on disk.
    ///
    /// # Errors
    /// When the store cannot be written; then nothing is removed.
    pub fn remove(&self, ids: &[&str]) -> Result<usize> {
        let _writing = self.lock();
        // a part of a removal that came back after a hard stop leaves no record to tell of it
        self.ledger.write(&Entry { removing: true, ..self.entry(false)? })?;
        let removed = self.transaction(|trees| {
            let mut removed = 0;
            let mut counters = trees.counters()?;
            for id in ids {
                if let Some(old) = trees.documents.remove(id.as_bytes())? {
                    counters.take(id.as_bytes(), serde_json::from_slice(&old).ok());
                    trees.log(&mut counters, id.as_bytes())?;
                    removed += 1;
                }
            }
            if removed > 0 {
                trees.write(&counters)?;
            }
            Ok(removed)
        })?;
        if removed > 0 {
            self.flush()?;
        }
        self.acknowledge(false)?;
        Ok(removed)
    }

    /// The document of this id.
    ///
    /// # Errors
    /// [`IndexError::DamagedRecord`] when the record does not parse.
    pub fn get(&self, id: &str) -> Result<Option<Document>> {
        let bytes = self.documents.get(id.as_bytes()).map_err(|e| self.store(e))?;
        bytes.map(|bytes| parse(id.as_bytes(), &bytes)).transpose()
    }

    /// True when there is a document of this id.
    pub fn contains(&self, id: &str) -> Result<bool> {
        self.documents.contains_key(id.as_bytes()).map_err(|e| self.store(e))
    }

    /// All documents in the order of their ids (by bytes). A damaged record is an error of its own; the iteration goes on after it.
    pub fn iter(&self) -> impl Iterator<Item = Result<Document>> + '_ {
        self.documents.iter().map(|entry| {
            let (id, bytes) = entry.map_err(|e| self.store(e))?;
            parse(&id, &bytes)
        })
    }

    /// Number of documents; walks over all of them.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// True when there is no document.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// How many changes the catalogue has seen: what is derived from it records the number that it has reached.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn sequence(&self) -> Result<u64> {
        let bytes = self.meta.get(SEQUENCE_KEY).map_err(|e| self.store(e))?;
        Ok(bytes.map_or(0, |bytes| number(&bytes)))
    }

    /// Name that this catalogue got when it was made: a sequence number means something only together with it,
    /// since a catalogue made anew in the same home counts from zero again.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Calls `visit` with every document while nobody writes, and returns the sequence number that they belong to.
    pub(crate) fn snapshot(&self, mut visit: impl FnMut(Document) -> Result<()>) -> Result<u64> {
        let _writing = self.lock();
        for document in self.iter() {
            visit(document?)?;
        }
        self.sequence()
    }

    /// As [`Catalogue::snapshot`], with the sequence number of each document.
    pub(crate) fn snapshot_versions(&self, mut visit: impl FnMut(u64, Document) -> Result<()>) -> Result<u64> {
        let _writing = self.lock();
        for entry in &self.documents {
            let (id, bytes) = entry.map_err(|e| self.store(e))?;
            // a damaged record is told of elsewhere
            if let Ok(record) = serde_json::from_slice::<Record<Document>>(&bytes)
                && record.document.id.as_bytes() == id.as_ref()
            {
                visit(record.sequence, record.document)?;
            }
        }
        self.sequence()
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // a writer that panicked has not committed its transaction
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transaction<T>(
        &self,
        body: impl Fn(&Trees<'_>) -> Result<T, ConflictableTransactionError<IndexError>>,
    ) -> Result<T> {
        let run = |(documents, changes, meta): &(TransactionalTree, TransactionalTree, TransactionalTree)| {
            body(&Trees { documents, changes, meta })
        };
        (&self.documents, &self.changes, &self.meta).transaction(run).map_err(|error| match error {
            TransactionError::Abort(error) => error,
            TransactionError::Storage(source) => self.store(source),
        })
    }

    fn flush(&self) -> Result<()> {
        self.db.flush().map_err(|e| self.store(e))?;
        // on Linux sled 0.34 only calls sync_file_range, which leaves the disk's own cache and the file's length to chance
        fs_err::File::open(self.path.join("db"))?.sync_all()?;
        Ok(())
    }

    fn store(&self, source: sled::Error) -> IndexError {
        store::failed(&self.path, source)
    }
}

impl Trees<'_> {
    fn counters(&self) -> Result<Counters, UnabortableTransactionError> {
        let sequence = self.meta.get(SEQUENCE_KEY)?.map_or(0, |bytes| number(&bytes));
        Ok(Counters { sequence, digest: self.meta.get(DIGEST_KEY)?.and_then(|bytes| Digest::from_bytes(&bytes)) })
    }

    /// Takes the next sequence number for a change of `id`.
    fn log(&self, counters: &mut Counters, id: &[u8]) -> Result<u64, UnabortableTransactionError> {
        counters.sequence += 1;
        self.changes.insert(&counters.sequence.to_be_bytes(), id)?;
        Ok(counters.sequence)
    }

    fn write(&self, counters: &Counters) -> Result<(), UnabortableTransactionError> {
        self.meta.insert(SEQUENCE_KEY, &counters.sequence.to_be_bytes())?;
        match counters.digest {
            Some(digest) => self.meta.insert(DIGEST_KEY, digest.to_bytes())?,
            None => self.meta.remove(DIGEST_KEY)?,
        };
        Ok(())
    }
}

impl Counters {
    fn take(&mut self, id: &[u8], old: Option<Stamp>) {
        match (old, &mut self.digest) {
            (Some(stamp), Some(digest)) => digest.take(id, stamp.sequence, &stamp.hash),
            _ => self.digest = None,
        }
    }
}

impl Drop for Catalogue {
    fn drop(&mut self) {
        // should this fail, the next opening looks at every record
        if !self.retired.load(Ordering::Acquire) && self.flush().is_ok() {
            let _ = self.acknowledge(true);
        }
    }
}

fn check(document: &Document) -> Result<()> {
    let bad = |reason: String| Err(IndexError::BadDocument { id: document.id.clone(), reason });
    if document.id.is_empty() {
        return bad("it has no id".to_owned());
    }
    for (field, values) in &document.fields {
        // JSON has no NaN: the record could not be read again
        if values.iter().any(|value| matches!(value, Value::Number(n) if !n.is_finite())) {
            return bad(format!("a number of the field '{field}' is not finite"));
        }
    }
    for item in document.images.iter().chain(&document.sentences) {
        if item.key.is_empty() || item.hash.is_empty() {
            return bad("an item has no key or no hash".to_owned());
        }
    }
    Ok(())
}

fn parse(id: &[u8], bytes: &[u8]) -> Result<Document> {
    serde_json::from_slice::<Record<Document>>(bytes).map(|record| record.document).map_err(|e| damaged(id, &e))
}

fn damaged(id: &[u8], error: &serde_json::Error) -> IndexError {
    // serde's own message may quote the record
    let reason = format!("line {}, column {}", error.line(), error.column());
    IndexError::DamagedRecord { id: String::from_utf8_lossy(id).into_owned(), reason }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, byte| (n << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests;
