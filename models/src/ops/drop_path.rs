//! Stochastic depth (Huang et al., ECCV 2016): whole residual branches are left out per item.

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{fused, values, with_values};

/// Source of the decisions of one forward pass.
pub(crate) struct DropPath {
    pub(crate) rng: ChaCha8Rng,
    /// Probability at the deepest block.
    pub(crate) rate: f64,
}

impl DropPath {
    /// Scales each item of a branch `[batch, ..]` by its factor.
    pub(crate) fn apply(&mut self, x: &Tensor, depth: f64) -> Result<Tensor> {
        match self.factors(x.dim(0)?, depth) {
            Some(factors) => scale_items(x, factors),
            None => Ok(x.clone()),
        }
    }

    /// Factors on a branch, one for each item of a batch: 0 with probability `rate * depth`, `depth` within 0..1, and what
    /// keeps the expectation for the rest. Nothing where nothing is dropped.
    pub(crate) fn factors(&mut self, batch: usize, depth: f64) -> Option<Vec<f32>> {
        let drop = self.rate * depth;
        let keep = (1.0 / (1.0 - drop)) as f32;
        (drop > 0.0).then(|| (0..batch).map(|_| if self.rng.random_bool(drop) { 0.0 } else { keep }).collect())
    }
}

/// Multiplies each item of `x` by its factor.
pub(super) fn scale_items(x: &Tensor, factors: Vec<f32>) -> Result<Tensor> {
    if fused(x) {
        return x.contiguous()?.apply_op1(Scale(factors));
    }
    let mut shape = vec![1; x.rank()];
    if let Some(first) = shape.first_mut() {
        *first = factors.len();
    }
    let factors = Tensor::from_vec(factors, shape, &Device::Cpu)?.to_device(x.device())?;
    x.broadcast_mul(&factors.to_dtype(x.dtype())?)
}

struct Scale(Vec<f32>);

impl Scale {
    fn run(&self, x: &[f32]) -> Vec<f32> {
        let item = x.len() / self.0.len().max(1);
        let mut y = vec![0.0f32; x.len()];
        y.par_chunks_mut(item).zip(x.par_chunks(item)).zip(&self.0).for_each(|((y, x), factor)| {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x * factor);
        });
        y
    }
}

impl CustomOp1 for Scale {
    fn name(&self) -> &'static str {
        "drop-path"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = self.run(values(storage, layout, "drop-path")?);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let dx = with_values([&grad], "drop-path", |[g]| Ok(self.run(g)))?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{check_gradients, random};
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn gradients() {
        check_gradients(&[random(&[3, 2, 5], 1)], |t| scale_items(&t[0], vec![0.0, 2.0, 1.5]).unwrap());
    }

    #[test]
    fn keeps_the_expectation() {
        let mut drop = DropPath { rng: ChaCha8Rng::seed_from_u64(1), rate: 0.5 };
        let mean = drop.factors(2000, 0.6).unwrap().iter().sum::<f32>() / 2000.0;
        assert!(drop.factors(3, 0.0).is_none());
        assert!((mean - 1.0).abs() < 0.06, "{mean}");
    }
}
