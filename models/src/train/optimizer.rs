//! AdamW (Loshchilov and Hutter, ICLR 2019) with gradient clipping; in place on the CPU.

use candle_core::{DType, Tensor, Var};
use rayon::prelude::*;

use super::gradients::Gradients;
use crate::error::ModelError;
use crate::ops::{sum_of_squares, vectorised, with_values, with_values_mut};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.98;
const EPSILON: f64 = 1e-8;
const BLOCK: usize = 16 * 1024;

/// The optimiser's state.
pub(super) struct AdamW {
    slots: Vec<Slot>,
    weight_decay: f64,
    clip_norm: f64,
}

/// A parameter and its moments.
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) var: Var,
    pub(super) first: Var,
    pub(super) second: Var,
    decays: bool,
}

/// Matrices decay; biases, norms, the logit scale and tables of positions don't.
fn decays(name: &str, rank: usize) -> bool {
    rank >= 2 && !name.contains("position")
}

impl AdamW {
    pub(super) fn new(parameters: &[(String, Var)], weight_decay: f64, clip_norm: f64) -> Result<Self, ModelError> {
        let slots = parameters
            .iter()
            .map(|(name, var)| {
                Ok(Slot {
                    name: name.clone(),
                    var: var.clone(),
                    first: Var::from_tensor(&var.zeros_like()?)?,
                    second: Var::from_tensor(&var.zeros_like()?)?,
                    decays: decays(name, var.rank()),
                })
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { slots, weight_decay, clip_norm })
    }

    /// Parameters with their moments, for the checkpoint.
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Step number `step`, from 1 on. Gradients are in the order of the parameters.
    pub(super) fn step(&mut self, gradients: &Gradients, step: u64, rate: f64) -> Result<(), ModelError> {
        let norm = norm(gradients)?;
        let clip = if norm > self.clip_norm { self.clip_norm / norm } else { 1.0 };
        let exponent = i32::try_from(step).unwrap_or(i32::MAX);
        let first = Moment { beta: BETA1, clip, square: false };
        let second = Moment { beta: BETA2, clip, square: true };
        for (slot, gradient) in self.slots.iter().zip(gradients) {
            let Some(gradient) = gradient else { continue };
            let update = Update {
                rate,
                decay: if slot.decays { self.weight_decay } else { 0.0 },
                first: 1.0 / (1.0 - BETA1.powi(exponent)),
                second: 1.0 / (1.0 - BETA2.powi(exponent)),
            };
            if in_place(gradient) {
                update.fused(slot, &gradient.contiguous()?, clip)?;
            } else {
                slot.first.set(&first.plain(&slot.first, gradient)?)?;
                slot.second.set(&second.plain(&slot.second, gradient)?)?;
                slot.var.set(&update.plain(&slot.var, &slot.first, &slot.second)?)?;
            }
        }
        Ok(())
    }
}

/// True where the in-place operations apply.
fn in_place(gradient: &Tensor) -> bool {
    gradient.device().is_cpu() && gradient.dtype() == DType::F32
}

/// Euclidean norm of all gradients together.
fn norm(gradients: &Gradients) -> Result<f64, ModelError> {
    let mut sum = 0.0;
    for gradient in gradients.iter().flatten() {
        if in_place(gradient) {
            sum += with_values([&gradient.contiguous()?], "norm", |[values]| Ok(sum_of_squares(values)))?;
            continue;
        }
        let square = gradient.flatten_all()?.sqr()?.sum_all()?;
        sum += f64::from(square.to_dtype(DType::F32)?.to_scalar::<f32>()?);
    }
    Ok(sum.sqrt())
}

/// `m = beta m + (1 - beta) g`, or of `g` squared.
struct Moment {
    beta: f64,
    clip: f64,
    square: bool,
}

impl Moment {
    fn plain(&self, moment: &Tensor, gradient: &Tensor) -> candle_core::Result<Tensor> {
        let gradient = (gradient * self.clip)?;
        let gradient = if self.square { gradient.sqr()? } else { gradient };
        (moment * self.beta)? + (gradient * (1.0 - self.beta))?
    }
}

/// `p = p (1 - rate decay) - rate m / (sqrt v + eps)` with bias-corrected moments.
struct Update {
    rate: f64,
    decay: f64,
    first: f64,
    second: f64,
}

impl Update {
    fn plain(&self, p: &Tensor, m: &Tensor, v: &Tensor) -> candle_core::Result<Tensor> {
        let denominator = ((v * self.second)?.sqrt()? + EPSILON)?;
        (p * (1.0 - self.rate * self.decay))? - ((m * (self.first * self.rate))? / denominator)?
    }

    /// Moments and parameter in one pass: a step is bound by the memory, not by arithmetic.
    fn fused(&self, slot: &Slot, gradient: &Tensor, clip: f64) -> candle_core::Result<()> {
        let keep = (1.0 - self.rate * self.decay) as f32;
        let (first, second) = ((self.first * self.rate) as f32, self.second as f32);
        let (clip, eps) = (clip as f32, EPSILON as f32);
        let [(beta1, rest1), (beta2, rest2)] = [BETA1, BETA2].map(|beta| (beta as f32, (1.0 - beta) as f32));
        let block = |p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32]| {
            for (((p, m), v), g) in p.iter_mut().zip(m).zip(v).zip(g) {
                let g = g * clip;
                *m = beta1 * *m + rest1 * g;
                *v = beta2 * *v + rest2 * g * g;
                *p = *p * keep - first * *m / ((*v * second).sqrt() + eps);
            }
        };
        with_values([gradient], "adamw", |[g]| {
            with_values_mut(&slot.first, "adamw", |m| {
                with_values_mut(&slot.second, "adamw", |v| {
                    with_values_mut(&slot.var, "adamw", |p| {
                        let moments = m.par_chunks_mut(BLOCK).zip(v.par_chunks_mut(BLOCK));
                        p.par_chunks_mut(BLOCK)
                            .zip(moments)
                            .zip(g.par_chunks(BLOCK))
                            .for_each(|((p, (m, v)), g)| vectorised(|| block(p, m, v, g)));
                    })
                })
            })
        })???;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use candle_core::Device;

    fn var<const N: usize>(values: [f64; N], dtype: DType) -> Var {
        Var::from_tensor(&Tensor::new(&[values], &Device::Cpu).unwrap().to_dtype(dtype).unwrap()).unwrap()
    }

    fn flat(t: &Tensor) -> Vec<f64> {
        t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Two steps with constant gradients by the paper's formulas.
    fn by_hand(mut p: f64, g: f64, rate: f64, decay: f64) -> f64 {
        let (mut m, mut v) = (0.0, 0.0);
        for t in 1..=2 {
            m = BETA1 * m + (1.0 - BETA1) * g;
            v = BETA2 * v + (1.0 - BETA2) * g * g;
            let (mh, vh) = (m / (1.0 - BETA1.powi(t)), v / (1.0 - BETA2.powi(t)));
            p = p - rate * decay * p - rate * mh / (vh.sqrt() + EPSILON);
        }
        p
    }

    #[test]
    fn in_place_and_plain_equal_the_formulas() {
        for dtype in [DType::F32, DType::F64] {
            let p = var([1.0, -2.0], dtype);
            let mut adam = AdamW::new(&[("a.weight".to_owned(), p.clone())], 0.1, 100.0).unwrap();
            let g = Tensor::new(&[[0.5f64, -3.0]], &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
            for step in 1..=2 {
                adam.step(&vec![Some(g.clone())], step, 0.01).unwrap();
            }
            let got = flat(&p);
            for (got, (p, g)) in got.iter().zip([(1.0, 0.5), (-2.0, -3.0)]) {
                let want = by_hand(p, g, 0.01, 0.1);
                assert!((got - want).abs() < 1e-6, "{dtype:?}: {got} {want}");
            }
        }
    }

    #[test]
    fn gradients_are_clipped_together() {
        let (a, b) = (var([0.0], DType::F32), var([0.0], DType::F32));
        let mut adam = AdamW::new(&[("a".to_owned(), a), ("b".to_owned(), b)], 0.0, 1.0).unwrap();
        let g = |v: f32| Some(Tensor::new(&[[v]], &Device::Cpu).unwrap());
        adam.step(&vec![g(3.0), g(4.0)], 1, 0.1).unwrap();
        let moment = |i: usize| flat(&adam.slots()[i].first)[0];
        assert!((moment(0) - 0.1 * 0.6).abs() < 1e-6 && (moment(1) - 0.1 * 0.8).abs() < 1e-6);
    }

    #[test]
    fn what_decays() {
        assert!(decays("text_model.projection_head.weight", 2));
        assert!(!decays("vision_model.model.layernorm.weight", 1));
        assert!(!decays("text_model.model.embeddings.position_embeddings.weight", 2));
        assert!(!decays("x.relative_position_bias_table", 2));
        assert!(!decays("logit_scale", 0));
    }
}
