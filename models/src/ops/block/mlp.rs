//! `x + down(gelu(up(norm(x))))`, or `norm(x + down(gelu(up(x))))`.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::super::layer_norm::{self, Sums};
use super::super::{drop_path, gelu, gradients, values, with_values};
use super::parameters::{Dense, Norm, Place, fusion};
use super::rows;

/// Values of a piece of a group, for the GELU of a group that is the only one.
const PIECE: usize = 1 << 15;

/// The MLP of a transformer layer, with its norm and residual.
#[derive(Clone)]
pub(crate) struct Mlp {
    pub(crate) norm: Norm,
    pub(crate) up: Dense,
    pub(crate) down: Dense,
}

impl Mlp {
    /// `x` is `[batch, tokens, width]`. `factors`, one for each item, scale the branch (stochastic depth).
    pub(crate) fn forward(&self, x: &Tensor, factors: Option<Vec<f32>>) -> Result<Tensor> {
        let parameters = self.norm.tensors().chain(self.up.tensors()).chain(self.down.tensors());
        let Some(keep) = fusion(x, parameters) else { return self.plain(x, factors) };
        let op = Op { mlp: self.clone(), factors, keep, kept: Mutex::default() };
        x.contiguous()?.apply_op2(&self.norm.weight, op)
    }

    fn plain(&self, x: &Tensor, factors: Option<Vec<f32>>) -> Result<Tensor> {
        let input = if self.norm.place == Place::Before { self.norm.plain(x)? } else { x.clone() };
        let branch = self.down.plain(&gelu(&self.up.plain(&input)?)?)?;
        let branch = match factors {
            Some(factors) => drop_path::scale_items(&branch, factors)?,
            None => branch,
        };
        let sum = (x + branch)?;
        if self.norm.place == Place::After { self.norm.plain(&sum) } else { Ok(sum) }
    }
}

struct Op {
    mlp: Mlp,
    factors: Option<Vec<f32>>,
    keep: bool,
    kept: Mutex<Option<Kept>>,
}

/// For the backward pass.
struct Kept {
    /// Output of the first layer, `[rows, hidden]`.
    up: Vec<f32>,
    /// What goes into a norm behind the sum, `[rows, width]`; empty without one.
    sum: Vec<f32>,
}

impl Op {
    /// Rows of a group and their total, for `[batch, tokens, width]`. A group is of one item where items have factors.
    fn groups(&self, dims: &[usize]) -> Result<(usize, usize, usize)> {
        let &[batch, tokens, width] = dims else { bail!("mlp: expects [batch, tokens, width], not {dims:?}") };
        let (up, down) = (&self.mlp.up, &self.mlp.down);
        if up.inputs != width || down.outputs != width || up.outputs != down.inputs || batch * tokens == 0 {
            bail!("mlp: {dims:?} does not fit layers {} to {} to {}", up.inputs, up.outputs, down.outputs)
        }
        let group = match &self.factors {
            None => rows::group(batch * tokens, 1),
            Some(_) => tokens,
        };
        Ok((group, batch * tokens, width))
    }

    fn factor(&self, group: usize) -> f32 {
        self.factors.as_ref().and_then(|f| f.get(group)).copied().unwrap_or(1.0)
    }

    fn forward(&self, x: &[f32], dims: &[usize]) -> Result<Vec<f32>> {
        let (group, total, width) = self.groups(dims)?;
        let Mlp { norm, up, down } = &self.mlp;
        let hidden = up.outputs;
        let (up_weight, down_weight) = rayon::join(|| up.forwards(), || down.forwards());
        let (up_weight, down_weight) = (up_weight?, down_weight?);
        let after = norm.place == Place::After;
        let mut kept = Kept {
            up: vec![0.0; if self.keep { total * hidden } else { 0 }],
            sum: vec![0.0; if self.keep && after { total * width } else { 0 }],
        };
        let mut y = vec![0.0f32; total * width];
        with_values([&norm.weight, &norm.bias, &up.bias, &down.bias], "mlp", |[weight, bias, up_bias, down_bias]| {
            let norm = (weight, bias, norm.eps as f32);
            let one = |i: usize, x: &[f32], y: &mut [f32], kept: Option<&mut [f32]>, sum: Option<&mut [f32]>| {
                let factor = self.factor(i);
                let count = x.len() / width;
                let mut scratch = Vec::new();
                let input = if after {
                    x
                } else {
                    scratch.resize(x.len(), 0.0);
                    layer_norm::rows_forward(x, norm, &mut scratch);
                    scratch.as_slice()
                };
                let mut h = rows::biased(up_bias, count);
                match kept {
                    Some(kept) => {
                        rows::fill(kept, up_bias);
                        up_weight.multiply(input, 1.0, kept)?;
                        let pairs = h.par_chunks_mut(PIECE).zip(kept.par_chunks(PIECE));
                        pairs.for_each(|(h, kept)| gelu::scaled(kept, factor, h));
                    }
                    None => {
                        up_weight.multiply(input, 1.0, &mut h)?;
                        h.par_chunks_mut(PIECE).for_each(|h| gelu::in_place(h, factor));
                    }
                }
                rows::residual(x, down_bias, factor, y);
                down_weight.multiply(&h, 1.0, y)?;
                if let Some(sum) = sum {
                    sum.copy_from_slice(y);
                }
                if after {
                    layer_norm::rows_in_place(y, norm);
                }
                Ok(())
            };
            let mut ups = kept.up.chunks_mut(group * hidden);
            let mut sums = kept.sum.chunks_mut(group * width);
            let tasks: Vec<_> = x
                .chunks(group * width)
                .zip(y.chunks_mut(group * width))
                .enumerate()
                .map(|(i, (x, y))| (i, x, y, ups.next(), sums.next()))
                .collect();
            tasks.into_par_iter().try_for_each(|(i, x, y, up, sum)| one(i, x, y, up, sum))
        })?;
        if self.keep {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        }
        Ok(y)
    }

    /// From the gradient of the output, which is overwritten, to that of `x`; the parameters' are handed over.
    fn backward(&self, x: &[f32], mut grad: Vec<f32>, dims: &[usize]) -> Result<Vec<f32>> {
        let (group, total, width) = self.groups(dims)?;
        let Mlp { norm, up, down } = &self.mlp;
        let hidden = up.outputs;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Kept { up: mut values, sum }) = kept else {
            bail!("mlp: forward kept nothing, or backward ran twice")
        };
        let (up_weight, down_weight) = rayon::join(|| up.backwards(), || down.backwards());
        let (up_weight, down_weight) = (up_weight?, down_weight?);
        let after = norm.place == Place::After;
        let eps = norm.eps as f32;
        let mut du = vec![0.0f32; total * hidden];
        let mut normal = vec![0.0f32; if after { 0 } else { total * width }];
        let mut dx = vec![0.0f32; total * width];
        let parts = with_values([&norm.weight, &norm.bias], "mlp", |[weight, bias]| {
            let mut normals = normal.chunks_mut(group * width);
            let mut sums = sum.chunks(group * width);
            let tasks: Vec<_> = x
                .chunks(group * width)
                .zip(grad.chunks_mut(group * width))
                .zip(values.chunks_mut(group * hidden).zip(du.chunks_mut(group * hidden)))
                .zip(dx.chunks_mut(group * width))
                .enumerate()
                .map(|(i, (((x, g), (u, du)), dx))| (i, x, g, u, du, dx, normals.next(), sums.next()))
                .collect();
            tasks
                .into_par_iter()
                .map(|(i, x, g, u, du, dx, normal, sum)| {
                    let factor = self.factor(i);
                    let mut parts = Sums::new(width);
                    if let Some(sum) = sum {
                        layer_norm::rows_backward(sum, g, (weight, eps), &mut parts);
                    }
                    down_weight.multiply(g, 0.0, du)?;
                    // The values become those behind the GELU, which the gradient of the second weight needs.
                    let pairs = u.par_chunks_mut(PIECE).zip(du.par_chunks_mut(PIECE));
                    pairs.for_each(|(u, du)| gelu::backward_in_place(u, factor, du));
                    up_weight.multiply(du, 0.0, dx)?;
                    if let Some(normal) = normal {
                        layer_norm::rows_forward(x, (weight, bias, eps), normal);
                        layer_norm::rows_backward(x, dx, (weight, eps), &mut parts);
                    }
                    rows::add(dx, g);
                    // From here on only the branch's gradient is needed.
                    rows::scale(g, factor);
                    Ok(parts)
                })
                .collect::<Result<Vec<_>>>()
        })?;
        let input = if after { x } else { &normal };
        down.give(|| rows::weight_gradient(&grad, width, &values, hidden), || Ok(rows::column_sums(&grad, width)))?;
        up.give(|| rows::weight_gradient(&du, hidden, input, width), || Ok(rows::column_sums(&du, hidden)))?;
        give_norm(norm, parts)?;
        Ok(dx)
    }
}

impl CustomOp2 for Op {
    fn name(&self) -> &'static str {
        "mlp"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = self.forward(values(s1, l1, "mlp")?, l1.dims())?;
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = with_values([&grad.contiguous()?], "mlp", |[g]| Ok(g.to_vec()))?;
        let dx = with_values([x], "mlp", |[values]| self.backward(values, grad, x.dims()))?;
        Ok((Some(Tensor::from_vec(dx, x.shape(), x.device())?), None))
    }
}

/// Hands over the gradients of a norm.
pub(super) fn give_norm(norm: &Norm, parts: Vec<Sums>) -> Result<()> {
    let (dw, db) = layer_norm::add_up(parts, norm.weight.elem_count());
    if norm.weight.track_op() {
        gradients::give(&norm.weight, dw)?;
    }
    if norm.bias.track_op() {
        gradients::give(&norm.bias, db)?;
    }
    Ok(())
}
