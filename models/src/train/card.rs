//! What a finished model says of itself: `card.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::encoder::CARD_FILE;
use crate::error::ModelError;

/// What a model was trained on, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Name of the configuration.
    pub preset: String,
    /// Hash of everything that its embeddings depend on.
    pub fingerprint: String,
    /// Dimension of its embeddings.
    pub dimension: usize,
    /// Trainable numbers, those that only training needs included.
    pub parameters: usize,
    /// Images it was trained on.
    pub images: usize,
    /// Images of these that could not be read.
    pub images_skipped: usize,
    /// Texts it was trained on.
    pub texts: usize,
    /// Length of the label vectors.
    pub labels: usize,
    /// Steps.
    pub steps: u64,
    /// Step whose weights these are: the best by validation, or the last.
    #[serde(default)]
    pub best_step: u64,
    /// Score of these weights on the validation patients, where there are any.
    #[serde(default)]
    pub validation: Option<f64>,
    /// What the score is made of.
    #[serde(default)]
    pub validation_details: serde_json::Value,
    /// Seconds of training.
    pub seconds: f64,
    /// Moving average of the loss at the end.
    pub loss: f32,
    /// What the caller adds.
    #[serde(default)]
    pub notes: serde_json::Map<String, serde_json::Value>,
}

impl Card {
    /// Reads the card of a model folder.
    pub fn load(dir: &Path) -> Result<Self, ModelError> {
        let path = dir.join(CARD_FILE);
        let text = fs_err::read_to_string(&path).map_err(ModelError::io(&path))?;
        serde_json::from_str(&text).map_err(|e| ModelError::Damaged { path, reason: e.to_string() })
    }
}
