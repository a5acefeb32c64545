//! Multilabel binary cross entropy.

use candle_core::{Result, Tensor};

/// Elementwise binary cross entropy of logits with probabilities, both of one shape.
pub(super) fn binary_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    // max(x, 0) - x t + ln(1 + e^-|x|) never overflows.
    let tail = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    (logits.relu()? - (logits * targets)?)? + tail
}

/// Binary cross entropy of `logits` `[n, l]` with signed labels, averaged over those that are known: above 0 present,
/// below 0 absent, 0 unknown. Zero where nothing is known.
pub fn known_label_entropy<A: AsRef<[f32]>>(logits: &Tensor, labels: &[A]) -> Result<Tensor> {
    let flat: Vec<f32> = labels.iter().flat_map(|l| l.as_ref().iter().copied()).collect();
    let known = flat.iter().filter(|&&v| v != 0.0).count().max(1);
    let constant = |f: fn(f32) -> f32| {
        let values: Vec<f32> = flat.iter().map(|&v| f(v)).collect();
        Tensor::from_vec(values, logits.shape(), logits.device())?.to_dtype(logits.dtype())
    };
    let mask = constant(|v| if v == 0.0 { 0.0 } else { 1.0 })?;
    let target = constant(|v| if v > 0.0 { 1.0 } else { 0.0 })?;
    (binary_entropy(logits, &target)? * mask)?.sum_all()? * (1.0 / known as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use candle_core::Device;

    use super::*;
    use crate::loss::scalar;
    use crate::ops::testing::{check_gradients, random};

    #[test]
    fn unknown_labels_do_not_count() {
        let logits = Tensor::new(&[[2.0f32, -3.0, 50.0]], &Device::Cpu).unwrap();
        let loss = scalar(&known_label_entropy(&logits, &[[1.0f32, -1.0, 0.0]]).unwrap()).unwrap();
        let want = ((1.0 + (-2.0f32).exp()).ln() + (1.0 + (-3.0f32).exp()).ln()) / 2.0;
        assert!((loss - want).abs() < 1e-6);
        assert_eq!(scalar(&known_label_entropy(&logits, &[[0.0f32; 3]]).unwrap()).unwrap(), 0.0);
        let large = Tensor::new(&[[500.0f32, -500.0, 0.0]], &Device::Cpu).unwrap();
        assert_eq!(scalar(&known_label_entropy(&large, &[[-1.0f32, 0.0, 0.0]]).unwrap()).unwrap(), 500.0);
    }

    #[test]
    fn gradients() {
        let inputs = [random(&[3, 4], 1)];
        check_gradients(&inputs, |t| known_label_entropy(&t[0], &[[1.0f32, -1.0, 0.0, 1.0]; 3]).unwrap());
    }
}
