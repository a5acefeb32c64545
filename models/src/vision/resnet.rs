//! ResNet with bottleneck blocks (He et al., CVPR 2016), with torchvision's names of its weights and its placing of the
//! stride, in the 3 x 3 convolution.

use std::ops::Range;

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use super::conv::{ConvNorm, Mixing, Shape};
use crate::config::ResnetConfig;
use crate::ops::DropPath;
use crate::ops::conv::{Activation, Geometry, max_pool};

/// Width of a block's output over that of its bottleneck.
const EXPANSION: usize = 4;

/// See the module.
pub(crate) struct Resnet {
    stem: ConvNorm,
    pool: Geometry,
    blocks: Vec<Block>,
}

struct Block {
    convolutions: [ConvNorm; 3],
    shortcut: Option<ConvNorm>,
    /// Place within the network, 0 to 1, for stochastic depth.
    share: f64,
}

impl Resnet {
    pub(crate) fn new(config: &ResnetConfig, vb: &VarBuilder<'_>) -> Result<Self> {
        let layer = |input: usize, output: usize, geometry: Geometry, activation: Activation| Shape {
            input,
            output,
            geometry,
            mixing: Mixing::Dense,
            activation,
            eps: config.norm_eps,
            gain: 1.0,
        };
        let stem = layer(config.channels, config.width, Geometry::padded(config.image_size, 7, 2, 3), Activation::Relu);
        let stem = ConvNorm::new(stem, &vb.pp("conv1"), &vb.pp("bn1"))?;
        let pool = Geometry::padded(stem.out(), 3, 2, 1);
        let (mut side, mut input) = (pool.out, config.width);
        let total: usize = config.depths.iter().sum();
        let mut blocks = Vec::with_capacity(total);
        for (i, &depth) in config.depths.iter().enumerate() {
            let inner = config.width << i;
            let output = inner * EXPANSION;
            for j in 0..depth {
                let vb = vb.pp(format!("layer{}.{j}", i + 1));
                let stride = if i > 0 && j == 0 { 2 } else { 1 };
                let spatial = Geometry::padded(side, 3, stride, 1);
                let point = |side: usize| Geometry::padded(side, 1, 1, 0);
                let shapes = [
                    layer(input, inner, point(side), Activation::Relu),
                    layer(inner, inner, spatial, Activation::Relu),
                    Shape { gain: 0.5, ..layer(inner, output, point(spatial.out), Activation::None) },
                ];
                let build = |k: usize, shape: Shape| {
                    ConvNorm::new(shape, &vb.pp(format!("conv{}", k + 1)), &vb.pp(format!("bn{}", k + 1)))
                };
                let [a, b, c] = shapes;
                let shortcut = layer(input, output, Geometry::padded(side, 1, stride, 0), Activation::None);
                blocks.push(Block {
                    convolutions: [build(0, a)?, build(1, b)?, build(2, c)?],
                    shortcut: if j == 0 {
                        Some(ConvNorm::new(shortcut, &vb.pp("downsample.0"), &vb.pp("downsample.1"))?)
                    } else {
                        None
                    },
                    share: blocks.len() as f64 / total.saturating_sub(1).max(1) as f64,
                });
                side = spatial.out;
                input = output;
            }
        }
        Ok(Self { stem, pool, blocks })
    }

    /// Stem and blocks.
    pub(crate) fn layers(&self) -> usize {
        self.blocks.len() + 1
    }

    /// A part of the layers. All of them take pixels `[batch, side * side, channels]` to tokens `[batch, tokens, width]`.
    pub(crate) fn run(&self, x: &Tensor, layers: Range<usize>, mut drop: Option<&mut DropPath>) -> Result<Tensor> {
        let mut x = x.clone();
        for layer in layers {
            x = match layer.checked_sub(1).map(|i| self.blocks.get(i)) {
                None => max_pool(&self.stem.forward(&x)?, self.pool)?,
                Some(Some(block)) => block.forward(&x, drop.as_deref_mut())?,
                Some(None) => candle_core::bail!("resnet: there is no layer {layer}"),
            };
        }
        Ok(x)
    }
}

impl Block {
    fn forward(&self, x: &Tensor, drop: Option<&mut DropPath>) -> Result<Tensor> {
        let mut y = x.clone();
        for convolution in &self.convolutions {
            y = convolution.forward(&y)?;
        }
        if let Some(drop) = drop {
            y = drop.apply(&y, self.share)?;
        }
        let x = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x)?,
            None => x.clone(),
        };
        (x + y)?.relu()
    }
}
