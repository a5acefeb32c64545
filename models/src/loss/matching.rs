//! Cross entropy between the softmax of a batch and its targets: semantic matching and InfoNCE.

use candle_core::{D, Result, Tensor, bail};
use candle_nn::ops::log_softmax;

use super::targets::Targets;

/// Scaled cosines `[i, t]` of unit vectors `[i, d]` and `[t, d]`; `logit_scale` is the logarithm of the factor.
pub fn logits(images: &Tensor, texts: &Tensor, logit_scale: &Tensor) -> Result<Tensor> {
    images.matmul(&texts.t()?)?.broadcast_mul(&logit_scale.exp()?)
}

/// Mean over the images and mean over the texts of the cross entropy with their targets, averaged
/// (MedCLIP, section 3.3, equations 5 and 6; `soft_clip_loss` of the released code).
pub fn matching(logits: &Tensor, targets: &Targets) -> Result<Tensor> {
    let (i, t) = logits.dims2()?;
    let targets = targets.to_dtype(logits.dtype())?;
    let one_way = |target: &Tensor, dim: D, rows: usize| -> Result<Tensor> {
        (target * log_softmax(logits, dim)?)?.sum_all()? * (-1.0 / rows as f64)
    };
    (one_way(&targets.by_image, D::Minus1, i)? + one_way(&targets.by_text, D::Minus2, t)?)? * 0.5
}

/// Semantic matching loss (MedCLIP, section 3.3).
///
/// `images` and `texts` are unit vectors `[i, d]` and `[t, d]`, `logit_scale` the logarithm of the factor on their cosines,
/// `similarity` that of the labels `[i, t]`: [`label_similarity`](super::label_similarity) for the paper,
/// [`label_product`](super::label_product) for the released code. Targets are [`Targets::soft`].
pub fn semantic_matching(
    images: &Tensor,
    texts: &Tensor,
    logit_scale: &Tensor,
    similarity: &Tensor,
    temperature: f32,
) -> Result<Tensor> {
    let logits = logits(images, texts, logit_scale)?;
    matching(&logits, &Targets::soft(&similarity.to_dtype(logits.dtype())?, temperature)?)
}

/// InfoNCE as in CLIP (Radford et al., ICML 2021, figure 3): row `i` of `images` belongs to row `i` of `texts`, and every
/// other text of the batch counts as wrong, even where it says the same.
pub fn info_nce(images: &Tensor, texts: &Tensor, logit_scale: &Tensor) -> Result<Tensor> {
    let n = images.dim(0)?;
    if texts.dim(0)? != n {
        bail!("InfoNCE needs pairs: {n} images, {} texts", texts.dim(0)?)
    }
    let logits = logits(images, texts, logit_scale)?;
    matching(&logits, &Targets::pairs(n, logits.dtype(), logits.device())?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use candle_core::{DType, Device};

    use super::*;
    use crate::loss::reference::{LABELS_I, LABELS_T, by_loops, rows};
    use crate::loss::{label_product, label_similarity, scalar};
    use crate::ops::testing::{check_gradients, random};

    #[test]
    fn semantic_matching_equals_the_loops() {
        let (images, texts) = (random(&[3, 4], 1), random(&[2, 4], 2));
        let cosine = label_similarity(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap();
        let product = label_product(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap();
        for (similarity, temperature) in [(&cosine, 1.0), (&cosine, 0.3), (&product, 1.0)] {
            let scale = Tensor::new(0.9f32, &Device::Cpu).unwrap();
            let loss = scalar(&semantic_matching(&images, &texts, &scale, similarity, temperature).unwrap()).unwrap();
            let want = by_loops(&rows(&images), &rows(&texts), 0.9, &rows(similarity), f64::from(temperature));
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
    fn gradients() {
        let inputs = [random(&[3, 4], 1), random(&[2, 4], 2), random(&[], 3)];
        let sim = label_similarity(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap();
        check_gradients(&inputs, |t| semantic_matching(&t[0], &t[1], &t[2], &sim, 0.3).unwrap());
        check_gradients(&inputs, |t| {
            let targets = Targets::soft(&sim, 0.3).unwrap().blend(&[(1, 0)], 0.5).unwrap();
            matching(&logits(&t[0], &t[1], &t[2]).unwrap(), &targets).unwrap()
        });
        let pairs = [random(&[3, 4], 1), random(&[3, 4], 2), random(&[], 3)];
        check_gradients(&pairs, |t| info_nce(&t[0], &t[1], &t[2]).unwrap());
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
