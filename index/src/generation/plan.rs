//! The contents of one space that need a vector, in the order of the catalogue, and what became of each.

use std::collections::HashMap;

use crate::document::Item;
use crate::error::{IndexError, Result};
use crate::vectors;

use super::log::{Entry, Outcome, VectorLog};

/// An item to embed, with the document that has it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Id of the document.
    pub document: String,
    /// The item; others of the same hash get its vector too.
    pub item: Item,
}

/// How far a space is, in distinct contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// Distinct contents.
    pub contents: usize,
    /// Embedded in this build.
    pub done: usize,
    /// Taken over from an earlier generation or build.
    pub carried: usize,
    /// Could not be embedded.
    pub failed: usize,
    /// Still to embed.
    pub pending: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    Waiting,
    Carried(u64),
    Done(u64),
    Failed(String),
}

/// The contents of a space and their log.
pub(crate) struct Plan {
    contents: Vec<(Pending, State)>,
    by_hash: HashMap<String, usize>,
    log: VectorLog,
}

impl Plan {
    /// A plan of nothing yet; `log` holds the vectors.
    pub(crate) fn new(log: VectorLog) -> Self {
        Self { contents: Vec::new(), by_hash: HashMap::new(), log }
    }

    /// Adds an item of a document, in the order of the catalogue; a content that is known already adds nothing.
    pub(crate) fn add(&mut self, document: &str, item: &Item) {
        if self.by_hash.contains_key(&item.hash) {
            return;
        }
        self.by_hash.insert(item.hash.clone(), self.contents.len());
        let pending = Pending { document: document.to_owned(), item: item.clone() };
        self.contents.push((pending, State::Waiting));
    }

    /// What the log holds already.
    pub(crate) fn resume(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.settle(&entry.hash, entry.outcome, entry.carried);
        }
    }

    fn settle(&mut self, hash: &str, outcome: Outcome, carried: bool) {
        let found = self.by_hash.get(hash).and_then(|at| self.contents.get_mut(*at));
        if let Some((_, state)) = found {
            *state = match outcome {
                Outcome::Failed(reason) => State::Failed(reason),
                Outcome::At(at) if carried => State::Carried(at),
                Outcome::At(at) => State::Done(at),
            };
        }
    }

    pub(crate) fn state(&self, hash: &str) -> Option<&State> {
        self.by_hash.get(hash).and_then(|at| self.contents.get(*at)).map(|(_, state)| state)
    }

    /// What is still to embed. Chunks are cut over all contents that this build embeds, done or not, and a chunk with anything
    /// missing is given as a whole: a resumed run embeds in the batches of an uninterrupted one.
    pub(crate) fn pending(&self, chunk: usize) -> Vec<Vec<Pending>> {
        let own: Vec<&(Pending, State)> =
            self.contents.iter().filter(|(_, state)| !matches!(state, State::Carried(_))).collect();
        own.chunks(chunk.max(1))
            .filter(|chunk| chunk.iter().any(|(_, state)| *state == State::Waiting))
            .map(|chunk| chunk.iter().map(|(pending, _)| pending.clone()).collect())
            .collect()
    }

    /// Stores what became of the items; on disk when it returns.
    pub(crate) fn append(&mut self, dimension: usize, outcomes: &[(Item, Result<Vec<f32>, String>)]) -> Result<()> {
        let mut entries = Vec::with_capacity(outcomes.len());
        for (item, outcome) in outcomes {
            if !self.by_hash.contains_key(&item.hash) {
                return Err(IndexError::UnknownItem { key: item.key.clone() });
            }
            let outcome = match outcome {
                Ok(vector) if vector.len() != dimension => {
                    return Err(IndexError::WrongDimension { expected: dimension, found: vector.len() });
                }
                Ok(vector) => vectors::normalised(vector)
                    .ok_or_else(|| "the model gave a vector that is not finite or has length zero".to_owned()),
                Err(reason) => Err(reason.clone()),
            };
            entries.push((item.hash.clone(), outcome));
        }
        self.write(&entries, false)
    }

    /// Takes over vectors that were made before.
    pub(crate) fn carry(&mut self, vectors: Vec<(String, Vec<f32>)>) -> Result<()> {
        let entries: Vec<_> = vectors.into_iter().map(|(hash, vector)| (hash, Ok(vector))).collect();
        self.write(&entries, true)
    }

    fn write(&mut self, entries: &[(String, Result<Vec<f32>, String>)], carried: bool) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let outcomes = self.log.append(entries, carried)?;
        for ((hash, _), outcome) in entries.iter().zip(outcomes) {
            self.settle(hash, outcome, carried);
        }
        Ok(())
    }

    /// Failed items wait again; how many they are.
    pub(crate) fn retry_failed(&mut self) -> usize {
        let mut failed = 0;
        for (_, state) in &mut self.contents {
            if matches!(state, State::Failed(_)) {
                *state = State::Waiting;
                failed += 1;
            }
        }
        failed
    }

    /// The vector of a content, if it has one.
    pub(crate) fn vector(&mut self, hash: &str) -> Result<Option<Vec<f32>>> {
        match self.state(hash) {
            Some(&(State::Carried(at) | State::Done(at))) => self.log.vector(at).map(Some),
            _ => Ok(None),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        let mut progress = Progress { contents: self.contents.len(), ..Progress::default() };
        for (_, state) in &self.contents {
            match state {
                State::Waiting => progress.pending += 1,
                State::Carried(_) => progress.carried += 1,
                State::Done(_) => progress.done += 1,
                State::Failed(_) => progress.failed += 1,
            }
        }
        progress
    }
}
