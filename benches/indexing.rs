//! Re-indexing beside the bare encoder, on the same films in one run: what decoding, hashing, writing and acknowledging cost.
//!
//! `THORAX_BENCH_FILMS` (256) films of the NIH folder in `THORAX_BENCH_NIH` (`../shared/data/nih`), `THORAX_BENCH_ROUNDS` (3) rounds of
//! both in turn, with the model that is part of the program. One line of JSON at the end.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::PathBuf;
use std::time::Instant;

use rayon::prelude::*;
use thorax::archive::import::import;
use thorax::archive::{Source, load_image, open};
use thorax::home::Home;
use thorax::indexing::embed::{Options, index};
use thorax::progress::{Progress, Watch};

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

fn main() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/nih");
    let nih = std::env::var_os("THORAX_BENCH_NIH").map_or(beside, PathBuf::from);
    if !nih.exists() {
        eprintln!("SKIPPED: there are no films in {}", nih.display());
        return;
    }
    let (films, rounds) = (number("THORAX_BENCH_FILMS", 256), number("THORAX_BENCH_ROUNDS", 3));
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path()).unwrap();
    let catalogue = home.catalogue().unwrap();
    let studies = open(Source::Nih, &nih).unwrap().take(films);
    let imported = import(&catalogue, Box::new(studies), &Progress::new("importing", None)).unwrap();
    let encoder = home.encoder(&home.model_name(None).unwrap()).unwrap();
    let paths: Vec<PathBuf> = catalogue
        .iter()
        .flat_map(|document| thorax::indexing::document::study(&document.unwrap()).unwrap().images)
        .map(|image| image.path)
        .collect();

    let mut rates = (Vec::new(), Vec::new(), Vec::new());
    let mut failed = 0;
    for round in 0..rounds + 1 {
        let began = Instant::now();
        let pixels: Vec<_> =
            paths.par_iter().map(|path| encoder.preprocess(&load_image(path).unwrap()).unwrap()).collect();
        let decoding = began.elapsed().as_secs_f64();
        let began = Instant::now();
        for chunk in pixels.chunks(64) {
            encoder.embed_images(chunk).unwrap();
        }
        let bare = began.elapsed().as_secs_f64();
        drop(pixels);
        let began = Instant::now();
        let options = Options { rebuild: true };
        failed = index(&home, &catalogue, &encoder, options, &Watch::terminal()).unwrap().failed;
        let whole = began.elapsed().as_secs_f64();
        let rate = |seconds: f64| paths.len() as f64 / seconds;
        eprintln!(
            "round {round}: bare {:.1}/s, index {:.1}/s, decode {:.1}/s",
            rate(bare),
            rate(whole),
            rate(decoding)
        );
        // the first round finds cold caches
        if round > 0 {
            rates.0.push(rate(bare));
            rates.1.push(rate(whole));
            rates.2.push(rate(decoding));
        }
    }
    let began = Instant::now();
    index(&home, &catalogue, &encoder, Options::default(), &Watch::terminal()).unwrap();
    let nothing_new = began.elapsed().as_secs_f64();
    let (bare, whole, decoding) = (median(rates.0), median(rates.1), median(rates.2));
    println!(
        "{}",
        serde_json::json!({
            "bench": "indexing", "films": imported.images, "failed": failed, "threads": rayon::current_num_threads(),
            "bare_per_s": bare, "index_per_s": whole, "share_of_bare": whole / bare, "decode_per_s": decoding,
            "second_run_s": nothing_new,
        })
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
