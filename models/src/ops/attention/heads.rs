//! Softmax attention of every head within windows: scores, position bias, mask, softmax, weighted sum; and back.
//!
//! Query, key and value are rows of tokens in the order of the windows, `[windows * n, width]` each, head beside head.

use std::ops::Range;

use candle_core::Result;
use rayon::prelude::*;

use super::super::math;
use super::super::matmul::{Matrix, multiply, multiply_strided};
use super::super::simd::vectorised;
use super::windows::Windows;

/// The heads of an attention layer over some windows.
pub(crate) struct Heads<'a> {
    windows: &'a Windows,
    heads: usize,
    width: usize,
    /// Tokens of a window.
    n: usize,
    /// Width of a head.
    d: usize,
}

impl<'a> Heads<'a> {
    pub(crate) fn new(windows: &'a Windows, heads: usize, width: usize) -> Self {
        Self { windows, heads, width, n: windows.size(), d: width / heads.max(1) }
    }

    /// Head `h` of rows of a window.
    fn head<'b>(&self, rows: &'b [f32], h: usize) -> Matrix<'b> {
        Matrix::strided(&rows[h * self.d..], self.n, self.d, self.width)
    }

    /// Attention of the windows `range`, counted over the batch; `out` is `[windows * n, width]`.
    pub(crate) fn attend(
        &self,
        [q, k, v]: [&[f32]; 3],
        bias: Option<&[f32]>,
        range: Range<usize>,
        out: &mut [f32],
    ) -> Result<()> {
        if range.len() == 1 {
            return self.attend_one([q, k, v], bias, range.start, out);
        }
        let window = self.n * self.width;
        let mut p = vec![0.0f32; self.n * self.n];
        let inputs = q.chunks_exact(window).zip(k.chunks_exact(window)).zip(v.chunks_exact(window));
        for (w, (((q, k), v), out)) in range.zip(inputs.zip(out.chunks_exact_mut(window))) {
            for h in 0..self.heads {
                self.probabilities(q, k, bias, w, h, &mut p)?;
                let p = Matrix::new(&p, self.n, self.n);
                multiply_strided(p, self.head(v, h), 0.0, &mut out[h * self.d..], self.width)?;
            }
        }
        Ok(())
    }

    /// The same for a single window, its heads in parallel.
    fn attend_one(&self, [q, k, v]: [&[f32]; 3], bias: Option<&[f32]>, w: usize, out: &mut [f32]) -> Result<()> {
        let one = |h: usize| {
            let (mut p, mut part) = (vec![0.0f32; self.n * self.n], vec![0.0f32; self.n * self.d]);
            self.probabilities(q, k, bias, w, h, &mut p)?;
            multiply(Matrix::new(&p, self.n, self.n), self.head(v, h), 0.0, &mut part)?;
            Ok(part)
        };
        let parts = (0..self.heads).into_par_iter().map(one).collect::<Result<Vec<_>>>()?;
        for (h, part) in parts.iter().enumerate() {
            for (to, from) in out.chunks_exact_mut(self.width).zip(part.chunks_exact(self.d)) {
                to[h * self.d..][..self.d].copy_from_slice(from);
            }
        }
        Ok(())
    }

    /// Softmax of the scores of head `h` in window `w`.
    fn probabilities(
        &self,
        q: &[f32],
        k: &[f32],
        bias: Option<&[f32]>,
        w: usize,
        h: usize,
        p: &mut [f32],
    ) -> Result<()> {
        let n = self.n;
        multiply(self.head(q, h), self.head(k, h).t(), 0.0, p)?;
        let scale = 1.0 / (self.d as f32).sqrt();
        let (item, window) = (w / self.windows.count(), w % self.windows.count());
        let bias = bias.and_then(|bias| bias.get(h * n * n..(h + 1) * n * n));
        vectorised(|| {
            match bias {
                Some(bias) => p.iter_mut().zip(bias).for_each(|(v, b)| *v = *v * scale + b),
                None => p.iter_mut().for_each(|v| *v *= scale),
            }
            for (i, row) in p.chunks_exact_mut(n).enumerate() {
                if let Some(mask) = self.windows.mask_row(item, window, i) {
                    row.iter_mut().zip(mask).for_each(|(v, m)| *v += m);
                }
            }
            math::softmax(p, n);
        });
        Ok(())
    }

    /// From the gradient of the output, `[windows * n, width]`: query, key and value become their own gradients, and the
    /// position bias's, `[heads, n, n]` or empty, is added to `dbias`.
    pub(crate) fn backward(
        &self,
        [q, k, v]: [&mut [f32]; 3],
        bias: Option<&[f32]>,
        range: Range<usize>,
        grad: &[f32],
        dbias: &mut [f32],
    ) -> Result<()> {
        let (n, d, window) = (self.n, self.d, self.n * self.width);
        let (mut p, mut ds) = (vec![0.0f32; n * n], vec![0.0f32; n * n]);
        let [mut dq, mut dk, mut dv] = [vec![0.0f32; n * d], vec![0.0f32; n * d], vec![0.0f32; n * d]];
        let scale = 1.0 / (d as f32).sqrt();
        let inputs = q.chunks_exact_mut(window).zip(k.chunks_exact_mut(window)).zip(v.chunks_exact_mut(window));
        for (w, (((q, k), v), g)) in range.zip(inputs.zip(grad.chunks_exact(window))) {
            for h in 0..self.heads {
                self.probabilities(q, k, bias, w, h, &mut p)?;
                multiply(self.head(g, h), self.head(v, h).t(), 0.0, &mut ds)?;
                let dbias = dbias.get_mut(h * n * n..(h + 1) * n * n);
                score_gradients(&p, &mut ds, n, scale, dbias);
                let (p, ds) = (Matrix::new(&p, n, n), Matrix::new(&ds, n, n));
                multiply(ds, self.head(k, h), 0.0, &mut dq)?;
                multiply(ds.t(), self.head(q, h), 0.0, &mut dk)?;
                multiply(p.t(), self.head(g, h), 0.0, &mut dv)?;
                for (to, from) in [(&mut *q, &dq), (&mut *k, &dk), (&mut *v, &dv)] {
                    for (to, from) in to.chunks_exact_mut(self.width).zip(from.chunks_exact(d)) {
                        to[h * d..][..d].copy_from_slice(from);
                    }
                }
            }
        }
        Ok(())
    }
}

/// From probabilities and their gradients to those of the scores before scaling, in place; those after are added to `dbias`.
fn score_gradients(p: &[f32], ds: &mut [f32], n: usize, scale: f32, dbias: Option<&mut [f32]>) {
    vectorised(|| {
        for (ds, p) in ds.chunks_exact_mut(n).zip(p.chunks_exact(n)) {
            let inner = math::sum_by2(ds, p, |d, p| d * p);
            ds.iter_mut().zip(p).for_each(|(d, p)| *d = p * (*d - inner));
        }
        if let Some(dbias) = dbias {
            dbias.iter_mut().zip(ds.iter()).for_each(|(b, d)| *b += d);
        }
        ds.iter_mut().for_each(|d| *d *= scale);
    });
}
