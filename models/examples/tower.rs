//! Our side of `make bench-models`: one tower, one mode, one batch size, timed as the driver asks (`compare.py`).
//!
//! `tower swin|bert forward|train BATCH`. It prints `ready` after one iteration; then, for each line with a number on its
//! input, the seconds of that many iterations as a JSON list; at the end of the input its peak memory in MB.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, Write};
use std::time::Instant;

use thorax_models::Config;
use thorax_models::train::bench::{Inputs, Tower};

/// Tokens of a sentence.
const TOKENS: usize = 64;

/// Peak resident memory in MB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, mode, batch] = arguments.as_slice() else { panic!("tower swin|bert forward|train BATCH") };
    let (config, batch) = (Config::preset("medclip").unwrap(), batch.parse().unwrap());
    let inputs = match model.as_str() {
        "swin" => Inputs::films(&config, batch),
        "bert" => Inputs::sentences(&config, batch, TOKENS),
        _ => panic!("no tower {model}"),
    };
    let mut tower = match mode.as_str() {
        "forward" => Tower::frozen(&config, inputs),
        "train" => Tower::in_training(&config, inputs),
        _ => panic!("no mode {mode}"),
    }
    .unwrap();
    tower.run().unwrap();
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready").unwrap();
    out.flush().unwrap();
    for line in std::io::stdin().lock().lines() {
        let count: usize = line.unwrap().trim().parse().unwrap();
        let seconds: Vec<f64> = (0..count)
            .map(|_| {
                let start = Instant::now();
                assert!(tower.run().unwrap().is_finite());
                start.elapsed().as_secs_f64()
            })
            .collect();
        writeln!(out, "{seconds:?}").unwrap();
        out.flush().unwrap();
    }
    writeln!(out, "{:.1}", peak()).unwrap();
}
