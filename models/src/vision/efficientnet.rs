//! EfficientNet-Lite: TensorFlow's EfficientNet (Tan and Le, ICML 2019) for small devices, without squeeze and excitation and
//! with ReLU6. Stem and head aren't scaled, nor is the depth of the first and the last stage.
//!
//! The weights have the names of the PyTorch port (`_conv_stem`, `_bn0`, `_blocks.0._depthwise_conv`, ..), the padding is
//! TensorFlow's.

use std::ops::Range;

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use super::conv::{ConvNorm, Mixing, Shape};
use crate::config::EfficientNetConfig;
use crate::ops::DropPath;
use crate::ops::conv::{Activation, Geometry};

/// A stage of the paper's table 1: blocks, kernel, stride of the first block, expansion, width.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
];
const STEM: usize = 32;

/// See the module.
pub(crate) struct EfficientNet {
    stem: ConvNorm,
    blocks: Vec<Block>,
    head: ConvNorm,
}

/// Inverted bottleneck: expansion, depthwise convolution, projection, and a shortcut where the shape stays.
struct Block {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
    shortcut: bool,
    /// Place within the network, 0 to 1, for stochastic depth.
    share: f64,
}

/// A scaled width: a multiple of 8 that is at most a tenth smaller.
fn scaled(width: usize, factor: f64) -> usize {
    if factor == 1.0 {
        return width;
    }
    let wanted = width as f64 * factor;
    let rounded = ((wanted + 4.0) as usize / 8 * 8).max(8);
    if (rounded as f64) < 0.9 * wanted { rounded + 8 } else { rounded }
}

impl EfficientNet {
    pub(crate) fn new(config: &EfficientNetConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let layer = |input: usize, output: usize, geometry: Geometry| Shape {
            input,
            output,
            geometry,
            mixing: Mixing::Dense,
            activation: Activation::Relu6,
            eps: config.norm_eps,
            gain: 1.0,
        };
        let stem = layer(config.channels, STEM, Geometry::same(config.image_size, 3, 2));
        let stem = ConvNorm::new(stem, &vb.pp("_conv_stem"), &vb.pp("_bn0"))?;
        let mut side = stem.out();
        let mut input = STEM;
        let mut blocks = Vec::new();
        let last_stage = STAGES.len() - 1;
        let depth = |stage: usize, blocks: usize| match stage {
            0 => blocks,
            s if s == last_stage => blocks,
            _ => (blocks as f64 * config.depth).ceil() as usize,
        };
        let total: usize = STAGES.iter().enumerate().map(|(i, stage)| depth(i, stage.0)).sum();
        for (i, &(count, kernel, stride, expansion, width)) in STAGES.iter().enumerate() {
            let output = scaled(width, config.width);
            for j in 0..depth(i, count) {
                let vb = vb.pp(format!("_blocks.{}", blocks.len()));
                let stride = if j == 0 { stride } else { 1 };
                let inner = input * expansion;
                let expand = layer(input, inner, Geometry::same(side, 1, 1));
                let spatial = Geometry::same(side, kernel, stride);
                let depthwise = Shape { mixing: Mixing::Depthwise, ..layer(inner, inner, spatial) };
                let shortcut = stride == 1 && input == output;
                let project = Shape {
                    activation: Activation::None,
                    gain: if shortcut { 0.5 } else { 1.0 },
                    ..layer(inner, output, Geometry::same(spatial.out, 1, 1))
                };
                blocks.push(Block {
                    expand: if expansion == 1 {
                        None
                    } else {
                        Some(ConvNorm::new(expand, &vb.pp("_expand_conv"), &vb.pp("_bn0"))?)
                    },
                    depthwise: ConvNorm::new(depthwise, &vb.pp("_depthwise_conv"), &vb.pp("_bn1"))?,
                    project: ConvNorm::new(project, &vb.pp("_project_conv"), &vb.pp("_bn2"))?,
                    shortcut,
                    share: blocks.len() as f64 / total.saturating_sub(1).max(1) as f64,
                });
                side = spatial.out;
                input = output;
            }
        }
        let head = layer(input, config.output_dim(), Geometry::same(side, 1, 1));
        let head = ConvNorm::new(head, &vb.pp("_conv_head"), &vb.pp("_bn1"))?;
        Ok(Self { stem, blocks, head })
    }

    /// Stem, blocks, last convolution.
    pub(crate) fn layers(&self) -> usize {
        self.blocks.len() + 2
    }

    /// A part of the layers. All of them take pixels `[batch, side * side, channels]` to tokens `[batch, tokens, width]`.
    pub(crate) fn run(&self, x: &Tensor, layers: Range<usize>, mut drop: Option<&mut DropPath>) -> Result<Tensor> {
        let mut x = x.clone();
        for layer in layers {
            x = match layer.checked_sub(1).map(|i| self.blocks.get(i)) {
                None => self.stem.forward(&x)?,
                Some(Some(block)) => block.forward(&x, drop.as_deref_mut())?,
                Some(None) => self.head.forward(&x)?,
            };
        }
        Ok(x)
    }
}

impl Block {
    fn forward(&self, x: &Tensor, drop: Option<&mut DropPath>) -> Result<Tensor> {
        let expanded = match &self.expand {
            Some(expand) => expand.forward(x)?,
            None => x.clone(),
        };
        let y = self.project.forward(&self.depthwise.forward(&expanded)?)?;
        match drop {
            _ if !self.shortcut => Ok(y),
            Some(drop) => x + drop.apply(&y, self.share)?,
            None => x + y,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_rounded_as_in_the_published_models() {
        // Lite2: 1.1.
        let widths: Vec<usize> = STAGES.iter().map(|s| scaled(s.4, 1.1)).collect();
        assert_eq!(widths, [16, 24, 48, 88, 120, 208, 352]);
        assert_eq!(scaled(24, 1.0), 24);
    }
}
