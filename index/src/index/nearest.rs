//! The nearest items: exact scan or graph, whichever is quicker for what passes the filter.

use roaring::RoaringBitmap;

use super::SpaceIndex;
use crate::graph::Graph;
use crate::tuning::Tuning;

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

impl SpaceIndex {
    /// `query` is a unit vector of the column's dimension.
    pub(super) fn nearest(&self, query: &[f32], k: usize, filter: Option<&RoaringBitmap>, tuning: &Tuning) -> Vec<Hit> {
        if k == 0 {
            return Vec::new();
        }
        let passing = filter.map(|filter| filter.iter().map(|study| self.items(study).len()).sum());
        let found = match &self.graph {
            Some(graph) if !self.scan_pays(passing, k, tuning) => {
                self.by_graph(graph, query, k, filter, passing, tuning)
            }
            _ => self.exact(query, k, filter),
        };
        found.into_iter().filter_map(|(score, item)| self.hit(score, item)).collect()
    }

    fn scan_pays(&self, passing: Option<usize>, k: usize, tuning: &Tuning) -> bool {
        let rows = self.column.len() as u64;
        let passing = passing.map_or(rows, |passing| passing as u64);
        passing <= tuning.exact_below as u64
            // the graph would have to look at most of the nodes
            || k as u64 * 4 >= rows
            || (passing < rows && passing.saturating_mul(passing) <= tuning.scan_pays.saturating_mul(rows))
    }

    fn exact(&self, query: &[f32], k: usize, filter: Option<&RoaringBitmap>) -> Vec<(f32, u32)> {
        match filter {
            None => self.column.scan(query, k),
            Some(filter) => {
                let rows: Vec<u32> = filter.iter().flat_map(|study| self.items(study)).collect();
                self.column.scan_rows(query, &rows, k)
            }
        }
    }

    fn by_graph(
        &self,
        graph: &Graph,
        query: &[f32],
        k: usize,
        filter: Option<&RoaringBitmap>,
        passing: Option<usize>,
        tuning: &Tuning,
    ) -> Vec<(f32, u32)> {
        let passes = |row: &u32| {
            let study = self.study_of.get(*row as usize);
            filter.is_none_or(|filter| study.is_some_and(|study| filter.contains(*study)))
        };
        let twins = |node: u32| self.twins.get(&node).map(Vec::as_slice).unwrap_or_default();
        let node_passes = |node: u32| twins(node).iter().any(&passes);
        let nodes = k.min(graph.len());
        let ef = tuning.ef_search.max(2 * nodes);
        let filter_nodes: Option<&dyn Fn(u32) -> bool> = if filter.is_some() { Some(&node_passes) } else { None };
        let found = graph.search(query, nodes, ef, filter_nodes);
        // every row of the contents found, checked against the filter once more
        let rows: Vec<u32> = found.into_iter().flat_map(|node| twins(node).iter().copied()).filter(passes).collect();
        if rows.len() < k.min(passing.unwrap_or(self.column.len())) {
            return self.exact(query, k, filter);
        }
        self.column.scan_rows(query, &rows, k)
    }

    fn hit(&self, score: f32, item: u32) -> Option<Hit> {
        let study_row = *self.study_of.get(item as usize)?;
        let key = self.keys.get(item as usize)?.clone();
        // rounding may leave the range by a hair
        Some(Hit { study_row, item, key, score: score.clamp(-1.0, 1.0) })
    }
}
