//! Resizing as Pillow does it: two passes, columns then rows, with a filter that widens with the scale.
//!
//! For 8 bits this is Pillow's `Resample.c` to the bit: weights as integers of 22 bits, and 8 bits between the passes, so
//! that a cubic filter's overshoot is cut twice. The `image` crate keeps fractions between the passes and differs by several
//! gray values along the edges of burnt-in letters. For 16 bits, which Pillow doesn't resize, fractions are kept.

use crate::config::Filter;

/// Bits after the point of an 8-bit weight.
const PRECISION: u32 = 32 - 8 - 2;

/// The input that one output pixel sees: the first pixel and a weight for each.
struct Window {
    first: usize,
    weights: Vec<f64>,
}

impl Filter {
    /// Reach on either side, in pixels of the smaller of the two images.
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        let x = x.abs();
        match self {
            Self::Bilinear => (1.0 - x).max(0.0),
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Self::Bicubic => 0.0,
        }
    }
}

fn windows(from: usize, to: usize, filter: Filter) -> Vec<Window> {
    let scale = from as f64 / to as f64;
    let widened = scale.max(1.0);
    let support = filter.support() * widened;
    (0..to)
        .map(|i| {
            let centre = (i as f64 + 0.5) * scale;
            // A negative start is cut to 0 by the cast.
            let first = (centre - support + 0.5) as usize;
            let end = ((centre + support + 0.5) as usize).min(from);
            let mut weights: Vec<f64> =
                (first..end).map(|x| filter.weight((x as f64 - centre + 0.5) * (1.0 / widened))).collect();
            let sum: f64 = weights.iter().sum();
            if sum != 0.0 {
                weights.iter_mut().for_each(|w| *w /= sum);
            }
            Window { first, weights }
        })
        .collect()
}

/// A gray value that can be resized.
pub(super) trait Sample: Copy + Send + Sync {
    /// What is between the passes.
    type Between: Copy + Default;
    /// A weight as it is multiplied with.
    type Weight: Copy;

    fn weight(weight: f64) -> Self::Weight;
    fn first(pairs: impl Iterator<Item = (Self, Self::Weight)>) -> Self::Between;
    fn second(pairs: impl Iterator<Item = (Self::Between, Self::Weight)>) -> Self;
}

impl Sample for u8 {
    type Between = u8;
    type Weight = i32;

    fn weight(weight: f64) -> i32 {
        let scaled = weight * f64::from(1u32 << PRECISION);
        (scaled + 0.5f64.copysign(scaled)) as i32
    }

    fn first(pairs: impl Iterator<Item = (u8, i32)>) -> u8 {
        let sum: i32 = pairs.map(|(v, w)| i32::from(v) * w).sum();
        ((sum + (1 << (PRECISION - 1))) >> PRECISION).clamp(0, 255) as u8
    }

    fn second(pairs: impl Iterator<Item = (u8, i32)>) -> u8 {
        Self::first(pairs)
    }
}

impl Sample for u16 {
    type Between = f32;
    type Weight = f32;

    fn weight(weight: f64) -> f32 {
        weight as f32
    }

    fn first(pairs: impl Iterator<Item = (u16, f32)>) -> f32 {
        pairs.map(|(v, w)| f32::from(v) * w).sum()
    }

    fn second(pairs: impl Iterator<Item = (f32, f32)>) -> u16 {
        pairs.map(|(v, w)| v * w).sum::<f32>().round().clamp(0.0, 65_535.0) as u16
    }
}

/// A square of `side`, row after row, at another size. Both sides must be 1 or more.
pub(super) fn resize<T: Sample>(values: &[T], side: usize, target: usize, filter: Filter) -> Vec<T> {
    let windows: Vec<(usize, Vec<T::Weight>)> = windows(side, target, filter)
        .into_iter()
        .map(|w| (w.first, w.weights.into_iter().map(T::weight).collect()))
        .collect();
    // The columns of all rows, stored column after column, so that the second pass runs along memory too.
    let mut between = vec![T::Between::default(); target * side];
    for (y, row) in values.chunks_exact(side).enumerate() {
        for ((first, weights), column) in windows.iter().zip(between.chunks_exact_mut(side)) {
            if let Some(value) = column.get_mut(y) {
                *value = T::first(row.iter().skip(*first).copied().zip(weights.iter().copied()));
            }
        }
    }
    let mut out = Vec::with_capacity(target * target);
    for (first, weights) in &windows {
        for column in between.chunks_exact(side) {
            out.push(T::second(column.iter().skip(*first).copied().zip(weights.iter().copied())));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gradient under a checker.
    fn film(width: usize, height: usize) -> Vec<u8> {
        let at = |x: usize, y: usize| (x * 37 + y * 59 + (x / 3 + y / 2) % 2 * 120) % 256;
        (0..width * height).map(|i| at(i % width, i / width) as u8).collect()
    }

    /// The film in the middle of a black square.
    fn padded(width: usize, height: usize) -> (usize, Vec<u8>) {
        let side = width.max(height);
        let mut square = vec![0u8; side * side];
        let (left, top) = ((side - width) / 2, (side - height) / 2);
        for (y, row) in film(width, height).chunks_exact(width).enumerate() {
            let at = (top + y) * side + left;
            square[at..at + width].copy_from_slice(row);
        }
        (side, square)
    }

    /// Pillow 13.0.0: `square.resize((n, n), filter)`.
    #[test]
    fn equals_pillow_to_the_bit() {
        let (side, wide) = padded(23, 17);
        #[rustfmt::skip]
        let bilinear = [
            [3, 6, 6, 7, 8, 8, 11, 11, 10], [57, 72, 72, 76, 93, 107, 115, 139, 129],
            [89, 97, 98, 125, 135, 146, 137, 163, 157], [111, 108, 109, 122, 154, 151, 166, 159, 153],
            [127, 121, 132, 128, 166, 168, 155, 162, 158], [111, 135, 136, 160, 166, 153, 165, 162, 149],
            [147, 143, 147, 151, 152, 150, 164, 158, 137], [131, 124, 129, 126, 114, 128, 118, 106, 90],
            [12, 11, 10, 10, 9, 8, 7, 6, 5],
        ];
        assert_eq!(resize(&wide, side, 9, Filter::Bilinear), bilinear.as_flattened());
        #[rustfmt::skip]
        let bicubic = [
            [0, 1, 0, 1, 1, 0, 2, 0, 0], [57, 74, 69, 73, 99, 105, 117, 145, 133],
            [93, 99, 101, 132, 142, 153, 141, 167, 159], [114, 108, 106, 121, 158, 151, 168, 158, 152],
            [123, 118, 128, 125, 168, 172, 148, 165, 164], [107, 138, 129, 165, 174, 150, 166, 163, 148],
            [157, 148, 153, 155, 160, 149, 169, 161, 137], [137, 125, 133, 130, 115, 134, 122, 109, 93],
            [2, 2, 0, 0, 0, 0, 0, 0, 0],
        ];
        assert_eq!(resize(&wide, side, 9, Filter::Bicubic), bicubic.as_flattened());
        let (side, tall) = padded(5, 7);
        #[rustfmt::skip]
        let enlarged = [
            [0, 0, 0, 22, 40, 70, 206, 204, 23, 0, 0], [0, 5, 18, 52, 80, 103, 136, 120, 47, 15, 0],
            [0, 29, 76, 89, 111, 131, 69, 41, 70, 30, 0], [0, 98, 210, 78, 28, 71, 167, 164, 33, 6, 0],
            [0, 81, 176, 70, 33, 72, 150, 143, 28, 5, 0], [0, 15, 45, 68, 97, 115, 58, 36, 69, 31, 0],
            [0, 82, 176, 70, 34, 72, 128, 180, 210, 88, 0], [0, 93, 197, 65, 18, 65, 137, 195, 216, 89, 0],
            [0, 17, 47, 59, 87, 112, 49, 22, 55, 25, 0], [0, 53, 141, 176, 148, 71, 95, 134, 158, 66, 0],
            [0, 94, 242, 255, 184, 31, 147, 252, 255, 110, 0],
        ];
        assert_eq!(resize(&tall, side, 11, Filter::Bicubic), enlarged.as_flattened());
    }

    #[test]
    fn deep_films_are_resized_alike() {
        let (side, square) = padded(23, 17);
        let deep: Vec<u16> = square.iter().map(|&v| u16::from(v) * 257).collect();
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            let (a, b) = (resize(&square, side, 9, filter), resize(&deep, side, 9, filter));
            for (a, b) in a.iter().zip(&b) {
                let difference = f32::from(*a) - f32::from(*b) / 257.0;
                assert!(difference.abs() <= 1.5, "{filter:?}: {a} and {b}");
            }
        }
    }

    #[test]
    fn a_flat_film_stays_flat() {
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            for target in [1, 3, 7, 20] {
                assert!(resize(&[201u8; 49], 7, target, filter).iter().all(|&v| v == 201));
                assert!(resize(&[40_000u16; 49], 7, target, filter).iter().all(|&v| v == 40_000));
            }
        }
    }
}
