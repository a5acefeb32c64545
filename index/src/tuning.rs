//! The sizes and efforts at which the engine changes its ways.

/// Sizes and efforts. The defaults are for vectors of 256 to 512 dimensions; `make bench-index` has the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Up to this many distinct vectors a query is an exact scan, and there is no graph.
    pub exact_below: usize,
    /// A filtered query scans codes while the square of the number of rows that pass is at most this many times the number of
    /// rows: for each hit the graph looks at `rows / passing` nodes, the scan looks at `passing` rows.
    pub scan_pays: u64,
    /// Width of the graph search (`ef_search`); raised to twice the number of hits asked for.
    pub ef_search: usize,
    /// Links of a node in the graph (`M`), at most 255.
    pub graph_links: usize,
    /// Width of the search while the graph is built (`ef_construction`).
    pub graph_effort: usize,
}

impl Tuning {
    /// Width of a search for `k` hits, filtered or not: a filtered one walks through what does not pass besides.
    pub(crate) fn width(&self, k: usize) -> usize {
        self.ef_search.max(k.saturating_mul(2))
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self { exact_below: 20_000, scan_pays: 6_000, ef_search: 64, graph_links: 16, graph_effort: 200 }
    }
}
