//! The sizes and efforts at which the engine changes its ways.

/// Sizes and efforts. The defaults are for vectors of 256 to 512 dimensions; `benches/search.rs` has the figures.
///
/// A scan of 20,000 takes one to three milliseconds, their graph a minute of one core, at every new generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Up to this many vectors a query is an exact scan, and no graph is built.
    pub exact_below: usize,
    /// A filtered query is a scan while the square of the number of rows that pass is at most this many times the number of rows:
    /// for each hit the graph looks at `rows / passing` nodes, the scan looks at `passing` rows.
    pub scan_pays: u64,
    /// Width of the graph search (`ef_search`); raised to twice the number of hits asked for.
    pub ef_search: usize,
    /// Links of a node in the graph (`M`), at most 255.
    pub graph_links: usize,
    /// Width of the search while the graph is built (`ef_construction`).
    pub graph_effort: usize,
    /// Up to this many vectors the graph is built by one thread and is the same at every build; beyond, by all threads.
    pub sequential_below: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            exact_below: 20_000,
            scan_pays: 6_000,
            ef_search: 64,
            graph_links: 16,
            graph_effort: 200,
            sequential_below: 50_000,
        }
    }
}
