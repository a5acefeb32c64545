//! The rankings of one search, and what they give each study.

use std::collections::HashMap;
use std::sync::Arc;

use thorax_index::{RoaringBitmap, Space};

use super::candidates::{self, Ranking};
use super::engine::Engine;
use super::explain::{Component, Source};
use super::fuse::{fuse, share};
use super::judging::Judging;
use super::language::Plan;
use super::parts::Parts;
use super::request::Request;
use super::zero_shot::{Reader, SAMPLE, product};
use crate::error::Result;
use crate::findings::{Polarity, query::Wanted};

/// A ranking with its weight.
struct List {
    source: Source,
    weight: f32,
    part: String,
    ranking: Ranking,
}

/// All rankings of a search.
pub struct Rankings {
    lists: Vec<List>,
    /// Mean and standard deviation of the cosines of what passes, for the text and for the film.
    spread: HashMap<Source, (f32, f32)>,
    k: f32,
    /// The readers of the wanted findings, in their order; none where films are not read.
    pub readers: Vec<Arc<Reader>>,
}

impl Rankings {
    /// Ranks the studies in `rows`, those of `scope` that are not excluded.
    ///
    /// # Errors
    /// A keyword query that does not parse: the caller's fault; the encoder fails.
    pub fn of(
        engine: &Engine,
        request: &Request,
        plan: &Plan,
        parts: &Parts,
        judging: &Judging<'_>,
        scope: &RoaringBitmap,
        rows: &RoaringBitmap,
    ) -> Result<Self> {
        let (index, config) = (engine.index(), &engine.config().search);
        // Never more for a larger page: the order must not depend on it.
        let n = config.candidates;
        let own = request.to.space();
        let text = plan.prose.as_str();
        let weights = &request.query.weights;
        let mut all = Self { lists: Vec::new(), spread: HashMap::new(), k: config.fusion_k, readers: Vec::new() };
        let nearest = |space, vector: &[f32], rows: &RoaringBitmap| {
            // Items, not studies: a study with several films or sentences takes several places.
            let items = if space == Space::Images { 2 * n } else { 4 * n };
            candidates::nearest(index, space, vector, items, Some(rows))
        };
        let films = || {
            let of = &request.query;
            let word = |count: usize, one: &str, many: &str| match count {
                0 => None,
                1 => Some(format!("one {one}")),
                n => Some(format!("{n} {many}")),
            };
            let named =
                [word(of.films.len(), "film", "films"), word(of.like.len(), "study to be like", "studies to be like")];
            named.into_iter().flatten().collect::<Vec<_>>().join(" and ")
        };
        let by_text = match own {
            Space::Images => parts.looks.as_deref(),
            Space::Sentences => parts.text.as_deref(),
        };
        if let Some(vector) = by_text {
            let part = parts.looks_for.as_deref().filter(|_| own == Space::Images).unwrap_or(text);
            all.push(Source::Text, config.weights.film * weights.text, part.to_owned(), nearest(own, vector, rows)?);
            all.spread.insert(Source::Text, spread(engine, own, vector, rows));
        }
        if let Some(vector) = &parts.film {
            all.push(Source::Film, config.weights.film, films(), nearest(own, vector, rows)?);
            all.spread.insert(Source::Film, spread(engine, own, vector, rows));
        }
        if request.encoder_only {
            return Ok(all);
        }
        if own == Space::Images && !judging.wanted.is_empty() {
            all.readers = engine.readers(&judging.wanted)?;
            // Ranks among what passes the filter: films of one source stand together among those of others.
            if scope.len() < engine.with(own).len() {
                all.readers = all.readers.iter().map(|reader| Arc::new(reader.among(index, scope))).collect();
            }
        }
        if let (Some(vector), false) = (&parts.text, request.unstated) {
            if own == Space::Images {
                let ranking = nearest(Space::Sentences, vector, rows)?;
                all.push(Source::Sentence, config.weights.sentence * weights.text, text.to_owned(), ranking);
            }
            let ranking = candidates::keywords(index, &plan.terms, n, Some(rows))?;
            all.push(Source::Keyword, config.weights.keyword * weights.text, text.to_owned(), ranking);
        }
        // A query that only denies has nothing to be near to: the films that show least of it lead.
        let absence = by_text.is_none().then(|| away(&judging.wanted, &all.readers)).flatten();
        let Some(leading) = by_text.or(parts.film.as_deref()).or(absence.as_deref()) else { return Ok(all) };
        let stated = judging.agreeing(rows, n);
        if !stated.is_empty() {
            let part = phrases(&judging.wanted, text);
            all.push(Source::Stated, config.weights.stated * weights.text, part, nearest(own, leading, &stated)?);
        }
        if let Some(direction) = &absence {
            let silent = judging.silent(rows);
            let part = phrases(&judging.wanted, text);
            all.push(
                Source::ZeroShot,
                config.weights.zero_shot * weights.text,
                part,
                nearest(own, direction, &silent)?,
            );
        }
        let alike = judging.alike(rows, n);
        if !alike.is_empty() {
            let ranking = nearest(own, parts.film.as_deref().unwrap_or(leading), &alike)?;
            all.push(Source::Feedback, config.weights.stated * weights.like, films(), ranking);
        }
        Ok(all)
    }

    fn push(&mut self, source: Source, weight: f32, part: String, ranking: Ranking) {
        if weight > 0.0 {
            self.lists.push(List { source, weight, part, ranking });
        }
    }

    /// Reciprocal rank fusion: rows with their scores.
    pub fn fused(&self) -> Vec<(u32, f32)> {
        fuse(self.k, self.lists.iter().map(|list| (list.weight, list.ranking.rows.as_slice())))
    }

    /// The most that a row could get.
    pub fn most(&self) -> f32 {
        self.lists.iter().map(|list| share(list.weight, self.k, 1)).sum()
    }

    /// A study's place in a ranking, and the row of the film or sentence that gave it.
    pub fn place(&self, source: Source, row: u32) -> Option<&(super::response::Placed, u32)> {
        self.lists.iter().find(|list| list.source == source)?.ranking.places.get(&row)
    }

    /// A study's places in all rankings.
    pub fn components(&self, row: u32) -> Vec<Component> {
        let of = |list: &List| {
            let (place, _) = list.ranking.places.get(&row)?;
            Some(Component {
                source: list.source,
                rank: place.rank,
                score: place.score,
                weight: list.weight,
                gives: share(list.weight, self.k, place.rank),
                part: list.part.clone(),
            })
        };
        self.lists.iter().filter_map(of).collect()
    }

    /// How far a study's cosine stands out of those of all that passes, in standard deviations: by text or film, whichever is more.
    pub fn stands_out(&self, row: u32) -> Option<f32> {
        let of = |source: Source| {
            let (mean, deviation) = self.spread.get(&source)?;
            Some((self.place(source, row)?.0.score - mean) / deviation.max(1e-6))
        };
        of(Source::Text).into_iter().chain(of(Source::Film)).reduce(f32::max)
    }
}

/// One direction away from all that is wanted absent.
fn away(wanted: &[Wanted], readers: &[Arc<Reader>]) -> Option<Vec<f32>> {
    let mut sum: Vec<f32> = Vec::new();
    for (_, reader) in wanted.iter().zip(readers).filter(|(want, _)| want.polarity == Polarity::Absent) {
        let norm = reader.direction.iter().map(|d| d * d).sum::<f32>().sqrt().max(1e-6);
        sum.resize(reader.direction.len(), 0.0);
        sum.iter_mut().zip(&reader.direction).for_each(|(s, d)| *s -= d / norm);
    }
    sum.iter().any(|s| s.abs() > 1e-6).then_some(sum)
}

/// The words of the query that ask for findings.
fn phrases(wanted: &[Wanted], text: &str) -> String {
    let mut all: Vec<&str> = wanted.iter().filter_map(|want| text.get(want.phrase.clone())).collect();
    all.dedup();
    all.join(", ")
}

/// Mean and standard deviation of the cosines of the rows' items to a vector, of a sample where they are many.
fn spread(engine: &Engine, space: Space, vector: &[f32], rows: &RoaringBitmap) -> (f32, f32) {
    let (mut count, mut sum, mut squares) = (0.0f64, 0.0f64, 0.0f64);
    let index = engine.index();
    let step = (rows.len() as usize).div_ceil(SAMPLE).max(1);
    let first = |row: u32| index.items(space, row).next().and_then(|item| index.vector(space, item));
    for item in rows.iter().step_by(step).filter_map(first) {
        let score = f64::from(product(item, vector));
        count += 1.0;
        sum += score;
        squares += score * score;
    }
    let mean = sum / f64::max(count, 1.0);
    let variance = (squares / f64::max(count, 1.0) - mean * mean).max(0.0);
    (mean as f32, variance.sqrt() as f32)
}
