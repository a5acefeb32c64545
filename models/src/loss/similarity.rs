//! How alike the labels of images and texts are.

use candle_core::{Device, Result, Tensor, bail};

/// Cosine of every image's labels with every text's labels, `[images, texts]` (MedCLIP, section 3.3, equation 2).
///
/// Labels may be signed; all zero is similar to nothing.
pub fn label_similarity<A: AsRef<[f32]>, B: AsRef<[f32]>>(
    images: &[A],
    texts: &[B],
    device: &Device,
) -> Result<Tensor> {
    let norm = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
    compare(images, texts, device, |image, text| {
        let norms = norm(image) * norm(text);
        if norms > 0.0 { dot(image, text) / norms } else { 0.0 }
    })
}

/// Dot product of every image's labels with every text's labels, `[images, texts]`: what the authors' released code takes
/// (`losses.py`, `label_sim = torch.matmul(img_labels, text_labels.T)`), where the paper has the cosine.
///
/// A text with three labels in common weighs more than one with a single label in common, even where that one is all it says.
pub fn label_product<A: AsRef<[f32]>, B: AsRef<[f32]>>(images: &[A], texts: &[B], device: &Device) -> Result<Tensor> {
    compare(images, texts, device, dot)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn compare<A: AsRef<[f32]>, B: AsRef<[f32]>>(
    images: &[A],
    texts: &[B],
    device: &Device,
    alike: impl Fn(&[f32], &[f32]) -> f32,
) -> Result<Tensor> {
    let mut values = Vec::with_capacity(images.len() * texts.len());
    for image in images.iter().map(AsRef::as_ref) {
        for text in texts.iter().map(AsRef::as_ref) {
            if image.len() != text.len() {
                bail!("labels of an image have length {}, those of a text {}", image.len(), text.len())
            }
            values.push(alike(image, text));
        }
    }
    Tensor::from_vec(values, (images.len(), texts.len()), device)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::loss::reference::{LABELS_I, LABELS_T, rows};

    fn close(got: &Tensor, want: [[f32; 2]; 3]) {
        for (row, want) in rows(got).iter().zip(want) {
            assert!(row.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{row:?} {want:?}");
        }
    }

    #[test]
    fn similarity_is_the_signed_cosine() {
        let half = std::f32::consts::FRAC_1_SQRT_2;
        close(&label_similarity(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap(), [[0.5, -1.0], [-half, 0.0], [0.0, 0.0]]);
        assert!(label_similarity(&[[1.0f32]], &[[1.0f32, 2.0]], &Device::Cpu).is_err());
    }

    #[test]
    fn the_released_code_does_not_normalise() {
        close(&label_product(&LABELS_I, &LABELS_T, &Device::Cpu).unwrap(), [[1.0, -2.0], [-1.0, 0.0], [0.0, 0.0]]);
    }
}
