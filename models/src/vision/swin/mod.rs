//! Swin transformer (Liu et al., ICCV 2021) with the Hugging Face names of its weights.
//!
//! - [`block`]: windowed attention and MLP with residuals
//! - [`merge`]: patch merging between stages

mod block;
mod merge;

use std::ops::Range;

use candle_core::{Result, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::config::SwinConfig;
use crate::layers::{LayerNorm, Linear};
use crate::ops::DropPath;
use block::Block;
use merge::Merge;

/// The image encoder up to its pooled features.
pub(crate) struct Swin {
    patches: Linear,
    patch_norm: LayerNorm,
    blocks: Vec<Step>,
    norm: LayerNorm,
}

/// A block, and the merging of patches where a stage ends with it.
struct Step {
    block: Block,
    merge: Option<Merge>,
}

impl Swin {
    pub(crate) fn new(config: &SwinConfig, vb: &VarBuilder<'_>) -> Result<Self> {
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
        let total: usize = config.depths.iter().sum();
        let mut side = config.image_size / patch;
        let mut steps = Vec::with_capacity(total);
        for (i, (&depth, &heads)) in config.depths.iter().zip(&config.heads).enumerate() {
            let dim = config.embed_dim << i;
            let vb = vb.pp(format!("encoder.layers.{i}"));
            let last_stage = i + 1 == config.depths.len();
            for j in 0..depth {
                let share = steps.len() as f64 / total.saturating_sub(1).max(1) as f64;
                let block = Block::new(config, dim, heads, side, j % 2 == 1, share, &vb.pp(format!("blocks.{j}")))?;
                let merges = j + 1 == depth && !last_stage;
                let merge = if merges { Some(Merge::new(dim, side, eps, &vb.pp("downsample"))?) } else { None };
                steps.push(Step { block, merge });
            }
            side /= 2;
        }
        Ok(Self {
            patches: Linear::from_parts(weight, Some(bias)),
            patch_norm: LayerNorm::new(config.embed_dim, eps, &embeddings.pp("norm"))?,
            blocks: steps,
            norm: LayerNorm::new(config.output_dim(), eps, &vb.pp("layernorm"))?,
        })
    }

    /// Patch embedding, blocks, last norm.
    pub(crate) fn layers(&self) -> usize {
        self.blocks.len() + 2
    }

    /// A part of the layers. All of them take flattened patches `[batch, tokens, channels * patch * patch]` to the normalised
    /// last hidden state `[batch, tokens', width]`.
    pub(crate) fn run(&self, x: &Tensor, layers: Range<usize>, mut drop: Option<&mut DropPath>) -> Result<Tensor> {
        let mut x = x.clone();
        for layer in layers {
            x = match layer.checked_sub(1).map(|i| self.blocks.get(i)) {
                None => self.patch_norm.forward(&self.patches.forward(&x)?)?,
                Some(Some(step)) => {
                    let y = step.block.forward(&x, drop.as_deref_mut())?;
                    match &step.merge {
                        Some(merge) => merge.forward(&y)?,
                        None => y,
                    }
                }
                Some(None) => self.norm.forward(&x)?,
            };
        }
        Ok(x)
    }
}
