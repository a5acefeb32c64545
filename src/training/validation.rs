//! Choosing the best weights: zero-shot AUC on the validation patients. The held-out patients play no part.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use image::DynamicImage;
use thorax_index::Catalogue;
use thorax_models::train::{Score, SourceError, Validator};

use super::dataset::number;
use super::split::Split;
use crate::archive::{View, load_image};
use crate::error::Result;
use crate::evaluation::metrics::{auc, mean};
use crate::findings::{Observation, Polarity, prompts};
use crate::indexing::document::study;
use crate::indexing::{Finding, shown};

/// A finding counts with this many positives, in one source: the source itself is an easy shortcut.
const MIN_POSITIVES: usize = 5;

/// With fewer films the score is mostly chance, and the last weights are the better choice.
const MIN_FILMS: usize = 30;

/// Prompts of each finding, the plainest ones.
const PROMPTS: usize = 8;

/// Films of the validation patients, and the prompts that they are asked by.
pub struct Validation {
    films: Vec<Film>,
    texts: Vec<String>,
    of: Vec<(Observation, Range<usize>)>,
}

struct Film {
    key: u64,
    path: PathBuf,
    source: String,
    shown: Vec<Finding>,
}

impl Validation {
    /// Gathers the frontal films of validation patients that have labels.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn gather(catalogue: &Catalogue) -> Result<Self> {
        let mut films = Vec::new();
        for document in catalogue.iter() {
            let study = study(&document?)?;
            if study.labels.is_empty() || Split::of(&study.patient) != Split::Validation {
                continue;
            }
            let shown = shown(&study);
            for image in study.images.iter().filter(|image| image.view != Some(View::Lateral)) {
                let (path, source) = (image.path.clone(), study.source.clone());
                films.push(Film { key: number(&image.id), path, source, shown: shown.clone() });
            }
        }
        Ok(Self::of(films))
    }

    fn of(films: Vec<Film>) -> Self {
        let (mut texts, mut of) = (Vec::new(), Vec::new());
        for observation in Observation::ALL {
            let first = texts.len();
            texts.extend(prompts(observation).into_iter().take(PROMPTS));
            of.push((observation, first..texts.len()));
        }
        Self { films, texts, of }
    }

    /// AUC of each finding in each source that has enough positives.
    fn areas(&self, films: &[Option<Vec<f32>>], texts: &[Vec<f32>]) -> BTreeMap<String, f64> {
        let mut areas = BTreeMap::new();
        for (observation, range) in &self.of {
            let query = sum(texts.get(range.clone()).unwrap_or_default());
            let mut scored: BTreeMap<&str, Vec<(f32, bool)>> = BTreeMap::new();
            for (film, vector) in self.films.iter().zip(films) {
                if let (Some(vector), Some(there)) = (vector, says(&film.shown, *observation)) {
                    scored.entry(&film.source).or_default().push((dot(vector, &query), there));
                }
            }
            for (source, scored) in scored {
                if scored.iter().filter(|s| s.1).count() >= MIN_POSITIVES
                    && let Some(area) = auc(&scored)
                {
                    areas.insert(format!("{observation} ({source})"), area);
                }
            }
        }
        areas
    }
}

impl Validator for Validation {
    fn films(&self) -> usize {
        self.films.len()
    }

    fn load(&self, index: usize) -> std::result::Result<DynamicImage, SourceError> {
        let film = self.films.get(index).ok_or("there is no such film")?;
        Ok(load_image(&film.path)?)
    }

    fn key(&self, index: usize) -> u64 {
        self.films.get(index).map_or(0, |film| film.key)
    }

    fn texts(&self) -> Vec<String> {
        self.texts.clone()
    }

    fn score(&self, films: &[Option<Vec<f32>>], texts: &[Vec<f32>]) -> Option<Score> {
        let count = films.iter().flatten().count();
        let areas = self.areas(films, texts);
        if areas.is_empty() || count < MIN_FILMS {
            return None;
        }
        let value = mean(areas.values().copied());
        Some(Score { value, details: serde_json::json!({ "macro_auc": value, "films": count, "auc": areas }) })
    }
}

/// Whether the finding is there; `None` where nobody says.
fn says(shown: &[Finding], observation: Observation) -> Option<bool> {
    let of = |polarity| shown.iter().any(|f| f.observation == observation && f.polarity == polarity);
    if of(Polarity::Present) { Some(true) } else { of(Polarity::Absent).then_some(false) }
}

fn sum(vectors: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0; vectors.first().map_or(0, Vec::len)];
    for vector in vectors {
        sum.iter_mut().zip(vector).for_each(|(s, v)| *s += v);
    }
    sum
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::archive::LabelOrigin;

    fn film(source: &str, there: bool) -> Film {
        let polarity = if there { Polarity::Present } else { Polarity::Absent };
        let (observation, origin) = (Observation::Cardiomegaly, LabelOrigin::Dataset);
        let shown = vec![Finding { observation, polarity, side: None, severity: None, origin }];
        Film { key: 0, path: PathBuf::new(), source: source.to_owned(), shown }
    }

    #[test]
    fn sources_are_scored_apart_and_need_five_positives() {
        // In source a the vectors rank all positives first, in b last; in c there are too few.
        let cases = [("a", true, 1.0), ("a", false, 0.0), ("b", true, 0.0), ("b", false, 1.0)];
        let mut films: Vec<(Film, f32)> =
            cases.iter().flat_map(|(s, there, v)| (0..8).map(|_| (film(s, *there), *v))).collect();
        films.push((film("c", true), 1.0));
        let (films, values): (Vec<Film>, Vec<f32>) = films.into_iter().unzip();
        let validation = Validation::of(films);
        let mut vectors: Vec<Option<Vec<f32>>> = values.iter().map(|v| Some(vec![*v])).collect();
        let texts = vec![vec![1.0]; validation.texts().len()];
        let score = validation.score(&vectors, &texts).unwrap();
        assert_eq!(score.value, 0.5);
        assert_eq!(score.details["auc"]["Cardiomegaly (a)"], 1.0);
        assert_eq!(score.details["auc"]["Cardiomegaly (b)"], 0.0);
        assert_eq!(score.details["auc"].as_object().unwrap().len(), 2);
        vectors[..4].fill(None);
        let areas = validation.areas(&vectors, &texts);
        assert_eq!(areas.keys().collect::<Vec<_>>(), ["Cardiomegaly (b)"], "four positives are left in a");
        assert_eq!(validation.score(&vectors, &texts), None, "29 films are too few to choose by");
    }

    #[test]
    fn nothing_to_score_is_no_score() {
        assert_eq!(Validation::of(Vec::new()).score(&[], &[]), None);
    }
}
