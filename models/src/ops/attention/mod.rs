//! Softmax attention within groups of tokens: Swin's windows, or the whole sequence of BERT.
//!
//! - [`windows`]: which tokens attend to each other, and what is masked
//! - [`fused`]: gather, scores, bias, mask, softmax, weighted sum and scatter in one CPU operation
//! - [`plain`]: the same from tensor operations, for other devices and types

mod fused;
mod plain;
mod windows;

use candle_core::{Result, Tensor, bail};

pub(crate) use windows::Windows;

/// Multi-head attention.
///
/// `qkv` is `[batch, tokens, 3 * width]`: query, key and value side by side, each split into `heads`. `bias` is the relative
/// position bias `[heads, n, n]` for windows of `n` tokens. The result is `[batch, tokens, width]`.
pub(crate) fn attention(qkv: &Tensor, bias: Option<&Tensor>, windows: &Windows, heads: usize) -> Result<Tensor> {
    let (batch, tokens, width3) = qkv.dims3()?;
    let n = windows.size();
    if tokens != windows.tokens() || heads == 0 || width3 % (3 * heads) != 0 || !windows.fits(batch) {
        bail!("attention: qkv {:?} does not fit {heads} heads and {} tokens", qkv.dims(), windows.tokens())
    }
    if let Some(bias) = bias
        && bias.dims() != [heads, n, n]
    {
        bail!("attention: bias {:?} does not fit {heads} heads and windows of {n}", bias.dims())
    }
    if !super::fused(qkv) {
        return plain::attention(qkv, bias, windows, heads);
    }
    let op = fused::Attention::new(windows.clone(), heads, qkv.track_op());
    let qkv = qkv.contiguous()?;
    match bias {
        Some(bias) => qkv.apply_op2(&bias.contiguous()?, op),
        None => qkv.apply_op1(op),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{check_gradients, random};
    use super::*;

    #[test]
    fn gradients_of_shifted_windows_with_bias() {
        let windows = Windows::grid(4, 2, 1).unwrap();
        let inputs = [random(&[2, 16, 12], 1), random(&[2, 4, 4], 2)];
        check_gradients(&inputs, |t| attention(&t[0], Some(&t[1]), &windows, 2).unwrap());
    }

    #[test]
    fn gradients_of_a_padded_sequence() {
        let windows = Windows::sequences(&[5, 2], 5);
        check_gradients(&[random(&[2, 5, 18], 3)], |t| attention(&t[0], None, &windows, 3).unwrap());
    }

    #[test]
    fn gradients_over_several_chunks() {
        // 4 * 130 * 130 scores fill a chunk, so every item is one of its own.
        let windows = Windows::sequences(&[130, 99, 3], 130);
        check_gradients(&[random(&[3, 130, 24], 5)], |t| attention(&t[0], None, &windows, 4).unwrap());
        // 2 * 49 * 49 scores: 13 windows per chunk, 4 per item, so items straddle chunks.
        let windows = Windows::grid(14, 7, 3).unwrap();
        let inputs = [random(&[5, 196, 12], 6), random(&[2, 49, 49], 7)];
        check_gradients(&inputs, |t| attention(&t[0], Some(&t[1]), &windows, 2).unwrap());
    }

    #[test]
    fn padding_has_no_influence() {
        let qkv = random(&[1, 5, 6], 4);
        let short = attention(&qkv.narrow(1, 0, 3).unwrap(), None, &Windows::sequences(&[3], 3), 1).unwrap();
        let padded = attention(&qkv, None, &Windows::sequences(&[3], 5), 1).unwrap();
        super::super::testing::assert_close(&padded.narrow(1, 0, 3).unwrap(), &short, 1e-6, "padded");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let windows = Windows::sequences(&[5, 2], 5);
        assert!(attention(&random(&[2, 4, 6], 1), None, &windows, 1).is_err());
        assert!(attention(&random(&[3, 5, 6], 1), None, &windows, 1).is_err());
        assert!(attention(&random(&[2, 5, 7], 1), None, &windows, 1).is_err());
        assert!(attention(&random(&[2, 5, 6], 1), Some(&random(&[1, 4, 4], 2)), &windows, 1).is_err());
    }
}
