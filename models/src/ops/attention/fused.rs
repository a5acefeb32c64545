//! Attention as one CPU operation.
//!
//! Windows are gathered, computed and scattered in chunks in parallel, so no transposed copy of the whole batch is made.
//! The probabilities are kept for the backward pass only where there is one.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::super::matmul::{Matrix, multiply};
use super::super::{math, values, with_values};
use super::windows::Windows;

/// Scores per chunk: enough work for a task, and always the same cut, so that sums don't depend on the number of threads.
const CHUNK: usize = 1 << 16;

pub(super) struct Attention {
    windows: Windows,
    heads: usize,
    keep: bool,
    /// Probabilities per chunk, `[windows * heads, n, n]`.
    kept: OnceLock<Vec<Vec<f32>>>,
}

/// Sizes of a call.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    tokens: usize,
    width: usize,
    heads: usize,
    /// Windows per item.
    count: usize,
    /// Tokens per window.
    n: usize,
    /// Width of a head.
    d: usize,
}

impl Sizes {
    fn scale(self) -> f32 {
        1.0 / (self.d as f32).sqrt()
    }

    /// Windows per chunk.
    fn chunk(self) -> usize {
        (CHUNK / (self.heads * self.n * self.n)).max(1)
    }

    /// The chunks of windows, counted over the batch.
    fn chunks(self) -> Vec<std::ops::Range<usize>> {
        let all = self.batch * self.count;
        (0..all).step_by(self.chunk()).map(|start| start..(start + self.chunk()).min(all)).collect()
    }
}

/// Products of matrices of `a` and `b`, one after the other: `[b, m, k] x [b, k, n]`; `true` takes that side transposed.
fn product(a: (&[f32], bool), b: (&[f32], bool), (m, n, k): (usize, usize, usize)) -> Result<Vec<f32>> {
    let count = a.0.len() / (m * k);
    let mut c = vec![0.0f32; count * m * n];
    for ((a_values, b_values), c) in a.0.chunks_exact(m * k).zip(b.0.chunks_exact(k * n)).zip(c.chunks_exact_mut(m * n))
    {
        let left = if a.1 { Matrix::new(a_values, k, m).t() } else { Matrix::new(a_values, m, k) };
        let right = if b.1 { Matrix::new(b_values, n, k).t() } else { Matrix::new(b_values, k, n) };
        multiply(left, right, 0.0, c)?;
    }
    Ok(c)
}

impl Attention {
    pub(super) fn new(windows: Windows, heads: usize, keep: bool) -> Self {
        Self { windows, heads, keep, kept: OnceLock::new() }
    }

    fn sizes(&self, dims: &[usize]) -> Result<Sizes> {
        let &[batch, tokens, width3] = dims else { bail!("attention: expects [batch, tokens, 3 width]") };
        let (width, count, n) = (width3 / 3, self.windows.count(), self.windows.size());
        Ok(Sizes { batch, tokens, width, heads: self.heads, count, n, d: width / self.heads })
    }

    /// `[windows, heads, n, d]` of the windows of a chunk, from rows of `stride` values, from column `offset` on.
    fn gather(&self, s: Sizes, rows: &[f32], chunk: &std::ops::Range<usize>, stride: usize, offset: usize) -> Vec<f32> {
        let mut out = Vec::with_capacity(chunk.len() * s.n * s.width);
        for g in chunk.clone() {
            let item = &rows[g / s.count * s.tokens * stride..][..s.tokens * stride];
            let window = self.windows.window(g % s.count);
            for h in 0..s.heads {
                for &token in window {
                    out.extend_from_slice(&item[token as usize * stride + offset + h * s.d..][..s.d]);
                }
            }
        }
        out
    }

    /// Writes the windows of item `item` from their chunks (`[windows, heads, n, d]` each) to its rows.
    fn scatter(&self, s: Sizes, chunks: &[&[f32]], item: usize, rows: &mut [f32], stride: usize, offset: usize) {
        for w in 0..s.count {
            let g = item * s.count + w;
            let part = &chunks[g / s.chunk()][g % s.chunk() * s.n * s.width..][..s.n * s.width];
            for (i, &token) in self.windows.window(w).iter().enumerate() {
                let row = &mut rows[token as usize * stride + offset..][..s.width];
                for (h, to) in row.chunks_exact_mut(s.d).enumerate() {
                    to.copy_from_slice(&part[(h * s.n + i) * s.d..][..s.d]);
                }
            }
        }
    }

    /// One chunk: its output and its probabilities.
    fn attend(
        &self,
        s: Sizes,
        qkv: &[f32],
        bias: Option<&[f32]>,
        chunk: &std::ops::Range<usize>,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let part = |which: usize| self.gather(s, qkv, chunk, 3 * s.width, which * s.width);
        let mut scores = product((&part(0), false), (&part(1), true), (s.n, s.n, s.d))?;
        let scale = s.scale();
        for (r, row) in scores.chunks_exact_mut(s.n).enumerate() {
            let (i, h, g) = (r % s.n, r / s.n % s.heads, chunk.start + r / (s.n * s.heads));
            row.iter_mut().for_each(|v| *v *= scale);
            if let Some(bias) = bias {
                row.iter_mut().zip(&bias[(h * s.n + i) * s.n..]).for_each(|(v, b)| *v += b);
            }
            if let Some(mask) = self.windows.mask_row(g / s.count, g % s.count, i) {
                row.iter_mut().zip(mask).for_each(|(v, m)| *v += m);
            }
            math::softmax(row);
        }
        let out = product((&scores, false), (&part(2), false), (s.n, s.d, s.n))?;
        Ok((out, if self.keep { scores } else { Vec::new() }))
    }

    fn forward(&self, qkv: &[f32], bias: Option<&[f32]>, dims: &[usize]) -> Result<(CpuStorage, Shape)> {
        let s = self.sizes(dims)?;
        let chunks = s.chunks();
        let done: Vec<(Vec<f32>, Vec<f32>)> =
            chunks.par_iter().map(|chunk| self.attend(s, qkv, bias, chunk)).collect::<Result<_>>()?;
        let (outs, kept): (Vec<_>, Vec<_>) = done.into_iter().unzip();
        if self.keep {
            let _ = self.kept.set(kept);
        }
        let outs: Vec<&[f32]> = outs.iter().map(Vec::as_slice).collect();
        let mut y = vec![0.0f32; s.batch * s.tokens * s.width];
        y.par_chunks_mut(s.tokens * s.width)
            .enumerate()
            .for_each(|(item, y)| self.scatter(s, &outs, item, y, s.width, 0));
        Ok((CpuStorage::F32(y), Shape::from((s.batch, s.tokens, s.width))))
    }

    /// Gradients of one chunk: query, key, value (`[windows, heads, n, d]` each) and bias.
    fn attend_backward(
        &self,
        s: Sizes,
        (qkv, grad, p): (&[f32], &[f32], &[f32]),
        chunk: &std::ops::Range<usize>,
        with_bias: bool,
    ) -> Result<([Vec<f32>; 3], Vec<f32>)> {
        let part = |which: usize| self.gather(s, qkv, chunk, 3 * s.width, which * s.width);
        let grad = self.gather(s, grad, chunk, s.width, 0);
        let mut ds = product((&grad, false), (&part(2), true), (s.n, s.n, s.d))?;
        for (ds, p) in ds.chunks_exact_mut(s.n).zip(p.chunks_exact(s.n)) {
            let inner = math::sum_by2(ds, p, |d, p| d * p);
            ds.iter_mut().zip(p).for_each(|(d, p)| *d = p * (*d - inner));
        }
        let mut dbias = vec![0.0f32; if with_bias { s.heads * s.n * s.n } else { 0 }];
        if with_bias {
            for window in ds.chunks_exact(dbias.len()) {
                dbias.iter_mut().zip(window).for_each(|(b, d)| *b += d);
            }
        }
        let scale = s.scale();
        ds.iter_mut().for_each(|d| *d *= scale);
        let narrow = (s.n, s.d, s.n);
        let dq = product((&ds, false), (&part(1), false), narrow)?;
        let dk = product((&ds, true), (&part(0), false), narrow)?;
        let dv = product((p, true), (&grad, false), narrow)?;
        Ok(([dq, dk, dv], dbias))
    }

    fn backward(&self, qkv: &Tensor, grad: &Tensor, with_bias: bool) -> Result<(Tensor, Vec<f32>)> {
        let s = self.sizes(qkv.dims())?;
        let Some(kept) = self.kept.get() else { bail!("attention: forward kept no probabilities") };
        let grad = grad.contiguous()?;
        let chunks = s.chunks();
        let done = with_values([qkv, &grad], "attention", |[qkv, grad]| {
            chunks
                .par_iter()
                .zip(kept)
                .map(|(chunk, p)| self.attend_backward(s, (qkv, grad, p), chunk, with_bias))
                .collect::<Result<Vec<_>>>()
        })?;
        let mut dbias = vec![0.0f32; if with_bias { s.heads * s.n * s.n } else { 0 }];
        for (_, part) in &done {
            dbias.iter_mut().zip(part).for_each(|(b, p)| *b += p);
        }
        let parts = [0, 1, 2].map(|which| done.iter().map(|(d, _)| d[which].as_slice()).collect::<Vec<_>>());
        let mut dx = vec![0.0f32; qkv.elem_count()];
        dx.par_chunks_mut(s.tokens * 3 * s.width).enumerate().for_each(|(item, dx)| {
            for (which, part) in parts.iter().enumerate() {
                self.scatter(s, part, item, dx, 3 * s.width, which * s.width);
            }
        });
        Ok((Tensor::from_vec(dx, qkv.shape(), qkv.device())?, dbias))
    }
}

impl CustomOp2 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let bias = values(s2, l2, "attention")?;
        self.forward(values(s1, l1, "attention")?, Some(bias), l1.dims())
    }

    fn bwd(
        &self,
        qkv: &Tensor,
        bias: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (dx, dbias) = self.backward(qkv, grad, true)?;
        Ok((Some(dx), Some(Tensor::from_vec(dbias, bias.shape(), bias.device())?)))
    }
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(values(storage, layout, "attention")?, None, layout.dims())
    }

    fn bwd(&self, qkv: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(self.backward(qkv, grad, false)?.0))
    }
}
