//! Layer normalisation over the last dimension (Ba et al. 2016).

use candle_core::{CpuStorage, CustomOp3, D, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::math::{sum_by, sum_by2};
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

impl LayerNorm {
    /// Mean and reciprocal standard deviation of a row.
    #[inline(always)]
    fn moments(&self, row: &[f32]) -> (f32, f32) {
        let n = row.len() as f32;
        let mean = sum_by(row, |v| v) / n;
        let variance = sum_by(row, |v| (v - mean) * (v - mean)) / n;
        (mean, 1.0 / (variance + self.eps).sqrt())
    }

    /// Gradients of a block of rows; returns those of weight and bias.
    fn block(&self, x: &[f32], g: &[f32], weight: &[f32], dx: &mut [f32]) -> (Vec<f32>, Vec<f32>) {
        let n = weight.len();
        let (mut dw, mut db) = (vec![0.0f32; n], vec![0.0f32; n]);
        let (mut normal, mut scaled) = (vec![0.0f32; n], vec![0.0f32; n]);
        for ((x, g), dx) in x.chunks_exact(n).zip(g.chunks_exact(n)).zip(dx.chunks_exact_mut(n)) {
            let (mean, rstd) = self.moments(x);
            normal.iter_mut().zip(x).for_each(|(h, x)| *h = (x - mean) * rstd);
            scaled.iter_mut().zip(g).zip(weight).for_each(|((s, g), w)| *s = g * w);
            dw.iter_mut().zip(g).zip(&normal).for_each(|((d, g), h)| *d += g * h);
            db.iter_mut().zip(g).for_each(|(d, g)| *d += g);
            let mean_s = sum_by(&scaled, |v| v) / n as f32;
            let mean_sh = sum_by2(&scaled, &normal, |s, h| s * h) / n as f32;
            for ((dx, s), h) in dx.iter_mut().zip(&scaled).zip(&normal) {
                *dx = rstd * (s - mean_s - h * mean_sh);
            }
        }
        (dw, db)
    }
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
            for (y, x) in y.chunks_exact_mut(n).zip(x.chunks_exact(n)) {
                let (mean, rstd) = self.moments(x);
                for (((y, x), w), b) in y.iter_mut().zip(x).zip(weight).zip(bias) {
                    *y = (x - mean) * rstd * w + b;
                }
            }
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
            let mut dx = vec![0.0f32; x.len()];
            let parts: Vec<(Vec<f32>, Vec<f32>)> = dx
                .par_chunks_mut(block)
                .zip(x.par_chunks(block))
                .zip(g.par_chunks(block))
                .map(|((dx, x), g)| self.block(x, g, w, dx))
                .collect();
            let (mut dw, mut db) = (vec![0.0f32; w.len()], vec![0.0f32; w.len()]);
            for (pw, pb) in parts {
                dw.iter_mut().zip(pw).for_each(|(d, p)| *d += p);
                db.iter_mut().zip(pb).for_each(|(d, p)| *d += p);
            }
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
