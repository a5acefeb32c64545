//! The image encoders that there are, and what each needs to know.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The image encoder: `kind` in the TOML names it; without `kind` it is a Swin transformer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Vision {
    /// Swin transformer.
    Swin(SwinConfig),
    /// ResNet with bottleneck blocks.
    Resnet(ResnetConfig),
    /// EfficientNet-Lite.
    EfficientnetLite(EfficientNetConfig),
}

impl<'de> Deserialize<'de> for Vision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = toml::Table::deserialize(deserializer)?;
        let kind = match table.remove("kind") {
            None => "swin".to_owned(),
            Some(toml::Value::String(kind)) => kind,
            Some(other) => return Err(D::Error::custom(format!("kind must be a name, is {other}"))),
        };
        match kind.as_str() {
            "swin" => table.try_into().map(Self::Swin),
            "resnet" => table.try_into().map(Self::Resnet),
            "efficientnet-lite" => table.try_into().map(Self::EfficientnetLite),
            _ => {
                return Err(D::Error::custom(format!(
                    "kind `{kind}` is none of `swin`, `resnet`, `efficientnet-lite`"
                )));
            }
        }
        .map_err(|e| D::Error::custom(e.message()))
    }
}

impl Vision {
    /// Side of the square input, in pixels.
    pub fn image_size(&self) -> usize {
        match self {
            Self::Swin(c) => c.image_size,
            Self::Resnet(c) => c.image_size,
            Self::EfficientnetLite(c) => c.image_size,
        }
    }

    /// Channels of the first layer: 3 for published weights (the gray value is repeated), 1 for our own.
    pub fn channels(&self) -> usize {
        match self {
            Self::Swin(c) => c.channels,
            Self::Resnet(c) => c.channels,
            Self::EfficientnetLite(c) => c.channels,
        }
    }

    /// Width of the features.
    pub fn output_dim(&self) -> usize {
        match self {
            Self::Swin(c) => c.output_dim(),
            Self::Resnet(c) => c.output_dim(),
            Self::EfficientnetLite(c) => c.output_dim(),
        }
    }

    /// The `kind` of the TOML.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Swin(_) => "swin",
            Self::Resnet(_) => "resnet",
            Self::EfficientnetLite(_) => "efficientnet-lite",
        }
    }

    /// Side of the square of tokens that the features are the mean of.
    pub fn grid(&self) -> usize {
        match self {
            Self::Swin(c) => (c.image_size / c.patch_size.max(1)) >> c.depths.len().saturating_sub(1),
            // Five layers of stride 2, each rounding up.
            Self::Resnet(c) => c.image_size.div_ceil(32),
            Self::EfficientnetLite(c) => c.image_size.div_ceil(c.stride()),
        }
    }

    /// The parameters of a Swin transformer, if it is one.
    pub fn as_swin(&self) -> Option<&SwinConfig> {
        match self {
            Self::Swin(c) => Some(c),
            _ => None,
        }
    }

    /// The same, to change them.
    pub fn as_swin_mut(&mut self) -> Option<&mut SwinConfig> {
        match self {
            Self::Swin(c) => Some(c),
            _ => None,
        }
    }
}

/// Swin transformer (Liu et al., ICCV 2021).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwinConfig {
    /// Side of the square input, in pixels.
    pub image_size: usize,
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Channels of the patch embedding: 3 for published weights (the gray value is repeated), 1 for our own.
    pub channels: usize,
    /// Width of the first stage; it doubles from stage to stage.
    pub embed_dim: usize,
    /// Blocks per stage.
    pub depths: Vec<usize>,
    /// Attention heads per stage.
    pub heads: Vec<usize>,
    /// Side of an attention window, in tokens.
    pub window: usize,
    /// Hidden width of the MLP over its input width.
    pub mlp_ratio: f64,
    /// Epsilon of the layer norms.
    #[serde(default = "swin_eps")]
    pub layer_norm_eps: f64,
}

fn swin_eps() -> f64 {
    1e-5
}

impl SwinConfig {
    /// Width of the last stage.
    pub fn output_dim(&self) -> usize {
        self.embed_dim << self.depths.len().saturating_sub(1)
    }
}

/// ResNet with bottleneck blocks (He et al., CVPR 2016) in torchvision's version: the stride is in the 3 x 3 convolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResnetConfig {
    /// Side of the square input, in pixels.
    pub image_size: usize,
    /// Channels of the first convolution: 3 for published weights (the gray value is repeated), 1 for our own.
    pub channels: usize,
    /// Width of the stem and of the first stage's bottleneck; it doubles from stage to stage. 64 as published.
    #[serde(default = "resnet_width")]
    pub width: usize,
    /// Blocks per stage; 3, 4, 6, 3 is ResNet-50.
    pub depths: Vec<usize>,
    /// Epsilon of the batch norms.
    #[serde(default = "resnet_eps")]
    pub norm_eps: f64,
}

fn resnet_width() -> usize {
    64
}

fn resnet_eps() -> f64 {
    1e-5
}

impl ResnetConfig {
    /// Width of the last stage: 2048 as published.
    pub fn output_dim(&self) -> usize {
        (self.width * 4) << self.depths.len().saturating_sub(1)
    }
}

/// EfficientNet-Lite (Tan and Le, ICML 2019, without squeeze and excitation and with ReLU6; TensorFlow's "lite" models).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EfficientNetConfig {
    /// Side of the square input, in pixels.
    pub image_size: usize,
    /// Channels of the stem: 3 for published weights (the gray value is repeated), 1 for our own.
    pub channels: usize,
    /// Factor on the widths of the blocks: 1.0 for Lite0 and Lite1, 1.1 for Lite2.
    #[serde(default = "one")]
    pub width: f64,
    /// Factor on the number of blocks: 1.0 for Lite0, 1.1 for Lite1, 1.2 for Lite2.
    #[serde(default = "one")]
    pub depth: f64,
    /// Epsilon of the batch norms.
    #[serde(default = "efficientnet_eps")]
    pub norm_eps: f64,
    /// Stages, from 1 on and in their order, whose outputs make up a token side by side, averaged down to the grid of the
    /// last of them; what comes after it is no part of the network. None: the last convolution, as published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taps: Vec<usize>,
}

/// Width of each stage of EfficientNet-Lite0.
const STAGE_WIDTHS: [usize; 7] = [16, 24, 40, 80, 112, 192, 320];
/// Pixels of the input from one place to the next in the output of each stage.
const STAGE_STRIDES: [usize; 7] = [2, 4, 8, 16, 16, 32, 32];

fn one() -> f64 {
    1.0
}

fn efficientnet_eps() -> f64 {
    1e-3
}

impl EfficientNetConfig {
    /// Width of the head, which isn't scaled, or of the tapped stages together.
    pub fn output_dim(&self) -> usize {
        if self.taps.is_empty() {
            return 1280;
        }
        self.taps.iter().filter_map(|tap| STAGE_WIDTHS.get(tap.wrapping_sub(1))).map(|&w| self.scaled(w)).sum()
    }

    /// Number of stages of the network.
    pub(crate) fn stages(&self) -> usize {
        self.taps.last().copied().unwrap_or(STAGE_WIDTHS.len())
    }

    /// Pixels of the input from one token to the next.
    fn stride(&self) -> usize {
        STAGE_STRIDES.get(self.stages().wrapping_sub(1)).copied().unwrap_or(32)
    }

    /// A scaled width: a multiple of 8 that is at most a tenth smaller.
    pub(crate) fn scaled(&self, width: usize) -> usize {
        if self.width == 1.0 {
            return width;
        }
        let wanted = width as f64 * self.width;
        let rounded = ((wanted + 4.0) as usize / 8 * 8).max(8);
        if (rounded as f64) < 0.9 * wanted { rounded + 8 } else { rounded }
    }

    /// What is wrong with the taps, if anything is.
    pub(crate) fn wrong_taps(&self) -> Option<&'static str> {
        if self.taps.iter().any(|tap| !(1..=STAGE_WIDTHS.len()).contains(tap)) {
            return Some("the stages are 1 to 7");
        }
        if !self.taps.is_sorted_by(|a, b| a < b) {
            return Some("stages are named in their order, each once");
        }
        // Halving a grid of an odd side would not keep the mean.
        let odd = !self.taps.is_empty() && !self.image_size.is_multiple_of(32);
        odd.then_some("tapped stages need an image_size that is a multiple of 32")
    }
}
