//! The manifest: what a generation is made of. Its own checksum stands in `CURRENT`, those of the other files stand in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::disk;
use crate::error::{IndexError, Result};

use super::layout::{Current, Layout, MANIFEST};

/// Format of a generation's files. 2: the graph is one file of ours, and columns carry a checksum for each row. 3: the text index
/// tells what is affirmed from what is denied.
pub(crate) const FORMAT: u32 = 3;

/// What a generation is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of the files.
    pub format: u32,
    /// Number of the generation.
    pub generation: u64,
    /// Hash of the model's configuration, weights and preprocessing.
    pub fingerprint: String,
    /// Length of the vectors.
    pub dimension: usize,
    /// [`Catalogue::identity`] of the catalogue that it was made from.
    pub catalogue: String,
    /// Sequence number of that catalogue.
    pub sequence: u64,
    /// Number of studies.
    pub studies: usize,
    /// Rows of the image column.
    pub images: usize,
    /// Rows of the sentence column.
    pub sentences: usize,
    /// Items that could not be embedded.
    pub failed: usize,
    /// By space, the hash of what its graph was made of: the column, which rows have the same content, the tuning.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub graphs: BTreeMap<String, String>,
    /// Every other file by its path in the folder.
    pub files: BTreeMap<String, FileSum>,
}

/// What a file must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Length.
    pub bytes: u64,
    /// BLAKE3, in hex.
    pub blake3: String,
}

impl Manifest {
    /// The manifest of the generation that serves in this home; the other files are not looked at.
    ///
    /// # Errors
    /// [`IndexError::Damaged`], [`IndexError::NewerFormat`].
    pub fn current(home: &Path) -> Result<Option<Self>> {
        let layout = Layout::new(home);
        layout.current()?.map(|current| Self::read(&layout, &current)).transpose()
    }

    pub(crate) fn read(layout: &Layout, current: &Current) -> Result<Self> {
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        let path = layout.generation(current.generation).join(MANIFEST);
        let damaged = |reason: &str| IndexError::Damaged { path: path.clone(), reason: reason.to_owned() };
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(damaged("it is missing"));
            }
            other => other?,
        };
        if blake3::hash(&bytes).to_hex().as_str() != current.manifest_hash {
            return Err(damaged("its checksum is not the one in CURRENT"));
        }
        let found = serde_json::from_slice::<Format>(&bytes).map_err(|_| damaged("it does not parse"))?.format;
        if found > u64::from(FORMAT) {
            let what = format!("the index in {}", layout.root().display());
            return Err(IndexError::NewerFormat { what, found, known: u64::from(FORMAT) });
        }
        serde_json::from_slice(&bytes).map_err(|_| damaged("it does not parse"))
    }

    /// True when this generation holds what the catalogue holds now, embedded by this model: there is nothing to index.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn is_current(&self, fingerprint: &str, catalogue: &Catalogue) -> Result<bool> {
        let same = self.format == FORMAT && self.fingerprint == fingerprint && self.catalogue == catalogue.identity();
        Ok(same && self.sequence == catalogue.sequence()?)
    }

    /// Checks that the generation was made by this model.
    ///
    /// # Errors
    /// [`IndexError::OtherModel`], which names the command that mends it.
    pub fn expect_model(&self, fingerprint: &str) -> Result<()> {
        if self.fingerprint == fingerprint {
            return Ok(());
        }
        Err(IndexError::OtherModel { expected: fingerprint.to_owned(), found: self.fingerprint.clone() })
    }

    /// Checks that the files are of the format that this program searches. Vectors of older ones can still be carried over.
    pub(crate) fn expect_format(&self, layout: &Layout) -> Result<()> {
        if self.format == FORMAT {
            return Ok(());
        }
        let path = layout.generation(self.generation);
        Err(IndexError::OlderFormat { path, found: self.format, known: FORMAT })
    }

    /// The path of a file that has the length that was written; its content is checked by who uses it.
    pub(crate) fn sized(&self, dir: &Path, name: &str) -> Result<PathBuf> {
        let path = dir.join(name);
        let damaged = |reason: String| Err(IndexError::Damaged { path: path.clone(), reason });
        let found = match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return damaged("it is missing".to_owned()),
            other => other?.len(),
        };
        match self.files.get(name) {
            None => damaged("the manifest does not know it".to_owned()),
            Some(sum) if sum.bytes != found => damaged(format!("it has {found} bytes, {} were written", sum.bytes)),
            Some(_) => Ok(path),
        }
    }

    /// Reads a file of the generation and checks that it is what was written.
    pub(crate) fn read_file(&self, dir: &Path, name: &str) -> Result<Vec<u8>> {
        let path = dir.join(name);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        let found = (bytes.len() as u64, blake3::hash(&bytes).to_hex().to_string());
        self.compare(&path, name, &found).map(|()| bytes)
    }

    /// Checks a file without keeping it.
    pub(crate) fn check_file(&self, dir: &Path, name: &str) -> Result<()> {
        let path = dir.join(name);
        if !path.is_file() {
            return Err(IndexError::Damaged { path, reason: "it is missing".to_owned() });
        }
        self.compare(&path, name, &disk::checksum(&path)?)
    }

    fn compare(&self, path: &Path, name: &str, found: &(u64, String)) -> Result<()> {
        let reason = match self.files.get(name) {
            None => "the manifest does not know it".to_owned(),
            Some(sum) if sum.bytes != found.0 => {
                format!("it has {} bytes, {} were written", found.0, sum.bytes)
            }
            Some(sum) if sum.blake3 != found.1 => "its checksum is not the one in the manifest".to_owned(),
            Some(_) => return Ok(()),
        };
        Err(IndexError::Damaged { path: path.to_owned(), reason })
    }
}
