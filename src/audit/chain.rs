//! The chain: a line's hash is over its bytes up to the hash itself, which include the hash of the line before it.

use std::path::Path;

use blake3::Hash;
use serde::{Deserialize, Serialize};

use super::event::Noted;
use crate::access::token::random;
use crate::error::{Error, Result};
use crate::private;

/// What stands before a line's hash, which ends the line.
const BEFORE: &str = ",\"hash\":\"";
/// Characters of a hash, and what stands after it.
const HASH: usize = 64;
const AFTER: &str = "\"}";

/// The key of a home's log.
pub struct Key([u8; 32]);

/// Where the chain is: number and hash of the line that was written last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its number; 0 before the first.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

impl Link {
    /// Before the first line.
    pub fn first() -> Self {
        Self { seq: 0, hash: "0".repeat(HASH) }
    }
}

impl Key {
    /// Reads the key of a folder; makes one where neither key nor log are there.
    ///
    /// # Errors
    /// It is missing while there is a log, is no key, or the folder cannot be written.
    pub fn of(folder: &Path, may_make: bool) -> Result<Self> {
        let path = folder.join("key");
        match fs_err::read(&path) {
            Ok(bytes) => bytes
                .try_into()
                .map(Self)
                .map_err(|_| Error::Caller(format!("{}: a key has 32 bytes; restore it from a copy", path.display()))),
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound && may_make => {
                let key = random::<32>()?;
                private::replace(&path, &key)?;
                Ok(Self(key))
            }
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Err(Error::Caller(format!(
                "{}: the audit log's key is missing: restore it from a copy, or move the folder away to begin a new log",
                path.display()
            ))),
            Err(fault) => Err(fault.into()),
        }
    }

    /// The keyed hash of some bytes.
    pub fn hash(&self, bytes: &[u8]) -> Hash {
        blake3::keyed_hash(&self.0, bytes)
    }

    /// A line of the log, with its end, and where the chain is after it.
    ///
    /// # Errors
    /// The event is no JSON.
    pub fn line(&self, noted: &Noted) -> Result<(String, Link)> {
        let mut line = serde_json::to_string(noted)?;
        line.pop();
        let hash = self.hash(line.as_bytes()).to_hex().to_string();
        line.push_str(&format!("{BEFORE}{hash}{AFTER}\n"));
        Ok((line, Link { seq: noted.seq, hash }))
    }

    /// Reads a line without its end; `None` where it is not what was written.
    pub fn read(&self, line: &[u8]) -> Option<(Noted, Link)> {
        let body = line.len().checked_sub(BEFORE.len() + HASH + AFTER.len())?;
        let (body, end) = line.split_at_checked(body)?;
        let hash = std::str::from_utf8(end).ok()?.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
        // compared in constant time
        if Hash::from_hex(hash).ok()? != self.hash(body) {
            return None;
        }
        let mut json = body.to_vec();
        json.push(b'}');
        let noted: Noted = serde_json::from_slice(&json).ok()?;
        let link = Link { seq: noted.seq, hash: hash.to_owned() };
        Some((noted, link))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::audit::event::{Event, Who};

    #[test]
    fn a_line_is_read_only_as_it_was_written_and_only_with_its_key() {
        let (key, other) = (Key([1; 32]), Key([2; 32]));
        let event =
            Event { count: Some(7), ..Event::new(Who::Token { id: "a".into(), name: "\"x\"".into() }, "search") };
        let noted = Noted { seq: 3, time: "2026-01-01T00:00:00Z".into(), event, prev: Link::first().hash };
        let (line, link) = key.line(&noted).unwrap();
        let bytes = line.trim_end().as_bytes();
        assert_eq!(key.read(bytes), Some((noted, link)));
        assert_eq!(other.read(bytes), None);
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1;
            assert_eq!(key.read(&changed), None, "byte {at}");
            assert_eq!(key.read(&bytes[..at]), None, "cut at {at}");
        }
    }
}
