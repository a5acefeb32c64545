//! The question that a search asks, as a loss: is the film nearer to texts that state a finding than to texts that deny it?

use candle_core::{Result, Tensor};

use super::entropy::known_label_entropy;

/// What a difference of two cosines is multiplied by: cosines of texts that say the contrary differ by a few tenths.
const SCALE: f64 = 10.0;

/// Binary cross entropy of the labels of films, asked by the texts of the batch.
///
/// `images` `[n, d]` and `texts` `[m, d]` are unit vectors. The question for a label is a mean of the texts that state it
/// less one of those that deny it, weighted by 1 / (statements of the text)^2; a label that no text states, or that none
/// denies, is not asked. `bias` `[l]` is how often the answer is yes. Labels are signed, 0 is not known. Zero where nothing
/// can be asked.
pub fn question_entropy<A: AsRef<[f32]>>(
    images: &Tensor,
    texts: &Tensor,
    bias: &Tensor,
    image_labels: &[A],
    text_labels: &[A],
) -> Result<Tensor> {
    let labels = bias.dim(0)?;
    let of = |row: &A, label: usize| row.as_ref().get(label).copied().unwrap_or(0.0);
    let mut weights = vec![0f32; labels * text_labels.len()];
    let mut asked = vec![false; labels];
    // A text of one statement is the clearest question; one that states many asks about all of them at once.
    let clear = |t: &A| (t.as_ref().iter().filter(|v| **v != 0.0).count().max(1) as f32).powi(-2);
    let clarity: Vec<f32> = text_labels.iter().map(clear).collect();
    for (label, (row, asked)) in weights.chunks_mut(text_labels.len().max(1)).zip(&mut asked).enumerate() {
        let total = |wanted: fn(f32) -> bool| -> f32 {
            text_labels.iter().zip(&clarity).filter(|(t, _)| wanted(of(t, label))).map(|(_, c)| c).sum()
        };
        let (stated, denied) = (total(|v| v > 0.0), total(|v| v < 0.0));
        *asked = stated > 0.0 && denied > 0.0;
        if !*asked {
            continue;
        }
        for (weight, (text, clarity)) in row.iter_mut().zip(text_labels.iter().zip(&clarity)) {
            *weight = match of(text, label) {
                v if v > 0.0 => clarity / stated,
                v if v < 0.0 => -clarity / denied,
                _ => 0.0,
            };
        }
    }
    let weights = Tensor::from_vec(weights, (labels, text_labels.len()), texts.device())?.to_dtype(texts.dtype())?;
    let logits = (images.matmul(&weights.matmul(texts)?.t()?)? * SCALE)?.broadcast_add(bias)?;
    let answer = |row: &A| -> Vec<f32> {
        asked.iter().enumerate().map(|(label, asked)| if *asked { of(row, label) } else { 0.0 }).collect()
    };
    known_label_entropy(&logits, &image_labels.iter().map(answer).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use candle_core::Device;

    use super::*;
    use crate::loss::scalar;
    use crate::ops::testing::{check_gradients, random};

    #[test]
    fn a_film_that_lies_with_the_texts_that_state_it_answers_yes() {
        let new = |rows: &[[f32; 2]]| Tensor::from_slice(rows.as_flattened(), (rows.len(), 2), &Device::Cpu).unwrap();
        // The first two texts state the finding, the third denies it; nothing is said of the second label.
        let (texts, said) =
            (new(&[[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]), [vec![1.0, 0.0], vec![0.5, 1.0], vec![-1.0, 0.0]]);
        let bias = Tensor::zeros(2, candle_core::DType::F32, &Device::Cpu).unwrap();
        let loss = |shown: [f32; 2]| {
            let of = question_entropy(&new(&[[1.0, 0.0]]), &texts, &bias, &[shown.to_vec()], &said);
            scalar(&of.unwrap()).unwrap()
        };
        // The second states two things and weighs a quarter of the first.
        let logit = 10.0 * (0.8 + 0.2 * 0.6f32);
        assert!((loss([1.0, 0.0]) - (-logit).exp().ln_1p()).abs() < 1e-5);
        assert!((loss([-1.0, 0.0]) - (logit + (-logit).exp().ln_1p())).abs() < 1e-5);
        assert_eq!(loss([0.0, 1.0]), 0.0, "no text denies the second, so it is not asked");
    }

    #[test]
    fn gradients() {
        let inputs = [random(&[3, 4], 1), random(&[5, 4], 2), random(&[2], 3)];
        let shown = [vec![1.0, -1.0], vec![0.0, 1.0], vec![-1.0, 0.5]];
        let said = [vec![1.0, 0.0], vec![-1.0, -1.0], vec![0.0, 1.0], vec![0.5, 0.0], vec![-1.0, 0.0]];
        let said: Vec<Vec<f32>> = said.to_vec();
        check_gradients(&inputs, |t| question_entropy(&t[0], &t[1], &t[2], &shown, &said).unwrap());
    }
}
