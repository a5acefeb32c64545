//! The rows of an item, cut where windows end, so that groups of windows can be written in parallel.
//!
//! A row of windows covers consecutive rows of tokens; with shifted windows the last one wraps around to the first tokens.

use super::super::attention::Windows;

/// The rows of the tokens of some windows.
pub(super) struct Strip<'a> {
    /// The token of the first row.
    start: usize,
    rows: &'a mut [f32],
    /// What comes after the last token of the item: its first tokens.
    wrapped: &'a mut [f32],
}

impl Strip<'_> {
    /// The row of a token, of an item with `tokens` of them.
    #[inline(always)]
    pub(super) fn row(&mut self, token: usize, tokens: usize, width: usize) -> &mut [f32] {
        let at = ((token + tokens - self.start) % tokens) * width;
        match at.checked_sub(self.rows.len()) {
            None => &mut self.rows[at..at + width],
            Some(at) => &mut self.wrapped[at..at + width],
        }
    }
}

/// Cuts `[batch, tokens, width]` into strips, in the order of the windows.
pub(super) fn strips<'a>(values: &'a mut [f32], windows: &Windows, width: usize) -> Vec<Strip<'a>> {
    let tokens = windows.tokens();
    let strip = windows.strip();
    let length = strip.windows * windows.size();
    let mut all = Vec::new();
    for item in values.chunks_exact_mut(tokens * width) {
        let (mut head, mut rest) = item.split_at_mut(strip.start * width);
        for start in (strip.start..strip.start + tokens).step_by(length) {
            let whole = (length * width).min(rest.len());
            let (rows, after) = rest.split_at_mut(whole);
            let (wrapped, left) = head.split_at_mut(length * width - whole);
            all.push(Strip { start, rows, wrapped });
            (head, rest) = (left, after);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_token_is_found_in_the_strip_of_its_window() {
        for windows in
            [Windows::grid(6, 2, 1).unwrap(), Windows::grid(4, 2, 0).unwrap(), Windows::sequences(&[3, 3], 3)]
        {
            let (batch, width) = (2, 2);
            let tokens = windows.tokens();
            let mut values = vec![0.0; batch * tokens * width];
            for (s, strip) in strips(&mut values, &windows, width).iter_mut().enumerate() {
                let per_item = windows.count() / windows.strip().windows;
                for w in 0..windows.strip().windows {
                    for &token in windows.window(s % per_item * windows.strip().windows + w) {
                        let token = token as usize;
                        strip.row(token, tokens, width).fill((s / per_item * tokens + token) as f32 + 1.0);
                    }
                }
            }
            let expected: Vec<f32> = (1..=batch * tokens).flat_map(|v| [v as f32; 2]).collect();
            assert_eq!(values, expected);
        }
    }
}
