//! Films and texts as the trainer of `thorax-models` asks for them.

use std::borrow::Cow;
use std::sync::OnceLock;

use image::DynamicImage;
use rand::{Rng, RngCore};
use thorax_models::train::{ImageSource, SourceError, TextSource};

use super::dataset::{LabelledFilm, LabelledText};
use super::flip::flips;
use super::labels;
use crate::archive::load_image;

/// The films of a data set.
pub struct Films<'a>(pub &'a [LabelledFilm]);

impl ImageSource for Films<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn load(&self, index: usize) -> Result<DynamicImage, SourceError> {
        let film = self.0.get(index).ok_or("there is no such film")?;
        Ok(load_image(&film.path)?)
    }

    fn labels(&self, index: usize) -> &[f32] {
        self.0.get(index).map_or(&[], |film| film.labels.as_slice())
    }

    fn key(&self, index: usize) -> u64 {
        self.0.get(index).map_or(0, |film| film.key)
    }

    fn group(&self, index: usize) -> Option<u64> {
        self.0.get(index).map(|film| film.patient)
    }

    fn pairs(&self, index: usize) -> &[usize] {
        self.0.get(index).map_or(&[], |film| film.sentences.as_slice())
    }

    fn mirrored(&self, labels: &[f32]) -> Option<Vec<f32>> {
        Some(labels::mirrored(labels))
    }
}

/// A text and its labels, turned into their contrary or to the other side.
type Flip = (String, Vec<f32>);

/// The texts of a data set. Flipped copies are made when they are first asked for.
pub struct Texts<'a> {
    texts: &'a [LabelledText],
    flips: Vec<OnceLock<Vec<Flip>>>,
}

impl<'a> Texts<'a> {
    /// Nothing is computed yet.
    pub fn new(texts: &'a [LabelledText]) -> Self {
        Self { texts, flips: texts.iter().map(|_| OnceLock::new()).collect() }
    }
}

impl TextSource for Texts<'_> {
    fn len(&self) -> usize {
        self.texts.len()
    }

    fn text(&self, index: usize) -> Cow<'_, str> {
        self.texts.get(index).map_or(Cow::Borrowed(""), |text| Cow::Borrowed(text.text.as_str()))
    }

    fn labels(&self, index: usize) -> &[f32] {
        self.texts.get(index).map_or(&[], |text| text.labels.as_slice())
    }

    fn flipped(&self, index: usize, rng: &mut dyn RngCore) -> Option<(String, Vec<f32>)> {
        let text = self.texts.get(index)?;
        let found = self.flips.get(index)?.get_or_init(|| flips(&text.text));
        found.get(rng.random_range(0..found.len().max(1))).cloned()
    }
}
