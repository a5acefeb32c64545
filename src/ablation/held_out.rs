//! The films that runs are scored on: embedded by the trainer at the end of a run, as it has the outputs of frozen layers.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use image::DynamicImage;
use thorax_models::Encoder;
use thorax_models::train::{Score, SourceError, Validator};

use crate::archive::load_image;
use crate::error::{Error, Result};
use crate::evaluation::cohort::{self, Film, cosine};
use crate::findings::{Observation, prompts};
use crate::training::dataset::number;

/// Held-out films, and what is asked of them. It never chooses weights: it answers no score.
pub struct HeldOut {
    /// The films.
    pub films: Vec<Film>,
    /// The findings with enough of them.
    pub findings: Vec<Observation>,
    texts: Vec<(usize, String)>,
    scores: Mutex<Option<Vec<Vec<f32>>>>,
}

impl HeldOut {
    /// Films to be scored for `findings`.
    pub fn new(films: Vec<Film>, findings: Vec<Observation>) -> Self {
        let of = |(place, finding): (usize, &Observation)| prompts(*finding).into_iter().map(move |text| (place, text));
        let texts = findings.iter().enumerate().flat_map(of).collect();
        Self { films, findings, texts, scores: Mutex::new(None) }
    }

    /// The scores of the run that ended last: for each finding one for each film. `None` where a film could not be read.
    pub fn take(&self) -> Option<Vec<Vec<f32>>> {
        self.scores.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The same of a model that is trained already.
    ///
    /// # Errors
    /// It cannot be loaded, or a film cannot be read.
    pub fn of_model(&self, dir: &Path, device: &thorax_models::Device) -> Result<Vec<Vec<f32>>> {
        let encoder = Encoder::load(dir, device)?;
        let embedded = cohort::embed(&encoder, self.films.clone())?;
        if embedded.len() != self.films.len() {
            return Err(Error::Caller(UNREADABLE.to_owned()));
        }
        let films: Vec<Vec<f32>> = embedded.into_iter().map(|(_, vector)| vector).collect();
        Ok(self.scored(&films, &encoder.embed_texts(&self.texts())?))
    }

    /// Mean cosine to what states a finding: MedCLIP's prompt ensemble (section 4.2).
    fn scored(&self, films: &[Vec<f32>], texts: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let of = |place: usize| -> Vec<f32> {
            let own: Vec<&Vec<f32>> =
                self.texts.iter().zip(texts).filter(|(t, _)| t.0 == place).map(|(_, v)| v).collect();
            let mean =
                |film: &Vec<f32>| own.iter().map(|text| cosine(film, text)).sum::<f32>() / own.len().max(1) as f32;
            films.iter().map(mean).collect()
        };
        (0..self.findings.len()).map(of).collect()
    }

    /// The films, and what is known of them, as one hash.
    pub fn identity(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for film in &self.films {
            hasher.update(film.id.as_bytes());
            for finding in &self.findings {
                hasher.update(&[match film.truth.get(*finding) {
                    None => 0,
                    Some(false) => 1,
                    Some(true) => 2,
                }]);
            }
        }
        for (_, text) in &self.texts {
            hasher.update(text.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Said where a held-out film is missing.
pub const UNREADABLE: &str =
    "some held-out films cannot be read: mend them or remove their studies, or the runs are not comparable";

impl Validator for HeldOut {
    fn films(&self) -> usize {
        self.films.len()
    }

    fn load(&self, index: usize) -> std::result::Result<DynamicImage, SourceError> {
        let film = self.films.get(index).ok_or("there is no such film")?;
        Ok(load_image(&film.path)?)
    }

    fn key(&self, index: usize) -> u64 {
        self.films.get(index).map_or(0, |film| number(&film.id))
    }

    fn texts(&self) -> Vec<String> {
        self.texts.iter().map(|(_, text)| text.clone()).collect()
    }

    fn score(&self, films: &[Option<Vec<f32>>], texts: &[Vec<f32>]) -> Option<Score> {
        let all: Option<Vec<Vec<f32>>> = films.iter().cloned().collect();
        *self.scores.lock().unwrap_or_else(PoisonError::into_inner) = all.map(|films| self.scored(&films, texts));
        None
    }
}
