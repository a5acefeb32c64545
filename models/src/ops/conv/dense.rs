//! Convolution of any kernel: the pixels under the kernel are laid out as a row, and rows are multiplied with the weight.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::super::matmul::{Matrix, multiply};
use super::super::packed::Packed;
use super::super::simd::vectorised;
use super::super::{fused, linear, values, with_values};
use super::{Activation, Geometry, pointwise};

/// Rows of output that one thread lays out and multiplies at a time, in pixels: about.
const PIXELS: usize = 128;

/// `x` is `[batch, side * side, input]`, `weight` `[output, taps * input]` as [`rows`] lays it out, `bias` `[output]`; the
/// result is `[batch, out * out, output]`. `packed` is the same weight, where it doesn't change.
pub(crate) fn conv(
    x: &Tensor,
    weight: &Tensor,
    packed: Option<Arc<Packed>>,
    bias: &Tensor,
    geometry: Geometry,
    activation: Activation,
) -> Result<Tensor> {
    if fused(x) {
        let op = Conv { packed, geometry, activation };
        return x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op);
    }
    let rows = Tensor::cat(&geometry.slices(x)?, 2)?;
    activation.plain(&linear(&rows, weight, Some(bias))?)
}

/// PyTorch's weight `[output, input, kernel, kernel]` as `[output, kernel * kernel * input]`: the channels of a tap side by
/// side, as in the rows of pixels.
pub(crate) fn rows(weight: &Tensor) -> Result<Tensor> {
    weight.permute((0, 2, 3, 1))?.contiguous()?.flatten_from(1)
}

struct Conv {
    packed: Option<Arc<Packed>>,
    geometry: Geometry,
    activation: Activation,
}

impl Conv {
    /// Rows of output that are laid out at a time.
    fn band(&self) -> usize {
        (PIXELS / self.geometry.out.max(1)).clamp(1, self.geometry.out.max(1))
    }

    /// The pixels under the kernel for output row `oy` of the film `x`, `[out, taps * c]`.
    fn lay_out(&self, x: &[f32], c: usize, oy: usize, rows: &mut [f32]) {
        let g = self.geometry;
        for (ox, row) in rows.chunks_exact_mut(g.taps() * c).enumerate() {
            for (tap, target) in row.chunks_exact_mut(c).enumerate() {
                match (g.input(oy, tap / g.kernel), g.input(ox, tap % g.kernel)) {
                    (Some(iy), Some(ix)) => {
                        let at = (iy * g.side + ix) * c;
                        target.copy_from_slice(&x[at..at + c]);
                    }
                    _ => target.fill(0.0),
                }
            }
        }
    }

    /// The reverse: adds what lies under the kernel to the film.
    fn put_back(&self, rows: &[f32], c: usize, oy: usize, dx: &mut [f32]) {
        let g = self.geometry;
        vectorised(|| {
            for (ox, row) in rows.chunks_exact(g.taps() * c).enumerate() {
                for (tap, source) in row.chunks_exact(c).enumerate() {
                    if let (Some(iy), Some(ix)) = (g.input(oy, tap / g.kernel), g.input(ox, tap % g.kernel)) {
                        let at = (iy * g.side + ix) * c;
                        dx[at..at + c].iter_mut().zip(source).for_each(|(d, s)| *d += s);
                    }
                }
            }
        });
    }

    /// Gradients of one film: adds to that of the input, where there is a `weight` for it, and returns that of the weight,
    /// `[n, taps * c]`.
    fn film_back(
        &self,
        x: &[f32],
        weight: Option<&Packed>,
        grad: &[f32],
        (n, c): (usize, usize),
        dx: &mut [f32],
    ) -> Result<Vec<f32>> {
        let g = self.geometry;
        let k = g.taps() * c;
        let mut dw = vec![0.0f32; n * k];
        let mut rows = vec![0.0f32; self.band() * g.out * k];
        for (band, grad) in grad.chunks(self.band() * g.out * n).enumerate() {
            let pixels = grad.len() / n;
            let rows = &mut rows[..pixels * k];
            let first = band * self.band();
            for (i, row) in rows.chunks_exact_mut(g.out * k).enumerate() {
                self.lay_out(x, c, first + i, row);
            }
            multiply(Matrix::new(grad, pixels, n).t(), Matrix::new(rows, pixels, k), 1.0, &mut dw)?;
            if let Some(weight) = weight {
                weight.multiply(grad, 0.0, rows)?;
                for (i, row) in rows.chunks_exact(g.out * k).enumerate() {
                    self.put_back(row, c, first + i, dx);
                }
            }
        }
        Ok(dw)
    }
}

/// Sum over rows of `[rows, n]`, in blocks of a fixed size so that the result doesn't depend on the number of threads.
pub(super) fn column_sums(values: &[f32], n: usize) -> Vec<f32> {
    let blocks: Vec<Vec<f32>> = values
        .par_chunks((n * 256).max(1))
        .map(|block| {
            let mut sums = vec![0.0f32; n];
            vectorised(|| {
                for row in block.chunks_exact(n) {
                    sums.iter_mut().zip(row).for_each(|(s, v)| *s += v);
                }
            });
            sums
        })
        .collect();
    let mut total = vec![0.0f32; n];
    for block in blocks {
        total.iter_mut().zip(block).for_each(|(t, v)| *t += v);
    }
    total
}

impl CustomOp3 for Conv {
    fn name(&self) -> &'static str {
        "convolution"
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
        let (x, weight) = (values(s1, l1, "convolution")?, values(s2, l2, "convolution")?);
        let bias = values(s3, l3, "convolution")?;
        let (batch, pixels, c) = l1.shape().dims3()?;
        let (n, k) = l2.shape().dims2()?;
        let g = self.geometry;
        if pixels != g.side * g.side || k != g.taps() * c || bias.len() != n || n == 0 || k == 0 {
            bail!("convolution: input {:?} does not fit weight {:?} and {g:?}", l1.dims(), l2.dims())
        }
        let weight = pointwise::pack(self.packed.as_ref(), weight, n, k)?;
        let mut y = vec![0.0f32; batch * g.pixels() * n];
        let bands = g.out.div_ceil(self.band());
        let mut parts: Vec<(usize, &mut [f32])> = Vec::with_capacity(batch * bands);
        for film in y.chunks_mut(g.pixels() * n) {
            parts.extend(film.chunks_mut(self.band() * g.out * n).enumerate());
        }
        parts.into_par_iter().enumerate().try_for_each_init(Vec::new, |rows: &mut Vec<f32>, (i, (band, y))| {
            let film = i / bands;
            let x = &x[film * pixels * c..(film + 1) * pixels * c];
            rows.resize(y.len() / n * k, 0.0f32);
            for (i, row) in rows.chunks_exact_mut(g.out * k).enumerate() {
                self.lay_out(x, c, band * self.band() + i, row);
            }
            pointwise::block(rows, &weight, bias, self.activation, y)
        })?;
        Ok((CpuStorage::F32(y), (batch, g.pixels(), n).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, pixels, c) = x.dims3()?;
        let (n, k) = weight.dims2()?;
        let grad = grad.contiguous()?;
        let out = self.geometry.pixels() * n;
        let (dx, dw, db) = with_values([x, weight, res, &grad], "convolution", |[values, weight, res, grad]| {
            let mut grad = grad.to_vec();
            grad.par_chunks_mut(out).zip(res.par_chunks(out)).for_each(|(g, y)| self.activation.backward(y, g));
            let mut dx = vec![0.0f32; if x.track_op() { values.len() } else { 0 }];
            let back = if x.track_op() { Some(Packed::plain(weight, n, k)?) } else { None };
            let mut targets: Vec<&mut [f32]> = dx.chunks_mut(pixels * c).collect();
            targets.resize_with(values.len() / (pixels * c), Default::default);
            let films = targets
                .into_par_iter()
                .zip(values.par_chunks(pixels * c).zip(grad.par_chunks(out)))
                .map(|(dx, (x, grad))| self.film_back(x, back.as_ref(), grad, (n, c), dx))
                .collect::<Result<Vec<_>>>()?;
            let mut dw = vec![0.0f32; weight.len()];
            for film in films {
                dw.iter_mut().zip(film).for_each(|(d, f)| *d += f);
            }
            Ok((dx, dw, column_sums(&grad, n)))
        })?;
        let device = x.device();
        let dx = if dx.is_empty() { None } else { Some(Tensor::from_vec(dx, x.shape(), device)?) };
        Ok((dx, Some(Tensor::from_vec(dw, weight.shape(), device)?), Some(Tensor::from_vec(db, n, device)?)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{assert_close, check_gradients, random};
    use super::*;

    #[test]
    fn gradients() {
        for geometry in [Geometry::padded(6, 3, 1, 1), Geometry::padded(9, 7, 2, 3), Geometry::same(6, 3, 2)] {
            let (side, k) = (geometry.side, geometry.kernel);
            let inputs = [random(&[2, side * side, 3], 1), random(&[4, 3, k, k], 2), random(&[4], 3)];
            for activation in [Activation::None, Activation::Relu] {
                check_gradients(&inputs, |t| {
                    conv(&t[0], &rows(&t[1]).unwrap(), None, &t[2], geometry, activation).unwrap()
                });
            }
        }
    }

    #[test]
    fn equals_candles_convolution() {
        let (x, weight) = (random(&[2, 49, 3], 1), random(&[4, 3, 3, 3], 2));
        let bias = Tensor::zeros(4, candle_core::DType::F32, x.device()).unwrap();
        let ours =
            conv(&x, &rows(&weight).unwrap(), None, &bias, Geometry::padded(7, 3, 2, 1), Activation::None).unwrap();
        let image = x.transpose(1, 2).unwrap().reshape((2, 3, 7, 7)).unwrap().contiguous().unwrap();
        let theirs = image.conv2d(&weight, 1, 2, 1, 1).unwrap().flatten_from(2).unwrap().transpose(1, 2).unwrap();
        assert_close(&ours, &theirs, 1e-6, "convolution");
    }
}
