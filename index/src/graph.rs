//! The HNSW graph (Malkov and Yashunin, 2018) over the distinct vectors of a column, by `hnsw_rs`.
//!
//! Traps of `hnsw_rs` 0.3.5 that this file keeps away from the rest: its own distances assert on what is not normalised, so the
//! distance is ours; a duplicate is accepted and crowds out other links, so only distinct vectors are nodes; a damaged
//! dump panics or ends the process, so callers check the files' checksums before [`Graph::open`]; filters are sometimes
//! ignored, so callers check every hit.

use std::path::Path;

use hnsw_rs::anndists::dist::Distance;
use hnsw_rs::api::AnnT;
use hnsw_rs::hnsw::Hnsw;
use hnsw_rs::hnswio::HnswIo;

use crate::error::{IndexError, Result};
use crate::tuning::Tuning;
use crate::vectors::{Column, dot};

/// `hnsw_rs` dumps graphs with this number of layers only.
const LAYERS: usize = 16;
/// Vectors that the parallel build hands over at a time.
const BATCH: usize = 10_000;

/// One minus the cosine of two unit vectors, never below zero. (`hnsw_rs` stores the name of this type in its dumps.)
#[derive(Clone, Copy, Debug, Default)]
pub struct UnitDistance;

impl Distance<f32> for UnitDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        (1.0 - dot(a, b)).max(0.0)
    }
}

/// A graph that answers queries.
pub struct Graph {
    hnsw: Hnsw<'static, f32, UnitDistance>,
}

impl Graph {
    /// Builds the graph over the rows `nodes` of the column and writes it to `dir/<name>.hnsw.graph` and `.data`.
    ///
    /// Up to `tuning.sequential_below` nodes the result is the same every time.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn build(dir: &Path, name: &str, column: &Column, nodes: &[u32], tuning: &Tuning) -> Result<()> {
        let links = tuning.graph_links.clamp(2, 255);
        let hnsw = Hnsw::new(links, nodes.len().max(1), LAYERS, tuning.graph_effort.max(2), UnitDistance);
        let rows = nodes.iter().filter_map(|&row| Some((column.row(row)?, row as usize)));
        if nodes.len() <= tuning.sequential_below {
            rows.for_each(|row| hnsw.insert_slice(row));
        } else {
            let rows: Vec<_> = rows.collect();
            rows.chunks(BATCH).for_each(|batch| hnsw.parallel_insert_slice(&batch.to_vec()));
        }
        let written = hnsw.file_dump(dir, name).map_err(|error| failed(dir, &error))?;
        if written == name { Ok(()) } else { Err(failed(dir, &format!("written as '{written}', not as '{name}'"))) }
    }

    /// Opens a graph whose files have been found to be what was written.
    ///
    /// # Errors
    /// When the library cannot read them.
    pub fn open(dir: &Path, name: &str) -> Result<Self> {
        // the graph borrows its reader for as long as it lives (the reader may own a memory map, here it does not):
        // leaking it costs about a hundred bytes for each opening
        let reader: &'static mut HnswIo = Box::leak(Box::new(HnswIo::new(dir, name)));
        let mut hnsw = reader.load_hnsw().map_err(|error| failed(dir, &error))?;
        hnsw.set_searching_mode(true);
        Ok(Self { hnsw })
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.hnsw.get_nb_point()
    }

    /// True when there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About the `k` nearest nodes that `pass`, in no order to rely on. `query` is a unit vector of the column's dimension.
    pub fn search(&self, query: &[f32], k: usize, ef: usize, pass: Option<&dyn Fn(u32) -> bool>) -> Vec<u32> {
        // below 2 a filtered search of hnsw_rs can empty its own heap and panic
        let ef = ef.max(k).max(2);
        let found = match pass {
            Some(pass) => {
                let filter = |id: &usize| pass(*id as u32);
                self.hnsw.search_filter(query, k, ef, Some(&filter))
            }
            None => self.hnsw.search(query, k, ef),
        };
        found.into_iter().map(|neighbour| neighbour.d_id as u32).collect()
    }
}

fn failed(dir: &Path, error: &dyn std::fmt::Display) -> IndexError {
    IndexError::Graph { path: dir.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeSet;

    use rand::SeedableRng;

    use super::*;
    use crate::testing::random_unit;
    use crate::vectors::encode;

    fn written(vectors: &[Vec<f32>], tuning: &Tuning) -> (tempfile::TempDir, Graph) {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = vectors.iter().flat_map(|v| encode(v)).collect();
        let column = Column::from_bytes(&bytes, vectors[0].len()).unwrap();
        let nodes: Vec<u32> = (0..vectors.len() as u32).collect();
        Graph::build(dir.path(), "g", &column, &nodes, tuning).unwrap();
        let graph = Graph::open(dir.path(), "g").unwrap();
        assert_eq!(graph.len(), vectors.len());
        (dir, graph)
    }

    #[test]
    fn a_model_that_says_the_same_of_everything_breaks_nothing() {
        let vectors = vec![vec![1.0, 0.0, 0.0]; 500];
        let (_dir, graph) = written(&vectors, &Tuning::default());
        assert_eq!(graph.search(&vectors[0], 10, 64, None).len(), 10);
        let odd = |node: u32| node % 2 == 1;
        assert!(graph.search(&[0.0, 1.0, 0.0], 10, 64, Some(&odd)).iter().all(|node| *node < 500));
        // nothing passes, and the narrowest search
        let _ = graph.search(&vectors[0], 1, 1, Some(&|_| false));
    }

    #[test]
    fn one_node_and_the_parallel_build() {
        let (_dir, graph) = written(&[vec![0.6, 0.8]], &Tuning::default());
        assert_eq!(graph.search(&[1.0, 0.0], 5, 64, None), [0]);

        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let vectors: Vec<_> = (0..1000).map(|_| random_unit(&mut random, 8)).collect();
        let tuning = Tuning { sequential_below: 0, graph_links: 1000, ..Tuning::default() };
        let (_dir, graph) = written(&vectors, &tuning);
        let mut found = 0;
        for query in vectors.iter().step_by(50) {
            let mut best: Vec<(f32, u32)> = (0..).zip(&vectors).map(|(i, v)| (dot(query, v), i)).collect();
            best.sort_by(|a, b| b.0.total_cmp(&a.0));
            let best: BTreeSet<u32> = best.iter().take(10).map(|(_, i)| *i).collect();
            found += graph.search(query, 10, 64, None).iter().filter(|node| best.contains(node)).count();
        }
        assert!(found >= 195, "{found} of 200");
    }
}
