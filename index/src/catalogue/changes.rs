//! The change log: which document each sequence number belongs to, so that what was derived from the catalogue sees what happened
//! since without looking at every document.
//!
//! It begins after `complete_after`: older entries are pruned once the serving generation has passed them, and a catalogue that an
//! older version wrote, or that met a hard stop in the middle of a change, has none of them.

use super::{Catalogue, SEQUENCE_KEY, Stamp, number};
use crate::error::Result;

/// Sequence number after which every change is in the log.
pub(super) const COMPLETE_AFTER_KEY: &str = "complete_after";
/// Entries removed at a time.
const PRUNE: usize = 10_000;

/// What happened after a sequence number.
pub(crate) struct Since {
    /// The sequence number that the answer belongs to.
    pub(crate) sequence: u64,
    /// Ids of the documents that were stored or removed, with repetitions; `None` when the log does not reach back that far.
    pub(crate) ids: Option<Vec<String>>,
}

impl Catalogue {
    /// The documents that were stored or removed after `sequence`.
    pub(crate) fn changed_since(&self, sequence: u64) -> Result<Since> {
        let _writing = self.lock();
        let now = self.sequence()?;
        if sequence < self.log_complete_after()? {
            return Ok(Since { sequence: now, ids: None });
        }
        let mut ids = Vec::new();
        for entry in self.changes.range(sequence.saturating_add(1).to_be_bytes()..) {
            let (_, id) = entry.map_err(|e| self.store(e))?;
            ids.push(String::from_utf8_lossy(&id).into_owned());
        }
        Ok(Since { sequence: now, ids: Some(ids) })
    }

    /// Calls `visit` with the id and the sequence number of every document in order, while nobody writes; the sequence number that all
    /// of it belongs to. A record that does not parse counts as changed last.
    pub(crate) fn stamps(&self, mut visit: impl FnMut(&[u8], u64)) -> Result<u64> {
        let _writing = self.lock();
        for entry in &self.documents {
            let (id, bytes) = entry.map_err(|e| self.store(e))?;
            visit(&id, serde_json::from_slice::<Stamp>(&bytes).map_or(u64::MAX, |stamp| stamp.sequence));
        }
        self.sequence()
    }

    /// Forgets the changes up to `sequence`: the generation that serves holds them.
    pub(crate) fn prune_changes(&self, sequence: u64) -> Result<()> {
        let _writing = self.lock();
        if sequence <= self.log_complete_after()? {
            return Ok(());
        }
        // first the word, then the entries: a stop in between leaves entries that nobody asks for
        self.meta.insert(COMPLETE_AFTER_KEY, &sequence.to_be_bytes()).map_err(|e| self.store(e))?;
        loop {
            let mut batch = sled::Batch::default();
            let mut removed = 0;
            for entry in self.changes.range(..=sequence.to_be_bytes()).take(PRUNE) {
                batch.remove(entry.map_err(|e| self.store(e))?.0);
                removed += 1;
            }
            self.changes.apply_batch(batch).map_err(|e| self.store(e))?;
            if removed < PRUNE {
                return self.flush();
            }
        }
    }

    /// Moves the catalogue on, beyond `last`, by a change that no entry tells of: whoever asks for what happened before it has to look
    /// at everything.
    pub(super) fn skip_log(&self, last: u64) -> Result<()> {
        let next = (self.sequence()?.max(last) + 1).to_be_bytes();
        let mut batch = sled::Batch::default();
        batch.insert(SEQUENCE_KEY, &next);
        batch.insert(COMPLETE_AFTER_KEY, &next);
        self.meta.apply_batch(batch).map_err(|e| self.store(e))?;
        self.changes.clear().map_err(|e| self.store(e))
    }

    fn log_complete_after(&self) -> Result<u64> {
        let bytes = self.meta.get(COMPLETE_AFTER_KEY).map_err(|e| self.store(e))?;
        Ok(bytes.map_or(0, |bytes| number(&bytes)))
    }

    #[cfg(test)]
    pub(crate) fn log_length(&self) -> usize {
        self.changes.len()
    }
}
