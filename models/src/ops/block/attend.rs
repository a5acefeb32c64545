//! `x + output(attention(norm(x)))`, or `norm(x + output(attention(x)))`, with softmax attention within windows of tokens.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, CustomOp3, D, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::super::attention::{Heads, Windows, plain};
use super::super::layer_norm::{self, Sums};
use super::super::{drop_path, values, with_values};
use super::mlp::give_norm;
use super::parameters::{Dense, Norm, Place, fusion};
use super::rows;
use super::strips::{Strip, strips};

/// The attention of a transformer layer, with its norm and residual.
#[derive(Clone)]
pub(crate) struct SelfAttention {
    pub(crate) norm: Norm,
    /// Query, key and value.
    pub(crate) inputs: [Dense; 3],
    pub(crate) output: Dense,
    pub(crate) heads: usize,
}

impl SelfAttention {
    /// `x` is `[batch, tokens, width]`, `bias` the relative position bias `[heads, n, n]` of windows of `n` tokens.
    /// `factors`, one for each item, scale the branch (stochastic depth).
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        bias: Option<&Tensor>,
        windows: &Windows,
        factors: Option<Vec<f32>>,
    ) -> Result<Tensor> {
        self.check(x.dims(), bias, windows)?;
        let layers = self.inputs.iter().chain([&self.output]).flat_map(Dense::tensors);
        let Some(keep) = fusion(x, self.norm.tensors().chain(layers)) else {
            return self.plain(x, bias, windows, factors);
        };
        let keep = keep || bias.is_some_and(Tensor::track_op);
        let op = Op { layer: self.clone(), windows: windows.clone(), factors, keep, kept: Mutex::default() };
        let x = x.contiguous()?;
        match bias {
            Some(bias) => x.apply_op3(&self.norm.weight, &bias.contiguous()?, op),
            None => x.apply_op2(&self.norm.weight, op),
        }
    }

    fn check(&self, dims: &[usize], bias: Option<&Tensor>, windows: &Windows) -> Result<()> {
        let (heads, n) = (self.heads, windows.size());
        let &[batch, tokens, width] = dims else { bail!("attention: expects [batch, tokens, width], not {dims:?}") };
        if tokens != windows.tokens() || heads == 0 || !width.is_multiple_of(heads) || !windows.fits(batch) {
            bail!("attention: {dims:?} does not fit {heads} heads and {} tokens", windows.tokens())
        }
        if let Some(bias) = bias
            && bias.dims() != [heads, n, n]
        {
            bail!("attention: bias {:?} does not fit {heads} heads and windows of {n}", bias.dims())
        }
        match self.inputs.iter().chain([&self.output]).find(|d| (d.inputs, d.outputs) != (width, width)) {
            Some(layer) => bail!("attention: {dims:?} does not fit a layer of {} to {}", layer.inputs, layer.outputs),
            None => Ok(()),
        }
    }

    fn plain(&self, x: &Tensor, bias: Option<&Tensor>, windows: &Windows, factors: Option<Vec<f32>>) -> Result<Tensor> {
        let before = self.norm.place == Place::Before;
        let input = if before { self.norm.plain(x)? } else { x.clone() };
        let parts = self.inputs.iter().map(|layer| layer.plain(&input)).collect::<Result<Vec<_>>>()?;
        let attended = plain::attention(&Tensor::cat(&parts, D::Minus1)?, bias, windows, self.heads)?;
        let branch = self.output.plain(&attended)?;
        let branch = match factors {
            Some(factors) => drop_path::scale_items(&branch, factors)?,
            None => branch,
        };
        let sum = (x + branch)?;
        if before { Ok(sum) } else { self.norm.plain(&sum) }
    }
}

struct Op {
    layer: SelfAttention,
    windows: Windows,
    factors: Option<Vec<f32>>,
    keep: bool,
    kept: Mutex<Option<Kept>>,
}

/// For the backward pass; rows in the order of the windows.
#[derive(Default)]
struct Kept {
    /// Query, key and value.
    inputs: [Vec<f32>; 3],
    attended: Vec<f32>,
    /// What goes into a norm behind the sum; empty without one.
    sum: Vec<f32>,
}

/// How the work is cut.
struct Cut {
    /// Strips of a group.
    group: usize,
    /// Rows of a strip.
    strip: usize,
    rows: usize,
}

/// A chunk of every buffer for one group, or nothing where the buffer is empty.
fn pieces(values: &mut [f32], chunk: usize, count: usize) -> impl Iterator<Item = &mut [f32]> {
    let empty = values.is_empty();
    let filler = std::iter::repeat_with(<&mut [f32]>::default).take(if empty { count } else { 0 });
    values.chunks_mut(chunk.max(1)).chain(filler)
}

impl Op {
    fn cut(&self, batch: usize) -> Cut {
        let strip = self.windows.strip().windows * self.windows.size();
        let rows = batch * self.windows.tokens();
        Cut { group: rows::group(rows / strip.max(1), strip), strip, rows }
    }

    fn factor(&self, item: usize) -> f32 {
        self.factors.as_ref().and_then(|f| f.get(item)).copied().unwrap_or(1.0)
    }

    /// The windows of group `g`, counted over the batch.
    fn windows_of(&self, cut: &Cut, g: usize, rows: usize) -> std::ops::Range<usize> {
        let first = g * cut.group * self.windows.strip().windows;
        first..first + rows / self.windows.size()
    }

    /// Tokens of the windows `range`, with their item.
    fn tokens(&self, range: &std::ops::Range<usize>) -> impl Iterator<Item = (usize, usize)> + '_ {
        let count = self.windows.count();
        range.clone().flat_map(move |w| self.windows.window(w % count).iter().map(move |&t| (w / count, t as usize)))
    }

    fn heads(&self, width: usize) -> Heads<'_> {
        Heads::new(&self.windows, self.layer.heads, width)
    }

    fn forward(&self, x: &[f32], bias: Option<&[f32]>, dims: &[usize]) -> Result<Vec<f32>> {
        let &[batch, tokens, width] = dims else { bail!("attention: expects [batch, tokens, width], not {dims:?}") };
        let SelfAttention { norm, inputs, output, .. } = &self.layer;
        let cut = self.cut(batch);
        let layers = [&inputs[0], &inputs[1], &inputs[2], output];
        let packed = layers.par_iter().map(|layer| layer.forwards()).collect::<Result<Vec<_>>>()?;
        let after = norm.place == Place::After;
        let size = if self.keep { cut.rows * width } else { 0 };
        let mut kept = Kept {
            inputs: [vec![0.0; size], vec![0.0; size], vec![0.0; size]],
            attended: vec![0.0; size],
            sum: vec![0.0; if after { size } else { 0 }],
        };
        let mut y = vec![0.0f32; cut.rows * width];
        let [b0, b1, b2, b3] = layers.map(|layer| &layer.bias);
        with_values([&norm.weight, &norm.bias, b0, b1, b2, b3], "attention", |[weight, shift, b0, b1, b2, b3]| {
            let norm = (weight, shift, norm.eps as f32);
            let one = |g: usize, strips: &mut [Strip<'_>], kept: [&mut [f32]; 5]| -> Result<()> {
                let rows = strips.len() * cut.strip;
                let range = self.windows_of(&cut, g, rows);
                let mut input = self.gather(x, &range, width);
                if !after {
                    layer_norm::rows_in_place(&mut input, norm);
                }
                let part = |i: usize, bias: &[f32]| -> Result<Vec<f32>> {
                    let mut part = rows::biased(bias, rows);
                    packed[i].multiply(&input, 1.0, &mut part)?;
                    Ok(part)
                };
                let (q, k, v) = (part(0, b0)?, part(1, b1)?, part(2, b2)?);
                // The values of the input aren't needed any more.
                let mut attended = input;
                self.heads(width).attend([&q, &k, &v], bias, range.clone(), &mut attended)?;
                let [kept_q, kept_k, kept_v, kept_attended, kept_sum] = kept;
                if !kept_q.is_empty() {
                    for (to, from) in [(kept_q, &q), (kept_k, &k), (kept_v, &v), (kept_attended, &attended)] {
                        to.copy_from_slice(from);
                    }
                }
                let mut out = q;
                rows::fill(&mut out, b3);
                packed[3].multiply(&attended, 1.0, &mut out)?;
                for (row, (out, (item, token))) in out.chunks_exact_mut(width).zip(self.tokens(&range)).enumerate() {
                    let x = &x[(item * tokens + token) * width..][..width];
                    let strip = &mut strips[row / cut.strip];
                    let y = strip.row(token, tokens, width);
                    let factor = self.factor(item);
                    y.iter_mut().zip(x).zip(out).for_each(|((y, x), o)| *y = x + factor * *o);
                    if after {
                        if !kept_sum.is_empty() {
                            kept_sum[row * width..][..width].copy_from_slice(y);
                        }
                        layer_norm::rows_in_place(y, norm);
                    }
                }
                Ok(())
            };
            let mut all = strips(&mut y, &self.windows, width);
            let groups = all.len().div_ceil(cut.group);
            let chunk = cut.group * cut.strip * width;
            let [q, k, v] = &mut kept.inputs;
            let tasks: Vec<_> = all
                .chunks_mut(cut.group)
                .zip(pieces(q, chunk, groups))
                .zip(pieces(k, chunk, groups))
                .zip(pieces(v, chunk, groups))
                .zip(pieces(&mut kept.attended, chunk, groups))
                .zip(pieces(&mut kept.sum, chunk, groups))
                .enumerate()
                .map(|(g, (((((strips, q), k), v), a), s))| (g, strips, [q, k, v, a, s]))
                .collect();
            tasks.into_par_iter().try_for_each(|(g, strips, kept)| one(g, strips, kept))
        })?;
        if self.keep {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        }
        Ok(y)
    }

    /// The rows of windows, one after the other.
    fn gather(&self, x: &[f32], range: &std::ops::Range<usize>, width: usize) -> Vec<f32> {
        let tokens = self.windows.tokens();
        let mut rows = Vec::with_capacity(range.len() * self.windows.size() * width);
        for (item, token) in self.tokens(range) {
            rows.extend_from_slice(&x[(item * tokens + token) * width..][..width]);
        }
        rows
    }

    /// From the gradient of the output to those of `x` and of the position bias; the parameters' are handed over.
    fn backward(&self, x: &[f32], grad: &[f32], bias: Option<&[f32]>, dims: &[usize]) -> Result<(Vec<f32>, Vec<f32>)> {
        let &[batch, tokens, width] = dims else { bail!("attention: expects [batch, tokens, width], not {dims:?}") };
        let SelfAttention { norm, inputs, output, .. } = &self.layer;
        let cut = self.cut(batch);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Kept { inputs: [mut q, mut k, mut v], attended, mut sum }) = kept else {
            bail!("attention: forward kept nothing, or backward ran twice")
        };
        let layers = [&inputs[0], &inputs[1], &inputs[2], output];
        let packed = layers.par_iter().map(|layer| layer.backwards()).collect::<Result<Vec<_>>>()?;
        let (after, eps) = (norm.place == Place::After, norm.eps as f32);
        // In the order of the windows: the gradient of the branch's output, and the normalised input.
        let mut branch = vec![0.0f32; cut.rows * width];
        let mut normal = vec![0.0f32; cut.rows * width];
        let mut dx = vec![0.0f32; cut.rows * width];
        let with_bias = bias.map_or(0, <[f32]>::len);
        let parts = with_values([&norm.weight, &norm.bias], "attention", |[weight, shift]| {
            let one = |g: usize, strips: &mut [Strip<'_>], [q, k, v, sum, branch, normal]: [&mut [f32]; 6]| {
                let range = self.windows_of(&cut, g, strips.len() * cut.strip);
                let mut sums = Sums::new(width);
                branch.copy_from_slice(&self.gather(grad, &range, width));
                if after {
                    layer_norm::rows_backward(sum, branch, (weight, eps), &mut sums);
                }
                let input = self.gather(x, &range, width);
                let mut scratch = vec![0.0f32; input.len()];
                packed[3].multiply(branch, 0.0, &mut scratch)?;
                for (row, (item, _)) in scratch.chunks_exact_mut(width).zip(self.tokens(&range)) {
                    rows::scale(row, self.factor(item));
                }
                let mut dbias = vec![0.0f32; with_bias];
                self.heads(width).backward([&mut *q, &mut *k, &mut *v], bias, range.clone(), &scratch, &mut dbias)?;
                packed[0].multiply(q, 0.0, &mut scratch)?;
                packed[1].multiply(k, 1.0, &mut scratch)?;
                packed[2].multiply(v, 1.0, &mut scratch)?;
                if after {
                    normal.copy_from_slice(&input);
                } else {
                    layer_norm::rows_forward(&input, (weight, shift, eps), normal);
                    layer_norm::rows_backward(&input, &mut scratch, (weight, eps), &mut sums);
                }
                rows::add(&mut scratch, branch);
                for (row, (from, (item, token))) in scratch.chunks_exact(width).zip(self.tokens(&range)).enumerate() {
                    strips[row / cut.strip].row(token, tokens, width).copy_from_slice(from);
                    rows::scale(&mut branch[row * width..][..width], self.factor(item));
                }
                Ok((sums, dbias))
            };
            let mut all = strips(&mut dx, &self.windows, width);
            let groups = all.len().div_ceil(cut.group);
            let chunk = cut.group * cut.strip * width;
            let tasks: Vec<_> = all
                .chunks_mut(cut.group)
                .zip(
                    pieces(&mut q, chunk, groups).zip(pieces(&mut k, chunk, groups)).zip(pieces(&mut v, chunk, groups)),
                )
                .zip(pieces(&mut sum, chunk, groups))
                .zip(pieces(&mut branch, chunk, groups).zip(pieces(&mut normal, chunk, groups)))
                .enumerate()
                .map(|(g, (((strips, ((q, k), v)), s), (b, n)))| (g, strips, [q, k, v, s, b, n]))
                .collect();
            tasks.into_par_iter().map(|(g, strips, pieces)| one(g, strips, pieces)).collect::<Result<Vec<_>>>()
        })?;
        let (parts, biases): (Vec<Sums>, Vec<Vec<f32>>) = parts.into_iter().unzip();
        let mut dbias = vec![0.0f32; with_bias];
        biases.iter().for_each(|part| rows::add(&mut dbias, part));
        for (layer, g) in inputs.iter().zip([&q, &k, &v]) {
            layer.give(|| rows::weight_gradient(g, width, &normal, width), || Ok(rows::column_sums(g, width)))?;
        }
        output.give(
            || rows::weight_gradient(&branch, width, &attended, width),
            || Ok(rows::column_sums(&branch, width)),
        )?;
        give_norm(norm, parts)?;
        Ok((dx, dbias))
    }
}

impl CustomOp2 for Op {
    fn name(&self) -> &'static str {
        "self-attention"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = self.forward(values(s1, l1, "attention")?, None, l1.dims())?;
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (dx, _) = with_values([x, &grad], "attention", |[v, g]| self.backward(v, g, None, x.dims()))?;
        Ok((Some(Tensor::from_vec(dx, x.shape(), x.device())?), None))
    }
}

impl CustomOp3 for Op {
    fn name(&self) -> &'static str {
        "self-attention"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        _: &CpuStorage,
        _: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let bias = values(s3, l3, "attention")?;
        let y = self.forward(values(s1, l1, "attention")?, Some(bias), l1.dims())?;
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        _: &Tensor,
        bias: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (dx, dbias) =
            with_values([x, &grad, bias], "attention", |[v, g, b]| self.backward(v, g, Some(b), x.dims()))?;
        let device = x.device();
        Ok((Some(Tensor::from_vec(dx, x.shape(), device)?), None, Some(Tensor::from_vec(dbias, bias.shape(), device)?)))
    }
}
