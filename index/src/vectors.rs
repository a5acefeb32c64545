//! A column of unit vectors: contiguous `f32`, little endian on disk, one row after the other.

use rayon::prelude::*;

use crate::error::{IndexError, Result};

/// How far the length of a stored vector may be from 1.
const UNIT_TOLERANCE: f32 = 1e-3;
/// Rows that one thread scans at a time.
const BLOCK: usize = 2048;

/// Rows of `dimension` numbers each.
#[derive(Debug, Default)]
pub struct Column {
    dimension: usize,
    data: Vec<f32>,
}

impl Column {
    /// Reads a column file's bytes; `None` when they are no whole number of rows, or a row is no unit vector.
    pub fn from_bytes(bytes: &[u8], dimension: usize) -> Option<Self> {
        let row_bytes = dimension.checked_mul(4)?;
        if row_bytes == 0 || !bytes.len().is_multiple_of(row_bytes) {
            return bytes.is_empty().then_some(Self { dimension, data: Vec::new() });
        }
        let data = decode(bytes);
        data.par_chunks_exact(dimension).all(is_unit).then_some(Self { dimension, data })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.data.len().checked_div(self.dimension).unwrap_or(0)
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Numbers per row.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The vector of a row.
    pub fn row(&self, row: u32) -> Option<&[f32]> {
        let start = (row as usize).checked_mul(self.dimension)?;
        self.data.get(start..start.checked_add(self.dimension)?)
    }

    /// The `k` best of all rows: score and row, best first, ties by row.
    pub fn scan(&self, query: &[f32], k: usize) -> Vec<(f32, u32)> {
        if self.is_empty() {
            return Vec::new();
        }
        let best = self
            .data
            .par_chunks(BLOCK * self.dimension)
            .enumerate()
            .map(|(block, rows)| {
                let first = block * BLOCK;
                let scored = rows.chunks_exact(self.dimension).enumerate();
                best_of(scored.map(|(i, row)| (dot(query, row), (first + i) as u32)).collect(), k)
            })
            .reduce(Vec::new, |mut all, block| {
                all.extend(block);
                all
            });
        best_of(best, k)
    }

    /// The `k` best of these rows, as [`Column::scan`]; rows that do not exist are passed over.
    pub fn scan_rows(&self, query: &[f32], rows: &[u32], k: usize) -> Vec<(f32, u32)> {
        let best = rows
            .par_chunks(BLOCK)
            .map(|block| {
                let scored = block.iter().filter_map(|&row| Some((dot(query, self.row(row)?), row)));
                best_of(scored.collect(), k)
            })
            .reduce(Vec::new, |mut all, block| {
                all.extend(block);
                all
            });
        best_of(best, k)
    }
}

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
    // sixteen sums side by side: the compiler keeps them in vector registers, and rounding does not depend on the machine
    const LANES: usize = 16;
    let length = a.len().min(b.len());
    let (a, b) = (a.get(..length).unwrap_or_default(), b.get(..length).unwrap_or_default());
    let mut sums = [0.0f32; LANES];
    let (mut left, mut right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (x, y) in left.by_ref().zip(right.by_ref()) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    let rest: f32 = left.remainder().iter().zip(right.remainder()).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f32>() + rest
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
    fn a_column_refuses_what_is_no_unit_vector() {
        assert_eq!(Column::from_bytes(&encode(&[1.0, 0.0, 0.6, 0.8]), 2).unwrap().len(), 2);
        assert!(Column::from_bytes(&encode(&[1.0, 0.5]), 2).is_none());
        assert!(Column::from_bytes(&encode(&[f32::NAN, 1.0]), 2).is_none());
        assert!(Column::from_bytes(&encode(&[1.0, 0.0, 1.0]), 2).is_none());
        assert!(Column::from_bytes(&[], 2).unwrap().is_empty());
    }

    #[test]
    fn ties_are_broken_by_row() {
        assert_eq!(best_of(vec![(0.5, 9), (0.5, 2), (0.9, 7), (0.5, 4)], 3), [(0.9, 7), (0.5, 2), (0.5, 4)]);
        assert_eq!(best_of(vec![(0.5, 9)], 0), []);
    }
}
