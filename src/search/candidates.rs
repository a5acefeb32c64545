//! Rankings of studies: by film, by sentence, by keyword.

use std::collections::HashMap;

use thorax_index::{Index, RoaringBitmap, Space, Term};

use super::response::Placed;
use crate::error::Result;

/// A ranking of studies, best first, each study once.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    /// Study rows, best first.
    pub rows: Vec<u32>,
    /// Place, and the row of the film or sentence that gave it.
    pub places: HashMap<u32, (Placed, u32)>,
}

impl Ranking {
    fn push(&mut self, row: u32, score: f32, item: u32) {
        let rank = self.rows.len() + 1;
        self.places.entry(row).or_insert_with(|| {
            self.rows.push(row);
            (Placed { rank, score }, item)
        });
    }
}

/// Studies by the embedding nearest to `query`.
///
/// # Errors
/// See [`Index::nearest`].
pub fn nearest(
    index: &Index,
    space: Space,
    query: &[f32],
    n: usize,
    filter: Option<&RoaringBitmap>,
) -> Result<Ranking> {
    let mut ranking = Ranking::default();
    for hit in index.nearest(space, query, n, filter)? {
        ranking.push(hit.study_row, hit.score, hit.item);
    }
    Ok(ranking)
}

/// Studies by BM25 of their reports.
///
/// # Errors
/// See [`Index::keywords`].
pub fn keywords(index: &Index, terms: &[Term], n: usize, filter: Option<&RoaringBitmap>) -> Result<Ranking> {
    let mut ranking = Ranking::default();
    for hit in index.keywords(terms, n, filter)? {
        ranking.push(hit.study_row, hit.score, 0);
    }
    Ok(ranking)
}
