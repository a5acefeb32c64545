//! Matrix products of slices, for the fused operations.
//!
//! Two kernels, each where it is the faster one: that of `packed` for a left side that is stored row after row,
//! `matrixmultiply`'s (through `ndarray`) for a transposed one, as in the gradient of a weight, and for small products.
//!
//! Candle's own product is about as fast on one thread, but it always splits itself over all threads, which only costs where
//! shards keep them busy already, and each call reads `/proc/cpuinfo` where `RAYON_NUM_THREADS` isn't set: for the small
//! products of a window that took longer than the product.

use candle_core::{Error, Result};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};
use rayon::prelude::*;

use super::packed;

/// Multiply-adds below which a product stays on one thread.
const SERIAL: usize = 1 << 21;

/// A matrix in a slice, row after row, or its transpose.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
    /// Values from one stored row to the next.
    stride: usize,
}

impl<'a> Matrix<'a> {
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { values, rows, columns, transposed: false, stride: columns }
    }

    /// Rows that lie `stride` values apart.
    pub(crate) fn strided(values: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        Self { values, rows, columns, transposed: false, stride }
    }

    pub(crate) fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    /// `count` rows from row `start` on.
    fn view(&self, start: usize, count: usize) -> Result<ArrayView2<'a, f32>> {
        let (skip, strides) =
            if self.transposed { (start, (1, self.stride)) } else { (start * self.stride, (self.stride, 1)) };
        let values = self.values.get(skip..).unwrap_or_default();
        ArrayView2::from_shape((count, self.columns).strides(strides), values).map_err(Error::wrap)
    }
}

/// `c = a b + beta c` on this thread; `c` is stored row after row.
pub(crate) fn multiply(a: Matrix<'_>, b: Matrix<'_>, beta: f32, c: &mut [f32]) -> Result<()> {
    rows(a, b, beta, (c, b.columns), 0, a.rows)
}

/// The same for a `c` whose rows lie `stride` values apart.
pub(crate) fn multiply_strided(a: Matrix<'_>, b: Matrix<'_>, beta: f32, c: &mut [f32], stride: usize) -> Result<()> {
    rows(a, b, beta, (c, stride), 0, a.rows)
}

/// The same, its rows split over the threads where that pays.
pub(crate) fn multiply_parallel(a: Matrix<'_>, b: Matrix<'_>, beta: f32, c: &mut [f32]) -> Result<()> {
    if a.columns != b.rows {
        candle_core::bail!("product of {} x {} and {} x {}", a.rows, a.columns, b.rows, b.columns)
    }
    let whole = a.stride == a.columns && [b.rows, b.columns].contains(&b.stride);
    if !a.transposed && whole && a.rows * a.columns * b.columns >= SERIAL / 16 {
        return packed::multiply((a.values, a.rows, a.columns), (b.values, b.columns, b.transposed), beta, c);
    }
    let threads = rayon::current_num_threads();
    if threads < 2 || a.rows * a.columns * b.columns < SERIAL {
        return multiply(a, b, beta, c);
    }
    // Whole tiles of the kernel, so that no block has more edges than it must.
    let block = a.rows.div_ceil(threads).next_multiple_of(16);
    c.par_chunks_mut((block * b.columns).max(1))
        .enumerate()
        .try_for_each(|(i, c)| rows(a, b, beta, (c, b.columns), i * block, block.min(a.rows - i * block)))
}

fn rows(
    a: Matrix<'_>,
    b: Matrix<'_>,
    beta: f32,
    (c, stride): (&mut [f32], usize),
    start: usize,
    count: usize,
) -> Result<()> {
    if a.columns != b.rows {
        candle_core::bail!("product of {} x {} and {} x {}", a.rows, a.columns, b.rows, b.columns)
    }
    let mut c = ArrayViewMut2::from_shape((count, b.columns).strides((stride, 1)), c).map_err(Error::wrap)?;
    general_mat_mul(1.0, &a.view(start, count)?, &b.view(0, b.rows)?, beta, &mut c);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::random;
    use super::*;

    fn values(shape: &[usize], seed: u64) -> Vec<f32> {
        random(shape, seed).flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn equals_the_loops_in_all_orientations() {
        // Large enough to be split, and no multiple of a tile.
        let (m, k, n) = (131, 130, 129);
        let (a, b, start) = (values(&[m, k], 1), values(&[k, n], 2), values(&[m, n], 3));
        let turn = |v: &[f32], r: usize, c: usize| -> Vec<f32> { (0..r * c).map(|i| v[i % r * c + i / r]).collect() };
        let (at, bt) = (turn(&a, m, k), turn(&b, k, n));
        let lefts = [Matrix::new(&a, m, k), Matrix::new(&at, k, m).t()];
        let rights = [Matrix::new(&b, k, n), Matrix::new(&bt, n, k).t()];
        for left in lefts {
            for right in rights {
                let mut c = start.clone();
                multiply_parallel(left, right, 0.5, &mut c).unwrap();
                for (i, j) in [(0, 0), (7, 128), (130, 0), (130, 128), (64, 65)] {
                    let sum: f32 = (0..k).map(|x| a[i * k + x] * b[x * n + j]).sum();
                    assert!((c[i * n + j] - sum - 0.5 * start[i * n + j]).abs() < 1e-4);
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let a = values(&[2, 3], 1);
        assert!(multiply(Matrix::new(&a, 2, 3), Matrix::new(&a, 2, 3), 0.0, &mut [0.0; 6]).is_err());
        assert!(multiply(Matrix::new(&a, 2, 3), Matrix::new(&a, 3, 3), 0.0, &mut [0.0; 6]).is_err());
        assert!(multiply(Matrix::new(&a, 2, 3), Matrix::new(&a, 3, 2), 0.0, &mut [0.0; 3]).is_err());
    }
}
