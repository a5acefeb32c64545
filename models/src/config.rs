//! The configuration of a model: architecture, preprocessing and training, as TOML.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::ModelError;

mod augmentation;
mod overrides;
mod training;
mod validate;
mod vision;

pub use augmentation::Augmentation;
pub use training::{Objective, Training};
pub use vision::{EfficientNetConfig, ResnetConfig, SwinConfig, Vision};

/// All that describes a model and its training; one TOML file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the preset that it came from, or the user's own.
    pub name: String,
    /// Image encoder.
    pub vision: Vision,
    /// Text encoder.
    pub text: Text,
    /// Joint space.
    pub projection: Projection,
    /// From a film to the encoder's input.
    #[serde(default)]
    pub preprocessing: Preprocessing,
    /// How it is trained.
    #[serde(default)]
    pub training: Training,
}

/// BERT (Devlin et al., NAACL 2019).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Upper bound of the vocabulary in a preset; in a trained model its exact size.
    pub vocab_size: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Width.
    pub hidden: usize,
    /// Attention heads.
    pub heads: usize,
    /// Hidden width of the MLP.
    pub intermediate: usize,
    /// Longest input in tokens, [CLS] and [SEP] included; what is longer is cut.
    pub max_tokens: usize,
    /// Which hidden states are averaged: 0 is the embedding, 1 the first layer, -1 the last. MedCLIP: 1, 2, -1.
    pub pooled_layers: Vec<i32>,
    /// Which tokens the average is over.
    #[serde(default)]
    pub pooling: Pooling,
    /// Rows of the position table; 512 in published weights. `max_tokens` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions: Option<usize>,
    /// Epsilon of the layer norms.
    #[serde(default = "bert_eps")]
    pub layer_norm_eps: f64,
}

/// Which tokens a text's features are averaged over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// Those of the text.
    #[default]
    Masked,
    /// Those that pad it to the longest of its batch too, as in MedCLIP's released code: the features of a text then depend on
    /// its batch.
    AllTokens,
}

fn bert_eps() -> f64 {
    1e-12
}

impl Text {
    /// Rows of the position table.
    pub fn position_rows(&self) -> usize {
        self.positions.unwrap_or(self.max_tokens)
    }

    /// `pooled_layers` as indices from 0 (embedding) to `layers`.
    pub fn pooled_indices(&self) -> Vec<usize> {
        let states = i64::try_from(self.layers).unwrap_or(i64::MAX - 1) + 1;
        self.pooled_layers
            .iter()
            .map(|&l| i64::from(l))
            .map(|l| if l < 0 { states + l } else { l })
            .filter_map(|l| usize::try_from(l).ok())
            .collect()
    }
}

/// The joint space of images and texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Projection {
    /// Dimension of the embeddings.
    pub dimension: usize,
    /// Logarithm of the logit scale at the start; MedCLIP: ln(1/0.07).
    #[serde(default = "logit_scale_init")]
    pub logit_scale_init: f64,
    /// Upper bound of the logarithm of the logit scale; MedCLIP: 4.6052. The lower bound is 0.
    #[serde(default = "logit_scale_max")]
    pub logit_scale_max: f64,
}

fn logit_scale_init() -> f64 {
    (1.0f64 / 0.07).ln()
}

fn logit_scale_max() -> f64 {
    4.6052
}

/// From a film to the encoder's input: gray, padded to a square with black, resized, normalised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Mean of the gray values in 0..1; MedCLIP's own figure.
    pub mean: f32,
    /// Standard deviation of the gray values in 0..1; MedCLIP's own figure.
    pub std: f32,
    /// How a film is resized.
    #[serde(default)]
    pub filter: Filter,
}

impl Default for Preprocessing {
    fn default() -> Self {
        Self { mean: 0.586_278_56, std: 0.279_500_9, filter: Filter::default() }
    }
}

/// The filter of the resizing; each widens with the scale, so that a smaller image has no aliases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// A triangle: Pillow's `BILINEAR`.
    #[default]
    Bilinear,
    /// Keys' cubic with a = -0.5: Pillow's `BICUBIC`, which MedCLIP uses.
    Bicubic,
}

/// Names of the presets that come with the crate.
pub const PRESETS: [&str; 5] = ["medclip", "medclip-resnet", "film", "small", "demo"];

impl Config {
    /// A preset by name: one of [`PRESETS`].
    pub fn preset(name: &str) -> Result<Self, ModelError> {
        let text = match name {
            "medclip" => include_str!("../configs/medclip.toml"),
            "medclip-resnet" => include_str!("../configs/medclip-resnet.toml"),
            "film" => include_str!("../configs/film.toml"),
            "small" => include_str!("../configs/small.toml"),
            "demo" => include_str!("../configs/demo.toml"),
            _ => return Err(ModelError::UnknownPreset { name: name.to_owned(), known: PRESETS.join(", ") }),
        };
        Self::parse(text, Path::new(name))
    }

    /// A preset by name, or a TOML file where `name` is a path to one.
    pub fn resolve(name: &str) -> Result<Self, ModelError> {
        let path = Path::new(name);
        if name.ends_with(".toml") || path.is_file() { Self::load(path) } else { Self::preset(name) }
    }

    /// Reads and validates a TOML file.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let text = fs_err::read_to_string(path).map_err(|source| ModelError::Io { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Parses and validates TOML; `origin` is only for the error message.
    pub fn parse(text: &str, origin: &Path) -> Result<Self, ModelError> {
        let config: Self = toml::from_str(text)
            .map_err(|source| ModelError::ConfigSyntax { path: origin.to_owned(), source: Box::new(source) })?;
        config.validate()?;
        Ok(config)
    }

    /// As TOML.
    pub fn to_toml(&self) -> Result<String, ModelError> {
        toml::to_string(self).map_err(|e| ModelError::Config { field: "*", reason: e.to_string() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn presets_are_valid_and_round_trip() {
        for name in PRESETS {
            let config = Config::preset(name).unwrap();
            assert_eq!(config.name, name);
            let again = Config::parse(&config.to_toml().unwrap(), Path::new("again")).unwrap();
            assert_eq!(config, again);
        }
    }

    #[test]
    fn an_image_encoder_without_kind_is_swin_and_an_unknown_one_is_named() {
        let text = include_str!("../configs/demo.toml");
        let old = text.replace("kind = \"swin\"\n", "");
        assert_ne!(old, text);
        assert_eq!(Config::parse(&old, Path::new("old")).unwrap(), Config::preset("demo").unwrap());
        let complaint =
            |from: &str, to: &str| Config::parse(&text.replace(from, to), Path::new("new")).unwrap_err().to_string();
        assert!(complaint("kind = \"swin\"", "kind = \"vit\"").contains("`vit` is none of `swin`, `resnet`"));
        assert!(complaint("window = 7", "windows = 7").contains("windows"));
    }

    #[test]
    fn medclip_is_the_paper() {
        let c = Config::preset("medclip").unwrap();
        assert_eq!((c.vision.output_dim(), c.text.hidden, c.projection.dimension), (768, 768, 512));
        assert_eq!(c.text.pooled_indices(), [1, 2, 12]);
        assert!((c.projection.logit_scale_init - 2.659_26).abs() < 1e-5);
    }

    #[test]
    fn an_unknown_preset_names_the_known_ones() {
        let error = Config::preset("large").unwrap_err().to_string();
        assert!(error.contains("large") && error.contains("medclip, medclip-resnet, film, small, demo"), "{error}");
    }
}
