//! A Swin block: windowed attention, then an MLP, each after a layer norm and with a residual.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use crate::config::SwinConfig;
use crate::layers::{LayerNorm, Linear, QueryKeyValue, table};
use crate::ops::{self, DropPath, Windows};

pub(super) struct Block {
    norm_before: LayerNorm,
    qkv: QueryKeyValue,
    bias: RelativeBias,
    output: Linear,
    norm_after: LayerNorm,
    up: Linear,
    down: Linear,
    windows: Windows,
    heads: usize,
    /// Place within the network, 0 to 1, for stochastic depth.
    share: f64,
}

impl Block {
    pub(super) fn new(
        config: &SwinConfig,
        dim: usize,
        heads: usize,
        side: usize,
        shifted: bool,
        share: f64,
        vb: &VarBuilder<'_>,
    ) -> Result<Self> {
        // Where one window holds everything there is nothing to shift.
        let window = config.window.min(side);
        let shift = if shifted && side > window { window / 2 } else { 0 };
        let hidden = (dim as f64 * config.mlp_ratio) as usize;
        let eps = config.layer_norm_eps;
        let attention = vb.pp("attention");
        Ok(Self {
            norm_before: LayerNorm::new(dim, eps, &vb.pp("layernorm_before"))?,
            qkv: QueryKeyValue::new(dim, &attention.pp("self"))?,
            bias: RelativeBias::new(window, heads, &attention.pp("self"))?,
            output: Linear::new(dim, dim, &attention.pp("output.dense"))?,
            norm_after: LayerNorm::new(dim, eps, &vb.pp("layernorm_after"))?,
            up: Linear::new(dim, hidden, &vb.pp("intermediate.dense"))?,
            down: Linear::new(hidden, dim, &vb.pp("output.dense"))?,
            windows: Windows::grid(side, window, shift)?,
            heads,
            share,
        })
    }

    pub(super) fn forward(&self, x: &Tensor, mut drop: Option<&mut DropPath>) -> Result<Tensor> {
        let mut leave_out = |branch: Tensor| match drop.as_deref_mut() {
            Some(drop) => drop.apply(&branch, self.share),
            None => Ok(branch),
        };
        let qkv = self.qkv.forward(&self.norm_before.forward(x)?)?;
        let attended = ops::attention(&qkv, Some(&self.bias.get()?), &self.windows, self.heads)?;
        let x = (x + leave_out(self.output.forward(&attended)?)?)?;
        let hidden = ops::gelu(&self.up.forward(&self.norm_after.forward(&x)?)?)?;
        &x + leave_out(self.down.forward(&hidden)?)?
    }
}

/// Relative position bias (Liu et al., section 3.2): one value per head and offset between two tokens of a window.
struct RelativeBias {
    /// `[(2 window - 1)^2, heads]`
    table: Tensor,
    /// Row of the table for each pair, `[n * n]`.
    index: Tensor,
    heads: usize,
    n: usize,
    /// Looked up once where the table doesn't change.
    ready: Option<Tensor>,
}

impl RelativeBias {
    fn new(window: usize, heads: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let span = 2 * window - 1;
        let table = table(span * span, heads, "relative_position_bias_table", vb)?;
        let n = window * window;
        let mut index = Vec::with_capacity(n * n);
        for a in 0..n {
            for b in 0..n {
                let dy = a / window + window - 1 - b / window;
                let dx = a % window + window - 1 - b % window;
                index.push(u32::try_from(dy * span + dx).unwrap_or(u32::MAX));
            }
        }
        let index = Tensor::from_vec(index, n * n, table.device())?;
        let mut bias = Self { table, index, heads, n, ready: None };
        if !bias.table.track_op() {
            bias.ready = Some(bias.look_up()?);
        }
        Ok(bias)
    }

    fn look_up(&self) -> Result<Tensor> {
        self.table.contiguous()?.index_select(&self.index, 0)?.t()?.contiguous()?.reshape((self.heads, self.n, self.n))
    }

    /// `[heads, n, n]`
    fn get(&self) -> Result<Tensor> {
        match &self.ready {
            Some(bias) => Ok(bias.clone()),
            None => self.look_up(),
        }
    }
}
