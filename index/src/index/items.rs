//! The items of a space, by row: keys, and the studies that they belong to.

use std::collections::HashSet;
use std::ops::Range;

use super::line::{ItemLine, StudyLine};
use super::strings::{Sorted, Strings};
use crate::generation::{Failure, Space};

/// Which items there are.
pub(super) struct Items {
    keys: Strings,
    by_key: Sorted,
    study_of: Vec<u32>,
    /// Item rows of study `i` begin at `starts[i]` and end at `starts[i + 1]`.
    starts: Vec<u32>,
}

/// Gathers the items in the order of the studies.
pub(super) struct ItemsBuilder {
    space: Space,
    /// Contents that have no vector.
    failed: HashSet<String>,
    keys: Strings,
    study_of: Vec<u32>,
    starts: Vec<u32>,
}

impl ItemsBuilder {
    pub(super) fn new(space: Space, failures: &[Failure]) -> Self {
        let failed = failures.iter().filter(|f| f.space == space).map(|f| f.hash.clone()).collect();
        Self { space, failed, keys: Strings::default(), study_of: Vec::new(), starts: vec![0] }
    }

    /// Adds the items of the next study.
    pub(super) fn push(&mut self, study: &StudyLine<'_>) {
        let row = self.starts.len() as u32 - 1;
        let has_vector = |item: &&ItemLine<'_>| self.failed.is_empty() || !self.failed.contains(item.hash.as_ref());
        for item in study.items(self.space).iter().filter(has_vector) {
            self.keys.push(&item.key);
            self.study_of.push(row);
        }
        self.starts.push(self.keys.len() as u32);
    }

    pub(super) fn finish(self) -> Items {
        let Self { mut keys, mut study_of, mut starts, .. } = self;
        keys.shrink();
        study_of.shrink_to_fit();
        starts.shrink_to_fit();
        Items { by_key: Sorted::new(&keys), keys, study_of, starts }
    }
}

impl Items {
    pub(super) fn len(&self) -> usize {
        self.study_of.len()
    }

    /// Number of studies.
    pub(super) fn studies(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn key(&self, item: u32) -> Option<&str> {
        self.keys.get(item)
    }

    /// The first item of a key.
    pub(super) fn find(&self, key: &str) -> Option<u32> {
        self.by_key.find(&self.keys, key)
    }

    pub(super) fn study_of(&self, item: u32) -> Option<u32> {
        self.study_of.get(item as usize).copied()
    }

    pub(super) fn of_study(&self, study_row: u32) -> Range<u32> {
        let at = |row: usize| self.starts.get(row).copied();
        let row = study_row as usize;
        at(row).zip(at(row + 1)).map_or(0..0, |(start, end)| start..end)
    }
}
