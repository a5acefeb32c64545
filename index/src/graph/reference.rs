//! `hnsw_rs` on the same vectors: what the tests hold our recall against.
//!
//! It built the graphs once. On 100,000 x 512, with the same 8-bit distance, it takes several times the processor time of
//! `build` (a hash map of reference-counted points for each search, a lock and an allocation for each link), and a damaged dump of
//! it ends the process.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use hnsw_rs::anndists::dist::Distance;
use hnsw_rs::hnsw::Hnsw;

use crate::vectors::dot;

/// One minus the cosine of two unit vectors, never below zero.
#[derive(Clone, Copy, Debug, Default)]
struct UnitDistance;

impl Distance<f32> for UnitDistance {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        (1.0 - dot(a, b)).max(0.0)
    }
}

/// The `width` nearest to each query.
pub(super) fn search(
    vectors: &[Vec<f32>],
    queries: &[Vec<f32>],
    (links, effort): (usize, usize),
    width: usize,
) -> Vec<Vec<u32>> {
    let hnsw = Hnsw::new(links, vectors.len(), 16, effort, UnitDistance);
    vectors.iter().enumerate().for_each(|(row, vector)| hnsw.insert_slice((vector, row)));
    let search = |query: &Vec<f32>| hnsw.search(query, width, width).iter().map(|found| found.d_id as u32).collect();
    queries.iter().map(search).collect()
}
