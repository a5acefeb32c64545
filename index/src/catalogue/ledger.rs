//! What has been acknowledged, in a file beside sled's own.
//!
//! sled 0.34 opens a file that lost its end without a word, with fewer records, and may bring back a part of a transaction that was
//! under way at a hard stop. The ledger makes both visible: the first is refused, the second is looked for and numbered anew.

use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::{IndexError, Result};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// [`Catalogue::identity`](super::Catalogue::identity)
    pub identity: String,
    /// Every change up to this one has been acknowledged.
    pub sequence: u64,
    /// As many changes of records have been acknowledged.
    #[serde(default)]
    pub records: u64,
    /// The catalogue was closed in order since.
    pub closed: bool,
    /// A removal was under way.
    #[serde(default)]
    pub removing: bool,
}

pub(super) struct Ledger {
    path: PathBuf,
}

impl Ledger {
    pub(super) fn new(catalogue: &Path) -> Self {
        Self { path: catalogue.join("acknowledged.json") }
    }

    /// `None` for a new catalogue.
    pub(super) fn read(&self) -> Result<Option<Entry>> {
        match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| IndexError::DamagedCatalogue {
                path: self.path.clone(),
                reason: "it does not parse".to_owned(),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn write(&self, entry: &Entry) -> Result<()> {
        disk::replace(&self.path, &serde_json::to_vec(entry)?)
    }
}

/// Refuses a store that has less than was acknowledged.
pub(super) fn check(path: &Path, entry: &Entry, identity: Option<&str>, sequence: u64, records: u64) -> Result<()> {
    let reason = match identity {
        Some(identity) if identity == entry.identity && sequence >= entry.sequence && records >= entry.records => {
            return Ok(());
        }
        Some(identity) if identity == entry.identity && sequence >= entry.sequence => {
            format!("{} changes of records were acknowledged, {records} are there", entry.records)
        }
        Some(identity) if identity == entry.identity => {
            format!("{} changes were acknowledged, {sequence} are there", entry.sequence)
        }
        Some(_) => "its file is another catalogue's".to_owned(),
        None => format!("{} changes were acknowledged, nothing is there", entry.sequence),
    };
    Err(IndexError::DamagedCatalogue { path: path.to_owned(), reason })
}
