//! Maximum over a window, with a right gradient (Candle's own goes wrong).

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::super::simd::vectorised;
use super::super::{fused, values, with_values};
use super::Geometry;

/// `x` is `[batch, side * side, channels]`, the result `[batch, out * out, channels]`. What lies in the padding never wins. The
/// gradient goes to the first of equal values, as in PyTorch.
pub(crate) fn max_pool(x: &Tensor, geometry: Geometry) -> Result<Tensor> {
    if fused(x) {
        return x.contiguous()?.apply_op1(MaxPool { geometry });
    }
    // Shifted to be 1 or more, so that the zeros of the padding lose.
    let low = x.detach().flatten_all()?.min(0)?;
    let mut y: Option<Tensor> = None;
    for slice in geometry.slices(&(x.broadcast_sub(&low)? + 1.0)?)? {
        y = Some(match y {
            // Candle's maximum has a gradient of 1 for both where they are equal.
            Some(y) => y.ge(&slice)?.where_cond(&y, &slice)?,
            None => slice,
        });
    }
    match y {
        Some(y) => (y - 1.0)?.broadcast_add(&low),
        None => bail!("max-pool: a window of no pixels"),
    }
}

struct MaxPool {
    geometry: Geometry,
}

impl MaxPool {
    /// Calls `visit(output column, input pixel)` for all inputs of row `oy`.
    #[inline(always)]
    fn visit(&self, oy: usize, mut visit: impl FnMut(usize, usize)) {
        let g = self.geometry;
        for ky in 0..g.kernel {
            let Some(iy) = g.input(oy, ky) else { continue };
            for kx in 0..g.kernel {
                for ox in 0..g.out {
                    if let Some(ix) = g.input(ox, kx) {
                        visit(ox, iy * g.side + ix);
                    }
                }
            }
        }
    }

    fn row(&self, x: &[f32], c: usize, oy: usize, y: &mut [f32]) {
        y.fill(f32::NEG_INFINITY);
        vectorised(|| {
            self.visit(oy, |ox, pixel| {
                let target = y[ox * c..(ox + 1) * c].iter_mut();
                target.zip(&x[pixel * c..(pixel + 1) * c]).for_each(|(y, x)| *y = y.max(*x));
            });
        });
    }

    /// Gradient of one film.
    fn back(&self, x: &[f32], y: &[f32], grad: &[f32], c: usize, dx: &mut [f32]) {
        let g = self.geometry;
        let mut left = vec![0.0f32; g.out * c];
        for oy in 0..g.out {
            let row = oy * g.out * c..(oy + 1) * g.out * c;
            let y = &y[row.clone()];
            left.copy_from_slice(&grad[row]);
            self.visit(oy, |ox, pixel| {
                let (out, input) = (ox * c..(ox + 1) * c, pixel * c..(pixel + 1) * c);
                let places = left[out.clone()].iter_mut().zip(&y[out]).zip(&x[input.clone()]).zip(&mut dx[input]);
                for (((g, y), x), dx) in places {
                    if x == y {
                        *dx += std::mem::take(g);
                    }
                }
            });
        }
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(storage, layout, "max-pool")?;
        let (batch, pixels, c) = layout.shape().dims3()?;
        let g = self.geometry;
        if pixels != g.side * g.side || c == 0 {
            bail!("max-pool: input {:?} does not fit {g:?}", layout.dims())
        }
        let mut y = vec![0.0f32; batch * g.pixels() * c];
        y.par_chunks_mut(g.out * c).enumerate().for_each(|(row, y)| {
            let (film, oy) = (row / g.out, row % g.out);
            self.row(&x[film * pixels * c..(film + 1) * pixels * c], c, oy, y);
        });
        Ok((CpuStorage::F32(y), (batch, g.pixels(), c).into()))
    }

    fn bwd(&self, x: &Tensor, res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, pixels, c) = x.dims3()?;
        let grad = grad.contiguous()?;
        let dx = with_values([x, res, &grad], "max-pool", |[x, res, grad]| {
            let out = self.geometry.pixels() * c;
            let mut dx = vec![0.0f32; x.len()];
            dx.par_chunks_mut(pixels * c)
                .zip(x.par_chunks(pixels * c))
                .zip(res.par_chunks(out).zip(grad.par_chunks(out)))
                .for_each(|((dx, x), (y, grad))| self.back(x, y, grad, c, dx));
            Ok(dx)
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use candle_core::{Device, Var};

    use super::super::super::testing::{check_gradients, random};
    use super::*;

    #[test]
    fn gradients() {
        for geometry in [Geometry::padded(6, 3, 2, 1), Geometry::padded(5, 2, 2, 0), Geometry::padded(5, 3, 1, 1)] {
            check_gradients(&[random(&[2, geometry.side * geometry.side, 3], 4)], |t| {
                max_pool(&t[0], geometry).unwrap()
            });
        }
    }

    #[test]
    fn the_largest_wins_and_takes_the_gradient_once() {
        // 4 x 4 negative values, windows of 3 with stride 2 and padding 1: a zero of the padding would win everywhere.
        let values: Vec<f32> =
            [-9, -8, -7, -6, -5, -1, -1, -2, -9, -3, -9, -9, -4, -9, -9, -9].map(|v| v as f32).to_vec();
        let x = Var::from_vec(values, (1, 16, 1), &Device::Cpu).unwrap();
        let y = max_pool(&x, Geometry::padded(4, 3, 2, 1)).unwrap();
        assert_eq!(y.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [-1.0; 4]);
        let grads = y.sum_all().unwrap().backward().unwrap();
        let dx = grads.get(&x).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        // Pixel 5 is in all four windows and comes before its equal, pixel 6.
        let mut expected = [0.0; 16];
        expected[5] = 4.0;
        assert_eq!(dx, expected);
    }
}
