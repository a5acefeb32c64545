//! Objectives: semantic matching, InfoNCE, and an auxiliary cross entropy on labels.

use candle_core::{D, DType, Device, Result, Tensor, bail};
use candle_nn::ops::{log_softmax, softmax};

/// Cosine of every image's labels with every text's labels, `[images, texts]`. Labels may be signed; all zero is similar to nothing.
pub fn label_similarity<A: AsRef<[f32]>, B: AsRef<[f32]>>(
    images: &[A],
    texts: &[B],
    device: &Device,
) -> Result<Tensor> {
    let norm = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
    let mut values = Vec::with_capacity(images.len() * texts.len());
    for image in images {
        let image = image.as_ref();
        for text in texts {
            let text = text.as_ref();
            if image.len() != text.len() {
                bail!("labels of an image have length {}, those of a text {}", image.len(), text.len())
            }
            let product: f32 = image.iter().zip(text).map(|(a, b)| a * b).sum();
            let norms = norm(image) * norm(text);
            values.push(if norms > 0.0 { product / norms } else { 0.0 });
        }
    }
    Tensor::from_vec(values, (images.len(), texts.len()), device)
}

/// Semantic matching loss (MedCLIP, section 3.3).
///
/// `images` and `texts` are unit vectors `[i, d]` and `[t, d]`, `logit_scale` the logarithm of the factor on their cosines,
/// `similarity` that of the labels `[i, t]`. Targets are the softmax of `similarity / temperature` over each row and over
/// each column; the loss is the mean of both cross entropies. The paper's temperature is 1, which makes the targets almost even.
pub fn semantic_matching(
    images: &Tensor,
    texts: &Tensor,
    logit_scale: &Tensor,
    similarity: &Tensor,
    temperature: f32,
) -> Result<Tensor> {
    let logits = images.matmul(&texts.t()?)?.broadcast_mul(&logit_scale.exp()?)?;
    let similarity = (similarity.to_dtype(logits.dtype())? / f64::from(temperature))?;
    let one_way = |dim: D, rows: usize| -> Result<Tensor> {
        let target = softmax(&similarity, dim)?;
        (target * log_softmax(&logits, dim)?)?.sum_all()? * (-1.0 / rows as f64)
    };
    let (i, t) = logits.dims2()?;
    (one_way(D::Minus1, i)? + one_way(D::Minus2, t)?)? * 0.5
}

/// InfoNCE as in CLIP (Radford et al., 2021): row `i` of `images` belongs to row `i` of `texts`.
pub fn info_nce(images: &Tensor, texts: &Tensor, logit_scale: &Tensor) -> Result<Tensor> {
    let n = images.dim(0)?;
    if texts.dim(0)? != n {
        bail!("InfoNCE needs pairs: {n} images, {} texts", texts.dim(0)?)
    }
    let logits = images.matmul(&texts.t()?)?.broadcast_mul(&logit_scale.exp()?)?;
    let eye = Tensor::eye(n, logits.dtype(), logits.device())?;
    let both = (log_softmax(&logits, D::Minus1)? + log_softmax(&logits, D::Minus2)?)?;
    (eye * both)?.sum_all()? * (-0.5 / n as f64)
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
    // max(x, 0) - x t + ln(1 + e^-|x|) never overflows.
    let tail = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    let each = ((logits.relu()? - (logits * target)?)? + tail)?;
    (each * mask)?.sum_all()? * (1.0 / known as f64)
}

/// A scalar as `f32`.
pub(crate) fn scalar(loss: &Tensor) -> Result<f32> {
    loss.to_dtype(DType::F32)?.to_scalar()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ops::testing::{check_gradients, random};

    const LABELS_I: [[f32; 3]; 3] = [[1.0, 0.0, -1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]];
    const LABELS_T: [[f32; 3]; 2] = [[1.0, -1.0, 0.0], [-1.0, 0.0, 1.0]];

    fn rows(t: &Tensor) -> Vec<Vec<f32>> {
        t.to_vec2().unwrap()
    }

    /// The definition, loop by loop.
    fn reference(images: &[Vec<f32>], texts: &[Vec<f32>], scale: f64, sim: &[Vec<f32>], temperature: f64) -> f64 {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
        let cross = |logits: &[f64], sims: &[f64]| {
            let z: f64 = logits.iter().map(|l| l.exp()).sum();
            let y: f64 = sims.iter().map(|s| (s / temperature).exp()).sum();
            logits.iter().zip(sims).map(|(l, s)| -((s / temperature).exp() / y) * (l.exp() / z).ln()).sum::<f64>()
        };
        let logit = |i: usize, t: usize| scale.exp() * dot(&images[i], &texts[t]);
        let (ni, nt) = (images.len(), texts.len());
        let mut by_image = 0.0;
        for (i, row) in sim.iter().enumerate() {
            let l: Vec<f64> = (0..nt).map(|t| logit(i, t)).collect();
            let s: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
            by_image += cross(&l, &s) / ni as f64;
        }
        let mut by_text = 0.0;
        for t in 0..nt {
            let l: Vec<f64> = (0..ni).map(|i| logit(i, t)).collect();
            let s: Vec<f64> = sim.iter().map(|row| f64::from(row[t])).collect();
            by_text += cross(&l, &s) / nt as f64;
        }
        (by_image + by_text) / 2.0
    }

    #[test]
    fn similarity_is_the_signed_cosine() {
        let sim = rows(&label_similarity(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap());
        let expected = [[0.5, -1.0], [-std::f32::consts::FRAC_1_SQRT_2, 0.0], [0.0, 0.0]];
        for (row, want) in sim.iter().zip(expected) {
            assert!(row.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{row:?} {want:?}");
        }
        assert!(label_similarity(&[[1.0f32]], &[[1.0f32, 2.0]], &Device::Cpu).is_err());
    }

    #[test]
    fn semantic_matching_equals_the_loops() {
        let (images, texts) = (random(&[3, 4], 1), random(&[2, 4], 2));
        let sim = label_similarity(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap();
        for temperature in [1.0, 0.3] {
            let scale = Tensor::new(0.9f32, &Device::Cpu).unwrap();
            let loss = scalar(&semantic_matching(&images, &texts, &scale, &sim, temperature).unwrap()).unwrap();
            let want = reference(&rows(&images), &rows(&texts), 0.9, &rows(&sim), f64::from(temperature));
            assert!((f64::from(loss) - want).abs() < 1e-5, "{loss} {want}");
        }
    }

    #[test]
    fn info_nce_of_pairs() {
        // Cosines 1 on the diagonal, 0 beside it, scale e: -ln(e^e / (e^e + 1)).
        let eye = Tensor::eye(2, DType::F32, &Device::Cpu).unwrap();
        let loss = scalar(&info_nce(&eye, &eye, &Tensor::new(1f32, &Device::Cpu).unwrap()).unwrap()).unwrap();
        let e = std::f32::consts::E;
        assert!((loss - (1.0 + (-e).exp()).ln()).abs() < 1e-6, "{loss}");
        assert!(info_nce(&random(&[2, 3], 1), &random(&[3, 3], 1), &eye).is_err());
    }

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
        let inputs = [random(&[3, 4], 1), random(&[2, 4], 2), random(&[], 3)];
        let sim = label_similarity(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap();
        check_gradients(&inputs, |t| semantic_matching(&t[0], &t[1], &t[2], &sim, 0.3).unwrap());
        let pairs = [random(&[3, 4], 1), random(&[3, 4], 2), random(&[], 3)];
        check_gradients(&pairs, |t| info_nce(&t[0], &t[1], &t[2]).unwrap());
        check_gradients(&inputs[..1], |t| known_label_entropy(&t[0], &[[1.0f32, -1.0, 0.0, 1.0]; 3]).unwrap());
    }

    #[test]
    fn a_lower_temperature_sharpens_the_targets() {
        let sim = label_similarity(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap();
        let scale = Tensor::new(3f32, &Device::Cpu).unwrap();
        let texts = Tensor::new(&[[1f32, 0.], [-1., 0.]], &Device::Cpu).unwrap();
        let right = Tensor::new(&[[1f32, 0.], [-0.7, 0.7], [0., 1.]], &Device::Cpu).unwrap();
        let even = Tensor::new(&[[0f32, 1.], [0., 1.], [0., 1.]], &Device::Cpu).unwrap();
        let gain = |temperature| {
            let at = |x: &Tensor| scalar(&semantic_matching(x, &texts, &scale, &sim, temperature).unwrap()).unwrap();
            at(&even) - at(&right)
        };
        assert!(gain(0.3) > gain(1.0));
    }
}
