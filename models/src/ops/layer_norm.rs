//! Layer normalisation over the last dimension (Ba et al. 2016).

use candle_core::{CpuStorage, CustomOp3, D, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::math::{sum_by, sum_by2};
use super::simd::vectorised;
use super::{fused, values, with_values};

/// Rows per parallel block; fixed, so that sums don't depend on the number of threads.
const ROWS: usize = 128;

/// Normalises `x` `[.., n]` to mean 0 and variance 1 over its last dimension, then scales and shifts it (`weight`, `bias`: `[n]`).
pub(crate) fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    if fused(x) {
        let op = LayerNorm { eps: eps as f32 };
        return x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op);
    }
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    centred.broadcast_div(&(variance + eps)?.sqrt()?)?.broadcast_mul(weight)?.broadcast_add(bias)
}

struct LayerNorm {
    eps: f32,
}

/// Gradients of weight and bias from those of the blocks, always in the same order.
pub(super) fn add_up(parts: Vec<Sums>, n: usize) -> (Vec<f32>, Vec<f32>) {
    let (mut dw, mut db) = (vec![0.0f32; n], vec![0.0f32; n]);
    for part in parts {
        dw.iter_mut().zip(part.weight).for_each(|(d, p)| *d += p);
        db.iter_mut().zip(part.bias).for_each(|(d, p)| *d += p);
    }
    (dw, db)
}

/// Mean and reciprocal standard deviation of a row.
#[inline(always)]
fn moments(row: &[f32], eps: f32) -> (f32, f32) {
    let n = row.len() as f32;
    let mean = sum_by(row, |v| v) / n;
    let variance = sum_by(row, |v| (v - mean) * (v - mean)) / n;
    (mean, 1.0 / (variance + eps).sqrt())
}

#[inline(always)]
fn row_forward(x: &[f32], (weight, bias, eps): (&[f32], &[f32], f32), y: &mut [f32]) {
    let (mean, rstd) = moments(x, eps);
    for (((y, x), w), b) in y.iter_mut().zip(x).zip(weight).zip(bias) {
        *y = (x - mean) * rstd * w + b;
    }
}

/// Normalises the rows of `x` into `y`. `norm` is weight, bias and epsilon.
pub(super) fn rows_forward(x: &[f32], norm: (&[f32], &[f32], f32), y: &mut [f32]) {
    let n = norm.0.len();
    vectorised(|| {
        y.chunks_exact_mut(n).zip(x.chunks_exact(n)).for_each(|(y, x)| row_forward(x, norm, y));
    });
}

/// Normalises the rows of `x` in place.
pub(super) fn rows_in_place(x: &mut [f32], (weight, bias, eps): (&[f32], &[f32], f32)) {
    vectorised(|| {
        for x in x.chunks_exact_mut(weight.len()) {
            let (mean, rstd) = moments(x, eps);
            x.iter_mut().zip(weight).zip(bias).for_each(|((x, w), b)| *x = (*x - mean) * rstd * w + b);
        }
    });
}

/// What the backward pass of a block of rows adds up: gradients of weight and bias.
pub(super) struct Sums {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    scaled: Vec<f32>,
}

impl Sums {
    pub(super) fn new(n: usize) -> Self {
        Self { weight: vec![0.0; n], bias: vec![0.0; n], scaled: vec![0.0; n] }
    }
}

/// Gradients of rows: `g`, the gradient of the output, becomes that of the input `x`.
pub(super) fn rows_backward(x: &[f32], g: &mut [f32], (weight, eps): (&[f32], f32), sums: &mut Sums) {
    vectorised(|| {
        let n = weight.len();
        let Sums { weight: dw, bias: db, scaled } = sums;
        for (x, g) in x.chunks_exact(n).zip(g.chunks_exact_mut(n)) {
            let (mean, rstd) = moments(x, eps);
            for ((((g, x), w), s), (dw, db)) in
                g.iter_mut().zip(x).zip(weight).zip(scaled.iter_mut()).zip(dw.iter_mut().zip(db.iter_mut()))
            {
                let normal = (x - mean) * rstd;
                *s = *g * w;
                *dw += *g * normal;
                *db += *g;
                *g = normal;
            }
            let mean_s = sum_by(scaled, |v| v) / n as f32;
            let mean_sh = sum_by2(scaled, g, |s, h| s * h) / n as f32;
            for (g, s) in g.iter_mut().zip(scaled.iter()) {
                *g = rstd * (s - mean_s - *g * mean_sh);
            }
        }
    });
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight) = (values(s1, l1, "layer-norm")?, values(s2, l2, "layer-norm")?);
        let bias = values(s3, l3, "layer-norm")?;
        let n = weight.len();
        if n == 0 || bias.len() != n || l1.dims().last() != Some(&n) {
            bail!("layer-norm: input {:?} does not fit weight [{n}] and bias [{}]", l1.dims(), bias.len())
        }
        let mut y = vec![0.0f32; x.len()];
        y.par_chunks_mut(ROWS * n).zip(x.par_chunks(ROWS * n)).for_each(|(y, x)| {
            rows_forward(x, (weight, bias, self.eps), y);
        });
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (dx, dw, db) = with_values([x, &grad, weight], "layer-norm", |[x, g, w]| {
            let block = ROWS * w.len();
            let mut dx = g.to_vec();
            let parts: Vec<Sums> = dx
                .par_chunks_mut(block)
                .zip(x.par_chunks(block))
                .map(|(dx, x)| {
                    let mut sums = Sums::new(w.len());
                    rows_backward(x, dx, (w, self.eps), &mut sums);
                    sums
                })
                .collect();
            let (dw, db) = add_up(parts, w.len());
            Ok((dx, dw, db))
        })?;
        let device = x.device();
        Ok((
            Some(Tensor::from_vec(dx, x.shape(), device)?),
            Some(Tensor::from_vec(dw, weight.shape(), device)?),
            Some(Tensor::from_vec(db, weight.shape(), device)?),
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{check_gradients, random};
    use super::*;

    #[test]
    fn gradients() {
        let inputs = [random(&[4, 3, 13], 5), random(&[13], 6), random(&[13], 7)];
        check_gradients(&inputs, |t| layer_norm(&t[0], &t[1], &t[2], 1e-5).unwrap());
    }

    #[test]
    fn more_rows_than_a_block() {
        let inputs = [random(&[ROWS * 2 + 3, 5], 5), random(&[5], 6), random(&[5], 7)];
        check_gradients(&inputs, |t| layer_norm(&t[0], &t[1], &t[2], 1e-5).unwrap());
    }
}
