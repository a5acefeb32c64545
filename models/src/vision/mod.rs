//! The image encoders, behind one [`Tower`].
//!
//! - [`swin`]: Swin transformer
//! - [`efficientnet`]: EfficientNet-Lite; [`resnet`]: ResNet with bottlenecks; [`conv`]: what both are made of
//!
//! A tower is a row of layers: the stem (or patch embedding), the blocks, and what follows them (a norm, a last
//! convolution). Its output are tokens, one for each place of a grid on the film, and the features are their mean. A tower
//! can be cut between any two layers, so that the output of layers that don't train any more is computed once.

mod conv;
mod efficientnet;
mod resnet;
mod swin;

use std::ops::Range;

use candle_core::{D, Device, Result, Tensor};
use candle_nn::VarBuilder;

use crate::config::{Config, Vision};
use crate::error::ModelError;
use crate::ops::DropPath;
use crate::preprocess::{self, Pixels};
use efficientnet::EfficientNet;
use resnet::Resnet;
use swin::Swin;

/// An image encoder.
pub(crate) enum Tower {
    /// Swin transformer.
    Swin(Swin),
    /// ResNet.
    Resnet(Resnet),
    /// EfficientNet-Lite.
    EfficientNet(EfficientNet),
}

impl Tower {
    /// An encoder with weights from `vb`.
    pub(crate) fn new(config: &Vision, vb: &VarBuilder<'_>) -> Result<Self> {
        match config {
            Vision::Swin(c) => Ok(Self::Swin(Swin::new(c, vb)?)),
            Vision::Resnet(c) => Ok(Self::Resnet(Resnet::new(c, vb)?)),
            Vision::EfficientnetLite(c) => Ok(Self::EfficientNet(EfficientNet::new(c, vb)?)),
        }
    }

    /// The normalised values of films in the encoder's own layout: `[films, places, values]`, `f32`. For Swin the places
    /// are patches, for the convolutional networks they are pixels.
    pub(crate) fn input(
        images: &[Pixels],
        config: &Config,
        device: &Device,
    ) -> std::result::Result<Tensor, ModelError> {
        let (side, channels) = (config.vision.image_size(), config.vision.channels());
        let mut values = Vec::with_capacity(images.len() * side * side * channels);
        let patch = config.vision.as_swin().map_or(1, |swin| swin.patch_size);
        for pixels in images {
            preprocess::patches(pixels, config, patch, &mut values)?;
        }
        let shape = (images.len(), (side / patch).pow(2), channels * patch.pow(2));
        Ok(Tensor::from_vec(values, shape, device)?)
    }

    /// Number of layers: see [`Tower::trunk`].
    pub(crate) fn layers(&self) -> usize {
        match self {
            Self::Swin(net) => net.layers(),
            Self::Resnet(net) => net.layers(),
            Self::EfficientNet(net) => net.layers(),
        }
    }

    fn run(&self, x: &Tensor, layers: Range<usize>, drop: Option<&mut DropPath>) -> Result<Tensor> {
        match self {
            Self::Swin(net) => net.run(x, layers, drop),
            Self::Resnet(net) => net.run(x, layers, drop),
            Self::EfficientNet(net) => net.run(x, layers, drop),
        }
    }

    /// [`Tower::input`] to the features of each place of the grid, `[films, tokens, width]`, row after row.
    pub(crate) fn tokens(&self, input: &Tensor, drop: Option<&mut DropPath>) -> Result<Tensor> {
        self.run(input, 0..self.layers(), drop)
    }

    /// [`Tower::input`] to the features of each film, `[films, width]`: the mean of its tokens.
    pub(crate) fn forward(&self, input: &Tensor, drop: Option<&mut DropPath>) -> Result<Tensor> {
        self.head(&self.trunk(input, 0)?, 0, drop)
    }

    /// The first `frozen` layers: layer 0 is the stem, then come the blocks, then what follows them.
    ///
    /// `head(&trunk(x, k)?, k, None)` equals `forward(x, None)` for every `k`. With `k = 0` the trunk is the input itself; with
    /// `k = layers()` or more it is the pooled features as `[films, 1, width]`.
    pub(crate) fn trunk(&self, input: &Tensor, frozen: usize) -> Result<Tensor> {
        if frozen >= self.layers() {
            return self.tokens(input, None)?.mean_keepdim(D::Minus2);
        }
        self.run(input, 0..frozen, None)
    }

    /// The layers from `frozen` on and the pooling: output of [`Tower::trunk`] to features `[films, width]`.
    pub(crate) fn head(&self, trunk: &Tensor, frozen: usize, drop: Option<&mut DropPath>) -> Result<Tensor> {
        let layers = self.layers();
        self.run(trunk, frozen.min(layers)..layers, drop)?.mean(D::Minus2)
    }
}

#[cfg(test)]
mod tests;
