//! Layers that both towers use. Weights come from a `VarBuilder` under their Hugging Face names.

use candle_core::{Result, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::ops;

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

/// Query, key and value, computed as one product.
pub(crate) struct QueryKeyValue {
    parts: [Linear; 3],
    /// Joined once where the weights don't change.
    joined: Option<Linear>,
}

impl QueryKeyValue {
    /// Weights `query`, `key` and `value` of `[width, width]` below `vb`.
    pub(crate) fn new(width: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        let part = |name: &str| Linear::new(width, width, &vb.pp(name));
        let mut layer = Self { parts: [part("query")?, part("key")?, part("value")?], joined: None };
        if !layer.parts.iter().any(|p| p.weight.track_op()) {
            layer.joined = Some(layer.join()?);
        }
        Ok(layer)
    }

    fn join(&self) -> Result<Linear> {
        let weights: Vec<&Tensor> = self.parts.iter().map(|p| &p.weight).collect();
        let biases: Vec<&Tensor> = self.parts.iter().filter_map(|p| p.bias.as_ref()).collect();
        Ok(Linear::from_parts(Tensor::cat(&weights, 0)?, Some(Tensor::cat(&biases, 0)?)))
    }

    /// `[.., width]` to `[.., 3 width]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match &self.joined {
            Some(joined) => joined.forward(x),
            None => self.join()?.forward(x),
        }
    }
}
