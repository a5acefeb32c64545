//! Linear layer: `x W^T + b`, starting from the bias.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::matmul::{Matrix, multiply_parallel};
use super::{fused, values, with_values};

/// `x W^T + b`. `x` is `[.., k]`, `weight` `[n, k]`, `bias` `[n]`; the result is `[.., n]`.
pub(crate) fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    if fused(x) {
        let (x, weight) = (x.contiguous()?, weight.contiguous()?);
        return match bias {
            Some(bias) => x.apply_op3(&weight, &bias.contiguous()?, Linear),
            None => x.apply_op2(&weight, Linear),
        };
    }
    let rows = x.elem_count() / x.dim(candle_core::D::Minus1)?;
    let y = x.reshape((rows, ()))?.matmul(&weight.t()?)?;
    let y = match bias {
        Some(bias) => y.broadcast_add(bias)?,
        None => y,
    };
    y.reshape(output_shape(x.dims(), weight.dims())?)
}

struct Linear;

fn output_shape(x: &[usize], weight: &[usize]) -> Result<Vec<usize>> {
    match (x, weight) {
        ([rows @ .., k], [n, k2]) if k == k2 => Ok(rows.iter().copied().chain([*n]).collect()),
        _ => bail!("linear: input {x:?} does not fit weight {weight:?}"),
    }
}

impl Linear {
    fn forward(
        &self,
        x: (&CpuStorage, &Layout),
        weight: (&CpuStorage, &Layout),
        bias: Option<(&CpuStorage, &Layout)>,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = output_shape(x.1.dims(), weight.1.dims())?;
        let (n, k) = weight.1.shape().dims2()?;
        let (x, weight) = (values(x.0, x.1, "linear")?, values(weight.0, weight.1, "linear")?);
        let m = x.len() / k.max(1);
        let mut y = match bias {
            Some((bias, layout)) => values(bias, layout, "linear")?.repeat(m),
            None => vec![0.0f32; m * n],
        };
        let beta = if bias.is_some() { 1.0 } else { 0.0 };
        multiply_parallel(Matrix::new(x, m, k), Matrix::new(weight, n, k).t(), beta, &mut y)?;
        Ok((CpuStorage::F32(y), shape.into()))
    }

    fn backward(&self, x: &Tensor, weight: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Tensor, Tensor)> {
        let (n, k) = weight.dims2()?;
        let rows = grad.elem_count() / n.max(1);
        let grad = grad.contiguous()?.reshape((rows, n))?;
        let needed = x.track_op();
        let (dx, dw) = with_values([x, weight, &grad], "linear", |[x, weight, grad]| {
            let grad = Matrix::new(grad, rows, n);
            let mut dx = vec![0.0f32; if needed { rows * k } else { 0 }];
            if needed {
                multiply_parallel(grad, Matrix::new(weight, n, k), 0.0, &mut dx)?;
            }
            let mut dw = vec![0.0f32; n * k];
            multiply_parallel(grad.t(), Matrix::new(x, rows, k), 0.0, &mut dw)?;
            Ok((dx, dw))
        })?;
        let dx = if needed { Some(Tensor::from_vec(dx, x.shape(), x.device())?) } else { None };
        let dw = Tensor::from_vec(dw, weight.shape(), weight.device())?;
        Ok((dx, dw, grad))
    }
}

/// Sum over rows of `[rows, n]`, in blocks of a fixed size so that the result doesn't depend on the number of threads.
fn column_sums(grad: &Tensor) -> Result<Tensor> {
    let (_, n) = grad.dims2()?;
    let sums = with_values([grad], "linear", |[g]| {
        let blocks: Vec<Vec<f32>> = g
            .par_chunks(n * 256)
            .map(|block| {
                let mut sums = vec![0.0f32; n];
                for row in block.chunks_exact(n) {
                    sums.iter_mut().zip(row).for_each(|(s, v)| *s += v);
                }
                sums
            })
            .collect();
        let mut total = vec![0.0f32; n];
        for block in blocks {
            total.iter_mut().zip(block).for_each(|(t, v)| *t += v);
        }
        Ok(total)
    })?;
    Tensor::from_vec(sums, n, grad.device())
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
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
        self.forward((s1, l1), (s2, l2), Some((s3, l3)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dw, grad) = self.backward(x, weight, grad)?;
        Ok((dx, Some(dw), Some(column_sums(&grad)?)))
    }
}

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward((s1, l1), (s2, l2), None)
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (dx, dw, _) = self.backward(x, weight, grad)?;
        Ok((dx, Some(dw)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{check_gradients, random};
    use super::*;

    #[test]
    fn gradients() {
        let inputs = [random(&[2, 5, 7], 1), random(&[3, 7], 2), random(&[3], 3)];
        check_gradients(&inputs, |t| linear(&t[0], &t[1], Some(&t[2])).unwrap());
        check_gradients(&inputs[..2], |t| linear(&t[0], &t[1], None).unwrap());
    }

    #[test]
    fn a_shape_that_does_not_fit_is_an_error() {
        let error = linear(&random(&[2, 3], 1), &random(&[4, 5], 2), None).unwrap_err().to_string();
        assert!(error.contains("[2, 3]") && error.contains("[4, 5]"), "{error}");
    }
}
