//! What the application hands to the trainer. Images and texts are unpaired: only their labels relate them.

use std::borrow::Cow;

use image::DynamicImage;

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
}

/// Checks that there is something to learn; returns the length of the labels.
pub(super) fn check(images: &dyn ImageSource, texts: &dyn TextSource) -> Result<usize, ModelError> {
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
    Ok(length)
}
