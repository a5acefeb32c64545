//! Folders and files of the generations under `HOME/index`.
//!
//! `CURRENT` holds the number of the generation that serves and the BLAKE3 of its manifest. A folder with a higher number is a build
//! under way if it has a `build.json`, and otherwise the remains of one that was killed while it started.

use std::fmt;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::disk;
use crate::error::{IndexError, Result};

use super::Space;

pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const STUDIES: &str = "studies.jsonl";
pub(crate) const FAILURES: &str = "failures.json";
/// Folder of the tantivy index.
pub(crate) const TEXT: &str = "text";
/// Marks a folder as an unfinished build.
pub(crate) const BUILD: &str = "build.json";
/// The catalogue as it was when the build started.
pub(crate) const SNAPSHOT: &str = "snapshot.jsonl";

/// `images.f32`
pub(crate) fn column_file(space: Space) -> String {
    format!("{}.f32", space.name())
}

/// `images.log`
pub(crate) fn log_file(space: Space) -> String {
    format!("{}.log", space.name())
}

/// `images.graph`
pub(crate) fn graph_file(space: Space) -> String {
    format!("{}.graph", space.name())
}

/// What `CURRENT` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    pub generation: u64,
    pub manifest_hash: String,
}

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.generation, self.manifest_hash)
    }
}

/// The `index` folder of a home.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(home: &Path) -> Self {
        Self { root: home.join("index") }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn generation(&self, number: u64) -> PathBuf {
        self.root.join(number.to_string())
    }

    /// What serves; `None` when nothing was ever finished.
    pub(crate) fn current(&self) -> Result<Option<Current>> {
        let path = self.root.join("CURRENT");
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let parsed = text.split_once(' ').and_then(|(number, hash)| {
            let current = Current { generation: number.parse().ok()?, manifest_hash: hash.trim_end().to_owned() };
            // to the byte: what else it may say was not written by us
            (current.to_string() == text).then_some(current)
        });
        parsed.map(Some).ok_or_else(|| IndexError::Damaged { path, reason: "it names no generation".to_owned() })
    }

    /// From now on this generation serves.
    pub(crate) fn set_current(&self, current: &Current) -> Result<()> {
        disk::replace(&self.root.join("CURRENT"), current.to_string().as_bytes())
    }

    /// Numbers of all folders, ascending.
    pub(crate) fn generations(&self) -> Result<Vec<u64>> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}
