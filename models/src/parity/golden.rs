//! What PyTorch computed, and the comparison.
//!
//! Of a gradient `r` the golden has the norm, the projection on a vector of signs, its four largest elements and four
//! others. For our gradient `g` with `n` elements and `d = g - r`, all must hold, with `scale = max(|r|, floor)` and the bound
//! `b` of the case:
//!
//! - the norm: `| |g| - |r| | <= b scale`
//! - the projection: `|s . d| <= b scale`. For signs that have nothing to do with `d`, `s . d` has the mean square
//!   `|d|^2`, so this estimates the whole difference and not only what was sampled
//! - each element: `|d_i| <= b max(|r_i|, scale / sqrt n)`, relative to itself or to a typical element
//!
//! `floor` is 1e-5 of the norm of all gradients together. Below it lies what is zero but for rounding: the bias of the
//! keys (softmax doesn't change when all its inputs do), and parameters whose effect a following norm takes out again.

use std::fmt;

use candle_core::{DType, Tensor};
use serde::Deserialize;

use super::{Outcome, generate};

const EMBEDDING: f64 = 1e-4;
const LOSS: f64 = 1e-5;
const FLOOR: f64 = 1e-5;

#[derive(Deserialize)]
pub(super) struct Golden {
    image_embeddings: Vec<Vec<f64>>,
    text_embeddings: Vec<Vec<f64>>,
    losses: std::collections::BTreeMap<String, f64>,
    gradients: Vec<Gradient>,
}

/// Name, norm, projection, elements.
#[derive(Deserialize)]
struct Gradient(String, f64, f64, Vec<(usize, f64)>);

/// The largest errors, and where.
#[derive(Default)]
pub(super) struct Report {
    embedding: f64,
    loss: f64,
    gradient: f64,
    worst: String,
    parameters: usize,
    below_floor: usize,
    failures: Vec<String>,
    bound: f64,
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn norm(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|v| v * v).sum::<f64>().sqrt()
}

impl Golden {
    pub(super) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap()
    }

    pub(super) fn compare(&self, outcome: &Outcome, bound: f64) -> Report {
        let mut report = Report { bound, ..Report::default() };
        let sides = [(&outcome.images, &self.image_embeddings), (&outcome.texts, &self.text_embeddings)];
        for (ours, theirs) in sides {
            let ours = values(ours);
            let theirs: Vec<f64> = theirs.iter().flatten().copied().collect();
            assert_eq!(ours.len(), theirs.len(), "embeddings");
            let error = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            report.embedding = report.embedding.max(error);
        }
        assert!(self.losses.keys().eq(outcome.losses.keys()), "losses");
        for (name, theirs) in &self.losses {
            report.loss = report.loss.max((f64::from(outcome.losses[name.as_str()]) - theirs).abs());
        }
        let names: Vec<&String> = self.gradients.iter().map(|g| &g.0).collect();
        assert!(names.into_iter().eq(outcome.gradients.keys()), "the parameters are others");
        let floor = FLOOR * norm(self.gradients.iter().map(|g| g.1));
        for golden in &self.gradients {
            report.add(golden, &values(&outcome.gradients[&golden.0]), floor);
        }
        report
    }
}

impl Report {
    fn add(&mut self, Gradient(name, length, projection, elements): &Gradient, ours: &[f64], floor: f64) {
        let scale = length.max(floor);
        let typical = scale / (ours.len() as f64).sqrt();
        let ours_length = norm(ours.iter().copied());
        let ours_projection: f64 = ours.iter().zip(generate::signs(name)).map(|(g, s)| g * s).sum();
        let mut error = ((ours_length - length).abs() / scale).max((ours_projection - projection).abs() / scale);
        for &(i, theirs) in elements {
            error = error.max((ours[i] - theirs).abs() / theirs.abs().max(typical));
        }
        self.parameters += 1;
        self.below_floor += usize::from(*length < floor);
        if error > self.gradient || error.is_nan() {
            (self.gradient, self.worst) = (error, name.clone());
        }
        if error > self.bound || error.is_nan() {
            self.failures.push(format!("{name}: {error:.1e}"));
        }
    }

    /// # Panics
    /// Where a bound is not kept.
    pub(super) fn check(&self) {
        // Written so that NaN fails.
        assert!(self.embedding <= EMBEDDING, "{self}");
        assert!(self.loss <= LOSS, "{self}");
        assert!(self.failures.is_empty(), "{self}\n{} gradients: {:?}", self.failures.len(), self.failures);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "largest error of embeddings {:.1e}, losses {:.1e}, gradients of {} parameters {:.1e} at {}; {} below the floor",
            self.embedding, self.loss, self.parameters, self.gradient, self.worst, self.below_floor
        )
    }
}
