//! Looking at patients that are not trained on, to choose the best weights.

use candle_core::Tensor;
use image::DynamicImage;
use rayon::prelude::*;

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
}

impl<'a> Validation<'a> {
    pub(super) fn new(validator: &'a dyn Validator) -> Self {
        Self { validator, texts: validator.texts(), films: None }
    }

    /// Scores the weights of `encoder`, whose first `frozen` image layers are the same each time.
    pub(super) fn score(&mut self, encoder: &Encoder, frozen: usize) -> Result<Option<Score>, ModelError> {
        if self.films.is_none() {
            self.films = Some(self.read(encoder, frozen)?);
        }
        let Some((indices, films)) = &self.films else { return Ok(None) };
        let vectors = match films {
            Films::Pixels(pixels) => encoder.embed_images(pixels)?,
            Films::Trunks(trunks) => encoder.embed_trunks(trunks, frozen)?,
        };
        let mut films: Vec<Option<Vec<f32>>> = vec![None; self.validator.films()];
        for (index, vector) in indices.iter().zip(vectors) {
            if let Some(slot) = films.get_mut(*index) {
                *slot = Some(vector);
            }
        }
        Ok(self.validator.score(&films, &encoder.embed_texts(&self.texts)?))
    }

    fn read(&self, encoder: &Encoder, frozen: usize) -> Result<(Vec<usize>, Films), ModelError> {
        let (indices, pixels): (Vec<usize>, Vec<Pixels>) = (0..self.validator.films())
            .into_par_iter()
            .filter_map(|index| {
                let image = self.validator.load(index).ok()?;
                Some((index, encoder.preprocess(&image).ok()?))
            })
            .collect::<Vec<_>>()
            .into_iter()
            .unzip();
        let films = if frozen > 0 { Films::Trunks(encoder.trunks(&pixels, frozen)?) } else { Films::Pixels(pixels) };
        Ok((indices, films))
    }
}
