//! Random changes of the films.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

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
    /// The paper's (MedCLIP, implementation details, and the released code): brightness and contrast by a fifth, turned by up to ten degrees,
    /// shifted by up to a sixteenth, scaled by .8 to 1.1. Scale is symmetric here, and there is no crop beside shift and scale.
    pub fn published() -> Self {
        Self { scale: 0.15, shift: 0.0625, rotation: 10.0, brightness: 0.1, contrast: 0.2, ..Self::none() }
    }

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

/// A table, or the name of one: `none`, `published`, `default`.
pub(super) fn table_or_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Augmentation, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::String(name) => match name.as_str() {
            "none" => Ok(Augmentation::none()),
            "published" => Ok(Augmentation::published()),
            "default" => Ok(Augmentation::default()),
            _ => Err(D::Error::custom(format!("augmentation `{name}` is none of `none`, `published`, `default`"))),
        },
        table => table.try_into().map_err(|e: toml::de::Error| D::Error::custom(e.message())),
    }
}
