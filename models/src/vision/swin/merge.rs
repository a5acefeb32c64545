//! Patch merging: four neighbouring tokens become one of twice the width.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use crate::layers::{LayerNorm, Linear};

pub(super) struct Merge {
    norm: LayerNorm,
    reduction: Linear,
    side: usize,
}

impl Merge {
    pub(super) fn new(dim: usize, side: usize, eps: f64, vb: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            norm: LayerNorm::new(4 * dim, eps, &vb.pp("norm"))?,
            reduction: Linear::without_bias(4 * dim, 2 * dim, &vb.pp("reduction"))?,
            side,
        })
    }

    /// `[batch, side * side, dim]` to `[batch, side * side / 4, 2 dim]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, tokens, dim) = x.dims3()?;
        let half = self.side / 2;
        // The published order of the four: (0, 0), (1, 0), (0, 1), (1, 1) as (row, column), so the column comes first.
        let merged = x
            .reshape((batch, half, 2, half, 2, dim))?
            .permute((0, 1, 3, 4, 2, 5))?
            .contiguous()?
            .reshape((batch, tokens / 4, 4 * dim))?;
        self.reduction.forward(&self.norm.forward(&merged)?)
    }
}
