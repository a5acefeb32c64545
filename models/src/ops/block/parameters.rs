//! Parameters of a block.

use std::sync::Arc;

use candle_core::{Result, Tensor, bail};

use super::super::packed::Packed;
use super::super::{fused, gradients, layer_norm, linear, with_values};

/// Where the layer norm of a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `x + branch(norm(x))`: Swin.
    Before,
    /// `norm(x + branch(x))`: BERT.
    After,
}

/// A layer norm.
#[derive(Clone)]
pub(crate) struct Norm {
    pub(crate) weight: Tensor,
    pub(crate) bias: Tensor,
    pub(crate) eps: f64,
    pub(crate) place: Place,
}

impl Norm {
    pub(super) fn plain(&self, x: &Tensor) -> Result<Tensor> {
        layer_norm(x, &self.weight, &self.bias, self.eps)
    }

    pub(super) fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        [&self.weight, &self.bias].into_iter()
    }
}

/// A linear layer. Its weight is held in the kernel's order alone where it is constant.
#[derive(Clone)]
pub(crate) struct Dense {
    weight: Weight,
    pub(super) bias: Tensor,
    /// Rows of the weight.
    pub(super) outputs: usize,
    /// Columns of the weight.
    pub(super) inputs: usize,
}

#[derive(Clone)]
enum Weight {
    Plain(Tensor),
    Packed(Arc<Packed>),
}

impl Dense {
    /// `weight` is `[outputs, inputs]`, `bias` `[outputs]`.
    pub(crate) fn new(weight: Tensor, bias: Tensor) -> Result<Self> {
        let (outputs, inputs) = weight.dims2()?;
        if bias.dims() != [outputs] {
            bail!("linear: weight {:?} does not fit bias {:?}", weight.dims(), bias.dims())
        }
        let weight = if fused(&weight) && !weight.track_op() {
            Weight::Packed(Arc::new(transposed(&weight)?))
        } else {
            Weight::Plain(weight)
        };
        Ok(Self { weight, bias, outputs, inputs })
    }

    pub(super) fn plain(&self, x: &Tensor) -> Result<Tensor> {
        match &self.weight {
            Weight::Plain(weight) => linear(x, weight, Some(&self.bias)),
            Weight::Packed(_) => bail!("linear: a packed weight takes f32 on the CPU only"),
        }
    }

    pub(super) fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        let weight = match &self.weight {
            Weight::Plain(weight) => Some(weight),
            Weight::Packed(_) => None,
        };
        weight.into_iter().chain([&self.bias])
    }

    /// For `x weight^T`.
    pub(super) fn forwards(&self) -> Result<Arc<Packed>> {
        match &self.weight {
            Weight::Plain(weight) => Ok(Arc::new(transposed(weight)?)),
            Weight::Packed(packed) => Ok(packed.clone()),
        }
    }

    /// For `g weight`.
    pub(super) fn backwards(&self) -> Result<Packed> {
        match &self.weight {
            Weight::Plain(weight) => with_values([&weight.contiguous()?], "linear", |[values]| {
                Packed::plain(values, self.outputs, self.inputs)
            }),
            Weight::Packed(_) => bail!("linear: no gradient goes through a packed weight"),
        }
    }

    /// Hands over the gradients that are wanted; `weight` and `bias` compute them.
    pub(super) fn give(
        &self,
        weight: impl FnOnce() -> Result<Vec<f32>>,
        bias: impl FnOnce() -> Result<Vec<f32>>,
    ) -> Result<()> {
        if let Weight::Plain(tensor) = &self.weight
            && tensor.track_op()
        {
            gradients::give(tensor, weight()?)?;
        }
        if self.bias.track_op() {
            gradients::give(&self.bias, bias()?)?;
        }
        Ok(())
    }
}

/// How a block runs on `x`: `None` from tensor operations, where these are the ones that apply or where a parameter is the
/// result of an operation, whose gradient the block couldn't hand on; else fused, and `true` where a backward pass may follow.
pub(super) fn fusion<'a>(x: &Tensor, mut parameters: impl Iterator<Item = &'a Tensor>) -> Option<bool> {
    let variables = parameters.try_fold(false, |any, t| match (t.track_op(), t.is_variable()) {
        (true, false) => None,
        (tracked, _) => Some(any || tracked),
    })?;
    fused(x).then_some(variables || x.track_op())
}

fn transposed(weight: &Tensor) -> Result<Packed> {
    let (outputs, inputs) = weight.dims2()?;
    with_values([&weight.contiguous()?], "linear", |[values]| Packed::transposed(values, outputs, inputs))
}
