//! Unit vectors: their arithmetic, and how they are kept.
//!
//! - [`column`] rows of `f32` in a mapped file, each with its checksum; the exact scan
//! - `codes` the same vectors in 8 bits, to choose from
//! - `kernels` inner products in the machine's widest registers

pub(crate) mod codes;
pub mod column;
pub(crate) mod kernels;

use crate::error::{IndexError, Result};

pub use column::{Column, ColumnWriter};

/// How far the length of a stored vector may be from 1.
const UNIT_TOLERANCE: f32 = 1e-3;
/// The `k` best, best first, ties by row.
pub fn best_of(mut scored: Vec<(f32, u32)>, k: usize) -> Vec<(f32, u32)> {
    let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if k < scored.len() {
        if k > 0 {
            scored.select_nth_unstable_by(k - 1, order);
        }
        scored.truncate(k);
    }
    scored.sort_unstable_by(order);
    scored
}

/// Dot product; of the common length where the lengths differ.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    (kernels::Kernels::best().floats)(a, b)
}

/// The vector at length 1, or `None` when it has no direction: NaN, infinity, all zero.
pub fn normalised(vector: &[f32]) -> Option<Vec<f32>> {
    let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if !norm.is_finite() || norm < 1e-20 {
        return None;
    }
    // a vector that is of length 1 as well as f32 can say stays as it is, to the bit
    if (norm - 1.0).abs() < 1e-6 {
        return Some(vector.to_vec());
    }
    Some(vector.iter().map(|&x| (f64::from(x) / norm) as f32).collect())
}

/// True for finite numbers and a length of 1.
pub fn is_unit(vector: &[f32]) -> bool {
    // NaN and infinity fail the comparison
    (dot(vector, vector).sqrt() - 1.0).abs() < UNIT_TOLERANCE
}

/// Checks a query vector and brings it to length 1.
///
/// # Errors
/// [`IndexError::WrongDimension`], [`IndexError::NotFinite`].
pub fn checked_query(query: &[f32], dimension: usize) -> Result<Vec<f32>> {
    if query.len() != dimension {
        return Err(IndexError::WrongDimension { expected: dimension, found: query.len() });
    }
    normalised(query).ok_or(IndexError::NotFinite)
}

/// Little-endian bytes of the numbers.
pub fn encode(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// The numbers of little-endian bytes; an incomplete one at the end is dropped.
pub fn decode(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| b.try_into().map_or(f32::NAN, f32::from_le_bytes)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn dot_equals_the_plain_sum() {
        for length in [0, 1, 15, 16, 17, 100, 512] {
            let a: Vec<f32> = (0..length).map(|i| (i as f32 * 0.37).sin()).collect();
            let b: Vec<f32> = (0..length).map(|i| (i as f32 * 0.11).cos()).collect();
            let plain: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            assert!((f64::from(dot(&a, &b)) - plain).abs() < 1e-4, "length {length}");
        }
    }

    #[test]
    fn normalising() {
        assert_eq!(normalised(&[3.0, 4.0]), Some(vec![0.6, 0.8]));
        assert_eq!(normalised(&[0.0, 0.0]), None);
        assert_eq!(normalised(&[f32::NAN, 1.0]), None);
        assert_eq!(normalised(&[f32::INFINITY, 1.0]), None);
        // squares beyond f32 are no obstacle
        assert!(is_unit(&normalised(&[3e30, 4e30]).unwrap()));
    }

    #[test]
    fn ties_are_broken_by_row() {
        assert_eq!(best_of(vec![(0.5, 9), (0.5, 2), (0.9, 7), (0.5, 4)], 3), [(0.9, 7), (0.5, 2), (0.5, 4)]);
        assert_eq!(best_of(vec![(0.5, 9)], 0), []);
    }
}
