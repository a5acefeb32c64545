//! Layers that both towers use. Weights come from a `VarBuilder` under their Hugging Face names.

use candle_core::{Result, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::ops::{self, Dense, Mlp, Norm, Place, SelfAttention};

/// Standard deviation of BERT's and Swin's published initialisation.
const EMBEDDING_STD: f64 = 0.02;

/// A table of embeddings or biases.
pub(crate) fn table(rows: usize, width: usize, name: &str, vb: &VarBuilder<'_>) -> Result<Tensor> {
    vb.get_with_hints((rows, width), name, Init::Randn { mean: 0.0, stdev: EMBEDDING_STD })
}

/// Linear layer.
pub(crate) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// Weight `[output, input]` and bias `[output]`.
    pub(crate) fn new(input: usize, output: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let mut layer = Self::without_bias(input, output, vb)?;
        layer.bias = Some(vb.get_with_hints(output, "bias", Init::Const(0.0))?);
        Ok(layer)
    }

    /// Weight `[output, input]`.
    pub(crate) fn without_bias(input: usize, output: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let init = Init::Randn { mean: 0.0, stdev: 1.0 / (input as f64).sqrt() };
        Ok(Self { weight: vb.get_with_hints((output, input), "weight", init)?, bias: None })
    }

    /// From tensors that are there already.
    pub(crate) fn from_parts(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::linear(x, &self.weight, self.bias.as_ref())
    }
}

/// Layer normalisation.
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    pub(crate) fn new(width: usize, eps: f64, vb: &VarBuilder<'_>) -> Result<Self> {
        let weight = vb.get_with_hints(width, "weight", Init::Const(1.0))?;
        let bias = vb.get_with_hints(width, "bias", Init::Const(0.0))?;
        Ok(Self { weight, bias, eps })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::layer_norm(x, &self.weight, &self.bias, self.eps)
    }
}

/// A linear layer `[output, input]` with a bias, for a fused block.
fn dense(input: usize, output: usize, vb: &VarBuilder<'_>) -> Result<Dense> {
    let init = Init::Randn { mean: 0.0, stdev: 1.0 / (input as f64).sqrt() };
    Dense::new(
        vb.get_with_hints((output, input), "weight", init)?,
        vb.get_with_hints(output, "bias", Init::Const(0.0))?,
    )
}

/// Self-attention with `norm`: `self.query`, `self.key`, `self.value` and `output.dense` below `vb`.
pub(crate) fn self_attention(width: usize, heads: usize, norm: Norm, vb: &VarBuilder<'_>) -> Result<SelfAttention> {
    let part = |name: &str| dense(width, width, &vb.pp(name));
    let inputs = [part("self.query")?, part("self.key")?, part("self.value")?];
    Ok(SelfAttention { norm, inputs, output: part("output.dense")?, heads })
}

/// An MLP with `norm`: `intermediate.dense` and `output.dense` below `vb`.
pub(crate) fn mlp(width: usize, hidden: usize, norm: Norm, vb: &VarBuilder<'_>) -> Result<Mlp> {
    let up = dense(width, hidden, &vb.pp("intermediate.dense"))?;
    Ok(Mlp { norm, up, down: dense(hidden, width, &vb.pp("output.dense"))? })
}

/// A norm of a fused block.
pub(crate) fn norm(width: usize, eps: f64, place: Place, vb: &VarBuilder<'_>) -> Result<Norm> {
    let LayerNorm { weight, bias, eps } = LayerNorm::new(width, eps, vb)?;
    Ok(Norm { weight, bias, eps, place })
}
