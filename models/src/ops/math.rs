//! `exp`, `erf` and sums over rows, written so that the compiler vectorises the loops around them.

use rayon::prelude::*;

use super::simd::vectorised;

/// e^x to 2e-7 relative; 0 below -87. Cephes' polynomial (expf.c) with branch-free range reduction.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to an integer, which then sits in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.0, 88.0);
    let shifted = clamped * std::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = clamped - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4f32;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5e-1;
    let y = p * r * r + r + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    if x < -87.0 { 0.0 } else { y * power }
}

/// The error function to 4e-7 absolute: Eigen's rational approximation (`generic_fast_erf_float`).
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let x2 = x * x;
    let p = -2.726_142_3e-10f32;
    let p = p * x2 + 2.770_681_4e-8;
    let p = p * x2 - 2.101_024e-6;
    let p = p * x2 - 5.692_506_4e-5;
    let p = p * x2 - 7.349_906_4e-4;
    let p = p * x2 - 2.954_6e-3;
    let p = p * x2 - 1.609_603_3e-2;
    let q = -1.456_607_2e-5f32;
    let q = q * x2 - 2.133_740_6e-4;
    let q = q * x2 - 1.682_827e-3;
    let q = q * x2 - 7.373_329e-3;
    let q = q * x2 - 1.426_473_9e-2;
    x * p / q
}

/// Partial sums of a row: a register of AVX-512. The 49 scores of a Swin window leave one value over.
const LANES: usize = 16;

/// Sum of `f` over a row, in interleaved partial sums: always in the same order.
#[inline(always)]
pub fn sum_by(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane += f(v);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&v| f(v)).sum::<f32>()
}

/// Sum of `f` over two rows of the same length.
#[inline(always)]
pub fn sum_by2(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (chunks_a, chunks_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (rest_a, rest_b) = (chunks_a.remainder(), chunks_b.remainder());
    for (x, y) in chunks_a.zip(chunks_b) {
        for ((lane, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += f(x, y);
        }
    }
    lanes.iter().sum::<f32>() + rest_a.iter().zip(rest_b).map(|(&x, &y)| f(x, y)).sum::<f32>()
}

/// Sum of the squares of all values.
pub(crate) fn sum_of_squares(values: &[f32]) -> f64 {
    const BLOCK: usize = 16 * 1024;
    let sums: Vec<f64> =
        values.par_chunks(BLOCK).map(|block| f64::from(vectorised(|| sum_by(block, |v| v * v)))).collect();
    sums.iter().sum()
}

/// Largest value of a row.
#[inline(always)]
pub fn max(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane = if v > *lane { v } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |m, &v| if v > m { v } else { m })
}

/// Softmax of each row of `n` values, in place. The exponentials are taken over all rows at once: rows can be shorter than
/// the loop's stride.
#[inline(always)]
pub fn softmax(rows: &mut [f32], n: usize) {
    for row in rows.chunks_exact_mut(n) {
        let top = max(row);
        row.iter_mut().for_each(|v| *v -= top);
    }
    rows.iter_mut().for_each(|v| *v = exp(*v));
    for row in rows.chunks_exact_mut(n) {
        let scale = 1.0 / sum_by(row, |v| v);
        row.iter_mut().for_each(|v| *v *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_matches_the_standard_library() {
        for i in -8700..=8800 {
            let x = i as f32 / 100.0;
            let (got, want) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((got - want).abs() <= 3e-7 * want, "exp({x}) = {got}, is {want}");
        }
        assert_eq!(exp(-1e30), 0.0);
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn erf_matches_the_reference() {
        for i in -600..=600 {
            let x = i as f32 / 100.0;
            let want = candle_core::cpu::erf::erf_f64(f64::from(x));
            assert!((f64::from(erf(x)) - want).abs() <= 4e-7, "erf({x}) = {}, is {want}", erf(x));
        }
    }

    #[test]
    fn sums_cover_the_remainder() {
        let row: Vec<f32> = (1..=19).map(|v| v as f32).collect();
        assert_eq!(sum_by(&row, |v| v), 190.0);
        assert_eq!(sum_by2(&row, &row, |a, b| a * b), 2470.0);
        assert_eq!(max(&row), 19.0);
        let mut row = [0.0, f32::ln(3.0), -1e30];
        softmax(&mut row, 3);
        assert!((row[0] - 0.25).abs() < 1e-6 && (row[1] - 0.75).abs() < 1e-6 && row[2] == 0.0);
    }
}
