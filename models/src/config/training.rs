//! How a model is trained.

use serde::{Deserialize, Serialize};

/// Optimisation, objective and sampling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Images per step.
    pub image_batch: usize,
    /// Texts per step; images and texts are unpaired, so it may differ.
    pub text_batch: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay; none on biases, norms, tables of positions and the logit scale.
    pub weight_decay: f64,
    /// Share of the run in which the learning rate rises from 0; then it falls along a cosine to 0.
    pub warmup: f64,
    /// Upper bound of the norm of the gradient of all parameters together.
    pub clip_norm: f64,
    /// Temperature of the soft targets: `softmax(cos(labels) / temperature)`. 1 is the paper ([`Training::faithful`]).
    pub label_temperature: f32,
    /// Weight of an auxiliary binary cross entropy on the known labels, from the features of both towers; 0 turns it off.
    pub auxiliary_weight: f64,
    /// Share of each batch that is drawn class by class, so that rare labels are seen often; the rest is drawn evenly.
    pub balance: f64,
    /// Probability of leaving out a residual branch of the image encoder for one image (Huang et al., ECCV 2016),
    /// rising linearly from 0 at the first block to this at the last.
    pub drop_path: f64,
    /// Probability of replacing a token by `[UNK]` in training.
    pub token_dropout: f64,
    /// Seed of weights, sampling and augmentation.
    pub seed: u64,
    /// Decoded films kept in memory at the training resolution, in MB.
    pub cache_mb: usize,
    /// Random changes of the films.
    pub augmentation: Augmentation,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            image_batch: 32,
            text_batch: 32,
            learning_rate: 5e-4,
            weight_decay: 0.05,
            warmup: 0.1,
            clip_norm: 1.0,
            label_temperature: 0.3,
            auxiliary_weight: 0.5,
            balance: 0.5,
            drop_path: 0.0,
            token_dropout: 0.0,
            seed: 0,
            cache_mb: 2048,
            augmentation: Augmentation::default(),
        }
    }
}

impl Training {
    /// The paper's objective: targets at temperature 1, no auxiliary loss, even sampling.
    pub fn faithful(mut self) -> Self {
        self.label_temperature = 1.0;
        self.auxiliary_weight = 0.0;
        self.balance = 0.0;
        self
    }
}

/// Random changes of a film. There is no horizontal flip: it would swap the patient's sides under the words left and right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// The image is enlarged or shrunk by up to this share.
    pub scale: f32,
    /// It is shifted by up to this share of its side.
    pub shift: f32,
    /// It is turned by up to this many degrees.
    pub rotation: f32,
    /// Brightness changes by up to this much of the full range.
    pub brightness: f32,
    /// Contrast changes by up to this share.
    pub contrast: f32,
    /// Gamma lies within `1 / (1 + gamma)` to `1 + gamma`.
    pub gamma: f32,
    /// Standard deviation of noise, of the full range.
    pub noise: f32,
    /// Probability of blanking one square.
    pub cutout: f32,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            scale: 0.12,
            shift: 0.06,
            rotation: 8.0,
            brightness: 0.1,
            contrast: 0.2,
            gamma: 0.25,
            noise: 0.01,
            cutout: 0.25,
        }
    }
}

impl Augmentation {
    /// Leaves the film as it is.
    pub fn none() -> Self {
        Self {
            scale: 0.0,
            shift: 0.0,
            rotation: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            gamma: 0.0,
            noise: 0.0,
            cutout: 0.0,
        }
    }
}
