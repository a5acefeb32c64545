//! Keyed names in place of the ids of studies and patients.
//!
//! The same key gives the same names, so that exports of several cohorts can be joined; without the key nobody can tell whether a known
//! id is among them. The key is the user's: thorax never keeps it.

use std::path::Path;

use crate::error::{Error, Result};

/// Shortest key, in bytes.
const MIN_KEY: usize = 16;
const CONTEXT: &str = "thorax 2026-11 pseudonyms of cohort exports";
/// Hex digits: 128 bits, so that names do not collide.
const DIGITS: usize = 32;

/// Makes pseudonyms with one key.
pub struct Pseudonyms {
    key: [u8; 32],
}

impl Pseudonyms {
    /// Reads the key.
    ///
    /// # Errors
    /// The file cannot be read, or is too short to be a key.
    pub fn read(path: &Path) -> Result<Self> {
        let make = format!("`head -c 32 /dev/urandom > {}` makes one; keep it secret", path.display());
        let bytes = fs_err::read(path).map_err(|e| Error::Caller(format!("{e}: {make}")))?;
        if bytes.len() < MIN_KEY {
            return Err(Error::Caller(format!(
                "{} has {} bytes, a key has at least {MIN_KEY}: {make}",
                path.display(),
                bytes.len()
            )));
        }
        Ok(Self { key: blake3::derive_key(CONTEXT, &bytes) })
    }

    /// The name of a study.
    pub fn study(&self, id: &str) -> String {
        self.name('S', "study", id)
    }

    /// The name of a patient.
    pub fn patient(&self, id: &str) -> String {
        self.name('P', "patient", id)
    }

    fn name(&self, letter: char, kind: &str, id: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(kind.as_bytes()).update(&[0]).update(id.as_bytes());
        let hex = hasher.finalize().to_hex();
        std::iter::once(letter).chain(hex.chars().take(DIGITS)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_depend_on_key_and_kind_and_say_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let with = |bytes: &[u8]| {
            let path = dir.path().join("key");
            std::fs::write(&path, bytes).unwrap();
            Pseudonyms::read(&path)
        };
        let (one, same, other) = (with(&[1; 32]).unwrap(), with(&[1; 32]).unwrap(), with(&[2; 32]).unwrap());
        assert_eq!(one.study("nih/1"), same.study("nih/1"));
        assert_ne!(one.study("nih/1"), other.study("nih/1"));
        assert_ne!(one.study("nih/1"), one.study("nih/2"));
        assert_ne!(one.study("x")[1..], one.patient("x")[1..]);
        assert_eq!(one.study("nih/1").len(), 33);
        assert!(with(b"short").is_err_and(|e| e.is_caller_fault() && e.to_string().contains("urandom")));
        assert!(Pseudonyms::read(&dir.path().join("nowhere")).is_err_and(|e| e.is_caller_fault()));
    }
}
