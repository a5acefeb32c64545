//! Random changes of the films.

use serde::{Deserialize, Serialize};

/// Random changes of a film. A horizontal flip is no part of it: it swaps the patient's sides, so the labels must follow
/// ([`Training::flip`](super::Training::flip)).
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
