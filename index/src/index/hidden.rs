//! Studies that were deleted since the generation was made: hidden by a bitmap of their rows, and left out of the next generation.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use roaring::RoaringBitmap;
use serde::Serialize;

use super::Index;
use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::generation::Manifest;
use crate::tuning::Tuning;

/// What the catalogue has that the generation has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Behind {
    /// Studies of the generation that are gone from the catalogue: hidden.
    pub deleted: u64,
    /// Studies of the generation that were stored again since: found as they were then.
    pub changed: u64,
    /// Studies that are not in the generation: not found yet.
    pub added: u64,
    /// Sequence number of the catalogue that this was counted at.
    pub sequence: u64,
}

impl Behind {
    /// True when the generation holds what the catalogue holds.
    pub fn is_none(&self) -> bool {
        self.deleted + self.changed + self.added == 0
    }
}

/// The hidden rows; replaced as a whole, so that a query sees one state.
pub(super) struct Hiding {
    /// Spares the lock in the usual case.
    any: AtomicBool,
    shown: RwLock<Arc<Shown>>,
    /// One catches up at a time.
    state: Mutex<State>,
}

/// What queries look at.
#[derive(Default)]
struct Shown {
    hidden: RoaringBitmap,
    visible: RoaringBitmap,
    behind: Behind,
}

/// What the next look at the change log needs.
#[derive(Default)]
struct State {
    hidden: RoaringBitmap,
    changed: RoaringBitmap,
    added: BTreeSet<String>,
    sequence: u64,
}

impl Hiding {
    pub(super) fn new(manifest: &Manifest) -> Self {
        let sequence = manifest.sequence;
        let shown = Shown { behind: Behind { sequence, ..Behind::default() }, ..Shown::default() };
        Self {
            any: AtomicBool::new(false),
            shown: RwLock::new(Arc::new(shown)),
            state: Mutex::new(State { sequence, ..State::default() }),
        }
    }

    fn shown(&self) -> Arc<Shown> {
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Index {
    /// As [`Index::open`], beside the catalogue that it was made from: what was deleted there since is hidden.
    ///
    /// # Errors
    /// As [`Index::open`], and when the catalogue cannot be read.
    pub fn open_beside(home: &Path, catalogue: &Catalogue) -> Result<Option<Self>> {
        let index = Self::open_with(home, Tuning::default())?;
        if let Some(index) = &index {
            index.catch_up(catalogue)?;
        }
        Ok(index)
    }

    /// Hides what was deleted in the catalogue, shows what was stored again, and counts what is new or changed. Searches go on meanwhile.
    ///
    /// It reads the catalogue's change log from where it stopped the last time; all ids only when the log does not reach back, after a
    /// hard stop in the middle of a change or when the catalogue is another one than the generation was made from.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn catch_up(&self, catalogue: &Catalogue) -> Result<Behind> {
        let mut state = self.hidden.state.lock().unwrap_or_else(PoisonError::into_inner);
        if catalogue.identity() != self.manifest.catalogue {
            *state = self.compare(catalogue)?;
            return Ok(self.show(&state));
        }
        if catalogue.sequence()? == state.sequence {
            return Ok(self.behind());
        }
        let since = catalogue.changed_since(state.sequence)?;
        match since.ids {
            None => *state = self.compare(catalogue)?,
            Some(ids) => {
                for id in ids {
                    state.note(self.any_row(&id), &id, catalogue.contains(&id)?);
                }
                state.sequence = since.sequence;
            }
        }
        Ok(self.show(&state))
    }

    /// What the last [`Index::catch_up`] found.
    pub fn behind(&self) -> Behind {
        self.hidden.shown().behind
    }

    /// Number of studies that can be found.
    pub fn live(&self) -> usize {
        self.len() - self.hidden.shown().hidden.len() as usize
    }

    /// One walk over all ids of the catalogue, beside those of the generation.
    fn compare(&self, catalogue: &Catalogue) -> Result<State> {
        let same = catalogue.identity() == self.manifest.catalogue;
        let mut state = State::default();
        let mut row = 0u32;
        let sequence = catalogue.stamps(|id, sequence| {
            while self.studies.id(row).is_some_and(|own| own.as_bytes() < id) {
                state.hidden.insert(row);
                row += 1;
            }
            if self.studies.id(row).is_some_and(|own| own.as_bytes() == id) {
                if !same || sequence > self.manifest.sequence {
                    state.changed.insert(row);
                }
                row += 1;
            } else {
                state.added.insert(String::from_utf8_lossy(id).into_owned());
            }
        })?;
        state.hidden.insert_range(row..self.studies.len() as u32);
        state.sequence = sequence;
        Ok(state)
    }

    fn show(&self, state: &State) -> Behind {
        let hidden = state.hidden.clone();
        let behind = Behind {
            deleted: hidden.len(),
            changed: state.changed.len(),
            added: state.added.len() as u64,
            sequence: state.sequence,
        };
        let any = !hidden.is_empty();
        let visible = if any { self.fields.all() - &hidden } else { RoaringBitmap::new() };
        let shown = Arc::new(Shown { hidden, visible, behind });
        *self.hidden.shown.write().unwrap_or_else(PoisonError::into_inner) = shown;
        self.hidden.any.store(any, Ordering::Release);
        behind
    }

    /// The row of a study, hidden or not.
    pub(super) fn any_row(&self, id: &str) -> Option<u32> {
        self.studies.find(id)
    }

    /// True when the row is not hidden. Whatever gives rows, ids or items to the outside asks this, or one of the next two.
    pub(super) fn shows(&self, row: u32) -> bool {
        !self.hidden.any.load(Ordering::Acquire) || !self.hidden.shown().hidden.contains(row)
    }

    /// Rows without the hidden ones.
    pub(super) fn without_hidden(&self, rows: RoaringBitmap) -> RoaringBitmap {
        if self.hidden.any.load(Ordering::Acquire) { rows - &self.hidden.shown().hidden } else { rows }
    }

    /// A filter that hides what is to be hidden; `None` where nothing is filtered at all.
    pub(super) fn visible<'a>(&self, filter: Option<&'a RoaringBitmap>) -> Option<Cow<'a, RoaringBitmap>> {
        if !self.hidden.any.load(Ordering::Acquire) {
            return filter.map(Cow::Borrowed);
        }
        let shown = self.hidden.shown();
        Some(Cow::Owned(filter.map_or_else(|| shown.visible.clone(), |filter| filter - &shown.hidden)))
    }
}

impl State {
    /// A study was stored or removed.
    fn note(&mut self, row: Option<u32>, id: &str, is_there: bool) {
        match (row, is_there) {
            (Some(row), true) => {
                self.hidden.remove(row);
                self.changed.insert(row);
            }
            (Some(row), false) => {
                self.changed.remove(row);
                self.hidden.insert(row);
            }
            (None, true) => {
                self.added.insert(id.to_owned());
            }
            (None, false) => {
                self.added.remove(id);
            }
        }
    }
}

#[cfg(test)]
mod tests;
