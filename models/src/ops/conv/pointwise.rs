//! 1 x 1 convolution: a linear layer on each pixel, with bias and activation while the values are in the cache.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::super::matmul::{Matrix, multiply_parallel};
use super::super::packed::{self, Packed};
use super::super::{fused, linear, values, with_values};
use super::Activation;
use super::dense::column_sums;

/// Rows that one thread computes at a time.
const ROWS: usize = 192;

/// `activation(x W^T + b)`. `x` is `[.., k]`, `weight` `[n, k]`, `bias` `[n]`; the result is `[.., n]`. `packed` is the same
/// weight, where it doesn't change.
pub(crate) fn pointwise(
    x: &Tensor,
    weight: &Tensor,
    packed: Option<Arc<Packed>>,
    bias: &Tensor,
    activation: Activation,
) -> Result<Tensor> {
    if fused(x) {
        return x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, Pointwise { packed, activation });
    }
    activation.plain(&linear(x, weight, Some(bias))?)
}

struct Pointwise {
    packed: Option<Arc<Packed>>,
    activation: Activation,
}

/// `y = activation(x weight + bias)` for some rows.
pub(super) fn block(x: &[f32], weight: &Packed, bias: &[f32], activation: Activation, y: &mut [f32]) -> Result<()> {
    y.chunks_exact_mut(bias.len()).for_each(|row| row.copy_from_slice(bias));
    weight.multiply(x, 1.0, y)?;
    activation.apply(y);
    Ok(())
}

/// The weight as it is multiplied with: packed before, or now.
pub(super) fn pack(ready: Option<&Arc<Packed>>, weight: &[f32], n: usize, k: usize) -> Result<Arc<Packed>> {
    match ready {
        Some(packed) if packed.sizes() == (k, n) => Ok(packed.clone()),
        Some(packed) => bail!("a packed weight of {:?} where {:?} is expected", packed.sizes(), (k, n)),
        None => Ok(Arc::new(Packed::transposed(weight, n, k)?)),
    }
}

impl CustomOp3 for Pointwise {
    fn name(&self) -> &'static str {
        "pointwise"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight) = (values(s1, l1, "pointwise")?, values(s2, l2, "pointwise")?);
        let bias = values(s3, l3, "pointwise")?;
        let (n, k) = l2.shape().dims2()?;
        let mut shape = l1.dims().to_vec();
        match shape.last_mut() {
            Some(last) if *last == k && bias.len() == n && n > 0 && k > 0 => *last = n,
            _ => bail!("pointwise: input {:?} does not fit weight [{n}, {k}] and bias [{}]", l1.dims(), bias.len()),
        }
        let mut y = vec![0.0f32; x.len() / k * n];
        let weight = pack(self.packed.as_ref(), weight, n, k)?;
        let rows = (x.len() / k).div_ceil(rayon::current_num_threads()).clamp(1, ROWS);
        y.par_chunks_mut(rows * n)
            .zip(x.par_chunks(rows * k))
            .try_for_each(|(y, x)| block(x, &weight, bias, self.activation, y))?;
        Ok((CpuStorage::F32(y), shape.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (n, k) = weight.dims2()?;
        let grad = grad.contiguous()?;
        let (dx, dw, db) = with_values([x, weight, res, &grad], "pointwise", |[values, weight, res, grad]| {
            let rows = grad.len() / n.max(1);
            let mut grad = grad.to_vec();
            let block = ROWS * n;
            grad.par_chunks_mut(block).zip(res.par_chunks(block)).for_each(|(g, y)| self.activation.backward(y, g));
            let sums = column_sums(&grad, n);
            let mut dx = vec![0.0f32; if x.track_op() { values.len() } else { 0 }];
            if x.track_op() {
                packed::multiply((&grad, rows, n), (weight, k, false), 0.0, &mut dx)?;
            }
            let mut dw = vec![0.0f32; n * k];
            multiply_parallel(Matrix::new(&grad, rows, n).t(), Matrix::new(values, rows, k), 0.0, &mut dw)?;
            Ok((dx, dw, sums))
        })?;
        let device = x.device();
        let dx = if x.track_op() { Some(Tensor::from_vec(dx, x.shape(), device)?) } else { None };
        let dw = Tensor::from_vec(dw, (n, k), device)?;
        Ok((dx, Some(dw), Some(Tensor::from_vec(db, n, device)?)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{check_gradients, random};
    use super::*;

    #[test]
    fn gradients() {
        for activation in [Activation::None, Activation::Relu, Activation::Relu6] {
            let inputs = [random(&[2, 150, 7], 1), random(&[5, 7], 2), random(&[5], 3)];
            check_gradients(&inputs, |t| pointwise(&(&t[0] * 8.0).unwrap(), &t[1], None, &t[2], activation).unwrap());
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let error = pointwise(&random(&[2, 3], 1), &random(&[4, 5], 2), None, &random(&[4], 3), Activation::None);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("[2, 3]") && error.contains("[4, 5]"), "{error}");
    }
}
