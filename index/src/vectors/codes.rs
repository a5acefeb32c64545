//! Vectors in 8 bits: four times smaller and faster to compare than `f32`, close enough to choose what is then scored exactly.
//!
//! A number `x` is stored as `round(x / step) + 128`, one step for a whole space: the largest number of the vectors divided by 127,
//! but for one vector in a thousand, so that a freak does not make all others coarse. A query is signed, with a step of its own.
//! Scores order as `sum(stored * query)` does: the 128 add the same to all.

use super::kernels::{Kernels, LINE, prefetch};

/// Stored for zero, and what rows are padded with.
const ZERO: u8 = 128;
/// One of so many vectors may be clipped.
const FREAKS: usize = 1000;

/// Length of a code: the dimension, padded to whole cache lines.
pub(crate) fn stride(dimension: usize) -> usize {
    dimension.next_multiple_of(LINE)
}

/// The step for these vectors; 1 where there is none.
pub(crate) fn step<'a>(vectors: impl Iterator<Item = &'a [f32]>) -> f32 {
    let mut largest: Vec<f32> = vectors.map(|v| v.iter().fold(0.0f32, |max, x| max.max(x.abs()))).collect();
    let last = largest.len().saturating_sub(1);
    let at = last - largest.len() / FREAKS;
    if largest.is_empty() {
        return 1.0;
    }
    let (_, max, _) = largest.select_nth_unstable_by(at, f32::total_cmp);
    if *max > 0.0 { *max / 127.0 } else { 1.0 }
}

fn level(x: f32, step: f32) -> i8 {
    // a float that is too large becomes the largest, and NaN becomes zero
    (x / step).round().clamp(-127.0, 127.0) as i8
}

/// Appends the code of a vector.
pub(crate) fn push(out: &mut Vec<u8>, vector: &[f32], step: f32) {
    let end = out.len() + stride(vector.len());
    out.extend(vector.iter().map(|&x| level(x, step) as u8 ^ ZERO));
    out.resize(end, ZERO);
}

/// Codes one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Codes<'a> {
    bytes: &'a [u8],
    stride: usize,
    kernels: Kernels,
}

/// What is compared with codes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    levels: Vec<i8>,
    /// What the offset of the stored codes adds to every score.
    offset: i32,
    /// Of a query.
    step: f32,
}

impl Probe {
    /// Of a query vector.
    pub(crate) fn new(query: &[f32]) -> Self {
        let step = step(std::iter::once(query));
        let mut levels: Vec<i8> = query.iter().map(|&x| level(x, step)).collect();
        levels.resize(stride(query.len()), 0);
        Self { offset: offset(&levels), levels, step }
    }

    /// What the score of a code is as a cosine, where the codes have this step.
    pub(crate) fn cosine(&self, score: i32, step: f32) -> f32 {
        score as f32 * (self.step * step)
    }

    /// How far a cosine by codes may be from the right one: three standard deviations.
    ///
    /// Rounding is off by up to half a step, a twelfth of its square on average, and unit vectors weigh the errors of the numbers.
    pub(crate) fn error(&self, step: f32) -> f32 {
        3.0 * ((self.step * self.step + step * step) / 12.0).sqrt()
    }

    /// The same as a difference of scores.
    pub(crate) fn error_score(&self, step: f32) -> i32 {
        // beyond the range of i32 it becomes the largest
        (self.error(step) / (self.step * step)).ceil() as i32
    }

    /// Becomes the probe of a stored vector.
    pub(crate) fn set(&mut self, code: &[u8]) {
        self.levels.clear();
        self.levels.extend(code.iter().map(|byte| (byte ^ ZERO) as i8));
        self.offset = offset(&self.levels);
    }
}

fn offset(levels: &[i8]) -> i32 {
    i32::from(ZERO) * levels.iter().map(|&level| i32::from(level)).sum::<i32>()
}

impl<'a> Codes<'a> {
    pub(crate) fn new(bytes: &'a [u8], dimension: usize) -> Self {
        Self { bytes, stride: stride(dimension), kernels: Kernels::best() }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len().checked_div(self.stride).unwrap_or(0)
    }

    /// The code of a node; empty where there is none.
    #[inline]
    pub(crate) fn of(&self, node: u32) -> &'a [u8] {
        let start = node as usize * self.stride;
        self.bytes.get(start..start + self.stride).unwrap_or_default()
    }

    /// Higher is nearer; comparable for one probe only.
    #[inline]
    pub(crate) fn score(&self, probe: &Probe, node: u32) -> i32 {
        (self.kernels.codes)(self.of(node), &probe.levels) - probe.offset
    }

    #[inline]
    pub(crate) fn prefetch(&self, node: u32) {
        prefetch(self.of(node));
    }
}
