//! Search over clustered unit vectors: exact scan, graph, filters; recall@10 against the exact scan is printed beside the times.
//!
//! `THORAX_BENCH_ROWS` (default 20,000) and `THORAX_BENCH_DIMENSION` (default 256) set the size.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::hint::black_box;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thorax_index::{Builder, Catalogue, Document, Filter, Index, Item, RoaringBitmap, Space, Term, Tuning, Value};

const K: usize = 10;

fn size(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Vectors around a few hundred centres, as encoders make them.
struct Clusters {
    centres: Vec<Vec<f32>>,
    random: ChaCha8Rng,
}

impl Clusters {
    fn new(dimension: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let centres = (0..300).map(|_| (0..dimension).map(|_| random.random_range(-1.0..1.0)).collect()).collect();
        Self { centres, random }
    }

    fn draw(&mut self) -> Vec<f32> {
        let centre = &self.centres[self.random.random_range(0..self.centres.len())];
        centre.iter().map(|x| x + self.random.random_range(-0.8..0.8)).collect()
    }
}

fn document(number: usize) -> Document {
    let id = format!("d{number:07}");
    let item = Item { key: format!("{id}#0"), hash: id.clone() };
    let fields = BTreeMap::from([
        ("age".to_owned(), vec![Value::Number((number * 7919 % 100) as f64)]),
        ("kind".to_owned(), vec![Value::Text(format!("kind {}", number * 104_729 % 14))]),
    ]);
    let text = format!("word{} word{} and further words", number % 1000, number % 77);
    Document {
        id,
        group: String::new(),
        fields,
        images: vec![item],
        sentences: Vec::new(),
        text,
        denied: Vec::new(),
        body: serde_json::Value::Null,
    }
}

fn build(home: &std::path::Path, rows: usize, dimension: usize) {
    let catalogue = Catalogue::open(home).unwrap();
    let mut clusters = Clusters::new(dimension);
    for start in (0..rows).step_by(1000) {
        let batch: Vec<Document> = (start..rows.min(start + 1000)).map(document).collect();
        catalogue.put(&batch).unwrap();
    }
    let tuning = Tuning { exact_below: 0, ..Tuning::default() };
    let mut builder = Builder::start_with(home, &catalogue, "bench", dimension, tuning).unwrap();
    for chunk in builder.pending(Space::Images, 1000) {
        let outcomes: Vec<_> = chunk.into_iter().map(|pending| (pending.item, Ok(clusters.draw()))).collect();
        builder.append(Space::Images, &outcomes).unwrap();
    }
    let started = Instant::now();
    builder.finish().unwrap();
    println!("{rows} rows of {dimension}: finished in {:.1} s", started.elapsed().as_secs_f64());
}

fn keys(index: &Index, query: &[f32], filter: Option<&RoaringBitmap>) -> HashSet<String> {
    index.nearest(Space::Images, query, K, filter).unwrap().into_iter().map(|hit| hit.key).collect()
}

fn search(criterion: &mut Criterion) {
    let (rows, dimension) = (size("THORAX_BENCH_ROWS", 20_000), size("THORAX_BENCH_DIMENSION", 256));
    let home = tempfile::tempdir().unwrap();
    build(home.path(), rows, dimension);
    let open = |tuning: Tuning| Index::open_with(home.path(), tuning).unwrap().unwrap();
    let started = Instant::now();
    let exact = open(Tuning { exact_below: usize::MAX, ..Tuning::default() });
    println!("opened in {:.2} s", started.elapsed().as_secs_f64());
    let mut clusters = Clusters::new(dimension);
    let queries: Vec<Vec<f32>> = (0..100).map(|_| clusters.draw()).collect();

    let mut group = criterion.benchmark_group("nearest");
    group.sample_size(20);
    let mut random = ChaCha8Rng::seed_from_u64(8);
    for share in [1.0, 0.5, 0.1, 0.01] {
        let chosen: RoaringBitmap = (0..rows as u32).filter(|_| random.random_bool(share)).collect();
        let filter = (share < 1.0).then_some(&chosen);
        let mut run = |name: &str, index: &Index| {
            let mut found = 0;
            for query in &queries {
                found += keys(index, query, filter).intersection(&keys(&exact, query, filter)).count();
            }
            println!("{name}, {share} pass: recall@{K} {:.4}", found as f64 / (K * queries.len()) as f64);
            let mut next = queries.iter().cycle();
            group.bench_with_input(BenchmarkId::new(name, share), &share, |bencher, _| {
                bencher.iter(|| index.nearest(Space::Images, black_box(next.next().unwrap()), K, filter).unwrap());
            });
        };
        run("scan", &exact);
        for ef_search in [16, 32, 64] {
            run(
                &format!("graph ef {ef_search}"),
                &open(Tuning { exact_below: 0, scan_pays: 0, ef_search, ..Tuning::default() }),
            );
        }
    }
    group.finish();

    let filter = Filter::parse("age:40..60 -kind:\"kind 3\"").unwrap();
    let passing = exact.filter(&filter).unwrap();
    println!("the filter passes {} of {rows}", passing.len());
    criterion.bench_function("filter", |bencher| bencher.iter(|| exact.filter(black_box(&filter)).unwrap()));
    let words = Term::each_word("word5 further");
    criterion
        .bench_function("keywords", |bencher| bencher.iter(|| exact.keywords(black_box(&words), K, None).unwrap()));
    criterion.bench_function("keywords filtered", |bencher| {
        bencher.iter(|| exact.keywords(black_box(&words), K, Some(&passing)).unwrap());
    });
}

criterion_group!(benches, search);
criterion_main!(benches);
