//! Brings a catalogue up to date at its opening: one of an older format, and one that met a hard stop.

use super::digest::Digest;
use super::ledger::Entry;
use super::{Catalogue, DIGEST_KEY, FORMAT, FORMAT_KEY, Stamp};
use crate::error::Result;

/// What a walk over the records finds.
pub(super) struct Walk {
    /// The highest sequence number of a record.
    pub(super) last: u64,
    /// `None` when a record does not parse.
    pub(super) digest: Option<Digest>,
}

impl Catalogue {
    /// `format` is the one that was found, `None` in a new catalogue.
    pub(super) fn bring_up_to_date(&self, format: Option<u64>, acknowledged: Option<&Entry>) -> Result<()> {
        if format.is_some_and(|found| found < FORMAT) {
            return self.upgrade();
        }
        match acknowledged {
            None => self.keep_digest(),
            Some(entry) if !entry.closed => self.after_hard_stop(entry),
            Some(_) if self.digest()?.is_none() => self.keep_digest(),
            Some(_) => Ok(()),
        }
    }

    /// Format 1: the change log begins now, and the records get a digest.
    fn upgrade(&self) -> Result<()> {
        let walk = self.walk()?;
        let sequence = self.sequence()?.max(walk.last);
        self.meta.insert(super::SEQUENCE_KEY, &sequence.to_be_bytes()).map_err(|e| self.store(e))?;
        self.meta.insert(super::changes::COMPLETE_AFTER_KEY, &sequence.to_be_bytes()).map_err(|e| self.store(e))?;
        self.set_digest(walk.digest)?;
        // last: a stop before it upgrades once more
        self.flush()?;
        self.meta.insert(FORMAT_KEY, &FORMAT.to_be_bytes()).map_err(|e| self.store(e))?;
        self.flush()
    }

    /// A transaction that was never acknowledged may be there in part. What is there of it stays, but as a change of its own, so that
    /// whatever was derived from the catalogue is seen to be out of date.
    ///
    /// A digest that is wrong without such a transaction stays as it is: acknowledged records are missing, and `doctor` says so.
    fn after_hard_stop(&self, entry: &Entry) -> Result<()> {
        let walk = self.walk()?;
        let sequence = self.sequence()?;
        let whole = walk.digest.is_some() && walk.digest == self.digest()?;
        let in_part = !whole && (sequence > entry.sequence || entry.removing);
        if walk.last > sequence || in_part {
            self.skip_log(walk.last)?;
            self.set_digest(walk.digest)?;
            self.flush()?;
        }
        Ok(())
    }

    fn keep_digest(&self) -> Result<()> {
        let walk = self.walk()?;
        self.set_digest(walk.digest)?;
        self.flush()
    }

    pub(super) fn walk(&self) -> Result<Walk> {
        let mut walk = Walk { last: 0, digest: Some(Digest::default()) };
        for entry in &self.documents {
            let (id, bytes) = entry.map_err(|e| self.store(e))?;
            match (serde_json::from_slice::<Stamp>(&bytes), &mut walk.digest) {
                (Ok(stamp), digest) => {
                    walk.last = walk.last.max(stamp.sequence);
                    if let Some(digest) = digest {
                        digest.add(&id, stamp.sequence, &stamp.hash);
                    }
                }
                (Err(_), digest) => *digest = None,
            }
        }
        Ok(walk)
    }

    /// The digest that the transactions kept.
    pub(super) fn digest(&self) -> Result<Option<Digest>> {
        let bytes = self.meta.get(DIGEST_KEY).map_err(|e| self.store(e))?;
        Ok(bytes.and_then(|bytes| Digest::from_bytes(&bytes)))
    }

    pub(super) fn set_digest(&self, digest: Option<Digest>) -> Result<()> {
        match digest {
            Some(digest) => self.meta.insert(DIGEST_KEY, digest.to_bytes()),
            None => self.meta.remove(DIGEST_KEY),
        }
        .map_err(|e| self.store(e))?;
        Ok(())
    }
}
