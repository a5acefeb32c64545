//! Attention as one CPU operation.
//!
//! Windows are gathered, computed and scattered one by one in parallel, so no transposed copy of the whole batch is made.
//! The probabilities are kept for the backward pass only where there is one.

use std::sync::OnceLock;

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::super::{math, values, with_values};
use super::windows::Windows;

pub(super) struct Attention {
    windows: Windows,
    heads: usize,
    keep: bool,
    /// Probabilities per item and window, `[heads, n, n]` each.
    kept: OnceLock<Vec<Vec<f32>>>,
}

/// Sizes of a call.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    tokens: usize,
    width: usize,
    heads: usize,
    /// Tokens per window.
    n: usize,
    /// Width of a head.
    d: usize,
}

impl Sizes {
    fn scale(self) -> f32 {
        1.0 / (self.d as f32).sqrt()
    }

    /// Layout `[heads, n, d]` of query (0), key (1) or value (2) in gathered rows of `3 * width`.
    fn part(self, which: usize) -> Layout {
        Layout::new(Shape::from((self.heads, self.n, self.d)), vec![self.d, 3 * self.width, 1], which * self.width)
    }

    /// Layout `[heads, n, d]` in gathered rows of `width`.
    fn rows(self) -> Layout {
        Layout::new(Shape::from((self.heads, self.n, self.d)), vec![self.d, self.width, 1], 0)
    }

    /// Layout `[heads, n, n]` of scores.
    fn scores(self) -> Layout {
        Layout::contiguous((self.heads, self.n, self.n))
    }
}

fn transposed(layout: &Layout) -> Result<Layout> {
    layout.transpose(1, 2)
}

/// Batched product over the heads: `[heads, m, k] x [heads, k, n]`.
fn product(a: &CpuStorage, la: &Layout, b: &CpuStorage, lb: &Layout) -> Result<CpuStorage> {
    let (heads, m, k) = la.shape().dims3()?;
    let (_, _, n) = lb.shape().dims3()?;
    a.matmul(b, (heads, m, n, k), la, lb)
}

fn floats(storage: CpuStorage) -> Result<Vec<f32>> {
    match storage {
        CpuStorage::F32(v) => Ok(v),
        _ => bail!("attention: expects f32"),
    }
}

fn gather(source: &[f32], index: &[u32], width: usize) -> CpuStorage {
    let mut rows = Vec::with_capacity(index.len() * width);
    for &token in index {
        rows.extend_from_slice(&source[token as usize * width..][..width]);
    }
    CpuStorage::F32(rows)
}

impl Attention {
    pub(super) fn new(windows: Windows, heads: usize, keep: bool) -> Self {
        Self { windows, heads, keep, kept: OnceLock::new() }
    }

    fn sizes(&self, dims: &[usize]) -> Result<Sizes> {
        let &[batch, tokens, width3] = dims else { bail!("attention: expects [batch, tokens, 3 width]") };
        let width = width3 / 3;
        Ok(Sizes { batch, tokens, width, heads: self.heads, n: self.windows.size(), d: width / self.heads })
    }

    /// One window: its output `[heads, n, d]` and its probabilities `[heads, n, n]`.
    fn window(
        &self,
        s: Sizes,
        qkv: &[f32],
        bias: Option<&[f32]>,
        item: usize,
        w: usize,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let local = gather(qkv, self.windows.window(w), 3 * s.width);
        let mut scores = floats(product(&local, &s.part(0), &local, &transposed(&s.part(1))?)?)?;
        let scale = s.scale();
        for (i, row) in scores.chunks_exact_mut(s.n).enumerate() {
            row.iter_mut().for_each(|v| *v *= scale);
            if let Some(bias) = bias {
                row.iter_mut().zip(&bias[i * s.n..]).for_each(|(v, b)| *v += b);
            }
            if let Some(mask) = self.windows.mask_row(item, w, i % s.n) {
                row.iter_mut().zip(mask).for_each(|(v, m)| *v += m);
            }
            math::softmax(row);
        }
        let scores = CpuStorage::F32(scores);
        let out = floats(product(&scores, &s.scores(), &local, &s.part(2))?)?;
        Ok((out, floats(scores)?))
    }

    fn forward(&self, qkv: &[f32], bias: Option<&[f32]>, dims: &[usize]) -> Result<(CpuStorage, Shape)> {
        let s = self.sizes(dims)?;
        let count = self.windows.count();
        let item = |i: usize| &qkv[i * s.tokens * 3 * s.width..][..s.tokens * 3 * s.width];
        let (outs, kept): (Vec<Vec<f32>>, Vec<Vec<f32>>) = (0..s.batch * count)
            .into_par_iter()
            .map(|i| {
                let (out, p) = self.window(s, item(i / count), bias, i / count, i % count)?;
                Ok((out, if self.keep { p } else { Vec::new() }))
            })
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .unzip();
        if self.keep {
            let _ = self.kept.set(kept);
        }
        let mut y = vec![0.0f32; s.batch * s.tokens * s.width];
        y.par_chunks_mut(s.tokens * s.width).zip(outs.par_chunks(count)).for_each(|(y, outs)| {
            for (w, out) in outs.iter().enumerate() {
                scatter(y, self.windows.window(w), out, s, 0, s.width);
            }
        });
        Ok((CpuStorage::F32(y), Shape::from((s.batch, s.tokens, s.width))))
    }

    /// Gradient of one window's `qkv` written to `dx`; adds that of the bias to `dbias`.
    fn window_backward(
        &self,
        s: Sizes,
        (qkv, grad, p): (&[f32], &[f32], &[f32]),
        w: usize,
        dx: &mut [f32],
        dbias: &mut [f32],
    ) -> Result<()> {
        let index = self.windows.window(w);
        let local = gather(qkv, index, 3 * s.width);
        let grad = gather(grad, index, s.width);
        let mut ds = floats(product(&grad, &s.rows(), &local, &transposed(&s.part(2))?)?)?;
        for (ds, p) in ds.chunks_exact_mut(s.n).zip(p.chunks_exact(s.n)) {
            let inner = math::sum_by2(ds, p, |d, p| d * p);
            ds.iter_mut().zip(p).for_each(|(d, p)| *d = p * (*d - inner));
        }
        if !dbias.is_empty() {
            dbias.iter_mut().zip(&ds).for_each(|(b, d)| *b += d);
        }
        let scale = s.scale();
        ds.iter_mut().for_each(|d| *d *= scale);
        let (ds, p) = (CpuStorage::F32(ds), CpuStorage::F32(p.to_vec()));
        let across = transposed(&s.scores())?;
        let dq = floats(product(&ds, &s.scores(), &local, &s.part(1))?)?;
        let dk = floats(product(&ds, &across, &local, &s.part(0))?)?;
        let dv = floats(product(&p, &across, &grad, &s.rows())?)?;
        for (which, part) in [dq, dk, dv].iter().enumerate() {
            scatter(dx, index, part, s, which * s.width, 3 * s.width);
        }
        Ok(())
    }

    fn backward(&self, qkv: &Tensor, grad: &Tensor, with_bias: bool) -> Result<(Tensor, Vec<f32>)> {
        let s = self.sizes(qkv.dims())?;
        let Some(kept) = self.kept.get() else { bail!("attention: forward kept no probabilities") };
        let count = self.windows.count();
        let grad = grad.contiguous()?;
        let bias_len = if with_bias { s.heads * s.n * s.n } else { 0 };
        let (dx, dbias) = with_values([qkv, &grad], "attention", |[qkv, grad]| {
            let mut dx = vec![0.0f32; qkv.len()];
            let parts: Vec<Vec<f32>> = dx
                .par_chunks_mut(s.tokens * 3 * s.width)
                .zip(qkv.par_chunks(s.tokens * 3 * s.width))
                .zip(grad.par_chunks(s.tokens * s.width))
                .zip(kept.par_chunks(count))
                .map(|(((dx, qkv), grad), kept)| {
                    let mut dbias = vec![0.0f32; bias_len];
                    for (w, p) in kept.iter().enumerate() {
                        self.window_backward(s, (qkv, grad, p), w, dx, &mut dbias)?;
                    }
                    Ok(dbias)
                })
                .collect::<Result<_>>()?;
            let mut dbias = vec![0.0f32; bias_len];
            for part in parts {
                dbias.iter_mut().zip(part).for_each(|(b, p)| *b += p);
            }
            Ok((dx, dbias))
        })?;
        Ok((Tensor::from_vec(dx, qkv.shape(), qkv.device())?, dbias))
    }
}

/// Writes `part` (`[heads, n, d]`) to the rows of the window's tokens, from column `offset` on.
fn scatter(rows: &mut [f32], index: &[u32], part: &[f32], s: Sizes, offset: usize, stride: usize) {
    for (i, &token) in index.iter().enumerate() {
        let row = &mut rows[token as usize * stride + offset..][..s.width];
        for (h, to) in row.chunks_exact_mut(s.d).enumerate() {
            to.copy_from_slice(&part[(h * s.n + i) * s.d..][..s.d]);
        }
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
