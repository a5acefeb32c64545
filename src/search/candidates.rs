//! Rankings of studies: by film, by sentence, by keyword, and among those that are stated to show what is wanted.

use std::collections::HashMap;

use thorax_index::{Filter, Index, RoaringBitmap, Space, Term};

use super::response::Placed;
use crate::error::Result;
use crate::findings::query::Wanted;
use crate::findings::{Observation, Polarity, Side};

/// A ranking of studies, best first, each study once.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    /// Study rows, best first.
    pub rows: Vec<u32>,
    /// Place, and the row of the film or sentence that gave it.
    pub places: HashMap<u32, (Placed, u32)>,
}

impl Ranking {
    /// Adds the places of studies that stand only in `other`.
    pub fn with(mut self, other: Ranking) -> Self {
        for (row, place) in other.places {
            self.places.entry(row).or_insert(place);
        }
        self
    }

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

/// Rows of the studies that are stated to show all that is wanted present, and stated not to show all that is
/// wanted absent. Empty when nothing is wanted.
///
/// # Errors
/// See [`Index::filter`].
pub fn stated(index: &Index, wanted: &[Wanted]) -> Result<RoaringBitmap> {
    let known: Vec<String> = index.field_names().into_iter().map(|f| f.name).collect();
    let mut rows: Option<RoaringBitmap> = None;
    for want in wanted {
        let name = want.observation.name();
        let field = match (want.polarity, want.side) {
            (Polarity::Absent, _) => "absent",
            (_, None) => "finding",
            (_, Some(Side::Left)) => "left",
            (_, Some(Side::Right)) => "right",
            (_, Some(Side::Bilateral)) => "finding",
        };
        // Lines and tubes have no side worth insisting on, and No Finding has none at all.
        let field = match (field, want.observation) {
            ("left" | "right", Observation::NoFinding) => "finding",
            (field, _) => field,
        };
        let matching = match known.iter().any(|k| k == field) {
            true => index.filter(&Filter::parse(&format!("{field}:\"{name}\""))?)?,
            false => RoaringBitmap::new(),
        };
        rows = Some(match rows {
            Some(rows) => rows & matching,
            None => matching,
        });
    }
    Ok(rows.unwrap_or_default())
}
