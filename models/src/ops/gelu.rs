//! GELU with the exact error function (Hendrycks and Gimpel 2016): `x (1 + erf(x / sqrt 2)) / 2`.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::simd::vectorised;
use super::{fused, math, values, with_values};

const BLOCK: usize = 16 * 1024;
const SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// 1 / sqrt(2 pi)
const DENSITY: f32 = 0.398_942_3;

/// GELU of each element.
pub(crate) fn gelu(x: &Tensor) -> Result<Tensor> {
    if fused(x) { x.contiguous()?.apply_op1(Gelu) } else { x.gelu_erf() }
}

#[inline(always)]
fn value(x: f32) -> f32 {
    0.5 * x * (1.0 + math::erf(x * SQRT_HALF))
}

#[inline(always)]
fn slope(x: f32) -> f32 {
    0.5 * (1.0 + math::erf(x * SQRT_HALF)) + x * DENSITY * math::exp(-0.5 * x * x)
}

fn values_of(x: &[f32], y: &mut [f32]) {
    vectorised(|| y.iter_mut().zip(x).for_each(|(y, &x)| *y = value(x)));
}

/// `y = factor gelu(x)` of each element.
pub(super) fn scaled(x: &[f32], factor: f32, y: &mut [f32]) {
    vectorised(|| y.iter_mut().zip(x).for_each(|(y, &x)| *y = factor * value(x)));
}

/// `x = factor gelu(x)` of each element.
pub(super) fn in_place(x: &mut [f32], factor: f32) {
    vectorised(|| x.iter_mut().for_each(|x| *x = factor * value(*x)));
}

/// From the input `x` and the gradient `g` of `factor gelu(x)`: `g` becomes the gradient of `x`, and `x` becomes `gelu(x)`.
pub(super) fn backward_in_place(x: &mut [f32], factor: f32, g: &mut [f32]) {
    vectorised(|| {
        for (x, g) in x.iter_mut().zip(g) {
            let cdf = 0.5 * (1.0 + math::erf(*x * SQRT_HALF));
            *g *= factor * (cdf + *x * DENSITY * math::exp(-0.5 * *x * *x));
            *x *= cdf;
        }
    });
}

struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(storage, layout, "gelu")?;
        let mut y = vec![0.0f32; x.len()];
        y.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).for_each(|(y, x)| values_of(x, y));
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let dx = with_values([x, &grad], "gelu", |[x, g]| {
            let mut dx = vec![0.0f32; x.len()];
            dx.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).zip(g.par_chunks(BLOCK)).for_each(|((dx, x), g)| {
                vectorised(|| dx.iter_mut().zip(x).zip(g).for_each(|((dx, &x), &g)| *dx = g * slope(x)));
            });
            Ok(dx)
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{check_gradients, random};
    use super::*;

    #[test]
    fn gradients() {
        let x = (random(&[3, 11], 4) * 4.0).unwrap();
        check_gradients(&[x], |t| gelu(&t[0]).unwrap());
    }
}
