//! The nearest items: exact scan, scan of the codes or graph, whichever is quickest for what passes the filter.
//!
//! Codes and graph only choose candidates. Each is scored exactly from the column, and checked against the filter once more.

use roaring::RoaringBitmap;

use super::SpaceIndex;
use crate::error::Result;
use crate::graph::Graph;
use crate::tuning::Tuning;
use crate::vectors::best_of;

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

/// Candidates that are scored exactly for `k` hits: the codes rarely put a hit further down.
fn rescored(k: usize) -> usize {
    k.saturating_add(k / 2).saturating_add(16)
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
        if k == 0 {
            return Ok(Vec::new());
        }
        let found = match &self.graph {
            // the graph would have to look at most of the nodes
            Some(graph) if k.saturating_mul(4) < self.column.len() => match filter {
                None => self.score(query, k, None, graph, &graph.search(query, tuning.width(k)))?,
                Some(filter) => self.filtered(graph, query, k, filter, tuning)?,
            },
            _ => return self.exact(query, k, filter),
        };
        // fewer than asked: twins that the filter excludes may have taken the places of others, or no more pass
        if found.len() < k.min(self.column.len()) {
            return self.exact(query, k, filter);
        }
        Ok(self.hits(found))
    }

    fn exact(&self, query: &[f32], k: usize, filter: Option<&RoaringBitmap>) -> Result<Vec<Hit>> {
        let found = match filter {
            None => self.column.scan(query, k)?,
            Some(filter) => {
                let rows: Vec<u32> = filter.iter().flat_map(|study| self.items.of_study(study)).collect();
                self.column.scan_rows(query, &rows, k)?
            }
        };
        Ok(self.hits(found))
    }

    /// Where few pass, their codes are scanned; otherwise the graph is walked, and left for the scan when it gets nowhere.
    fn filtered(
        &self,
        graph: &Graph,
        query: &[f32],
        k: usize,
        filter: &RoaringBitmap,
        tuning: &Tuning,
    ) -> Result<Vec<(f32, u32)>> {
        let rows = self.column.len() as u64;
        // an estimate: studies may have several items, or none
        let passing = filter.len().saturating_mul(rows) / (self.items.studies() as u64).max(1);
        let width = tuning.filtered_width(k);
        let scan_pays = passing.saturating_mul(passing) <= tuning.scan_pays.saturating_mul(rows);
        let walked = if scan_pays {
            None
        } else {
            let passes = |node: u32| graph.rows(node).any(|row| self.passes(row, Some(filter)));
            graph.search_passing(query, width, (passing / 4) as usize, &passes)
        };
        let nodes = walked.unwrap_or_else(|| {
            let rows = filter.iter().flat_map(|study| self.items.of_study(study));
            graph.scan(query, rescored(k), rows)
        });
        self.score(query, k, Some(filter), graph, &nodes)
    }

    fn passes(&self, row: u32, filter: Option<&RoaringBitmap>) -> bool {
        let study = self.items.study_of(row);
        filter.is_none_or(|filter| study.is_some_and(|study| filter.contains(study)))
    }

    /// Exact scores of the rows of the best nodes that pass.
    fn score(
        &self,
        query: &[f32],
        k: usize,
        filter: Option<&RoaringBitmap>,
        graph: &Graph,
        nodes: &[u32],
    ) -> Result<Vec<(f32, u32)>> {
        let mut scored = Vec::with_capacity(rescored(k).min(nodes.len()));
        for &node in nodes.iter().take(rescored(k)) {
            // of rows that score the same the first ones win
            let mut rows = graph.rows(node).filter(|row| self.passes(*row, filter)).take(k).peekable();
            let Some(&first) = rows.peek() else { continue };
            if let Some(score) = self.column.score(query, first)? {
                scored.extend(rows.map(|row| (score, row)));
            }
        }
        Ok(best_of(scored, k))
    }

    fn hits(&self, found: Vec<(f32, u32)>) -> Vec<Hit> {
        found.into_iter().filter_map(|(score, item)| self.hit(score, item)).collect()
    }

    fn hit(&self, score: f32, item: u32) -> Option<Hit> {
        let study_row = self.items.study_of(item)?;
        let key = self.items.key(item)?.to_owned();
        // rounding may leave the range by a hair
        Some(Hit { study_row, item, key, score: score.clamp(-1.0, 1.0) })
    }
}
