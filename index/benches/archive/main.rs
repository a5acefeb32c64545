//! Growth: an archive of synthetic studies (fields, reports, unit vectors) straight into catalogue and generation, then opened
//! by a process of its own: opening time, memory, disk, and text search under filters by 1 and by 16 clients.
//!
//! `THORAX_BENCH_SIZES` ("10000") sizes, `THORAX_BENCH_DIMENSION` (64) numbers in a vector, `THORAX_BENCH_GRAPH` set: with the graph
//! (else vectors are scanned), `THORAX_BENCH_DIR` where the homes go, `THORAX_BENCH_PLOT` an SVG of the growth. One line of JSON for each
//! size.
//!
//! - `corpus` the studies
//! - `measure` opening and searching
//! - `plot` the SVG
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod corpus;
mod measure;
mod plot;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use thorax_index::{Builder, Catalogue, Space, Tuning};

const BATCH: usize = 2_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--open") {
        println!("{}", measure::opened(Path::new(&arguments[at + 1])));
        return;
    }
    let sizes: Vec<usize> = setting("THORAX_BENCH_SIZES", "10000")
        .split([' ', ','])
        .filter(|size| !size.is_empty())
        .map(|size| size.replace('_', "").parse().expect("THORAX_BENCH_SIZES: numbers"))
        .collect();
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("THORAX_BENCH_DIR").map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    let mut rows = Vec::new();
    for size in sizes {
        let home = folder.join(format!("archive-{size}"));
        let mut row = json!({"bench": "archive", "studies": size, "dimension": dimension(), "graph": with_graph()});
        if !home.join("index/CURRENT").exists() {
            merge(&mut row, build(&home, size));
        }
        merge(&mut row, sizes_on_disk(&home));
        // a process of its own: the memory of building is not the memory of serving
        let said = std::process::Command::new(&arguments[0]).arg("--open").arg(&home).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        merge(&mut row, serde_json::from_slice(&said.stdout).unwrap());
        println!("{row}");
        rows.push(row);
    }
    table(&rows);
    if let Some(path) = std::env::var_os("THORAX_BENCH_PLOT") {
        std::fs::write(&path, plot::svg(&rows)).unwrap();
        eprintln!("plotted in {}", Path::new(&path).display());
    }
}

fn setting(name: &str, default: &str) -> String {
    std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}

fn dimension() -> usize {
    setting("THORAX_BENCH_DIMENSION", "64").parse().unwrap()
}

fn with_graph() -> bool {
    !setting("THORAX_BENCH_GRAPH", "").is_empty()
}

fn merge(row: &mut Value, more: Value) {
    let (Some(row), Value::Object(more)) = (row.as_object_mut(), more) else { return };
    row.extend(more);
}

fn build(home: &Path, size: usize) -> Value {
    std::fs::create_dir_all(home).unwrap();
    let catalogue = Catalogue::open(home).unwrap();
    let began = Instant::now();
    let mut next = 0;
    while next < size {
        let documents: Vec<_> = (next..size.min(next + BATCH)).map(corpus::document).collect();
        catalogue.put(&documents).unwrap();
        next += BATCH;
    }
    let put = began.elapsed().as_secs_f64();
    eprintln!("{size}: in the catalogue after {put:.1} s");
    let began = Instant::now();
    let tuning = match with_graph() {
        true => Tuning::default(),
        false => Tuning { exact_below: usize::MAX, ..Tuning::default() },
    };
    let mut builder = Builder::start_with(home, &catalogue, "synthetic", dimension(), tuning).unwrap();
    for space in Space::ALL {
        for chunk in builder.pending(space, BATCH) {
            let outcomes: Vec<_> = chunk
                .into_iter()
                .map(|pending| {
                    let vector = corpus::vector(&pending.item.hash, dimension());
                    (pending.item, Ok(vector))
                })
                .collect();
            builder.append(space, &outcomes).unwrap();
        }
    }
    let appended = began.elapsed().as_secs_f64();
    eprintln!("{size}: vectors after {appended:.1} s");
    let began = Instant::now();
    builder.finish().unwrap();
    let finished = began.elapsed().as_secs_f64();
    eprintln!("{size}: index after {finished:.1} s");
    json!({"put_s": put, "append_s": appended, "finish_s": finished, "build_peak_mb": measure::memory("VmHWM:")})
}

fn sizes_on_disk(home: &Path) -> Value {
    fn bytes(path: &Path) -> u64 {
        let about = std::fs::metadata(path).unwrap();
        if about.is_file() {
            return about.len();
        }
        std::fs::read_dir(path).unwrap().map(|entry| bytes(&entry.unwrap().path())).sum()
    }
    let mb = |path: &str| bytes(&home.join(path)) as f64 / 1e6;
    json!({"catalogue_mb": mb("catalogue"), "index_mb": mb("index")})
}

fn table(rows: &[Value]) {
    let columns = [
        ("studies", "studies"),
        ("open_s", "open s"),
        ("rss_mb", "memory MB"),
        ("catalogue_mb", "catalogue MB"),
        ("index_mb", "index MB"),
        ("words_1_p50_ms", "words p50"),
        ("words_1_p99_ms", "p99"),
        ("words_16_p50_ms", "x16 p50"),
        ("words_16_p99_ms", "x16 p99"),
        ("vectors_1_p50_ms", "vectors p50"),
        ("vectors_1_p99_ms", "p99"),
    ];
    let line = |cells: Vec<String>| println!("{}", cells.join(" | "));
    line(columns.iter().map(|(_, title)| (*title).to_owned()).collect());
    for row in rows {
        let cell = |name: &str| row[name].as_f64().map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        line(columns.iter().map(|(name, _)| cell(name)).collect());
    }
}
