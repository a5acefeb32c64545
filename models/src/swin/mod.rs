//! Swin transformer (Liu et al., ICCV 2021) with the Hugging Face names of its weights.
//!
//! - [`block`]: windowed attention and MLP with residuals
//! - [`merge`]: patch merging between stages

mod block;
mod merge;

use candle_core::{D, Result, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::config::Vision;
use crate::layers::{LayerNorm, Linear};
use crate::ops::DropPath;
use block::Block;
use merge::Merge;

/// The image encoder up to its pooled features.
pub(crate) struct Swin {
    patches: Linear,
    patch_norm: LayerNorm,
    stages: Vec<Stage>,
    norm: LayerNorm,
}

struct Stage {
    blocks: Vec<Block>,
    merge: Option<Merge>,
}

impl Swin {
    pub(crate) fn new(config: &Vision, vb: &VarBuilder<'_>) -> Result<Self> {
        let eps = config.layer_norm_eps;
        let (channels, patch) = (config.channels, config.patch_size);
        let embeddings = vb.pp("embeddings");
        let projection = embeddings.pp("patch_embeddings.projection");
        // Stored as the weight of a convolution; as its patches don't overlap it is a linear layer on flattened patches.
        let inputs = channels * patch * patch;
        let init = Init::Randn { mean: 0.0, stdev: 1.0 / (inputs as f64).sqrt() };
        let weight = projection
            .get_with_hints((config.embed_dim, channels, patch, patch), "weight", init)?
            .reshape((config.embed_dim, inputs))?;
        let bias = projection.get_with_hints(config.embed_dim, "bias", Init::Const(0.0))?;
        let blocks: usize = config.depths.iter().sum();
        let mut side = config.image_size / patch;
        let mut done = 0usize;
        let mut stages = Vec::with_capacity(config.depths.len());
        for (i, (&depth, &heads)) in config.depths.iter().zip(&config.heads).enumerate() {
            let dim = config.embed_dim << i;
            let vb = vb.pp(format!("encoder.layers.{i}"));
            let blocks = (0..depth)
                .map(|j| {
                    let share = (done + j) as f64 / blocks.saturating_sub(1).max(1) as f64;
                    Block::new(config, dim, heads, side, j % 2 == 1, share, &vb.pp(format!("blocks.{j}")))
                })
                .collect::<Result<_>>()?;
            done += depth;
            let last = i + 1 == config.depths.len();
            let merge = if last { None } else { Some(Merge::new(dim, side, eps, &vb.pp("downsample"))?) };
            side /= if last { 1 } else { 2 };
            stages.push(Stage { blocks, merge });
        }
        Ok(Self {
            patches: Linear::from_parts(weight, Some(bias)),
            patch_norm: LayerNorm::new(config.embed_dim, eps, &embeddings.pp("norm"))?,
            stages,
            norm: LayerNorm::new(config.output_dim(), eps, &vb.pp("layernorm"))?,
        })
    }

    /// Flattened patches `[batch, tokens, channels * patch * patch]` to the normalised last hidden state `[batch, tokens', width]`.
    pub(crate) fn hidden(&self, patches: &Tensor, mut drop: Option<&mut DropPath>) -> Result<Tensor> {
        let mut x = self.patch_norm.forward(&self.patches.forward(patches)?)?;
        for stage in &self.stages {
            for block in &stage.blocks {
                x = block.forward(&x, drop.as_deref_mut())?;
            }
            if let Some(merge) = &stage.merge {
                x = merge.forward(&x)?;
            }
        }
        self.norm.forward(&x)
    }

    /// Flattened patches to the mean over tokens, `[batch, width]`.
    pub(crate) fn forward(&self, patches: &Tensor, drop: Option<&mut DropPath>) -> Result<Tensor> {
        self.hidden(patches, drop)?.mean(D::Minus2)
    }
}
