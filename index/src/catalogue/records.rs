//! User data beside the documents: named trees of records, such as the cohorts. Keys and values are the application's own.
//!
//! A record is no study: writing one leaves [`Catalogue::sequence`] alone, since nothing is derived from it. It is acknowledged all the
//! same: the ledger holds how many changes of records are on disk. Whoever copies or checks a catalogue walks over
//! [`Catalogue::record_trees`], so that a tree which this version does not know is kept too.

use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, TransactionError};

use super::{Catalogue, RECORDS_KEY, number};
use crate::error::{IndexError, Result};

/// What the store's own names of these trees begin with.
const PREFIX: &str = "records:";

/// The store's own name of a tree.
pub(super) fn tree_name(tree: &str) -> String {
    format!("{PREFIX}{tree}")
}

/// A tree of records. Keys are in the order of their bytes.
#[derive(Clone)]
pub struct Records<'a> {
    catalogue: &'a Catalogue,
    tree: sled::Tree,
}

/// A change of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Writes the record, whether or not it is there.
    Put {
        /// Its key.
        key: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// Removes the record; one that is not there is no error.
    Delete {
        /// Its key.
        key: Vec<u8>,
    },
}

impl Change {
    /// Writes `value` under `key`.
    pub fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Change::Put { key: key.into(), value: value.into() }
    }

    /// Removes `key`.
    pub fn delete(key: impl Into<Vec<u8>>) -> Self {
        Change::Delete { key: key.into() }
    }
}

impl Catalogue {
    /// The tree of this name, made where it is missing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn records(&self, tree: &str) -> Result<Records<'_>> {
        let tree = self.db.open_tree(tree_name(tree)).map_err(|e| self.store(e))?;
        Ok(Records { catalogue: self, tree })
    }

    /// The names of all trees that hold a record, in order: what a backup copies beside the documents.
    pub fn record_trees(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for name in self.db.tree_names() {
            let name = String::from_utf8_lossy(&name).into_owned();
            if let Some(name) = name.strip_prefix(PREFIX)
                && !self.records(name)?.tree.is_empty()
            {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// How many changes of records the catalogue has seen.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn record_changes(&self) -> Result<u64> {
        let bytes = self.meta.get(RECORDS_KEY).map_err(|e| self.store(e))?;
        Ok(bytes.map_or(0, |bytes| number(&bytes)))
    }
}

impl Records<'_> {
    /// The value of a key.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>> {
        let value = self.tree.get(key).map_err(|e| self.catalogue.store(e))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// The records whose keys begin with `prefix`, in the order of their keys. No snapshot: what is written meanwhile may be seen.
    pub fn list(&self, prefix: impl AsRef<[u8]>) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>)>> + '_ {
        self.tree.scan_prefix(prefix).map(|entry| {
            let (key, value) = entry.map_err(|e| self.catalogue.store(e))?;
            Ok((key.to_vec(), value.to_vec()))
        })
    }

    /// Makes these changes: all of them or, on an error, none. When it returns, they are on disk.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn apply(&self, changes: &[Change]) -> Result<()> {
        self.write(None, changes).map(|_| ())
    }

    /// As [`Records::apply`], provided that `key` still has the value `expected` (`None`: is not there). False when it has not: then
    /// nothing was changed, and the caller reads again what somebody else wrote.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn apply_if(&self, key: &[u8], expected: Option<&[u8]>, changes: &[Change]) -> Result<bool> {
        self.write(Some((key, expected)), changes)
    }

    fn write(&self, condition: Option<(&[u8], Option<&[u8]>)>, changes: &[Change]) -> Result<bool> {
        let catalogue = self.catalogue;
        let _writing = catalogue.lock();
        let done = (&self.tree, &catalogue.meta).transaction(|(tree, meta)| {
            if let Some((key, expected)) = condition
                && tree.get(key)?.as_deref() != expected
            {
                return Ok::<bool, ConflictableTransactionError<IndexError>>(false);
            }
            for change in changes {
                match change {
                    Change::Put { key, value } => tree.insert(key.as_slice(), value.as_slice())?,
                    Change::Delete { key } => tree.remove(key.as_slice())?,
                };
            }
            let count = meta.get(RECORDS_KEY)?.map_or(0, |bytes| number(&bytes)) + changes.len() as u64;
            meta.insert(RECORDS_KEY, &count.to_be_bytes())?;
            Ok(true)
        });
        let done = done.map_err(|error| match error {
            TransactionError::Abort(error) => error,
            TransactionError::Storage(source) => catalogue.store(source),
        })?;
        if done && !changes.is_empty() {
            catalogue.flush()?;
            catalogue.acknowledge(false)?;
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::documents;

    fn all(records: &Records<'_>, prefix: &str) -> Vec<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        records.list(prefix).map(|entry| entry.map(|(key, value)| (text(key), text(value))).unwrap()).collect()
    }

    #[test]
    fn records_come_back_in_order_and_are_no_studies() {
        let home = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(home.path()).unwrap();
        catalogue.put(&documents(3)).unwrap();
        assert_eq!(catalogue.record_trees().unwrap(), [""; 0]);
        let cohorts = catalogue.records("cohorts").unwrap();
        cohorts.apply(&[Change::put("b/2", "two"), Change::put("b/1", "one"), Change::put("c", "three")]).unwrap();
        cohorts.apply(&[Change::delete("c"), Change::delete("never there"), Change::put("b/2", "zwei")]).unwrap();
        catalogue.records("empty").unwrap();
        drop(cohorts);
        drop(catalogue);
        let catalogue = Catalogue::open(home.path()).unwrap();
        let cohorts = catalogue.records("cohorts").unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(all(&cohorts, "b/"), [pair("b/1", "one"), pair("b/2", "zwei")]);
        assert_eq!(all(&cohorts, "c"), []);
        assert_eq!(cohorts.get("b/1").unwrap().unwrap(), b"one");
        assert_eq!(catalogue.record_trees().unwrap(), ["cohorts"]);
        assert_eq!((catalogue.sequence().unwrap(), catalogue.len()), (3, 3));
        assert_eq!(catalogue.record_changes().unwrap(), 6);
    }

    #[test]
    fn a_change_on_a_condition_that_no_longer_holds_is_not_made() {
        let home = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(home.path()).unwrap();
        let cohorts = catalogue.records("cohorts").unwrap();
        assert!(cohorts.apply_if(b"head", None, &[Change::put("head", "1")]).unwrap());
        assert!(!cohorts.apply_if(b"head", None, &[Change::put("head", "2"), Change::put("x", "y")]).unwrap());
        assert!(cohorts.apply_if(b"head", Some(b"1"), &[Change::put("head", "3")]).unwrap());
        assert_eq!(all(&cohorts, ""), [("head".to_owned(), "3".to_owned())]);
    }

    #[test]
    fn records_that_were_lost_are_noticed() {
        let home = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(home.path()).unwrap();
        catalogue.put(&documents(40)).unwrap();
        drop(catalogue);
        let file = home.path().join("catalogue/db");
        let before = std::fs::read(&file).unwrap();
        let catalogue = Catalogue::open(home.path()).unwrap();
        let value = vec![7; 4000];
        for number in 0..50 {
            let change = Change::put(format!("{number:03}"), value.clone());
            catalogue.records("cohorts").unwrap().apply(&[change]).unwrap();
        }
        drop(catalogue);
        // the store as it was before: every study is there, no record is
        std::fs::write(&file, before).unwrap();
        let error = Catalogue::open(home.path()).err().expect("50 changes were acknowledged");
        assert!(matches!(error, IndexError::DamagedCatalogue { .. }), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_tree_behaves_as_an_ordered_map(
            changes in proptest::collection::vec(("[a-c]{1,2}", proptest::option::of("\\PC{0,6}")), 0..30)
        ) {
            let home = tempfile::tempdir().unwrap();
            let catalogue = Catalogue::open(home.path()).unwrap();
            let records = catalogue.records("any").unwrap();
            let mut model = BTreeMap::new();
            for batch in changes.chunks(4) {
                let made: Vec<Change> = batch.iter().map(|(key, value)| match value {
                    Some(value) => Change::put(key.as_str(), value.as_str()),
                    None => Change::delete(key.as_str()),
                }).collect();
                records.apply(&made).unwrap();
                for (key, value) in batch {
                    match value {
                        Some(value) => model.insert(key.clone(), value.clone()),
                        None => model.remove(key),
                    };
                }
            }
            prop_assert_eq!(all(&records, ""), model.clone().into_iter().collect::<Vec<_>>());
            let under_a: Vec<_> = model.into_iter().filter(|(key, _)| key.starts_with('a')).collect();
            prop_assert_eq!(all(&records, "a"), under_a);
        }
    }
}
