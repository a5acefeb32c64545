//! Which tokens attend to each other.

use std::sync::Arc;

use candle_core::{Result, bail};

/// What a masked score gets in Swin (the published code's value).
const OTHER_REGION: f32 = -100.0;
/// What a padding token gets in BERT: its probability becomes exactly 0.
const PADDING: f32 = -1e30;

/// A partition of the tokens of one item into windows of equal size, and an additive mask on their scores.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    /// Token indices, window after window.
    index: Arc<Vec<u32>>,
    size: usize,
    mask: Mask,
    strip: Strip,
}

/// Consecutive windows whose tokens are consecutive too, counted cyclically.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strip {
    /// Windows of a strip.
    pub(crate) windows: usize,
    /// First token of the first strip.
    pub(crate) start: usize,
}

#[derive(Clone, Debug)]
enum Mask {
    None,
    /// `[windows, size, size]`, the same for every item.
    Pairs(Arc<Vec<f32>>),
    /// `[batch, size]` over the keys, each item its own.
    Keys(Arc<Vec<f32>>),
}

impl Windows {
    /// Windows of `window` x `window` on a grid of `side` x `side` tokens, shifted cyclically by `shift` tokens
    /// (Liu et al., section 3.2). Tokens that only the shift brings together don't see each other.
    pub(crate) fn grid(side: usize, window: usize, shift: usize) -> Result<Self> {
        if window == 0 || !side.is_multiple_of(window) || shift >= window.max(1) {
            bail!("windows of {window} shifted by {shift} do not tile {side} x {side} tokens")
        }
        let region = |at: usize| match at {
            _ if shift == 0 => 0,
            at if at < side - window => 0,
            at if at < side - shift => 1,
            _ => 2,
        };
        let size = window * window;
        let mut index = Vec::with_capacity(side * side);
        let mut regions = Vec::with_capacity(side * side);
        for top in (0..side).step_by(window) {
            for left in (0..side).step_by(window) {
                for y in top..top + window {
                    for x in left..left + window {
                        let (from_y, from_x) = ((y + shift) % side, (x + shift) % side);
                        index.push(u32::try_from(from_y * side + from_x).unwrap_or(u32::MAX));
                        regions.push(region(y) * 3 + region(x));
                    }
                }
            }
        }
        let mask = if shift == 0 {
            Mask::None
        } else {
            let pairs = regions.chunks(size).flat_map(|window| {
                window.iter().flat_map(move |a| window.iter().map(move |b| if a == b { 0.0 } else { OTHER_REGION }))
            });
            Mask::Pairs(Arc::new(pairs.collect()))
        };
        let strip = Strip { windows: side / window, start: shift * side };
        Ok(Self { index: Arc::new(index), size, mask, strip })
    }

    /// Whole sequences, padded to `tokens`; `lengths` are their true lengths.
    pub(crate) fn sequences(lengths: &[usize], tokens: usize) -> Self {
        let index = (0..tokens).map(|t| u32::try_from(t).unwrap_or(u32::MAX)).collect();
        let mask = if lengths.iter().all(|&l| l >= tokens) {
            Mask::None
        } else {
            let keys = lengths.iter().flat_map(|&l| (0..tokens).map(move |t| if t < l { 0.0 } else { PADDING }));
            Mask::Keys(Arc::new(keys.collect()))
        };
        Self { index: Arc::new(index), size: tokens, mask, strip: Strip { windows: 1, start: 0 } }
    }

    /// Tokens of an item.
    pub(crate) fn tokens(&self) -> usize {
        self.index.len()
    }

    /// Tokens of a window.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Windows of an item.
    pub(crate) fn count(&self) -> usize {
        self.index.len() / self.size.max(1)
    }

    /// How the windows of an item form strips.
    pub(crate) fn strip(&self) -> Strip {
        self.strip
    }

    /// True where a batch of this size has a mask for every item.
    pub(crate) fn fits(&self, batch: usize) -> bool {
        self.size > 0
            && match &self.mask {
                Mask::Keys(keys) => keys.len() == batch * self.size,
                _ => true,
            }
    }

    /// Token indices of window `w`.
    pub(crate) fn window(&self, w: usize) -> &[u32] {
        &self.index[w * self.size..(w + 1) * self.size]
    }

    /// All token indices, window after window.
    pub(crate) fn index(&self) -> &[u32] {
        &self.index
    }

    /// The mask on the scores of query `row` in window `w` of item `item`.
    #[inline(always)]
    pub(crate) fn mask_row(&self, item: usize, w: usize, row: usize) -> Option<&[f32]> {
        let n = self.size;
        match &self.mask {
            Mask::None => None,
            Mask::Pairs(pairs) => Some(&pairs[(w * n + row) * n..][..n]),
            Mask::Keys(keys) => Some(&keys[item * n..][..n]),
        }
    }

    /// The mask as values `[batch or 1, windows, size or 1, size]`, or nothing.
    pub(crate) fn mask_values(&self, batch: usize) -> Option<(Vec<f32>, [usize; 4])> {
        match &self.mask {
            Mask::None => None,
            Mask::Pairs(pairs) => Some((pairs.to_vec(), [1, self.count(), self.size, self.size])),
            Mask::Keys(keys) => Some((keys.to_vec(), [batch, 1, 1, self.size])),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_shifted_grid_of_four_by_four() {
        // Shifted by 1, the last window holds the corners: tokens 15, 12, 3 and 0 of the grid.
        let windows = Windows::grid(4, 2, 1).unwrap();
        assert_eq!(windows.count(), 4);
        assert_eq!(windows.window(0), [5, 6, 9, 10]);
        assert_eq!(windows.window(3), [15, 12, 3, 0]);
        assert_eq!(windows.mask_row(0, 0, 0), Some(&[0.0; 4][..]));
        assert_eq!(windows.mask_row(0, 3, 1), Some(&[-100.0, 0.0, -100.0, -100.0][..]));
        // The second window joins the right edge with the left one.
        assert_eq!(windows.window(1), [7, 4, 11, 8]);
        assert_eq!(windows.mask_row(0, 1, 0), Some(&[0.0, -100.0, 0.0, -100.0][..]));
    }

    #[test]
    fn every_token_is_in_one_window() {
        let windows = Windows::grid(14, 7, 3).unwrap();
        let mut seen: Vec<u32> = windows.index().to_vec();
        seen.sort_unstable();
        assert_eq!(seen, (0..196).collect::<Vec<u32>>());
        assert!(Windows::grid(10, 7, 0).is_err());
    }
}
