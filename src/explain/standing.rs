//! The findings of a film, zero-shot: each by its rank among the archive's films. A rank says what a raw cosine can't:
//! how unusual a film is for its archive. It is no probability.

use serde::Serialize;
use thorax_index::Space;
use thorax_models::Encoder;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::evaluation::prompt_bank::{PromptBank, Score};
use crate::findings::Observation;
use crate::search::Engine;

/// Scores of the archive's films for every observation.
pub struct Reference {
    /// For each observation the direction that scores it.
    directions: Vec<Vec<f32>>,
    /// For each observation the scores of all films, ascending.
    scores: Vec<Vec<f32>>,
}

/// Where a film stands for one observation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Standing {
    /// The observation.
    pub finding: Observation,
    /// Share of the archive's films that score lower, equals by half; 0.5 is the middle. Not a probability.
    pub above: f64,
}

impl Reference {
    /// Scores all films of the index; a product for each film and observation.
    ///
    /// # Errors
    /// The index has no films, or the encoder fails.
    pub fn of(engine: &Engine) -> Result<Self> {
        let index = engine.index();
        let count = index.item_count(Space::Images) as u32;
        let films: Vec<&[f32]> = (0..count).filter_map(|item| index.vector(Space::Images, item)).collect();
        if films.is_empty() {
            return Err(Error::Caller(
                "the index has no films to compare with: import some, then `thorax index`".to_owned(),
            ));
        }
        Self::new(engine.model().1, &films)
    }

    /// From unit vectors of films.
    ///
    /// # Errors
    /// The encoder fails.
    pub fn new(encoder: &Encoder, films: &[&[f32]]) -> Result<Self> {
        let bank = PromptBank::embed(encoder)?;
        let directions: Vec<Vec<f32>> =
            Observation::ALL.into_iter().map(|o| bank.of(o).direction(Score::Contrast)).collect();
        Ok(Self::of_directions(directions, films))
    }

    fn of_directions(directions: Vec<Vec<f32>>, films: &[&[f32]]) -> Self {
        let scores = directions
            .iter()
            .map(|direction| {
                let mut scores: Vec<f32> = films.iter().map(|film| product(film, direction)).collect();
                scores.sort_by(f32::total_cmp);
                scores
            })
            .collect();
        Self { directions, scores }
    }

    /// Films that are compared with.
    pub fn films(&self) -> usize {
        self.scores.first().map_or(0, Vec::len)
    }

    /// Where a film, given by its unit vector, stands; highest first.
    pub fn standings(&self, film: &[f32]) -> Vec<Standing> {
        let mut standings: Vec<Standing> = Observation::ALL
            .into_iter()
            .zip(self.directions.iter().zip(&self.scores))
            .map(|(finding, (direction, scores))| {
                let score = product(film, direction);
                let below = scores.partition_point(|s| *s < score);
                let equal = scores.partition_point(|s| *s <= score) - below;
                let above = (below as f64 + equal as f64 / 2.0) / scores.len().max(1) as f64;
                Standing { finding, above }
            })
            .collect();
        standings.sort_by(|a, b| b.above.total_cmp(&a.above));
        standings
    }
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_counts_those_below_and_half_of_the_equal() {
        let films: Vec<[f32; 1]> = [0.4, 0.1, 0.2, 0.2].map(|v| [v]).to_vec();
        let films: Vec<&[f32]> = films.iter().map(|f| f.as_slice()).collect();
        let mut directions = vec![vec![0.0]; Observation::COUNT];
        directions[Observation::Edema.index()] = vec![1.0];
        let reference = Reference::of_directions(directions, &films);
        assert_eq!(reference.films(), 4);
        let top = |value: f32| reference.standings(&[value])[0].clone();
        assert_eq!(top(0.2).above, 0.5);
        assert_eq!(top(0.9), Standing { finding: Observation::Edema, above: 1.0 });
        // Directions that tell nothing put every film in the middle.
        let low = reference.standings(&[0.0]);
        assert_eq!(low.last().map(|s| (s.finding, s.above)), Some((Observation::Edema, 0.0)));
        assert_eq!(low[0].above, 0.5);
    }
}
