//! The nearest items: exact scan, scan of the codes or graph, whichever is quickest for what passes the filter.
//!
//! Codes and graph only choose candidates. Each is scored exactly from the column, and checked against the filter once more.

use std::ops::Range;
use std::path::Path;

use roaring::RoaringBitmap;

use super::SpaceIndex;
use super::best::Best;
use super::items::Items;
use crate::error::Result;
use crate::graph::{Candidates, Graph};
use crate::tuning::Tuning;
use crate::vectors::Column;

/// A search that could not tell its candidates apart is done once more, so many times as wide.
const WIDER: usize = 4;

/// An item found by its vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Row of its study.
    pub study_row: u32,
    /// Row of the item in its space.
    pub item: u32,
    /// Its key.
    pub key: String,
    /// Cosine, from -1 to 1.
    pub score: f32,
}

/// Which study each row belongs to: filters are of studies.
pub trait Studies: Sync {
    /// Number of studies.
    fn count(&self) -> usize;
    /// The study of a row.
    fn of_row(&self, row: u32) -> Option<u32>;
    /// The rows of a study.
    fn rows(&self, study: u32) -> Range<u32>;
}

impl Studies for Items {
    fn count(&self) -> usize {
        self.studies()
    }

    fn of_row(&self, row: u32) -> Option<u32> {
        self.study_of(row)
    }

    fn rows(&self, study: u32) -> Range<u32> {
        self.of_study(study)
    }
}

impl SpaceIndex {
    /// `query` is a unit vector of the column's dimension.
    pub(super) fn nearest(
        &self,
        query: &[f32],
        k: usize,
        filter: Option<&RoaringBitmap>,
        tuning: &Tuning,
    ) -> Result<Vec<Hit>> {
        let found = self.vectors.nearest(query, k, filter, &self.items, tuning)?;
        Ok(found.into_iter().filter_map(|(score, item)| self.hit(score, item)).collect())
    }

    fn hit(&self, score: f32, item: u32) -> Option<Hit> {
        let study_row = self.items.study_of(item)?;
        let key = self.items.key(item)?.to_owned();
        // rounding may leave the range by a hair
        Some(Hit { study_row, item, key, score: score.clamp(-1.0, 1.0) })
    }
}

/// The vectors of a space, and its graph if it is large.
pub struct Neighbours {
    column: Column,
    graph: Option<Graph>,
}

impl Neighbours {
    /// Opens a column and its graph.
    ///
    /// # Errors
    /// [`crate::IndexError::Damaged`].
    pub fn open(column: &Path, graph: Option<&Path>, dimension: usize) -> Result<Self> {
        let column = Column::open(column, dimension)?;
        let graph = graph.map(|graph| Graph::open(graph, dimension, column.len())).transpose()?;
        Ok(Self { column, graph })
    }

    /// The vectors.
    pub fn column(&self) -> &Column {
        &self.column
    }

    /// The graph, where the vectors are too many for a scan.
    pub fn graph(&self) -> Option<&Graph> {
        self.graph.as_ref()
    }

    /// Score and row of the `k` nearest to a unit vector, of the studies in `filter`; best first, ties by row.
    ///
    /// # Errors
    /// [`crate::IndexError::Damaged`] for a vector that is not what was written.
    pub fn nearest(
        &self,
        query: &[f32],
        k: usize,
        filter: Option<&RoaringBitmap>,
        studies: &impl Studies,
        tuning: &Tuning,
    ) -> Result<Vec<(f32, u32)>> {
        if k == 0 {
            return Ok(Vec::new());
        }
        let found = match &self.graph {
            // the graph would have to look at most of the nodes
            Some(graph) if k.saturating_mul(4) < self.column.len() => {
                let search = Search { column: &self.column, graph, studies, query, k, filter };
                match filter {
                    None => search.unfiltered(tuning)?,
                    Some(filter) => search.filtered(filter, tuning)?,
                }
            }
            _ => return self.exact(query, k, filter, studies),
        };
        // fewer than asked: the walk did not reach them, or no more pass
        if found.len() < k.min(self.column.len()) {
            return self.exact(query, k, filter, studies);
        }
        Ok(found)
    }

    /// As [`Neighbours::nearest`], by a look at every vector that passes.
    ///
    /// # Errors
    /// As [`Neighbours::nearest`].
    pub fn exact(
        &self,
        query: &[f32],
        k: usize,
        filter: Option<&RoaringBitmap>,
        studies: &impl Studies,
    ) -> Result<Vec<(f32, u32)>> {
        match filter {
            None => self.column.scan(query, k),
            Some(filter) => {
                let rows: Vec<u32> = filter.iter().flat_map(|study| studies.rows(study)).collect();
                self.column.scan_rows(query, &rows, k)
            }
        }
    }
}

/// One search by codes and graph.
struct Search<'a, S> {
    column: &'a Column,
    graph: &'a Graph,
    studies: &'a S,
    query: &'a [f32],
    k: usize,
    filter: Option<&'a RoaringBitmap>,
}

impl<S: Studies> Search<'_, S> {
    fn unfiltered(&self, tuning: &Tuning) -> Result<Vec<(f32, u32)>> {
        let width = tuning.width(self.k, self.graph.len());
        let (found, sure) = self.score(&self.graph.search(self.query, width))?;
        if sure {
            return Ok(found);
        }
        let wider = self.graph.search(self.query, width.saturating_mul(WIDER));
        Ok(self.score(&wider)?.0)
    }

    /// Where few pass, their codes are scanned; otherwise the graph is walked, and left for the scan when it gets nowhere or cannot
    /// tell the candidates apart.
    fn filtered(&self, filter: &RoaringBitmap, tuning: &Tuning) -> Result<Vec<(f32, u32)>> {
        let rows = self.column.len() as u64;
        // an estimate: studies may have several items, or none
        let passing = filter.len().saturating_mul(rows) / (self.studies.count() as u64).max(1);
        if passing.saturating_mul(passing) > tuning.scan_pays.saturating_mul(rows) {
            let passes = |node: u32| self.graph.rows(node).any(|row| self.passes(row));
            let width = tuning.filtered_width(self.k, self.graph.len());
            if let Some(walked) = self.graph.search_passing(self.query, width, (passing / 4) as usize, &passes)
                && let (found, true) = self.score(&walked)?
            {
                return Ok(found);
            }
        }
        let rows = filter.iter().flat_map(|study| self.studies.rows(study));
        Ok(self.score(&self.graph.scan(self.query, self.k, rows))?.0)
    }

    fn passes(&self, row: u32) -> bool {
        let in_filter = |filter: &RoaringBitmap| self.studies.of_row(row).is_some_and(|study| filter.contains(study));
        self.filter.is_none_or(in_filter)
    }

    /// Exact scores of the rows of the candidates that pass, up to the candidate that cannot be among the `k` best; and whether there
    /// was one, or nothing was left out: if not, others may be as good as these.
    fn score(&self, candidates: &Candidates) -> Result<(Vec<(f32, u32)>, bool)> {
        let mut best = Best::new(self.k);
        for &(cosine, node) in &candidates.nodes {
            if best.worst().is_some_and(|worst| cosine + candidates.error < worst) {
                return Ok((best.sorted(), true));
            }
            // of rows that score the same the first ones win
            let mut rows = self.graph.rows(node).filter(|row| self.passes(*row)).take(self.k).peekable();
            if let Some(&first) = rows.peek()
                && let Some(score) = self.column.score(self.query, first)?
            {
                rows.for_each(|row| best.push(score, row));
            }
        }
        Ok((best.sorted(), candidates.all))
    }
}
