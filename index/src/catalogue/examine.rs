//! Every record of the catalogue beside what was stored, for `doctor`; and damaged records out of the way.

use super::digest::Digest;
use super::{Catalogue, Record, Stamp};
use crate::document::Document;
use crate::error::Result;

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordFault {
    /// It does not parse.
    Unreadable,
    /// The document's hash is not the one that was stored with it.
    OtherHash,
    /// The document has another id than the record's key.
    OtherId,
    /// Its sequence number is higher than the catalogue's.
    LaterThanAll,
}

impl RecordFault {
    /// In words, without the record's text.
    pub(crate) fn words(self) -> &'static str {
        match self {
            RecordFault::Unreadable => "its record does not parse",
            RecordFault::OtherHash => "its record is not what was stored: the hash differs",
            RecordFault::OtherId => "its record is another study's",
            RecordFault::LaterThanAll => "its record has a later sequence number than the catalogue",
        }
    }
}

/// What a walk over all records found.
pub(crate) struct Examined {
    pub(crate) records: u64,
    pub(crate) sequence: u64,
    /// The digest that the transactions kept.
    pub(crate) kept: Option<Digest>,
    /// The digest of the records; `None` when one has no sequence number or hash.
    pub(crate) found: Option<Digest>,
}

impl Catalogue {
    /// Looks at every record while nobody writes, and calls `fault` with the id of each that is not what was stored.
    pub(crate) fn examine(&self, mut fault: impl FnMut(&[u8], RecordFault)) -> Result<Examined> {
        let _writing = self.lock();
        let (sequence, kept) = (self.sequence()?, self.digest()?);
        let (mut records, mut found) = (0, Some(Digest::default()));
        for entry in &self.documents {
            let (id, bytes) = entry.map_err(|e| self.store(e))?;
            records += 1;
            match serde_json::from_slice::<Stamp>(&bytes) {
                Ok(stamp) => found.iter_mut().for_each(|digest| digest.add(&id, stamp.sequence, &stamp.hash)),
                Err(_) => found = None,
            }
            if let Err(wrong) = check(&id, &bytes, sequence) {
                fault(&id, wrong);
            }
        }
        Ok(Examined { records, sequence, kept, found })
    }

    /// Hands every damaged record to `keep`, as it is, and then removes them all; how many there were.
    pub(crate) fn set_aside(&self, mut keep: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<usize> {
        let sequence = self.sequence()?;
        let mut damaged = Vec::new();
        for entry in &self.documents {
            let (id, bytes) = entry.map_err(|e| self.store(e))?;
            if check(&id, &bytes, sequence).is_err() {
                keep(&id, &bytes)?;
                damaged.push(id);
            }
        }
        let _writing = self.lock();
        for id in &damaged {
            self.documents.remove(id).map_err(|e| self.store(e))?;
        }
        if !damaged.is_empty() {
            // their ids may be no text, so the change log cannot name them
            self.skip_log(0)?;
        }
        self.set_digest(self.walk()?.digest)?;
        self.flush()?;
        self.acknowledge(false)?;
        Ok(damaged.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
impl Catalogue {
    /// Changes a record behind the catalogue's back.
    pub(crate) fn damage(&self, id: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.documents.get(id).unwrap().unwrap().to_vec();
        change(&mut bytes);
        self.documents.insert(id, bytes).unwrap();
    }

    /// Loses a record behind the catalogue's back.
    pub(crate) fn lose(&self, id: &str) {
        self.documents.remove(id).unwrap().unwrap();
    }
}

/// The document's id and the stamp of a stored record, if the record is what was stored.
pub(super) fn read(bytes: &[u8]) -> Result<(String, Stamp), &'static str> {
    let record: Record<Document> = serde_json::from_slice(bytes).map_err(|_| RecordFault::Unreadable.words())?;
    // the bytes themselves: a number may be written in more than one way
    let prefix = format!("{{\"sequence\":{},\"hash\":\"{}\",\"document\":", record.sequence, record.hash);
    let document = bytes.strip_prefix(prefix.as_bytes()).and_then(|rest| rest.strip_suffix(b"}"));
    if document.is_none_or(|document| blake3::hash(document).to_hex().as_str() != record.hash) {
        return Err(RecordFault::OtherHash.words());
    }
    Ok((record.document.id, Stamp { sequence: record.sequence, hash: record.hash }))
}

pub(super) fn check(id: &[u8], bytes: &[u8], sequence: u64) -> Result<(), RecordFault> {
    let (own, stamp) = read(bytes).map_err(|words| {
        if words == RecordFault::Unreadable.words() { RecordFault::Unreadable } else { RecordFault::OtherHash }
    })?;
    if own.as_bytes() != id {
        return Err(RecordFault::OtherId);
    }
    if stamp.sequence > sequence { Err(RecordFault::LaterThanAll) } else { Ok(()) }
}
