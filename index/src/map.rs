//! A file mapped into memory. One of the two files with `unsafe`.
//!
//! # Why the `unsafe` is sound
//! A map gives bytes whose value must not change while they are borrowed. The files that this crate maps are written under a folder
//! that does not serve yet, synced, and never written again: a generation is immutable, and is removed by unlinking, which leaves
//! open maps whole. Should somebody else write into such a file all the same, readers see other bytes: every number read
//! from a map is checked against the bounds of what it points into at the time of its use, so that this gives wrong or
//! missing neighbours, not wrong memory. Cutting a mapped file short ends the process (`SIGBUS`), as with any map.
#![allow(unsafe_code)]

use std::path::Path;

use fs_err as fs;
use memmap2::Mmap;

use crate::error::{IndexError, Result};

/// The bytes of a file, read when they are used.
#[derive(Debug)]
pub(crate) struct Map(Option<Mmap>);

impl Map {
    /// Maps a file of a generation.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] when it is missing; what the system says.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = match fs::File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(IndexError::Damaged { path: path.to_owned(), reason: "it is missing".to_owned() });
            }
            other => other?,
        };
        // an empty file cannot be mapped everywhere
        if file.metadata()?.len() == 0 {
            return Ok(Self(None));
        }
        // SAFETY: see the head of the file
        let map = unsafe { Mmap::map(file.file()) }?;
        Ok(Self(Some(map)))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}
