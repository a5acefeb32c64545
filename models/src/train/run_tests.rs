//! Whole runs on a tiny problem.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use candle_core::Device;

use super::{Budget, Card, Event, ImageSource, Options, Outcome, Progress, Sources, train};
use crate::encoder::Encoder;
use crate::error::ModelError;
use crate::testing::{Films, Lines, SENTENCES, tiny};

fn options(out: &Path, steps: u64) -> Options {
    let mut options = Options::new(tiny(), out, Device::Cpu, Budget::Steps(steps));
    options.shards = Some(2);
    options
}

fn sources(films: &Films) -> Sources<'_> {
    Sources { images: films, texts: &Lines, validator: None }
}

/// Runs to the end, or until `stop_after` steps; returns the outcome and the steps.
fn run(options: &Options, films: &Films, stop_after: Option<u64>) -> (Outcome, Vec<Progress>) {
    let stop = AtomicBool::new(false);
    let mut steps = Vec::new();
    let outcome = train(options, sources(films), &stop, &mut |event| {
        if let Event::Step(progress) = event {
            steps.push(progress);
            stop.store(stop_after == Some(progress.step), Ordering::Relaxed);
        }
    })
    .unwrap();
    (outcome, steps)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[test]
fn learns_to_retrieve_films_by_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let (outcome, steps) = run(&options(dir.path(), 250), &Films::new(40, 1), None);
    assert!(matches!(&outcome, Outcome::Finished(card) if card.steps == 250 && card.images == 40 && card.labels == 4));
    let (first, last) = (steps[0].loss, steps[249].average_loss);
    assert!(last < 0.75 * first, "the loss went from {first} to {last}");

    let encoder = Encoder::load(dir.path(), &Device::Cpu).unwrap();
    let unseen = Films::new(16, 77);
    let pixels: Vec<_> = (0..16).map(|i| encoder.preprocess(&unseen.load(i).unwrap()).unwrap()).collect();
    let images = encoder.embed_images(&pixels).unwrap();
    let mut hits = 0;
    for (sentence, labels) in &SENTENCES[..4] {
        let query = encoder.embed_texts(&[sentence]).unwrap().remove(0);
        let mut order: Vec<usize> = (0..16).collect();
        order.sort_by(|&a, &b| dot(&images[b], &query).total_cmp(&dot(&images[a], &query)));
        let right = |i: usize| labels.iter().zip(unseen.labels(i)).all(|(t, f)| *t <= 0.0 || *f > 0.0);
        hits += order[..4].iter().filter(|&&i| right(i)).count();
    }
    assert!(hits >= 15, "precision@4 on unseen films: {hits} of 16");
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one_to_the_bit() {
    let films = Films::new(20, 2);
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (expected, all) = run(&options(whole.path(), 12), &films, None);
    let (stopped, mut steps) = run(&options(parts.path(), 12), &films, Some(5));
    assert_eq!(stopped, Outcome::Stopped { step: 5 });
    let unfinished = Encoder::load(parts.path(), &Device::Cpu).err().unwrap().to_string();
    assert!(unfinished.contains("not finished"), "{unfinished}");
    let (outcome, rest) = run(&options(parts.path(), 12), &films, None);
    steps.extend(rest);
    let losses = |steps: &[Progress]| steps.iter().map(|s| (s.step, s.loss, s.average_loss)).collect::<Vec<_>>();
    assert_eq!(losses(&steps), losses(&all));
    let fingerprint = |outcome: Outcome| match outcome {
        Outcome::Finished(card) => card.fingerprint,
        other => panic!("{other:?}"),
    };
    assert_eq!(fingerprint(outcome), fingerprint(expected));
    assert!(!parts.path().join("checkpoint.safetensors").exists());
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    run(&options(dir.path(), 12), &Films::new(20, 2), Some(2));
    let complaint = |options: &Options, films: &Films| {
        train(options, sources(films), &AtomicBool::new(false), &mut |_| {}).unwrap_err().to_string()
    };
    let message = complaint(&options(dir.path(), 12), &Films::new(21, 2));
    assert!(message.contains("number of images was 20, is 21"), "{message}");
    let mut other = options(dir.path(), 12);
    other.config.training.learning_rate *= 2.0;
    let message = complaint(&other, &Films::new(20, 2));
    assert!(message.contains("the configuration"), "{message}");
    fs_err::write(dir.path().join("checkpoint.safetensors"), [0u8; 40]).unwrap();
    let message = complaint(&options(dir.path(), 12), &Films::new(20, 2));
    assert!(message.contains("no intact safetensors file"), "{message}");
}

#[test]
fn films_that_fail_are_reported_once_and_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut films = Films::new(10, 3);
    films.broken = vec![4, 7];
    let mut skipped = Vec::new();
    let outcome = train(&options(dir.path(), 8), sources(&films), &AtomicBool::new(false), &mut |event| {
        if let Event::ImageSkipped { index, reason } = event {
            assert_eq!(reason, "the file is cut");
            skipped.push(index);
        }
    })
    .unwrap();
    skipped.sort_unstable();
    assert_eq!(skipped, [4, 7]);
    assert!(matches!(outcome, Outcome::Finished(card) if card.images_skipped == 2));
    assert_eq!(Card::load(dir.path()).unwrap().steps, 8);

    films.broken = (0..10).collect();
    let other = tempfile::tempdir().unwrap();
    let error = train(&options(other.path(), 8), sources(&films), &AtomicBool::new(false), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("no image could be loaded"), "{error}");
}

#[test]
fn checkpoints_come_as_often_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path(), 4);
    options.checkpoint_every = Duration::ZERO;
    let mut saved = Vec::new();
    train(&options, sources(&Films::new(10, 3)), &AtomicBool::new(false), &mut |event| {
        if let Event::Checkpoint { step, .. } = event {
            saved.push(step);
        }
    })
    .unwrap();
    assert_eq!(saved, [1, 2, 3, 4]);
}

#[test]
fn a_budget_in_minutes_ends_by_the_clock_and_follows_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path(), 0);
    options.budget = Budget::Minutes(0.01);
    let (outcome, steps) = run(&options, &Films::new(10, 3), None);
    assert!(matches!(outcome, Outcome::Finished(_)));
    let last = steps.last().unwrap();
    assert!(last.seconds >= 0.6 && last.seconds < 5.0 && last.total.is_none(), "{last:?}");
    assert_eq!(last.fraction, 1.0);
    assert!(steps.iter().all(|s| s.learning_rate <= 5e-3));
}

#[test]
fn what_cannot_be_trained_on_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let complaint = |films: &Films| {
        train(&options(dir.path(), 4), sources(films), &AtomicBool::new(false), &mut |_| {}).unwrap_err().to_string()
    };
    assert!(complaint(&Films::new(0, 1)).contains("0 images and 8 texts"));
    let mut silent = Films::new(3, 1);
    silent.films.iter_mut().for_each(|f| f.1 = [0.0; 4]);
    assert!(complaint(&silent).contains("no image has a label"));
    silent.films[1].1[2] = f32::NAN;
    assert!(complaint(&silent).contains("labels of image 1"));
}

#[test]
fn a_finished_model_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    run(&options(dir.path(), 2), &Films::new(8, 3), None);
    let error = train(&options(dir.path(), 2), sources(&Films::new(8, 3)), &AtomicBool::new(false), &mut |_| {});
    assert!(matches!(error, Err(ModelError::AlreadyTrained { .. })));
}
