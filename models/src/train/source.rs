//! What the application hands to the trainer. Images and texts are unpaired: only their labels relate them.

use std::borrow::Cow;

use image::DynamicImage;
use rand::RngCore;

use super::validate::Validator;
use crate::config::Training;
use crate::error::ModelError;

/// An item that could not be read.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Images with labels.
///
/// Labels are of one length for images and texts: above 0 present, below 0 absent, 0 unknown.
pub trait ImageSource: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// True where there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Decodes image `index`. It is called from several threads; the trainer keeps what it needs of the result.
    /// An image that fails is reported and left out.
    fn load(&self, index: usize) -> Result<DynamicImage, SourceError>;

    /// Labels of image `index`.
    fn labels(&self, index: usize) -> &[f32];

    /// A number that stands for image `index` in every run: outputs of frozen layers are kept under it.
    fn key(&self, index: usize) -> u64 {
        index as u64
    }

    /// A number that images of one patient share, and no others; `None` where the patient is not known.
    fn group(&self, _index: usize) -> Option<u64> {
        None
    }

    /// Texts that belong to image `index`: sentences of its own report, as indices of the text source.
    fn pairs(&self, _index: usize) -> &[usize] {
        &[]
    }

    /// Labels of the mirror image of an image with `labels`; `None` where that is not known, and then nothing is flipped.
    fn mirrored(&self, _labels: &[f32]) -> Option<Vec<f32>> {
        None
    }
}

/// Texts with labels.
pub trait TextSource: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// True where there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Text `index`.
    fn text(&self, index: usize) -> Cow<'_, str>;

    /// Labels of text `index`.
    fn labels(&self, index: usize) -> &[f32];

    /// Text `index` with a finding denied or a side swapped, and its labels; `None` where that cannot be done surely.
    fn flipped(&self, _index: usize, _rng: &mut dyn RngCore) -> Option<(String, Vec<f32>)> {
        None
    }
}

/// What a run is made of.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Trained on.
    pub images: &'a dyn ImageSource,
    /// Trained on.
    pub texts: &'a dyn TextSource,
    /// Chooses the best weights; without it the last ones are kept.
    pub validator: Option<&'a dyn Validator>,
}

/// Checks that there is something to learn; returns the length of the labels.
pub(super) fn check(training: &Training, sources: Sources<'_>) -> Result<usize, ModelError> {
    let Sources { images, texts, .. } = sources;
    let data = |reason: String| Err(ModelError::Data(reason));
    if images.is_empty() || texts.is_empty() {
        return data(format!("{} images and {} texts: both are needed", images.len(), texts.len()));
    }
    let length = images.labels(0).len();
    if length == 0 {
        return data("labels have length 0".to_owned());
    }
    let sound = |labels: &[f32]| labels.len() == length && labels.iter().all(|v| v.is_finite());
    if let Some(i) = (0..images.len()).find(|&i| !sound(images.labels(i))) {
        return data(format!("the labels of image {i} are not {length} finite numbers"));
    }
    if let Some(i) = (0..texts.len()).find(|&i| !sound(texts.labels(i))) {
        return data(format!("the labels of text {i} are not {length} finite numbers"));
    }
    if !(0..images.len()).any(|i| images.labels(i).iter().any(|&v| v != 0.0)) {
        return data("no image has a label".to_owned());
    }
    if !(0..texts.len()).any(|i| texts.labels(i).iter().any(|&v| v != 0.0)) {
        return data("no text has a label".to_owned());
    }
    for i in 0..images.len() {
        if let Some(t) = images.pairs(i).iter().find(|t| **t >= texts.len()) {
            return data(format!("image {i} is paired with text {t}, and there are {}", texts.len()));
        }
    }
    if training.wants_pairs() && (0..images.len()).all(|i| images.pairs(i).is_empty()) {
        return data("no image has a text of its own report, which info-nce and pair_blending need".to_owned());
    }
    if training.flip > 0.0 && images.mirrored(images.labels(0)).is_none_or(|m| m.len() != length) {
        return data("what a mirrored image shows is not known, so training.flip must be 0".to_owned());
    }
    Ok(length)
}
