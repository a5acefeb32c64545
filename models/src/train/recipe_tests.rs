//! The options of training, each on the tiny problem.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use candle_core::{DType, Device};
use image::DynamicImage;

use super::learner::{Batch, Learner};
use super::learner_tests::{batch, flat, learner};
use super::{
    Budget, Card, Event, ImageSource, Options, Outcome, Precision, Score, SourceError, Sources, TrunkCache, Validator,
    train,
};
use crate::config::{Config, Objective};
use crate::encoder::Encoder;
use crate::testing::{Films, Lines, SENTENCES, tiny, tokenizer};

fn changed(change: impl FnOnce(&mut crate::config::Training)) -> Config {
    let mut config = tiny();
    change(&mut config.training);
    config.validate().unwrap();
    config
}

/// AUC of "disc" against "square" on unseen films.
struct Unseen(Films);

impl Validator for Unseen {
    fn films(&self) -> usize {
        self.0.len()
    }

    fn load(&self, index: usize) -> Result<DynamicImage, SourceError> {
        self.0.load(index)
    }

    fn key(&self, index: usize) -> u64 {
        1000 + index as u64
    }

    fn texts(&self) -> Vec<String> {
        SENTENCES[..4].iter().map(|(s, _)| (*s).to_owned()).collect()
    }

    fn score(&self, films: &[Option<Vec<f32>>], texts: &[Vec<f32>]) -> Option<Score> {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        let right = films.iter().enumerate().filter(|(i, film)| {
            let film = film.as_ref().unwrap();
            let best = (0..4).max_by(|&a, &b| dot(film, &texts[a]).total_cmp(&dot(film, &texts[b]))).unwrap();
            SENTENCES[best].1.iter().zip(self.0.labels(*i)).all(|(t, f)| *t <= 0.0 || *f > 0.0)
        });
        let value = right.count() as f64 / films.len() as f64;
        Some(Score { value, details: serde_json::json!({ "right": value }) })
    }
}

struct Run {
    options: Options,
    films: Films,
    unseen: Unseen,
}

impl Run {
    fn new(config: Config, out: &Path, steps: u64) -> Self {
        let mut options = Options::new(config, out, Device::Cpu, Budget::Steps(steps));
        options.shards = Some(2);
        Self { options, films: Films::new(24, 1), unseen: Unseen(Films::new(12, 77)) }
    }

    /// Runs to the end, or until `stop_after` steps.
    fn go(&self, stop_after: Option<u64>) -> Outcome {
        let stop = AtomicBool::new(false);
        let sources = Sources { images: &self.films, texts: &Lines, validator: Some(&self.unseen) };
        train(&self.options, sources, &stop, &mut |event| {
            if let Event::Step(progress) = event {
                stop.store(stop_after == Some(progress.step), Ordering::Relaxed);
            }
        })
        .unwrap()
    }

    fn card(&self) -> Card {
        match self.go(None) {
            Outcome::Finished(card) => card,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_parameter_receives_a_gradient_with_every_objective() {
    for objective in [Objective::SemanticMatchingDot, Objective::InfoNce, Objective::Sigmoid] {
        let learner = learner(&changed(|t| t.objective = objective), DType::F32, 2);
        let (losses, gradients) = learner.gradients(&batch(6), 0).unwrap();
        assert!(losses.total.is_finite());
        for ((name, _), gradient) in learner.parameters().iter().zip(&gradients) {
            let silent = name.ends_with("key.bias");
            let gradient = gradient.as_ref().unwrap_or_else(|| panic!("{objective:?}: {name} has no gradient"));
            assert!(silent || flat(gradient).iter().any(|v| *v != 0.0), "{objective:?}: the gradient of {name} is 0");
        }
        let bias = learner.parameters().iter().any(|(name, _)| name == "auxiliary.logit_bias");
        assert_eq!(bias, objective == Objective::Sigmoid);
    }
}

#[test]
fn gradients_in_micro_batches_equal_those_of_the_whole() {
    let (whole, micro) = (learner(&tiny(), DType::F64, 1), learner(&changed(|t| t.micro_batch = 2), DType::F64, 2));
    let batch = batch(7);
    let ((a, ga), (b, gb)) = (whole.gradients(&batch, 3).unwrap(), micro.gradients(&batch, 3).unwrap());
    assert!((a.total - b.total).abs() < 1e-6);
    for ((name, _), (ga, gb)) in whole.parameters().iter().zip(ga.iter().zip(&gb)) {
        let (ga, gb) = (flat(ga.as_ref().unwrap()), flat(gb.as_ref().unwrap()));
        assert!(ga.iter().zip(&gb).all(|(x, y)| (x - y).abs() < 1e-9), "{name}");
    }
}

#[test]
fn frozen_layers_get_no_gradient_and_all_others_do() {
    let layers = 6;
    for (frozen, frozen_text_layers) in [(2, 1), (layers, 2)] {
        let config = changed(|t| (t.frozen, t.frozen_text_layers) = (frozen, frozen_text_layers));
        let learner = learner(&config, DType::F32, 2);
        let whole = batch(4);
        let trunks: Vec<_> = whole.images.iter().map(|film| learner.trunk_of(film).unwrap()).collect();
        let trunk = candle_core::Tensor::cat(&trunks, 0).unwrap();
        let batch = Batch { trunk: Some(trunk), images: Vec::new(), ..whole.clone() };
        let (losses, gradients) = learner.gradients(&batch, 0).unwrap();
        let all = learner.loss_only(&whole, 0).unwrap().to_scalar::<f32>().unwrap();
        assert!((losses.total - all).abs() < 2e-3 * all, "half precision changes {all} to {}", losses.total);
        let trained = |name: &str| {
            learner.parameters().iter().zip(&gradients).any(|((n, _), g)| n.starts_with(name) && g.is_some())
        };
        assert!(trained("vision_model.projection_head") && trained("auxiliary.image") && trained("logit_scale"));
        assert!(!trained("vision_model.model.embeddings"), "the stem is frozen");
        assert_eq!(trained("vision_model.model.layernorm"), frozen < layers);
        assert!(!trained("text_model.model.embeddings") && !trained("text_model.model.encoder.layer.0"));
        assert_eq!(trained("text_model.model.encoder.layer.1"), frozen_text_layers < 2);
    }
}

#[test]
fn kept_features_of_frozen_texts_are_those_of_the_encoder() {
    let learner = learner(&changed(|t| (t.frozen, t.frozen_text_layers) = (6, 2)), DType::F32, 2);
    let whole = batch(4);
    let cache = TrunkCache::default();
    cache.begin_texts(&learner.text_identity().unwrap(), 1 << 20);
    let once = learner.text_features(&whole.texts, &cache).unwrap();
    let kept = learner.text_features(&whole.texts, &cache).unwrap();
    assert_eq!(flat(&once), flat(&kept));
    let trunks: Vec<_> = whole.images.iter().map(|film| learner.trunk_of(film).unwrap()).collect();
    let trunk = candle_core::Tensor::cat(&trunks, 0).unwrap();
    let through = Batch { trunk: Some(trunk), images: Vec::new(), ..whole };
    let cached = Batch { text_features: Some(kept), ..through.clone() };
    let ((a, ga), (b, gb)) = (learner.gradients(&through, 0).unwrap(), learner.gradients(&cached, 0).unwrap());
    assert!((a.total - b.total).abs() < 1e-5, "{a:?} {b:?}");
    for ((name, _), (a, b)) in learner.parameters().iter().zip(ga.iter().zip(&gb)) {
        assert_eq!(a.is_some(), b.is_some(), "{name}");
        if let (Some(a), Some(b)) = (a, b) {
            assert!(flat(a).iter().zip(flat(b)).all(|(x, y)| (x - y).abs() < 1e-5), "{name}");
        }
    }
}

#[test]
fn a_run_with_everything_on_resumes_to_the_bit() {
    let config = || {
        changed(|t| {
            (t.frozen, t.frozen_views, t.ema_decay, t.validate_every) = (2, 3, 0.9, 3);
            (t.hard_negatives, t.pair_blending, t.patient_aware, t.flip) = (0.25, 0.3, true, 0.5);
            (t.text_batch, t.micro_batch, t.drop_path, t.token_dropout) = (12, 4, 0.1, 0.1);
        })
    };
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let expected = Run::new(config(), whole.path(), 12).card();
    let run = Run::new(config(), parts.path(), 12);
    assert_eq!(run.go(Some(4)), Outcome::Stopped { step: 4 });
    assert_eq!(run.go(Some(9)), Outcome::Stopped { step: 9 });
    let card = run.card();
    assert_eq!((card.fingerprint, card.best_step), (expected.fingerprint, expected.best_step));
    assert_eq!(card.validation, expected.validation);
    let curves = |dir: &Path| -> Vec<(u64, f64)> {
        let text = fs_err::read_to_string(dir.join("curves.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.map(|l| (l["step"].as_u64().unwrap(), l["validation"].as_f64().unwrap_or(-1.0))).collect()
    };
    assert_eq!(curves(whole.path()), curves(parts.path()));
    assert!(curves(parts.path()).iter().filter(|(_, v)| *v >= 0.0).map(|(s, _)| *s).eq([3, 6, 9, 12]));
}

#[test]
fn the_best_weights_by_validation_are_saved() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run::new(changed(|t| t.validate_every = 20), dir.path(), 200);
    let card = run.card();
    let encoder = Encoder::load(dir.path(), &Device::Cpu).unwrap();
    let films: Vec<_> = (0..run.unseen.films())
        .map(|i| encoder.preprocess(&run.unseen.load(i).unwrap()).unwrap())
        .map(|film| encoder.embed_images(&[film]).unwrap().pop())
        .collect();
    let score = run.unseen.score(&films, &encoder.embed_texts(&run.unseen.texts()).unwrap()).unwrap();
    assert_eq!(Some(score.value), card.validation);
    assert!(score.value >= 0.75, "{}", score.value);
    let text = fs_err::read_to_string(dir.path().join("curves.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let highest = lines.iter().filter_map(|l| l["validation"].as_f64()).fold(0.0, f64::max);
    assert_eq!(Some(highest), card.validation);
    let best = lines.iter().rfind(|l| l["best"] == true).unwrap();
    assert_eq!(best["step"].as_u64(), Some(card.best_step));
}

#[test]
fn frozen_outputs_are_computed_once_and_shared_by_runs() {
    let films = Films::new(10, 1);
    let cache = Arc::new(TrunkCache::default());
    let go = |seed: u64| {
        let dir = tempfile::tempdir().unwrap();
        // The frozen layers must be the same: they come from one model.
        let from = tempfile::tempdir().unwrap();
        crate::encoder::random(&tiny(), &tokenizer(), 5, from.path()).unwrap();
        let config = changed(|t| (t.frozen, t.frozen_views, t.seed) = (3, 2, seed));
        let mut run = Run::new(config, dir.path(), 30);
        run.options.from = Some(from.path().to_owned());
        run.options.trunk_cache = Some(cache.clone());
        let sources = Sources { images: &films, texts: &Lines, validator: None };
        train(&run.options, sources, &AtomicBool::new(false), &mut |_| {}).unwrap();
        cache.computed_and_kept()
    };
    // Two variants of ten films, for 240 films of 30 steps.
    assert_eq!(go(1), (20, 20));
    assert_eq!(go(2), (20, 20), "the second run found them");
}

#[test]
fn a_run_starts_from_the_weights_and_words_of_another_model() {
    let (from, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    crate::encoder::random(&tiny(), &tokenizer(), 5, from.path()).unwrap();
    // Trained once on other words, it would have another vocabulary.
    let mut run = Run::new(changed(|t| t.learning_rate = 1e-9), dir.path(), 1);
    run.options.from = Some(from.path().to_owned());
    let mut taken = None;
    let sources = Sources { images: &run.films, texts: &Lines, validator: None };
    train(&run.options, sources, &AtomicBool::new(false), &mut |event| {
        if let Event::Initial(initial) = event {
            taken = Some(initial.clone());
        }
    })
    .unwrap();
    let taken = taken.unwrap();
    assert!(taken.missing.is_empty() && taken.unused.is_empty() && taken.copied > 20, "{taken:?}");
    let (a, b) = (Encoder::load(from.path(), &Device::Cpu).unwrap(), Encoder::load(dir.path(), &Device::Cpu).unwrap());
    let embed = |e: &Encoder| e.embed_texts(&["a disc lies on the left side"]).unwrap();
    assert!(embed(&a)[0].iter().zip(&embed(&b)[0]).all(|(x, y)| (x - y).abs() < 1e-5));

    let other = tempfile::tempdir().unwrap();
    let mut config = tiny();
    config.projection.dimension = 4;
    let mut run = Run::new(config, other.path(), 1);
    run.options.from = Some(from.path().to_owned());
    let sources = Sources { images: &run.films, texts: &Lines, validator: None };
    let error = train(&run.options, sources, &AtomicBool::new(false), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("projection_head.weight has shape [8, 12]"), "{error}");
}

#[test]
fn what_the_data_or_device_cannot_do_is_said() {
    struct Plain(Films);
    impl ImageSource for Plain {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn load(&self, index: usize) -> Result<DynamicImage, SourceError> {
            self.0.load(index)
        }
        fn labels(&self, index: usize) -> &[f32] {
            self.0.labels(index)
        }
    }
    let films = Plain(Films::new(8, 1));
    let complaint = |config: Config, precision: Precision| {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(config, dir.path(), Device::Cpu, Budget::Steps(1));
        options.precision = precision;
        let sources = Sources { images: &films, texts: &Lines, validator: None };
        train(&options, sources, &AtomicBool::new(false), &mut |_| {}).unwrap_err().to_string()
    };
    let pairs = complaint(changed(|t| t.objective = Objective::InfoNce), Precision::F32);
    assert!(pairs.contains("no image has a text of its own report"), "{pairs}");
    assert!(complaint(changed(|t| t.flip = 0.5), Precision::F32).contains("training.flip must be 0"));
    assert!(complaint(tiny(), Precision::Bf16).contains("bf16 needs a GPU"));
}

/// Towers in half precision and back are close to those in full, and gradients reach the weights. bfloat16 itself needs a GPU.
#[test]
fn towers_can_compute_in_another_type_than_the_weights() {
    let config = {
        let mut config = tiny();
        config.text.vocab_size = tokenizer().vocab_size();
        config
    };
    let make = |dtype| Learner::new(&config, &tokenizer(), 4, dtype, &Device::Cpu, 1).unwrap();
    let (plain, mixed) = (make(DType::F64), make(DType::F64).computing_in(DType::F32));
    let batch = batch(4);
    let ((a, ga), (b, gb)) = (plain.gradients(&batch, 0).unwrap(), mixed.gradients(&batch, 0).unwrap());
    assert!((a.total - b.total).abs() < 1e-5, "{a:?} {b:?}");
    for ((name, _), (ga, gb)) in plain.parameters().iter().zip(ga.iter().zip(&gb)) {
        let (ga, gb) = (ga.as_ref().unwrap(), gb.as_ref().unwrap_or_else(|| panic!("{name} has no gradient")));
        assert_eq!(gb.dtype(), DType::F64, "{name}");
        let (ga, gb) = (flat(ga), flat(gb));
        let scale = ga.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
        assert!(ga.iter().zip(&gb).all(|(x, y)| (x - y).abs() < 1e-4 * scale), "{name}");
    }
}

#[test]
fn checkpoints_keep_the_best_weights() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::new(changed(|t| (t.validate_every, t.ema_decay) = (1, 0.5)), dir.path(), 4);
    run.options.checkpoint_every = Duration::ZERO;
    assert_eq!(run.go(Some(2)), Outcome::Stopped { step: 2 });
    let bytes = fs_err::read(dir.path().join("checkpoint.safetensors")).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let names: Vec<String> = header.tensors().into_keys().collect();
    for prefix in ["weight/", "first/", "second/", "average/", "best/"] {
        assert!(names.iter().any(|n| n.starts_with(prefix) && n.ends_with("logit_scale")), "{prefix}");
    }
    assert!(!names.iter().any(|n| n.starts_with("best/auxiliary")));
}
