//! Rows of values: how they are grouped, started, summed.

use candle_core::Result;
use rayon::prelude::*;

use super::super::matmul::{Matrix, multiply_parallel};
use super::super::simd::vectorised;

/// Rows of a group: their activations stay in the second-level cache, and the weights are read often enough to pay.
const GROUP: usize = 256;
/// Rows of a tile of the kernel.
const TILE: usize = 6;
/// What reading the weights costs each group, in tiles: about.
const READ: usize = 4;
/// Rows below which they aren't split: the kernel splits the columns instead, so that each thread reads half the weights.
const SMALL: usize = 128;

/// How many units of `unit` rows make a group, when there are `units` of them: so many that no thread waits long for the
/// others at the end, counted in the kernel's tiles.
pub(super) fn group(units: usize, unit: usize) -> usize {
    if units * unit < SMALL {
        return units.max(1);
    }
    balanced(units, unit.max(1), rayon::current_num_threads().max(1))
}

fn balanced(units: usize, unit: usize, threads: usize) -> usize {
    let most = (GROUP / unit).clamp(1, units.div_ceil(threads).max(1));
    // Of the thread that has the most to do.
    let cost = |group: usize| units.div_ceil(group).div_ceil(threads) * ((group * unit).div_ceil(TILE) + READ);
    (1..=most).rev().min_by_key(|&group| cost(group)).unwrap_or(1)
}

/// Rows that all start as `bias`.
pub(super) fn biased(bias: &[f32], rows: usize) -> Vec<f32> {
    bias.repeat(rows)
}

/// Overwrites all rows with `bias`.
pub(super) fn fill(y: &mut [f32], bias: &[f32]) {
    y.chunks_exact_mut(bias.len()).for_each(|row| row.copy_from_slice(bias));
}

/// `y = x + factor bias` for rows.
pub(super) fn residual(x: &[f32], bias: &[f32], factor: f32, y: &mut [f32]) {
    let n = bias.len();
    vectorised(|| {
        for (y, x) in y.chunks_exact_mut(n).zip(x.chunks_exact(n)) {
            y.iter_mut().zip(x).zip(bias).for_each(|((y, x), b)| *y = x + factor * b);
        }
    });
}

/// `y += x`
pub(super) fn add(y: &mut [f32], x: &[f32]) {
    vectorised(|| y.iter_mut().zip(x).for_each(|(y, x)| *y += x));
}

/// `y *= factor`
pub(super) fn scale(y: &mut [f32], factor: f32) {
    if factor != 1.0 {
        vectorised(|| y.iter_mut().for_each(|y| *y *= factor));
    }
}

/// Sum over the rows of `[rows, n]`, in blocks of a fixed size so that the result doesn't depend on the number of threads.
pub(super) fn column_sums(values: &[f32], n: usize) -> Vec<f32> {
    let blocks: Vec<Vec<f32>> = values
        .par_chunks(n * 256)
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

/// `g^T x`, the gradient of a weight: `g` is `[rows, n]`, `x` `[rows, k]`, the result `[n, k]`.
pub(super) fn weight_gradient(g: &[f32], n: usize, x: &[f32], k: usize) -> Result<Vec<f32>> {
    let rows = x.len() / k.max(1);
    let mut dw = vec![0.0f32; n * k];
    multiply_parallel(Matrix::new(g, rows, n).t(), Matrix::new(x, rows, k), 0.0, &mut dw)?;
    Ok(dw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_all_threads_busy() {
        for (units, unit) in [(1024, 1), (16, 64), (2048, 1), (32, 64), (1000, 3), (7, 49), (1, 300), (64, 49)] {
            for threads in [1, 2, 3, 8] {
                let group = balanced(units, unit, threads);
                assert!(group >= 1 && (group == 1 || group * unit <= GROUP), "{group} of {units} x {unit}");
                let most = units.div_ceil(group).div_ceil(threads) * group * unit;
                let fair = units * unit / threads;
                assert!(most <= (fair * 5 / 4).max(fair + unit), "{most} of {units} x {unit} on {threads}");
            }
        }
        assert_eq!(balanced(1024, 1, 2), 256);
    }
}
