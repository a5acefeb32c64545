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
    /// None where stages are tapped.
    head: Option<ConvNorm>,
}

/// Inverted bottleneck: expansion, depthwise convolution, projection, and a shortcut where the shape stays.
struct Block {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
    shortcut: bool,
    /// Width of the block's own input.
    input: usize,
    /// Side of its input where the stride is 2.
    halved: Option<usize>,
    /// Whether its input is the output of a tapped stage.
    tapped: bool,
    /// Place within the network, 0 to 1, for stochastic depth.
    share: f64,
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
        for (i, &(count, kernel, stride, expansion, width)) in STAGES.iter().enumerate().take(config.stages()) {
            let output = config.scaled(width);
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
                    input,
                    halved: (stride == 2).then_some(side),
                    tapped: j == 0 && config.taps.contains(&i),
                    share: blocks.len() as f64 / total.saturating_sub(1).max(1) as f64,
                });
                side = spatial.out;
                input = output;
            }
        }
        let head = if config.taps.is_empty() {
            let head = layer(input, config.output_dim(), Geometry::same(side, 1, 1));
            Some(ConvNorm::new(head, &vb.pp("_conv_head"), &vb.pp("_bn1"))?)
        } else {
            None
        };
        Ok(Self { stem, blocks, head })
    }

    /// Stem, blocks, last convolution.
    pub(crate) fn layers(&self) -> usize {
        self.blocks.len() + 1 + usize::from(self.head.is_some())
    }

    /// A part of the layers. All of them take pixels `[batch, side * side, channels]` to tokens `[batch, tokens, width]`.
    ///
    /// Between layers, the outputs of tapped stages stand before what the next block works on.
    pub(crate) fn run(&self, x: &Tensor, layers: Range<usize>, mut drop: Option<&mut DropPath>) -> Result<Tensor> {
        let mut x = x.clone();
        for layer in layers {
            x = match layer.checked_sub(1).map(|i| self.blocks.get(i)) {
                None => self.stem.forward(&x)?,
                Some(Some(block)) => block.pass(&x, drop.as_deref_mut())?,
                Some(None) => match &self.head {
                    Some(head) => head.forward(&x)?,
                    None => x,
                },
            };
        }
        Ok(x)
    }
}

impl Block {
    /// The block on the last channels; those of tapped stages go along, averaged to the grid of the block's output.
    fn pass(&self, x: &Tensor, drop: Option<&mut DropPath>) -> Result<Tensor> {
        let width = x.dim(2)?;
        let taken = width.saturating_sub(self.input);
        if taken == 0 && !self.tapped {
            return self.forward(x, drop);
        }
        let own = x.narrow(2, taken, self.input)?.contiguous()?;
        let kept = if self.tapped { x.clone() } else { x.narrow(2, 0, taken)?.contiguous()? };
        let kept = match self.halved {
            Some(side) => halve(&kept, side)?,
            None => kept,
        };
        Tensor::cat(&[kept, self.forward(&own, drop)?], 2)
    }

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

/// Means over squares of 2 x 2 places of a grid with an even side.
fn halve(x: &Tensor, side: usize) -> Result<Tensor> {
    let (batch, _, width) = x.dims3()?;
    let rows = x.reshape((batch * side / 2, 2, side * width))?.mean(1)?;
    rows.reshape((batch * side / 2 * side / 2, 2, width))?.mean(1)?.reshape((batch, side * side / 4, width))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::HashMap;

    use candle_core::{DType, Device};

    use super::*;
    use crate::config::Vision;
    use crate::ops::testing::{assert_close, random};
    use crate::parameters::Parameters;

    #[test]
    fn widths_are_rounded_as_in_the_published_models() {
        // Lite2: 1.1.
        let lite2 = EfficientNetConfig { width: 1.1, ..config(&[]) };
        let widths: Vec<usize> = STAGES.iter().map(|s| lite2.scaled(s.4)).collect();
        assert_eq!(widths, [16, 24, 48, 88, 120, 208, 352]);
        assert_eq!(config(&[]).scaled(24), 24);
    }

    fn config(taps: &[usize]) -> EfficientNetConfig {
        let taps = taps.to_vec();
        EfficientNetConfig { image_size: 64, channels: 1, width: 1.0, depth: 1.0, norm_eps: 1e-3, taps }
    }

    #[test]
    fn tokens_of_tapped_stages_have_the_means_of_their_outputs() {
        let parameters = Parameters::new(5);
        let whole = EfficientNet::new(&config(&[]), &parameters.builder(DType::F32, &Device::Cpu)).unwrap();
        let tensors: HashMap<_, _> =
            parameters.all().into_iter().map(|(name, var)| (name, var.as_tensor().clone())).collect();
        let x = random(&[2, 64 * 64, 1], 1).to_dtype(DType::F32).unwrap();
        // Stages end after these layers: 3, 5, 6.
        for (taps, ends) in [(vec![3, 5, 6], vec![6, 12, 16]), (vec![4], vec![9])] {
            let config = config(&taps);
            let vb = VarBuilder::from_tensors(tensors.clone(), DType::F32, &Device::Cpu);
            let tapped = EfficientNet::new(&config, &vb).unwrap();
            assert_eq!(tapped.layers(), ends.last().copied().unwrap());
            let tokens = tapped.run(&x, 0..tapped.layers(), None).unwrap();
            let side = Vision::EfficientnetLite(config.clone()).grid();
            assert_eq!(tokens.dims(), [2, side * side, config.output_dim()]);
            let means: Vec<Tensor> =
                ends.iter().map(|&end| whole.run(&x, 0..end, None).unwrap().mean(1).unwrap()).collect();
            assert_close(&tokens.mean(1).unwrap(), &Tensor::cat(&means, 1).unwrap(), 1e-5, "means");
        }
    }

    #[test]
    fn wrong_taps_are_named() {
        assert_eq!(config(&[3, 7]).wrong_taps(), None);
        for (taps, reason) in [([0, 3], "1 to 7"), ([8, 9], "1 to 7"), ([5, 4], "order"), ([4, 4], "order")] {
            assert!(config(&taps).wrong_taps().unwrap().contains(reason));
        }
        let odd = EfficientNetConfig { image_size: 72, ..config(&[4]) };
        assert!(odd.wrong_taps().unwrap().contains("multiple of 32"));
    }
}
