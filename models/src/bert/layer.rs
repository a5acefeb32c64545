//! One BERT layer: attention, then an MLP, each with a residual and a layer norm behind it.

use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use crate::config::Text;
use crate::layers::{LayerNorm, Linear, QueryKeyValue};
use crate::ops::{self, Windows};

pub(super) struct Layer {
    qkv: QueryKeyValue,
    attention_output: Linear,
    attention_norm: LayerNorm,
    up: Linear,
    down: Linear,
    norm: LayerNorm,
    heads: usize,
}

impl Layer {
    pub(super) fn new(config: &Text, vb: &VarBuilder<'_>) -> Result<Self> {
        let (hidden, eps) = (config.hidden, config.layer_norm_eps);
        let attention = vb.pp("attention");
        Ok(Self {
            qkv: QueryKeyValue::new(hidden, &attention.pp("self"))?,
            attention_output: Linear::new(hidden, hidden, &attention.pp("output.dense"))?,
            attention_norm: LayerNorm::new(hidden, eps, &attention.pp("output.LayerNorm"))?,
            up: Linear::new(hidden, config.intermediate, &vb.pp("intermediate.dense"))?,
            down: Linear::new(config.intermediate, hidden, &vb.pp("output.dense"))?,
            norm: LayerNorm::new(hidden, eps, &vb.pp("output.LayerNorm"))?,
            heads: config.heads,
        })
    }

    pub(super) fn forward(&self, x: &Tensor, windows: &Windows) -> Result<Tensor> {
        let attended = ops::attention(&self.qkv.forward(x)?, None, windows, self.heads)?;
        let x = self.attention_norm.forward(&(self.attention_output.forward(&attended)? + x)?)?;
        let hidden = ops::gelu(&self.up.forward(&x)?)?;
        self.norm.forward(&(self.down.forward(&hidden)? + &x)?)
    }
}
