//! One BERT layer: attention, then an MLP, each with a residual and a layer norm behind it.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use crate::config::Text;
use crate::layers::{mlp, norm, self_attention};
use crate::ops::{Mlp, Place, SelfAttention, Windows};

pub(super) struct Layer {
    attention: SelfAttention,
    mlp: Mlp,
}

impl Layer {
    pub(super) fn new(config: &Text, vb: &VarBuilder<'_>) -> Result<Self> {
        let hidden = config.hidden;
        let attention = vb.pp("attention");
        let norm = |name: &str| norm(hidden, config.layer_norm_eps, Place::After, &vb.pp(name));
        Ok(Self {
            attention: self_attention(hidden, config.heads, norm("attention.output.LayerNorm")?, &attention)?,
            mlp: mlp(hidden, config.intermediate, norm("output.LayerNorm")?, vb)?,
        })
    }

    pub(super) fn forward(&self, x: &Tensor, windows: &Windows) -> Result<Tensor> {
        self.mlp.forward(&self.attention.forward(x, None, windows, None)?, None)
    }
}
