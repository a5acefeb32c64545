//! Our side of `make bench-index`: answers commands, one line of JSON each.
//!
//! `vectors FOLDER DIMENSION` reads `FOLDER/vectors.f32` and `FOLDER/queries.f32`, which the other side has written, and keeps its own
//! files in `FOLDER/ours`. Commands: `build`, `open`, `search EF`, `filtered`. Rates are by this thread's processor time
//! where Linux tells it, and the time of a filtered query is its fastest of five, so that other work on the machine disturbs little.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use roaring::RoaringBitmap;
use serde_json::{Value, json};
use thorax_index::Tuning;
use thorax_index::graph::Graph;
use thorax_index::index::{Neighbours, Studies};
use thorax_index::vectors::{Column, ColumnWriter, best_of, decode, dot};

const K: usize = 10;
/// Queries of each cell of the filtered table.
const FILTERED: usize = 100;

struct Bench {
    folder: PathBuf,
    dimension: usize,
    queries: Vec<Vec<f32>>,
    opened: Option<Neighbours>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, dimension] = arguments.as_slice() else {
        panic!("vectors FOLDER DIMENSION");
    };
    let (folder, dimension) = (PathBuf::from(folder), dimension.parse().unwrap());
    let queries = decode(&std::fs::read(folder.join("queries.f32")).unwrap());
    let queries = queries.chunks_exact(dimension).map(<[f32]>::to_vec).collect();
    let mut bench = Bench { folder, dimension, queries, opened: None };
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let answer = match line.split_once(' ') {
            None if line == "build" => bench.build(),
            None if line == "open" => bench.open(),
            None if line == "filtered" => bench.filtered(),
            Some(("search", ef)) => bench.search(ef.parse().unwrap()),
            _ => panic!("no command: {line}"),
        };
        println!("{answer}");
    }
}

/// Seconds that this thread has had of a processor.
fn processor() -> f64 {
    // the system brings its account up to date at a switch
    std::thread::yield_now();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match stat.split(' ').next().and_then(|first| first.parse::<f64>().ok()) {
        Some(nanoseconds) => nanoseconds / 1e9,
        None => std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64(),
    }
}

/// Seconds that all threads have had.
fn processors() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let time = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        stat.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
    };
    tasks.map(|task| time(task.unwrap())).sum()
}

/// Kilobytes of this process in memory: its own, and of mapped files.
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    (field("RssAnon:"), field("RssFile:"))
}

/// Each vector is a study.
struct OneEach(u32);

impl Studies for OneEach {
    fn count(&self) -> usize {
        self.0 as usize
    }

    fn of_row(&self, row: u32) -> Option<u32> {
        (row < self.0).then_some(row)
    }

    fn rows(&self, study: u32) -> std::ops::Range<u32> {
        if study < self.0 { study..study + 1 } else { 0..0 }
    }
}

impl Bench {
    fn paths(&self) -> (PathBuf, PathBuf) {
        let ours = self.folder.join("ours");
        (ours.join("column.f32"), ours.join("column.graph"))
    }

    fn build(&self) -> Value {
        let (column, graph) = self.paths();
        std::fs::create_dir_all(column.parent().unwrap()).unwrap();
        let mut writer = ColumnWriter::new(std::io::BufWriter::new(std::fs::File::create(&column).unwrap()));
        let vectors = std::fs::read(self.folder.join("vectors.f32")).unwrap();
        for row in vectors.chunks_exact(self.dimension * 4) {
            writer.push(&decode(row)).unwrap();
        }
        drop(vectors);
        writer.finish().unwrap();
        let column = Column::open(&column, self.dimension).unwrap();
        let node_of: Vec<u32> = (0..column.len() as u32).collect();
        let (started, cpu) = (Instant::now(), processors());
        Graph::build(&graph, &column, &node_of, &Tuning::default()).unwrap();
        json!({ "seconds": started.elapsed().as_secs_f64(), "cpu": processors() - cpu })
    }

    fn open(&mut self) -> Value {
        let (column, graph) = self.paths();
        let bytes = |path: &Path| std::fs::metadata(path).unwrap().len();
        let rows = bytes(&column) / (self.dimension as u64 * 4 + 4);
        self.opened = None;
        let before = resident();
        let started = Instant::now();
        let opened = Neighbours::open(&column, Some(&graph), self.dimension).unwrap();
        let seconds = started.elapsed().as_secs_f64();
        let after = resident();
        self.opened = Some(opened);
        let started = Instant::now();
        self.nearest(&self.queries[0], None, &Tuning::default());
        json!({
            "seconds": seconds, "first_query": started.elapsed().as_secs_f64(),
            "graph_bytes": bytes(&graph), "column_bytes": bytes(&column), "rows": rows,
            "anonymous_kb": after.0.saturating_sub(before.0), "mapped_kb": after.1.saturating_sub(before.1),
        })
    }

    fn opened(&self) -> &Neighbours {
        self.opened.as_ref().expect("open comes first")
    }

    fn studies(&self) -> OneEach {
        OneEach(self.opened().column().len() as u32)
    }

    fn nearest(&self, query: &[f32], filter: Option<&RoaringBitmap>, tuning: &Tuning) -> Vec<(f32, u32)> {
        self.opened().nearest(query, K, filter, &self.studies(), tuning).unwrap()
    }

    fn search(&self, ef_search: usize) -> Value {
        let tuning = Tuning { ef_search, ..Tuning::default() };
        let cpu = processor();
        let found: Vec<Vec<(f32, u32)>> = self.queries.iter().map(|query| self.nearest(query, None, &tuning)).collect();
        let cpu = processor() - cpu;
        let rows: Vec<Vec<u32>> = found.iter().map(|hits| hits.iter().map(|(_, row)| *row).collect()).collect();
        json!({ "cpu": cpu, "rows": rows, "anonymous_kb": resident().0, "mapped_kb": resident().1 })
    }

    /// Every share and kind of filter, beside the exact scan of what passes, one thread.
    fn filtered(&self) -> Value {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        pool.install(|| {
            let mut cells = Vec::new();
            for kind in ["random", "near", "far"] {
                for share in [0.5, 0.1, 0.01, 0.001, 0.0001] {
                    cells.push(self.cell(kind, share));
                }
            }
            Value::Array(cells)
        })
    }

    fn cell(&self, kind: &str, share: f64) -> Value {
        let opened = self.opened();
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let (mut ours, mut exact, mut right, mut hits, mut wanted, mut fewer) = (vec![], vec![], 0, 0, 0, 0);
        for query in self.queries.iter().take(FILTERED) {
            let filter = self.filter(kind, share, query, &mut random);
            let asked = K.min(filter.len() as usize);
            let (time, found) = fastest(|| self.nearest(query, Some(&filter), &Tuning::default()));
            ours.push(time);
            let (time, best) = fastest(|| opened.exact(query, K, Some(&filter), &self.studies()).unwrap());
            exact.push(time);
            assert!(found.iter().all(|(_, row)| filter.contains(*row)), "a hit that does not pass");
            // a tie in the last place is right either way
            let last = best.last().map_or(f32::MIN, |(score, _)| *score);
            right += found.iter().filter(|(score, _)| *score >= last).count();
            hits += found.len();
            wanted += asked;
            fewer += usize::from(found.len() < asked);
        }
        let [median, p99, exact_median, exact_p99] =
            [(&ours, 0.5), (&ours, 0.99), (&exact, 0.5), (&exact, 0.99)].map(|(times, at)| quantile(times, at));
        json!({
            "kind": kind, "share": share, "recall": right as f64 / wanted.max(1) as f64, "hits": hits, "asked": wanted,
            "fewer_than_asked": fewer, "p50": median, "p99": p99, "exact_p50": exact_median, "exact_p99": exact_p99,
        })
    }

    /// Rows that pass: at random, or half of those that are nearest to the query, or of those that are farthest.
    fn filter(&self, kind: &str, share: f64, query: &[f32], random: &mut ChaCha8Rng) -> RoaringBitmap {
        let column = self.opened().column();
        let rows = column.len() as u32;
        let count = ((f64::from(rows) * share) as usize).max(1);
        let mut from: Vec<u32> = (0..rows).collect();
        if kind != "random" {
            let sign = if kind == "near" { 1.0 } else { -1.0 };
            let scored = from.iter().map(|row| (sign * dot(query, column.row(*row).unwrap().unwrap()), *row)).collect();
            from = best_of(scored, (2 * count).min(rows as usize)).into_iter().map(|(_, row)| row).collect();
            if share >= 0.5 {
                from.truncate(count);
            }
        }
        let mut chosen = RoaringBitmap::new();
        // the first `count` of a shuffle
        for i in 0..count.min(from.len()) {
            let other = random.random_range(i..from.len());
            from.swap(i, other);
            chosen.insert(from[i]);
        }
        chosen
    }
}

/// The shortest of a few times, which nothing has interrupted.
fn fastest<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let mut timed = || {
        let started = Instant::now();
        let result = work();
        (started.elapsed().as_secs_f64(), result)
    };
    let (mut best, result) = timed();
    (1..5).for_each(|_| best = best.min(timed().0));
    (best, result)
}

fn quantile(times: &[f64], at: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * at).round() as usize]
}
