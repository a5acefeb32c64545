//! The loss of a batch of embeddings, as the configuration wants it.

use candle_core::{Device, Result, Tensor, bail};

use super::learner::Batch;
use crate::config::{Objective, Training};
use crate::loss::{self, Targets};

/// Where the bias of the sigmoid objective starts (SigLIP, section 3.2): most pairs don't match.
pub(super) const BIAS: f64 = -10.0;

/// Loss of unit vectors of `batch`. `bias` is there with the sigmoid objective only.
pub(super) fn matching(
    training: &Training,
    images: &Tensor,
    texts: &Tensor,
    logit_scale: &Tensor,
    bias: Option<&Tensor>,
    batch: &Batch,
) -> Result<Tensor> {
    if training.objective == Objective::InfoNce {
        return loss::info_nce(images, texts, logit_scale);
    }
    let logits = loss::logits(images, texts, logit_scale)?;
    let similarity = similarity(training, batch, logits.device())?.to_dtype(logits.dtype())?;
    let (temperature, weight) = (training.label_temperature, training.pair_blending);
    match (training.objective, bias) {
        (Objective::Sigmoid, Some(bias)) => {
            let targets = loss::sigmoid_targets(&similarity, temperature)?;
            loss::pairwise_sigmoid(&logits, bias, &towards_pairs(&targets, &batch.pairs, weight)?)
        }
        (Objective::Sigmoid, None) => bail!("the sigmoid objective needs its bias"),
        _ => loss::matching(&logits, &Targets::soft(&similarity, temperature)?.blend(&batch.pairs, weight)?),
    }
}

/// Similarity of the labels that are compared.
fn similarity(training: &Training, batch: &Batch, device: &Device) -> Result<Tensor> {
    let of = |images: &[Vec<f32>], texts: &[Vec<f32>]| match training.objective {
        Objective::SemanticMatchingDot => loss::label_product(images, texts, device),
        _ => loss::label_similarity(images, texts, device),
    };
    let (images, texts) = (cut(training, &batch.image_labels), cut(training, &batch.text_labels));
    if training.signed_labels {
        return of(&images, &texts);
    }
    let present =
        |labels: &[Vec<f32>]| labels.iter().map(|l| l.iter().map(|v| v.max(0.0)).collect()).collect::<Vec<_>>();
    let similarity = of(&present(&images), &present(&texts))?;
    if training.denial_weight <= 0.0 {
        return Ok(similarity);
    }
    // Where a text states something its similarity is that of what is present, and this adds nothing.
    let denials = texts.iter().map(|l| if l.iter().any(|v| *v > 0.0) { vec![0.0; l.len()] } else { l.clone() });
    similarity + (of(&images, &denials.collect::<Vec<_>>())? * training.denial_weight)?
}

/// The first `label_count` labels.
fn cut(training: &Training, labels: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let count = if training.label_count == 0 { usize::MAX } else { training.label_count };
    labels.iter().map(|l| l.iter().take(count).copied().collect()).collect()
}

/// Probabilities of a match, moved towards 1 at true pairs.
fn towards_pairs(targets: &Tensor, pairs: &[(usize, usize)], weight: f64) -> Result<Tensor> {
    if weight <= 0.0 || pairs.is_empty() {
        return Ok(targets.clone());
    }
    let (images, texts) = targets.dims2()?;
    let mut share = vec![0f32; images * texts];
    for &(i, t) in pairs {
        match share.get_mut(i * texts + t) {
            Some(slot) if t < texts => *slot = weight as f32,
            _ => bail!("pair ({i}, {t}) lies outside of {images} images and {texts} texts"),
        }
    }
    let share = Tensor::from_vec(share, (images, texts), targets.device())?.to_dtype(targets.dtype())?;
    targets + ((1.0 - targets)? * share)?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn batch() -> Batch {
        Batch {
            image_labels: vec![vec![1.0, -1.0, 0.5], vec![-1.0, 1.0, 0.0]],
            text_labels: vec![vec![1.0, 0.0, -0.5], vec![-1.0, 0.0, 0.0]],
            ..Batch::default()
        }
    }

    fn values(training: &Training) -> Vec<Vec<f32>> {
        similarity(training, &batch(), &Device::Cpu).unwrap().to_vec2().unwrap()
    }

    #[test]
    fn faithful_labels_are_the_findings_that_are_present() {
        let faithful = Training { label_count: 2, ..Training::default().faithful() };
        assert_eq!(values(&faithful), [[1.0, 0.0], [0.0, 0.0]]);
        let signed = values(&Training::default());
        assert!(signed[0][1] < 0.0 && signed[1][1] > 0.0, "{signed:?}");
        let denials = values(&Training { denial_weight: 0.5, ..faithful });
        assert_eq!((denials[0][0], denials[1][0]), (1.0, 0.0), "a text that states something is compared as before");
        // cos([1, -1], [-1, 0]) and cos([-1, 1], [-1, 0]), by half: the film without it is the nearer one.
        assert!((denials[0][1] + 0.125f32.sqrt()).abs() < 1e-6 && (denials[1][1] - 0.125f32.sqrt()).abs() < 1e-6);
        let dot = Training { objective: Objective::SemanticMatchingDot, ..Training::default() };
        assert_eq!(values(&dot), [[0.75, -1.0], [-1.0, 1.0]]);
    }

    #[test]
    fn pairs_raise_the_probability_of_a_match() {
        let targets = Tensor::new(&[[0.5f32, 0.0], [0.2, 0.2]], &Device::Cpu).unwrap();
        let moved: Vec<Vec<f32>> = towards_pairs(&targets, &[(0, 0), (1, 1)], 0.5).unwrap().to_vec2().unwrap();
        assert_eq!(moved, [[0.75, 0.0], [0.2, 0.6]]);
        assert!(towards_pairs(&targets, &[(0, 2)], 0.5).is_err());
    }
}
