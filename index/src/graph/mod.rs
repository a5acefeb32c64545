//! The HNSW graph (Malkov and Yashunin, 2018) over the distinct vectors of a column, in one file that is searched as it lies there.
//!
//! - `build` the graph, in batches, the same every time
//! - `prune` which neighbours a node keeps
//! - `layer`, `walk` links, and the walk along them towards a query, with and without a filter
//! - `file` the format, and the checks at opening
//! - [`reference`] `hnsw_rs`, which the tests measure ours against
//!
//! Scores in here are those of the 8-bit codes: they choose candidates, which the caller scores exactly.

mod build;
mod file;
mod layer;
mod prune;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
mod walk;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::error::Result;
use crate::tuning::Tuning;
use crate::vectors::Column;
use crate::vectors::codes::{self, Codes, Probe};

use file::{GraphFile, Parts};
use walk::{Scratch, Wanted};

/// Nodes that one thread scans at a time.
const BLOCK: usize = 8192;

/// A graph that answers queries.
pub struct Graph {
    file: GraphFile,
    dimension: usize,
    /// Of searches that are over, for the next ones.
    scratch: Mutex<Vec<Scratch>>,
}

impl Graph {
    /// Builds the graph of a column and writes it. `node_of` gives each row its vector's number: rows of the same content have
    /// the same, and numbers count up from 0 in the order of first rows.
    ///
    /// The same column gives the same file, on any machine and with any number of threads.
    ///
    /// # Errors
    /// When the column is damaged or the file cannot be written.
    pub fn build(path: &Path, column: &Column, node_of: &[u32], tuning: &Tuning) -> Result<()> {
        let twins = Twins::new(node_of);
        let rows: Vec<u32> = match &twins {
            Some(twins) => twins.first_rows().collect(),
            None => (0..node_of.len() as u32).collect(),
        };
        let vectors: Vec<&[f32]> =
            rows.par_iter().map(|&row| Ok(column.row(row)?.unwrap_or_default())).collect::<Result<_>>()?;
        let step = codes::step(vectors.iter().copied());
        let mut bytes = Vec::with_capacity(vectors.len() * codes::stride(column.dimension()));
        vectors.iter().for_each(|vector| codes::push(&mut bytes, vector, step));
        let links = tuning.graph_links.clamp(2, 255);
        let codes = Codes::new(&bytes, column.dimension());
        let (layers, entry) = build::build(codes, links, tuning.graph_effort.max(2));
        let parts = Parts {
            dimension: column.dimension(),
            rows: node_of.len(),
            links,
            entry,
            step,
            codes: &bytes,
            twins: twins.as_ref().map(|twins| [node_of, &twins.starts, &twins.rows]).unwrap_or_default(),
            layers: &layers,
        };
        file::write(path, &parts)
    }

    /// Opens the graph of a column of `rows` rows. Every byte of the file is checked.
    ///
    /// # Errors
    /// [`crate::IndexError::Damaged`] when it is not what was written for this column.
    pub fn open(path: &Path, dimension: usize, rows: usize) -> Result<Self> {
        let file = GraphFile::open(path, dimension, rows)?;
        Ok(Self { file, dimension, scratch: Mutex::new(Vec::new()) })
    }

    /// Number of nodes: distinct vectors.
    pub fn len(&self) -> usize {
        self.file.nodes
    }

    /// True when there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the mapped file, which is all that a search touches but for the rows that are scored exactly.
    pub fn bytes(&self) -> usize {
        self.file.bytes()
    }

    /// The rows of a node, ascending.
    pub fn rows(&self, node: u32) -> Rows<'_> {
        let [node_of, starts, rows] = self.file.twins();
        if node_of.is_empty() {
            return Rows::One((node as usize) < self.file.rows, node);
        }
        let at = |node: usize| starts.get(node).map(|start| *start as usize);
        let range = at(node as usize).zip(at(node as usize + 1)).map_or(0..0, |(start, end)| start..end);
        Rows::Twins(rows.get(range).unwrap_or_default())
    }

    /// The node of a row.
    pub fn node(&self, row: u32) -> u32 {
        let [node_of, ..] = self.file.twins();
        if node_of.is_empty() { row } else { node_of.get(row as usize).copied().unwrap_or(u32::MAX) }
    }

    fn codes(&self) -> Codes<'_> {
        Codes::new(self.file.codes(), self.dimension)
    }

    fn with_scratch<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let lock = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = lock().pop().unwrap_or_default();
        let result = work(&mut scratch);
        lock().push(scratch);
        result
    }

    /// The slot of the lowest layer, which is the node, where the search there begins.
    fn descend(&self, probe: &Probe) -> u32 {
        let mut slot = self.file.entry;
        for number in (1..self.file.layers()).rev() {
            slot = walk::climb(self.file.layer(number), self.codes(), probe, slot);
            slot = self.file.down(number).get(slot as usize).copied().unwrap_or(0);
        }
        slot
    }

    /// About the `width` nearest nodes. `query` is a unit vector of the column's dimension.
    pub fn search(&self, query: &[f32], width: usize) -> Candidates {
        let probe = Probe::new(query);
        if self.is_empty() {
            return self.candidates(&probe, Vec::new(), true);
        }
        let entry = self.descend(&probe);
        let width = width.clamp(1, self.len());
        let mut found = Vec::with_capacity(width + 1);
        self.with_scratch(|scratch| {
            walk::nearest(self.file.layer(0), self.codes(), &probe, entry, width, scratch, &mut found);
        });
        let all = found.len() == self.len();
        self.candidates(&probe, found, all)
    }

    /// As [`Graph::search`], of the nodes that pass; `None` when more than `budget` nodes would have to be compared.
    pub fn search_passing(
        &self,
        query: &[f32],
        width: usize,
        budget: usize,
        passes: &dyn Fn(u32) -> bool,
    ) -> Option<Candidates> {
        let probe = Probe::new(query);
        if self.is_empty() {
            return Some(self.candidates(&probe, Vec::new(), true));
        }
        let entry = self.descend(&probe);
        let wanted = Wanted { width: width.clamp(1, self.len()), passes, budget };
        let found = self.with_scratch(|scratch| {
            walk::nearest_passing(self.file.layer(0), self.codes(), &probe, entry, &wanted, scratch)
        })?;
        // a walk cannot know that it has seen all
        Some(self.candidates(&probe, found, false))
    }

    /// Of the nodes of these rows all that may be among the `k` nearest, by a look at the code of each.
    pub fn scan(&self, query: &[f32], k: usize, rows: impl Iterator<Item = u32>) -> Candidates {
        let probe = Probe::new(query);
        let [node_of, ..] = self.file.twins();
        let nodes: Vec<u32> = if node_of.is_empty() {
            rows.take_while(|row| (*row as usize) < self.len()).collect()
        } else {
            self.with_scratch(|scratch| {
                scratch.seen.begin(self.len());
                rows.map(|row| self.node(row)).filter(|node| scratch.seen.first(*node)).collect()
            })
        };
        // the k-th by codes may be too high by the error, and one that belongs before it too low
        let margin = probe.error_score(self.file.step).saturating_mul(2);
        let codes = self.codes();
        let best = |nodes: &[u32]| walk::best(codes, &probe, nodes, k, margin);
        let mut found = if nodes.len() <= BLOCK {
            best(&nodes)
        } else {
            let found: Vec<_> = nodes.par_chunks(BLOCK).flat_map_iter(best).collect();
            walk::within(found, k, margin).0
        };
        found.sort_unstable_by(prune::order);
        self.candidates(&probe, found, true)
    }

    fn candidates(&self, probe: &Probe, found: Vec<prune::Scored>, all: bool) -> Candidates {
        let nodes = found.into_iter().map(|(score, node)| (probe.cosine(score, self.file.step), node)).collect();
        Candidates { nodes, error: probe.error(self.file.step), all }
    }
}

/// What a search of the codes found: to be scored exactly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// Cosine by the codes, and node; nearest first.
    pub nodes: Vec<(f32, u32)>,
    /// How far such a cosine may be from the right one.
    pub error: f32,
    /// Nothing was left out for want of width.
    pub all: bool,
}

/// Rows of the same content.
struct Twins {
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Twins {
    /// `None` when each row is a node of its own.
    fn new(node_of: &[u32]) -> Option<Self> {
        let nodes = node_of.iter().max().map_or(0, |last| *last as usize + 1);
        if nodes == node_of.len() {
            return None;
        }
        let mut starts = vec![0u32; nodes + 1];
        for node in node_of {
            if let Some(count) = starts.get_mut(*node as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut rows: Vec<u32> = (0..node_of.len() as u32).collect();
        rows.sort_by_key(|row| node_of.get(*row as usize));
        Some(Self { starts, rows })
    }

    fn first_rows(&self) -> impl Iterator<Item = u32> {
        self.starts.windows(2).filter_map(|pair| self.rows.get(*pair.first()? as usize).copied())
    }
}

/// The rows of a node.
#[derive(Clone, Debug)]
pub enum Rows<'a> {
    /// The row that has the node's number, if it is there still.
    One(bool, u32),
    /// Rows of the same content.
    Twins(&'a [u32]),
}

impl Iterator for Rows<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match self {
            Rows::One(there, row) => std::mem::take(there).then_some(*row),
            Rows::Twins(rows) => {
                let (first, rest) = rows.split_first()?;
                *rows = rest;
                Some(*first)
            }
        }
    }
}
