//! Looking at patients that are not trained on, to choose the best weights.

use candle_core::Tensor;
use image::DynamicImage;
use rayon::prelude::*;

use super::frozen::TrunkCache;
use super::learner::Learner;
use super::source::SourceError;
use crate::encoder::Encoder;
use crate::error::ModelError;
use crate::preprocess::Pixels;

/// What the application scores weights by. The trainer embeds the films and texts; what they mean, only the application knows.
pub trait Validator: Sync {
    /// Number of films.
    fn films(&self) -> usize;

    /// Decodes film `index`; one that fails is left out.
    fn load(&self, index: usize) -> Result<DynamicImage, SourceError>;

    /// A number that stands for film `index` in every run, as [`ImageSource::key`](super::ImageSource::key) does.
    fn key(&self, index: usize) -> u64;

    /// The texts.
    fn texts(&self) -> Vec<String>;

    /// Scores unit vectors of the films, `None` for those that could not be read, and of the texts. `None` where there is too
    /// little to score: then the last weights are kept.
    fn score(&self, films: &[Option<Vec<f32>>], texts: &[Vec<f32>]) -> Option<Score>;
}

/// How good weights are.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Higher is better.
    pub value: f64,
    /// What it is made of, for the curves and the card.
    pub details: serde_json::Value,
}

/// The variant of a film that is the film itself.
const UNCHANGED: u32 = u32::MAX;

/// Films of the validation as far as they don't change from look to look.
enum Films {
    Pixels(Vec<Pixels>),
    /// Outputs of the frozen layers.
    Trunks(Vec<Tensor>),
}

/// Validates again and again; the films are read once.
pub(super) struct Validation<'a> {
    validator: &'a dyn Validator,
    texts: Vec<String>,
    films: Option<(Vec<usize>, Films)>,
    /// Of frozen layers.
    cache: &'a TrunkCache,
    frozen: usize,
    frozen_texts: bool,
}

impl<'a> Validation<'a> {
    /// `learner` says which layers are frozen; they are the same at each look, and their outputs are kept in `cache`.
    pub(super) fn new(validator: &'a dyn Validator, learner: &Learner, cache: &'a TrunkCache) -> Self {
        let (frozen, frozen_texts) = (learner.config.training.frozen, learner.texts_are_frozen());
        Self { validator, texts: validator.texts(), films: None, cache, frozen, frozen_texts }
    }

    /// Scores the weights of `encoder`.
    pub(super) fn score(&mut self, encoder: &Encoder) -> Result<Option<Score>, ModelError> {
        if self.films.is_none() {
            self.films = Some(self.read(encoder)?);
        }
        let Some((indices, films)) = &self.films else { return Ok(None) };
        let vectors = match films {
            Films::Pixels(pixels) => encoder.embed_images(pixels)?,
            Films::Trunks(trunks) => encoder.embed_trunks(trunks, self.frozen)?,
        };
        let mut films: Vec<Option<Vec<f32>>> = vec![None; self.validator.films()];
        for (index, vector) in indices.iter().zip(vectors) {
            if let Some(slot) = films.get_mut(*index) {
                *slot = Some(vector);
            }
        }
        let texts = if self.frozen_texts {
            encoder.embed_texts_keeping(
                &self.texts,
                |ids| self.cache.text(ids),
                |ids, f| self.cache.put_text(ids, f),
            )?
        } else {
            encoder.embed_texts(&self.texts)?
        };
        Ok(self.validator.score(&films, &texts))
    }

    fn read(&self, encoder: &Encoder) -> Result<(Vec<usize>, Films), ModelError> {
        let pixels = |index: usize| encoder.preprocess(&self.validator.load(index).ok()?).ok();
        let all = (0..self.validator.films()).into_par_iter();
        if self.frozen == 0 {
            let read: Vec<(usize, Pixels)> = all.filter_map(|index| Some((index, pixels(index)?))).collect();
            let (indices, pixels) = read.into_iter().unzip();
            return Ok((indices, Films::Pixels(pixels)));
        }
        let trunk = |index: usize| -> Result<Option<(usize, Tensor)>, ModelError> {
            let key = (self.validator.key(index), UNCHANGED);
            if let Some(output) = self.cache.get(key) {
                return Ok(Some((index, output)));
            }
            let Some(pixels) = pixels(index) else { return Ok(None) };
            let output = encoder.trunk(&pixels, self.frozen)?;
            self.cache.put(key, &output);
            Ok(Some((index, output)))
        };
        let read: Vec<Option<(usize, Tensor)>> = all.map(trunk).collect::<Result<_, _>>()?;
        let (indices, trunks) = read.into_iter().flatten().unzip();
        Ok((indices, Films::Trunks(trunks)))
    }
}
