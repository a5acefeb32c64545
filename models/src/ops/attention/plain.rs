//! Attention from tensor operations.

use candle_core::{D, Result, Tensor};

use super::windows::Windows;

/// Multi-head attention. `qkv` is `[batch, tokens, 3 * width]`: query, key and value side by side, each split into `heads`;
/// `bias` is `[heads, n, n]` for windows of `n` tokens. The result is `[batch, tokens, width]`.
pub(in crate::ops) fn attention(
    qkv: &Tensor,
    bias: Option<&Tensor>,
    windows: &Windows,
    heads: usize,
) -> Result<Tensor> {
    let (batch, tokens, width3) = qkv.dims3()?;
    let (count, n, width) = (windows.count(), windows.size(), width3 / 3);
    let d = width / heads;
    let device = qkv.device();
    let index = Tensor::from_slice(windows.index(), tokens, device)?;
    let parts = qkv
        .contiguous()?
        .index_select(&index, 1)?
        .reshape((batch * count, n, 3, heads, d))?
        .permute((2, 0, 3, 1, 4))?
        .contiguous()?;
    let (q, k, v) = (parts.get(0)?, parts.get(1)?, parts.get(2)?);
    let scale = 1.0 / (d as f64).sqrt();
    let mut scores = (q.matmul(&k.t()?.contiguous()?)? * scale)?;
    if let Some(bias) = bias {
        scores = scores.broadcast_add(bias)?;
    }
    if let Some((mask, [b, w, rows, columns])) = windows.mask_values(batch) {
        let mask = Tensor::from_vec(mask, (b, w, 1, rows, columns), device)?.to_dtype(scores.dtype())?;
        scores =
            scores.reshape((batch, count, heads, n, n))?.broadcast_add(&mask)?.reshape((batch * count, heads, n, n))?;
    }
    let probabilities = candle_nn::ops::softmax(&scores, D::Minus1)?;
    let out = probabilities.matmul(&v)?.transpose(1, 2)?.contiguous()?.reshape((batch, tokens, width))?;
    let mut back = vec![0u32; tokens];
    for (position, &token) in (0u32..).zip(windows.index()) {
        if let Some(slot) = back.get_mut(token as usize) {
            *slot = position;
        }
    }
    out.index_select(&Tensor::from_vec(back, tokens, device)?, 1)
}
