//! Depthwise convolution: every channel has a kernel of its own.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::super::simd::vectorised;
use super::super::{fused, values, with_values};
use super::{Activation, Geometry};

/// `x` is `[batch, side * side, channels]`, `weight` `[taps, channels]` as [`taps`] lays it out, `bias` `[channels]`; the
/// result is `[batch, out * out, channels]`.
pub(crate) fn depthwise(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    geometry: Geometry,
    activation: Activation,
) -> Result<Tensor> {
    if fused(x) {
        let op = Depthwise { geometry, activation };
        return x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op);
    }
    let mut y: Option<Tensor> = None;
    for (tap, slice) in geometry.slices(x)?.into_iter().enumerate() {
        let term = slice.broadcast_mul(&weight.narrow(0, tap, 1)?)?;
        y = Some(match y {
            Some(y) => (y + term)?,
            None => term,
        });
    }
    match y {
        Some(y) => activation.plain(&y.broadcast_add(bias)?),
        None => bail!("depthwise: a kernel without taps"),
    }
}

/// PyTorch's weight `[channels, 1, kernel, kernel]` as `[kernel * kernel, channels]`: one row for each tap.
pub(crate) fn taps(weight: &Tensor) -> Result<Tensor> {
    weight.flatten_from(1)?.t()?.contiguous()
}

struct Depthwise {
    geometry: Geometry,
    activation: Activation,
}

/// Calls `$f::<N>(.., start)` for blocks of `N` channels that together cover all of them, wide ones first.
macro_rules! in_blocks {
    ($channels:expr, |$start:ident, $width:ident| $body:expr) => {{
        let mut $start = 0;
        in_blocks!(@ 64, $channels, $start, $width, $body);
        in_blocks!(@ 32, $channels, $start, $width, $body);
        in_blocks!(@ 16, $channels, $start, $width, $body);
        in_blocks!(@ 8, $channels, $start, $width, $body);
        in_blocks!(@ 1, $channels, $start, $width, $body);
    }};
    (@ $n:literal, $channels:expr, $start:ident, $width:ident, $body:expr) => {
        while $channels - $start >= $n {
            const $width: usize = $n;
            $body;
            $start += $n;
        }
    };
}

/// `N` values from `at` on; zeros where the slice is too short, which lengths checked before rule out.
#[inline(always)]
fn lanes<const N: usize>(values: &[f32], at: usize) -> [f32; N] {
    values.get(at..at + N).and_then(|s| s.try_into().ok()).unwrap_or([0.0; N])
}

#[inline(always)]
fn put<const N: usize>(values: &mut [f32], at: usize, lanes: [f32; N]) {
    if let Some(target) = values.get_mut(at..at + N) {
        target.copy_from_slice(&lanes);
    }
}

#[inline(always)]
fn multiply_add<const N: usize>(sum: &mut [f32; N], a: &[f32; N], b: &[f32; N]) {
    for i in 0..N {
        sum[i] += a[i] * b[i];
    }
}

impl Depthwise {
    /// Row `oy` of the output from the film `x`.
    fn row(&self, x: &[f32], weight: &[f32], bias: &[f32], oy: usize, y: &mut [f32]) {
        let g = self.geometry;
        let c = bias.len();
        vectorised(|| {
            in_blocks!(c, |start, N| {
                let bias = lanes::<N>(bias, start);
                for ox in 0..g.out {
                    let mut sum = bias;
                    for ky in 0..g.kernel {
                        let Some(iy) = g.input(oy, ky) else { continue };
                        for kx in 0..g.kernel {
                            let Some(ix) = g.input(ox, kx) else { continue };
                            let pixel = lanes::<N>(x, (iy * g.side + ix) * c + start);
                            multiply_add(&mut sum, &pixel, &lanes(weight, (ky * g.kernel + kx) * c + start));
                        }
                    }
                    put(y, ox * c + start, sum.map(|v| self.activation.of(v)));
                }
            });
        });
    }

    /// Row `iy` of the gradient of the input, from that of the output.
    fn row_back(&self, grad: &[f32], weight: &[f32], c: usize, iy: usize, dx: &mut [f32]) {
        let g = self.geometry;
        vectorised(|| {
            in_blocks!(c, |start, N| {
                for ix in 0..g.side {
                    let mut sum = [0.0f32; N];
                    for ky in 0..g.kernel {
                        let Some(oy) = g.output(iy, ky) else { continue };
                        for kx in 0..g.kernel {
                            let Some(ox) = g.output(ix, kx) else { continue };
                            let pixel = lanes::<N>(grad, (oy * g.out + ox) * c + start);
                            multiply_add(&mut sum, &pixel, &lanes(weight, (ky * g.kernel + kx) * c + start));
                        }
                    }
                    put(dx, ix * c + start, sum);
                }
            });
        });
    }

    /// Gradients of weight and bias of one film, `[taps + 1, channels]`, the bias last.
    fn weights_back(&self, x: &[f32], grad: &[f32], c: usize) -> Vec<f32> {
        let g = self.geometry;
        let mut sums = vec![0.0f32; (g.taps() + 1) * c];
        vectorised(|| {
            for oy in 0..g.out {
                let row = oy * g.out;
                in_blocks!(c, |start, N| {
                    for ky in 0..g.kernel {
                        let Some(iy) = g.input(oy, ky) else { continue };
                        for kx in 0..g.kernel {
                            let at = (ky * g.kernel + kx) * c + start;
                            let mut sum = lanes::<N>(&sums, at);
                            for ox in 0..g.out {
                                let Some(ix) = g.input(ox, kx) else { continue };
                                let grad = lanes::<N>(grad, (row + ox) * c + start);
                                multiply_add(&mut sum, &grad, &lanes(x, (iy * g.side + ix) * c + start));
                            }
                            put(&mut sums, at, sum);
                        }
                    }
                    let at = g.taps() * c + start;
                    let mut sum = lanes::<N>(&sums, at);
                    for ox in 0..g.out {
                        multiply_add(&mut sum, &lanes(grad, (row + ox) * c + start), &[1.0; N]);
                    }
                    put(&mut sums, at, sum);
                });
            }
        });
        sums
    }
}

impl CustomOp3 for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise"
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
        let (x, weight) = (values(s1, l1, "depthwise")?, values(s2, l2, "depthwise")?);
        let bias = values(s3, l3, "depthwise")?;
        let (batch, pixels, c) = l1.shape().dims3()?;
        let g = self.geometry;
        if pixels != g.side * g.side || weight.len() != g.taps() * c || bias.len() != c || c == 0 {
            bail!("depthwise: input {:?} does not fit weight {:?} and {g:?}", l1.dims(), l2.dims())
        }
        let mut y = vec![0.0f32; batch * g.pixels() * c];
        y.par_chunks_mut(g.out * c).enumerate().for_each(|(row, y)| {
            let (film, oy) = (row / g.out, row % g.out);
            self.row(&x[film * pixels * c..(film + 1) * pixels * c], weight, bias, oy, y);
        });
        Ok((CpuStorage::F32(y), (batch, g.pixels(), c).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (g, (batch, pixels, c)) = (self.geometry, x.dims3()?);
        let grad = grad.contiguous()?;
        let (dx, sums) = with_values([x, weight, res, &grad], "depthwise", |[values, weight, res, grad]| {
            let (film_in, film_out) = (pixels * c, g.pixels() * c);
            let mut grad = grad.to_vec();
            grad.par_chunks_mut(film_out)
                .zip(res.par_chunks(film_out))
                .for_each(|(g, y)| self.activation.backward(y, g));
            let mut dx = vec![0.0f32; if x.track_op() { values.len() } else { 0 }];
            dx.par_chunks_mut(g.side * c).enumerate().for_each(|(row, dx)| {
                let (film, iy) = (row / g.side, row % g.side);
                self.row_back(&grad[film * film_out..(film + 1) * film_out], weight, c, iy, dx);
            });
            let films: Vec<Vec<f32>> = values
                .par_chunks(film_in)
                .zip(grad.par_chunks(film_out))
                .map(|(x, grad)| self.weights_back(x, grad, c))
                .collect();
            let mut sums = vec![0.0f32; (g.taps() + 1) * c];
            for film in films {
                sums.iter_mut().zip(film).for_each(|(s, v)| *s += v);
            }
            Ok((dx, sums))
        })?;
        let device = x.device();
        let dx = if dx.is_empty() { None } else { Some(Tensor::from_vec(dx, (batch, pixels, c), device)?) };
        let sums = Tensor::from_vec(sums, (g.taps() + 1, c), device)?;
        Ok((dx, Some(sums.narrow(0, 0, g.taps())?), Some(sums.narrow(0, g.taps(), 1)?.reshape(bias.shape())?)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{assert_close, check_gradients, random};
    use super::*;

    #[test]
    fn gradients() {
        for geometry in [Geometry::same(6, 3, 2), Geometry::same(5, 5, 1), Geometry::padded(5, 3, 2, 1)] {
            let (side, k) = (geometry.side, geometry.kernel);
            // 64 + 8 + 1 channels: blocks of several widths.
            for (channels, activation) in [(73, Activation::None), (3, Activation::Relu6), (2, Activation::Relu)] {
                let x = random(&[2, side * side, channels], 1);
                let inputs = [x, random(&[channels, 1, k, k], 2), random(&[channels], 3)];
                check_gradients(&inputs, |t| {
                    // Scaled so that ReLU6 meets its upper bound too.
                    depthwise(&(&t[0] * 4.0).unwrap(), &taps(&t[1]).unwrap(), &t[2], geometry, activation).unwrap()
                });
            }
        }
    }

    #[test]
    fn equals_candles_grouped_convolution() {
        let (x, weight) = (random(&[2, 49, 5], 1), random(&[5, 1, 3, 3], 2));
        let bias = Tensor::zeros(5, candle_core::DType::F32, x.device()).unwrap();
        let ours =
            depthwise(&x, &taps(&weight).unwrap(), &bias, Geometry::padded(7, 3, 2, 1), Activation::None).unwrap();
        let image = x.transpose(1, 2).unwrap().reshape((2, 5, 7, 7)).unwrap().contiguous().unwrap();
        let theirs = image.conv2d(&weight, 1, 2, 1, 5).unwrap().flatten_from(2).unwrap().transpose(1, 2).unwrap();
        assert_close(&ours, &theirs, 1e-6, "depthwise");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let (x, weight, bias) = (random(&[1, 16, 4], 1), random(&[9, 3], 2), random(&[4], 3));
        let error = depthwise(&x, &weight, &bias, Geometry::same(4, 3, 1), Activation::None).unwrap_err().to_string();
        assert!(error.contains("[1, 16, 4]") && error.contains("[9, 3]"), "{error}");
        let weight = random(&[9, 4], 2);
        assert!(depthwise(&x, &weight, &bias, Geometry::same(4, 3, 1), Activation::None).is_ok());
        assert!(depthwise(&x, &weight, &bias, Geometry::same(5, 3, 1), Activation::None).is_err());
    }
}
