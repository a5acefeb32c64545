//! Gradients of the whole model.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use candle_core::{DType, Device, Tensor};

use super::learner::{Batch, Learner};
use crate::config::Config;
use crate::loss;
use crate::preprocess::prepare;
use crate::testing::{Films, SENTENCES, tiny, tokenizer};
use crate::train::ImageSource;

pub(super) fn batch(images: usize) -> Batch {
    let config = tiny();
    let films = Films::new(images, 5);
    let tokenizer = tokenizer();
    Batch {
        images: (0..images).map(|i| prepare(&films.load(i).unwrap(), &config).unwrap()).collect(),
        image_labels: (0..images).map(|i| films.labels(i).to_vec()).collect(),
        texts: SENTENCES.iter().take(6).map(|(s, _)| tokenizer.ids(s).unwrap()).collect(),
        text_labels: SENTENCES.iter().take(6).map(|(_, l)| l.to_vec()).collect(),
        pairs: vec![(0, 0), (1, 2)],
        ..Batch::default()
    }
}

pub(super) fn learner(config: &Config, dtype: DType, shards: usize) -> Learner {
    let mut config = config.clone();
    config.text.vocab_size = tokenizer().vocab_size();
    Learner::new(&config, &tokenizer(), 4, dtype, &Device::Cpu, shards).unwrap()
}

pub(super) fn flat(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn every_parameter_receives_a_gradient() {
    for (name, config) in [("tiny", tiny()), ("small", small()), ("demo", Config::preset("demo").unwrap())] {
        let learner = learner(&config, DType::F32, 2);
        let mut batch = batch(4);
        let films = Films::new(4, 5);
        batch.images = (0..4).map(|i| prepare(&films.load(i).unwrap(), &config).unwrap()).collect();
        let (_, gradients) = learner.gradients(&batch, 0).unwrap();
        for ((parameter, _), gradient) in learner.parameters().iter().zip(&gradients) {
            let gradient = gradient.as_ref().unwrap_or_else(|| panic!("{name}: {parameter} has no gradient"));
            let values = flat(gradient);
            assert!(values.iter().all(|v| v.is_finite()), "{name}: {parameter}");
            // A key's bias shifts all scores of a row alike, so the softmax doesn't see it: its gradient is 0 in theory.
            let silent = parameter.ends_with("key.bias");
            assert!(silent || values.iter().any(|v| *v != 0.0), "{name}: the gradient of {parameter} is 0");
        }
    }
}

/// The preset with fewer blocks, to be fast.
fn small() -> Config {
    let mut config = Config::preset("small").unwrap();
    config.vision.as_swin_mut().unwrap().depths = vec![2, 1, 1];
    config
}

#[test]
fn gradients_match_finite_differences() {
    let learner = learner(&tiny(), DType::F64, 1);
    let batch = batch(4);
    let (_, gradients) = learner.gradients(&batch, 0).unwrap();
    let loss = || learner.loss_only(&batch, 0).unwrap().to_scalar::<f64>().unwrap();
    for ((name, var), gradient) in learner.parameters().iter().zip(&gradients) {
        let gradient = flat(gradient.as_ref().unwrap());
        let base = flat(var);
        // The largest component and one in the middle.
        let largest = (0..base.len()).max_by(|&a, &b| gradient[a].abs().total_cmp(&gradient[b].abs())).unwrap();
        for k in [largest, base.len() / 2] {
            let eps = 1e-5;
            let at = |delta: f64| {
                let mut moved = base.clone();
                moved[k] += delta;
                var.set(&Tensor::from_vec(moved, var.dims(), &Device::Cpu).unwrap()).unwrap();
                loss()
            };
            let numeric = (at(eps) - at(-eps)) / (2.0 * eps);
            at(0.0);
            let analytic = gradient[k];
            assert!(
                (numeric - analytic).abs() <= 1e-6 * (1.0 + numeric.abs()),
                "{name}[{k}]: {numeric:e} by differences, {analytic:e} by backward"
            );
        }
    }
}

#[test]
fn fused_and_plain_operations_agree_on_the_whole_model() {
    let (f32s, f64s) = (learner(&tiny(), DType::F32, 1), learner(&tiny(), DType::F64, 1));
    let batch = batch(4);
    let ((a, ga), (b, gb)) = (f32s.gradients(&batch, 0).unwrap(), f64s.gradients(&batch, 0).unwrap());
    assert!((a.total - b.total).abs() < 1e-5, "{a:?} {b:?}");
    for (((name, _), ga), gb) in f32s.parameters().iter().zip(&ga).zip(&gb) {
        let (ga, gb) = (flat(ga.as_ref().unwrap()), flat(gb.as_ref().unwrap()));
        let scale = gb.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
        let worst = ga.iter().zip(&gb).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-4 * scale, "{name}: differs by {worst:e} on a scale of {scale:e}");
    }
}

#[test]
fn shards_change_nothing_but_rounding() {
    let mut config = tiny();
    config.training.drop_path = 0.0;
    let (one, three) = (learner(&config, DType::F64, 1), learner(&config, DType::F64, 3));
    let batch = batch(7);
    let ((a, ga), (b, gb)) = (one.gradients(&batch, 0).unwrap(), three.gradients(&batch, 0).unwrap());
    assert!((a.total - b.total).abs() < 1e-6);
    for ((name, _), (ga, gb)) in one.parameters().iter().zip(ga.iter().zip(&gb)) {
        let (ga, gb) = (flat(ga.as_ref().unwrap()), flat(gb.as_ref().unwrap()));
        assert!(ga.iter().zip(&gb).all(|(x, y)| (x - y).abs() < 1e-9), "{name}");
    }
}

#[test]
fn the_parts_of_the_loss_add_up() {
    let mut config = tiny();
    config.training.question_weight = 0.25;
    let learner = learner(&config, DType::F32, 2);
    let batch = batch(8);
    let (losses, gradients) = learner.gradients(&batch, 0).unwrap();
    assert!(losses.questions > 0.0 && losses.auxiliary > 0.0);
    assert!((losses.total - losses.matching - 0.5 * losses.auxiliary - 0.25 * losses.questions).abs() < 1e-5);
    let answers = learner.parameters().iter().zip(&gradients).find(|((name, _), _)| name == "auxiliary.answers");
    assert!(
        flat(answers.unwrap().1.as_ref().unwrap()).iter().any(|v| *v != 0.0),
        "how often the answer is yes is learned"
    );
    let total = loss::scalar(&learner.loss_only(&batch, 0).unwrap()).unwrap();
    assert!((losses.total - total).abs() < 1e-5);
}

#[test]
fn fewer_items_than_shards_are_fine() {
    let learner = learner(&tiny(), DType::F32, 16);
    let mut batch = batch(2);
    batch.texts.truncate(3);
    batch.text_labels.truncate(3);
    assert!(learner.gradients(&batch, 0).unwrap().0.total.is_finite());
}
