//! A Swin block: windowed attention, then an MLP, each after a layer norm and with a residual.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use crate::config::SwinConfig;
use crate::layers::{mlp, norm, self_attention, table};
use crate::ops::{DropPath, Mlp, Place, SelfAttention, Windows};

pub(super) struct Block {
    attention: SelfAttention,
    bias: RelativeBias,
    mlp: Mlp,
    windows: Windows,
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
        let norm = |name: &str| norm(dim, config.layer_norm_eps, Place::Before, &vb.pp(name));
        let attention = vb.pp("attention");
        Ok(Self {
            attention: self_attention(dim, heads, norm("layernorm_before")?, &attention)?,
            bias: RelativeBias::new(window, heads, &attention.pp("self"))?,
            mlp: mlp(dim, hidden, norm("layernorm_after")?, vb)?,
            windows: Windows::grid(side, window, shift)?,
            share,
        })
    }

    pub(super) fn forward(&self, x: &Tensor, mut drop: Option<&mut DropPath>) -> Result<Tensor> {
        let batch = x.dim(0)?;
        let mut factors = || drop.as_deref_mut().and_then(|drop| drop.factors(batch, self.share));
        let x = self.attention.forward(x, Some(&self.bias.get()?), &self.windows, factors())?;
        self.mlp.forward(&x, factors())
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
