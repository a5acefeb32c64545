//! What the softmax of a batch should give.

use candle_core::{D, DType, Device, Result, Tensor, bail};
use candle_nn::ops::softmax;

/// Distributions over the batch, both `[images, texts]`: for each image over the texts, and for each text over the images.
#[derive(Clone, Debug)]
pub struct Targets {
    /// Rows sum to 1.
    pub by_image: Tensor,
    /// Columns sum to 1.
    pub by_text: Tensor,
}

impl Targets {
    /// Softmax of `similarity / temperature` along rows and along columns (MedCLIP, section 3.3, equations 3 and 4).
    ///
    /// The paper's temperature is 1, which makes the targets almost even.
    pub fn soft(similarity: &Tensor, temperature: f32) -> Result<Self> {
        let similarity = (similarity / f64::from(temperature))?;
        Ok(Self { by_image: softmax(&similarity, D::Minus1)?, by_text: softmax(&similarity, D::Minus2)? })
    }

    /// Row `i` of the images belongs to row `i` of the texts (CLIP, Radford et al., ICML 2021).
    pub fn pairs(n: usize, dtype: DType, device: &Device) -> Result<Self> {
        let eye = Tensor::eye(n, dtype, device)?;
        Ok(Self { by_image: eye.clone(), by_text: eye })
    }

    /// Moves `weight` (0 to 1) of every row and column that has a true pair onto its pairs; the others stay as they are.
    ///
    /// `pairs` holds (image, text). Where an item has several they share the weight evenly.
    pub fn blend(self, pairs: &[(usize, usize)], weight: f64) -> Result<Self> {
        if weight <= 0.0 || pairs.is_empty() {
            return Ok(self);
        }
        let (images, texts) = self.by_image.dims2()?;
        let (mut of_image, mut of_text) = (vec![0usize; images], vec![0usize; texts]);
        for &(i, t) in pairs {
            match (of_image.get_mut(i), of_text.get_mut(t)) {
                (Some(a), Some(b)) => (*a, *b) = (*a + 1, *b + 1),
                _ => bail!("pair ({i}, {t}) lies outside of {images} images and {texts} texts"),
            }
        }
        let mut hard = vec![[0f32; 2]; images * texts];
        for &(i, t) in pairs {
            let [by_image, by_text] = &mut hard[i * texts + t];
            *by_image += 1.0 / of_image[i] as f32;
            *by_text += 1.0 / of_text[t] as f32;
        }
        let kept = |n: &usize| if *n > 0 { 1.0 - weight as f32 } else { 1.0 };
        let mix = |soft: &Tensor, which: usize, kept: Vec<f32>, shape: (usize, usize)| -> Result<Tensor> {
            let (dtype, device) = (soft.dtype(), soft.device());
            let hard = Tensor::from_vec(hard.iter().map(|h| h[which]).collect(), (images, texts), device)?;
            let kept = Tensor::from_vec(kept, shape, device)?.to_dtype(dtype)?;
            soft.broadcast_mul(&kept)? + (hard.to_dtype(dtype)? * weight)?
        };
        Ok(Self {
            by_image: mix(&self.by_image, 0, of_image.iter().map(kept).collect(), (images, 1))?,
            by_text: mix(&self.by_text, 1, of_text.iter().map(kept).collect(), (1, texts))?,
        })
    }

    pub(super) fn to_dtype(&self, dtype: DType) -> Result<Self> {
        Ok(Self { by_image: self.by_image.to_dtype(dtype)?, by_text: self.by_text.to_dtype(dtype)? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::loss::reference::rows;

    fn similarity() -> Tensor {
        Tensor::new(&[[1.0f32, 0.0, -1.0], [0.0, 0.5, 0.0]], &Device::Cpu).unwrap()
    }

    #[test]
    fn targets_are_distributions_before_and_after_blending() {
        let soft = Targets::soft(&similarity(), 0.5).unwrap();
        for targets in [soft.clone(), soft.blend(&[(0, 2), (0, 1), (1, 1)], 0.7).unwrap()] {
            assert!(rows(&targets.by_image).iter().all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
            let columns = rows(&targets.by_text.t().unwrap());
            assert!(columns.iter().all(|column| (column.iter().sum::<f32>() - 1.0).abs() < 1e-6), "{columns:?}");
        }
    }

    #[test]
    fn blending_moves_weight_to_the_pairs_and_leaves_the_rest() {
        let soft = Targets::soft(&similarity(), 1.0).unwrap();
        let blended = soft.clone().blend(&[(0, 2)], 0.25).unwrap();
        let (before, after) = (rows(&soft.by_image), rows(&blended.by_image));
        assert!((after[0][2] - (0.75 * before[0][2] + 0.25)).abs() < 1e-6);
        assert!((after[0][0] - 0.75 * before[0][0]).abs() < 1e-6);
        assert_eq!(after[1], before[1], "an image without a pair");
        let (before, after) = (rows(&soft.by_text), rows(&blended.by_text));
        assert!((after[0][2] - (0.75 * before[0][2] + 0.25)).abs() < 1e-6);
        assert_eq!((after[0][0], after[1][1]), (before[0][0], before[1][1]), "texts without a pair");
        assert!(soft.blend(&[(2, 0)], 0.5).is_err());
    }

    #[test]
    fn a_weight_of_one_on_complete_pairs_is_info_nce() {
        let square = Tensor::new(&[[0.3f32, -0.2], [0.9, 0.1]], &Device::Cpu).unwrap();
        let blended = Targets::soft(&square, 1.0).unwrap().blend(&[(0, 0), (1, 1)], 1.0).unwrap();
        assert_eq!(rows(&blended.by_image), [[1.0, 0.0], [0.0, 1.0]]);
        assert_eq!(rows(&blended.by_text), [[1.0, 0.0], [0.0, 1.0]]);
    }
}
