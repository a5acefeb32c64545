//! A convolution with its batch norm and activation: what convolutional networks are made of.

use std::sync::{Arc, OnceLock};

use candle_core::{DType, Result, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::ops::conv::{self, Activation, Geometry};
use crate::ops::packed::Packed;
use crate::ops::with_values;

/// What the convolution does with the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mixing {
    /// Every output sees every input.
    Dense,
    /// Every channel is by itself.
    Depthwise,
}

/// Shape of a convolution and what follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) geometry: Geometry,
    pub(super) mixing: Mixing,
    pub(super) activation: Activation,
    /// Epsilon of the batch norm.
    pub(super) eps: f64,
    /// Scale of the batch norm at the start: small where the output is added to a shortcut, or many blocks would blow up.
    pub(super) gain: f64,
}

/// Convolution without bias, batch norm (Ioffe and Szegedy, ICML 2015) with its running statistics, activation.
///
/// The statistics are part of the model but don't change in training: with them the norm is a scale and a shift for each
/// channel, which are folded into the convolution's weight and a bias. Scale and shift of the norm train as usual.
pub(super) struct ConvNorm {
    shape: Shape,
    weight: Tensor,
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    variance: Tensor,
    /// Folded once where the weights don't change.
    ready: OnceLock<Folded>,
}

#[derive(Clone)]
struct Folded {
    weight: Tensor,
    bias: Tensor,
    packed: Option<Arc<Packed>>,
}

impl ConvNorm {
    /// `conv` and `norm` are the places of the convolution and of its norm.
    pub(super) fn new(shape: Shape, conv: &VarBuilder<'_>, norm: &VarBuilder<'_>) -> Result<Self> {
        let (output, kernel) = (shape.output, shape.geometry.kernel);
        let input = if shape.mixing == Mixing::Depthwise { 1 } else { shape.input };
        // Keeps the variance from layer to layer; a rectifier takes half of it.
        let gain = if shape.activation == Activation::None { 1.0 } else { 2.0 };
        let stdev = (gain / (input * kernel * kernel) as f64).sqrt();
        let weight =
            conv.get_with_hints((output, input, kernel, kernel), "weight", Init::Randn { mean: 0.0, stdev })?;
        Ok(Self {
            shape,
            weight,
            scale: norm.get_with_hints(output, "weight", Init::Const(shape.gain))?,
            shift: norm.get_with_hints(output, "bias", Init::Const(0.0))?,
            mean: norm.get_with_hints(output, "running_mean", Init::Const(0.0))?.detach(),
            variance: norm.get_with_hints(output, "running_var", Init::Const(1.0))?.detach(),
            ready: OnceLock::new(),
        })
    }

    /// Side of the output, in pixels.
    pub(super) fn out(&self) -> usize {
        self.shape.geometry.out
    }

    fn is_linear(&self) -> bool {
        let g = self.shape.geometry;
        self.shape.mixing == Mixing::Dense && g.kernel == 1 && g.stride == 1 && g.before == 0
    }

    fn fold(&self) -> Result<Folded> {
        let scale = (&self.scale / (&self.variance + self.shape.eps)?.sqrt()?)?;
        let weight = self.weight.broadcast_mul(&scale.reshape((self.shape.output, 1, 1, 1))?)?;
        let weight = match self.shape.mixing {
            Mixing::Dense => conv::rows(&weight)?,
            Mixing::Depthwise => conv::taps(&weight)?,
        };
        Ok(Folded { weight, bias: (&self.shift - (&self.mean * scale)?)?, packed: None })
    }

    fn folded(&self) -> Result<Folded> {
        if self.weight.track_op() || self.scale.track_op() {
            return self.fold();
        }
        if let Some(ready) = self.ready.get() {
            return Ok(ready.clone());
        }
        let mut folded = self.fold()?;
        let packs = folded.weight.device().is_cpu() && folded.weight.dtype() == DType::F32;
        if packs && self.shape.mixing == Mixing::Dense {
            let (n, k) = folded.weight.dims2()?;
            let packed = with_values([&folded.weight], "convolution", |[w]| Packed::transposed(w, n, k))?;
            folded.packed = Some(Arc::new(packed));
        }
        Ok(self.ready.get_or_init(|| folded).clone())
    }

    /// `[batch, side * side, input]` to `[batch, out * out, output]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let Folded { weight, bias, packed } = self.folded()?;
        let (geometry, activation) = (self.shape.geometry, self.shape.activation);
        match self.shape.mixing {
            Mixing::Depthwise => conv::depthwise(x, &weight, &bias, geometry, activation),
            Mixing::Dense if self.is_linear() => conv::pointwise(x, &weight, packed, &bias, activation),
            Mixing::Dense => conv::conv(x, &weight, packed, &bias, geometry, activation),
        }
    }
}
