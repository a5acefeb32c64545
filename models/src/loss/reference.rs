//! The definition of semantic matching, loop by loop in `f64`, for the tests.
#![allow(clippy::unwrap_used)]

use candle_core::Tensor;

pub(super) const LABELS_I: [[f32; 3]; 3] = [[1.0, 0.0, -1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]];
pub(super) const LABELS_T: [[f32; 3]; 2] = [[1.0, -1.0, 0.0], [-1.0, 0.0, 1.0]];

pub(super) fn rows(t: &Tensor) -> Vec<Vec<f32>> {
    t.to_vec2().unwrap()
}

/// The loss of embeddings `images` and `texts` with label similarities `sim`; `scale` is the logarithm of the factor.
pub(super) fn by_loops(images: &[Vec<f32>], texts: &[Vec<f32>], scale: f64, sim: &[Vec<f32>], temperature: f64) -> f64 {
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
