//! Pairwise sigmoid loss (SigLIP, Zhai et al., ICCV 2023) with soft targets.

use candle_core::{Result, Tensor};

use super::entropy::binary_entropy;

/// Probability that an image and a text match: `max(similarity, 0)` to the power `1 / temperature`.
///
/// At temperature 1 it is the cosine of the labels itself; a lower one keeps 1 and pushes partial agreement towards 0.
/// SigLIP's own targets, 1 for the pair and 0 for the rest, are the limit.
pub fn sigmoid_targets(similarity: &Tensor, temperature: f32) -> Result<Tensor> {
    similarity.clamp(0.0, 1.0)?.powf(1.0 / f64::from(temperature))
}

/// Binary cross entropy of every image with every text, summed and divided by the number of images (SigLIP, equation 1,
/// where the targets are 0 or 1).
///
/// `logits` are scaled cosines `[i, t]`, `bias` a learned scalar that starts far below 0, as most pairs don't match;
/// `targets` are probabilities `[i, t]`.
pub fn pairwise_sigmoid(logits: &Tensor, bias: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let logits = logits.broadcast_add(bias)?;
    let targets = targets.to_dtype(logits.dtype())?;
    binary_entropy(&logits, &targets)?.sum_all()? * (1.0 / logits.dim(0)? as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use candle_core::Device;

    use super::*;
    use crate::loss::reference::{LABELS_I, LABELS_T, rows};
    use crate::loss::{label_similarity, logits, scalar};
    use crate::ops::testing::{check_gradients, random};

    #[test]
    fn it_equals_the_loops() {
        let (logits, bias) = (random(&[3, 2], 4), Tensor::new(-1.5f32, &Device::Cpu).unwrap());
        let sim = label_similarity(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap();
        let targets = sigmoid_targets(&sim, 0.5).unwrap();
        let loss = scalar(&pairwise_sigmoid(&logits, &bias, &targets).unwrap()).unwrap();
        let mut want = 0.0;
        for (row, sims) in rows(&logits).iter().zip(rows(&sim)) {
            for (z, s) in row.iter().zip(sims) {
                let (p, y) = (1.0 / (1.0 + (1.5 - f64::from(*z)).exp()), f64::from(s).max(0.0).powi(2));
                want -= (y * p.ln() + (1.0 - y) * (1.0 - p).ln()) / 3.0;
            }
        }
        assert!((f64::from(loss) - want).abs() < 1e-5, "{loss} {want}");
    }

    #[test]
    fn a_lower_temperature_keeps_agreement_and_drops_the_rest() {
        let sim = Tensor::new(&[[1.0f32, 0.5, 0.0, -1.0]], &Device::Cpu).unwrap();
        assert_eq!(rows(&sigmoid_targets(&sim, 1.0).unwrap()), [[1.0, 0.5, 0.0, 0.0]]);
        assert_eq!(rows(&sigmoid_targets(&sim, 0.5).unwrap()), [[1.0, 0.25, 0.0, 0.0]]);
    }

    #[test]
    fn gradients() {
        let inputs = [random(&[3, 4], 1), random(&[2, 4], 2), random(&[], 3), random(&[], 5)];
        let sim = label_similarity(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap();
        let targets = sigmoid_targets(&sim, 0.5).unwrap();
        check_gradients(&inputs, |t| pairwise_sigmoid(&logits(&t[0], &t[1], &t[2]).unwrap(), &t[3], &targets).unwrap());
    }
}
