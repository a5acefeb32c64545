//! The moving average of the weights (Polyak and Juditsky 1992): smoother than the weights themselves.

use std::collections::BTreeMap;

use candle_core::{DType, Tensor, Var};
use rayon::prelude::*;

use super::gradients::Gradients;
use crate::error::ModelError;
use crate::ops::{vectorised, with_values, with_values_mut};

/// Averages of all parameters.
pub(super) struct Ema {
    decay: f64,
    pairs: Vec<(String, Var, Var)>,
}

impl Ema {
    /// Averages that start at the parameters as they are.
    pub(super) fn new(parameters: &[(String, Var)], decay: f64) -> Result<Self, ModelError> {
        let pairs = parameters
            .iter()
            .map(|(name, var)| Ok((name.clone(), var.clone(), Var::from_tensor(&var.as_tensor().copy()?.detach())?)))
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { decay, pairs })
    }

    /// After step number `step`, from 1 on. Early steps count for more, or the random start would linger. Parameters without a
    /// gradient have not changed.
    pub(super) fn update(&self, step: u64, gradients: &Gradients) -> Result<(), ModelError> {
        let step = step as f64;
        let decay = self.decay.min((1.0 + step) / (10.0 + step));
        for ((_, var, average), gradient) in self.pairs.iter().zip(gradients) {
            if gradient.is_none() {
                continue;
            }
            if var.device().is_cpu() && var.dtype() == DType::F32 && var.is_contiguous() {
                blend(average, var, decay)?;
            } else {
                average.set(&((average.as_tensor() * decay)? + (var.as_tensor() * (1.0 - decay))?)?)?;
            }
        }
        Ok(())
    }

    /// By name.
    pub(super) fn averages(&self) -> impl Iterator<Item = (&String, &Var)> {
        self.pairs.iter().map(|(name, _, average)| (name, average))
    }

    /// As tensors.
    pub(super) fn tensors(&self) -> BTreeMap<String, Tensor> {
        self.averages().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect()
    }
}

/// `average = decay average + (1 - decay) var`, in place.
fn blend(average: &Var, var: &Var, decay: f64) -> candle_core::Result<()> {
    const BLOCK: usize = 16 * 1024;
    let (keep, rest) = (decay as f32, (1.0 - decay) as f32);
    with_values([var], "average", |[values]| {
        with_values_mut(average, "average", |average| {
            average.par_chunks_mut(BLOCK).zip(values.par_chunks(BLOCK)).for_each(|(average, values)| {
                vectorised(|| average.iter_mut().zip(values).for_each(|(a, v)| *a = keep * *a + rest * v));
            });
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use candle_core::Device;

    use super::*;

    #[test]
    fn the_average_follows_the_definition() {
        for dtype in [DType::F32, DType::F64] {
            let value = |v: f64| Tensor::new(&[v], &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
            let var = Var::from_tensor(&value(0.0)).unwrap();
            let ema = Ema::new(&[("a".to_owned(), var.clone())], 0.25).unwrap();
            let mut want = 0.0;
            for step in 1..=5u64 {
                var.set(&value(step as f64)).unwrap();
                ema.update(step, &vec![Some(value(1.0))]).unwrap();
                let decay = 0.25f64.min((1.0 + step as f64) / (10.0 + step as f64));
                want = decay * want + (1.0 - decay) * step as f64;
            }
            let got = ema.tensors()["a"].to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap()[0];
            assert!((got - want).abs() < 1e-6, "{got} {want}");
            assert_eq!(var.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap(), [5.0], "the weights stay");
        }
    }
}
