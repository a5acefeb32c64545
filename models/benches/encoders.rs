//! Speed of the encoders: embedding, and loss plus gradients of a batch.
//!
//! The figure beside each time is items per second. `THORAX_BENCH_PRESET` chooses another preset than `small`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thorax_models::train::bench::{Batch, Learner};
use thorax_models::{Config, Device, Encoder, Pixels, Tokenizer, encoder};

const WORDS: [&str; 12] =
    ["heart", "lungs", "clear", "the", "no", "effusion", "left", "right", "opacity", "is", "seen", "base"];

/// A sentence of 12 words.
fn sentence(i: usize) -> String {
    (0..12).map(|k| WORDS[(i * 7 + k * k + k) % WORDS.len()]).collect::<Vec<_>>().join(" ")
}

fn film(side: usize, i: usize) -> Pixels {
    let values = (0..side * side).map(|k| u8::try_from((k * 31 + i * 17) % 251).unwrap()).collect();
    Pixels::new(side, values).unwrap()
}

fn labels(i: usize) -> Vec<f32> {
    (0..14).map(|k| if (i + k).is_multiple_of(5) { 1.0 } else { -1.0 }).collect()
}

fn encoders(c: &mut Criterion) {
    let preset = std::env::var("THORAX_BENCH_PRESET").unwrap_or_else(|_| "small".to_owned());
    let config = Config::preset(&preset).unwrap();
    let tokenizer = Tokenizer::train((0..200).map(sentence), config.text.vocab_size, config.text.max_tokens).unwrap();
    let side = config.vision.image_size();

    let dir = tempfile::tempdir().unwrap();
    encoder::random(&config, &tokenizer, 1, dir.path()).unwrap();
    let encoder = Encoder::load(dir.path(), &Device::Cpu).unwrap();
    let mut group = c.benchmark_group(&preset);
    group.sample_size(10);
    for n in [1usize, 32] {
        let films: Vec<Pixels> = (0..n).map(|i| film(side, i)).collect();
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(format!("embed {n} films"), |b| b.iter(|| encoder.embed_images(&films).unwrap()));
        let lines: Vec<String> = (0..n).map(sentence).collect();
        group.bench_function(format!("embed {n} sentences"), |b| b.iter(|| encoder.embed_texts(&lines).unwrap()));
    }

    let (images, texts) = (config.training.image_batch, config.training.text_batch);
    let batch = Batch {
        images: (0..images).map(|i| film(side, i)).collect(),
        image_labels: (0..images).map(labels).collect(),
        texts: (0..texts).map(|i| tokenizer.ids(&sentence(i)).unwrap()).collect(),
        text_labels: (0..texts).map(labels).collect(),
        text_features: None,
        pairs: Vec::new(),
        trunk: None,
    };
    group.throughput(Throughput::Elements(images as u64));
    for shards in [1, 2] {
        let learner = Learner::new(&config, &tokenizer, 14, candle_core::DType::F32, &Device::Cpu, shards).unwrap();
        let name = format!("gradients of {images} films and {texts} sentences, {shards} shards");
        group.bench_function(name, |b| b.iter(|| rayon::scope(|_| learner.gradients(&batch, 0).unwrap())));
    }
    group.finish();
}

criterion_group!(benches, encoders);
criterion_main!(benches);
