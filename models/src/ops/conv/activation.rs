//! Rectifiers that a convolution applies to its output.

use candle_core::{Result, Tensor};

use super::super::simd::vectorised;

/// What is applied to the output of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// Nothing.
    None,
    /// max(x, 0)
    Relu,
    /// min(max(x, 0), 6)
    Relu6,
}

impl Activation {
    /// The open interval in which the slope is 1; elsewhere it is 0.
    fn bounds(self) -> (f32, f32) {
        match self {
            Self::None => (f32::NEG_INFINITY, f32::INFINITY),
            Self::Relu => (0.0, f32::INFINITY),
            Self::Relu6 => (0.0, 6.0),
        }
    }

    /// Of a single value.
    #[inline(always)]
    pub(super) fn of(self, x: f32) -> f32 {
        match self {
            Self::None => x,
            Self::Relu => x.max(0.0),
            Self::Relu6 => x.clamp(0.0, 6.0),
        }
    }

    /// In place.
    pub(super) fn apply(self, values: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Relu => vectorised(|| values.iter_mut().for_each(|v| *v = v.max(0.0))),
            Self::Relu6 => vectorised(|| values.iter_mut().for_each(|v| *v = v.clamp(0.0, 6.0))),
        }
    }

    /// With tensor operations.
    pub(crate) fn plain(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::None => Ok(x.clone()),
            Self::Relu => x.relu(),
            // Written with rectifiers: Candle's clamp passes a gradient where the bound is met exactly, PyTorch's doesn't.
            Self::Relu6 => x.relu()? - (x - 6.0)?.relu()?,
        }
    }

    /// The gradient `g` of the output `y` becomes that of the input. The bounds themselves have none, as in PyTorch.
    pub(super) fn backward(self, y: &[f32], g: &mut [f32]) {
        if self == Self::None {
            return;
        }
        let (low, high) = self.bounds();
        vectorised(|| g.iter_mut().zip(y).for_each(|(g, &y)| *g = if y > low && y < high { *g } else { 0.0 }));
    }
}
