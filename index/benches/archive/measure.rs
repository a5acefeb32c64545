//! Opening, and searching under filters.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use thorax_index::{Filter, Index, Space, Term};

use super::corpus;

const WORDS: [&str; 8] = [
    "pleural effusion",
    "large pneumothorax",
    "\"left apex\"",
    "cardiomegaly edema",
    "small consolidation -pneumonia",
    "tortuous aorta",
    "reader 4711",
    "fracture AND atelectasis",
];
/// Shares that pass: about 50, 25, 10, 3, 1 and 0.01 per cent.
const FILTERS: [&str; 6] = [
    "sex:F",
    "sex:F view:PA age:40..75",
    "finding:\"Lung Lesion\" sex:M",
    "date:2012 sex:F",
    "finding:Fracture left:Fracture source:north",
    "patient:\"synthetic/p0000001\"",
];
const ASKED: usize = 480;
const WARMING: usize = 48;

/// What opening a home and searching it takes, in a process that does nothing else.
pub fn opened(home: &Path) -> Value {
    let before = memory("VmRSS:");
    let began = Instant::now();
    let index = Index::open(home).unwrap().unwrap();
    let open = began.elapsed().as_secs_f64();
    let mut row = json!({"open_s": open, "rss_mb": memory("VmRSS:") - before, "open_peak_mb": memory("VmHWM:")});
    let dimension = index.manifest().dimension;
    let words = |number: usize| {
        let rows = passing(&index, number);
        std::hint::black_box(index.keywords(&Term::each_word(WORDS[number % WORDS.len()]), 10, Some(&rows)).unwrap());
    };
    let vectors = |number: usize| {
        let rows = passing(&index, number);
        let query = corpus::vector(&format!("{number:016x}"), dimension);
        std::hint::black_box(index.nearest(Space::Images, &query, 10, Some(&rows)).unwrap());
    };
    for (name, search) in [("words", &words as &(dyn Fn(usize) + Sync)), ("vectors", &vectors)] {
        (0..WARMING).for_each(search);
        for clients in [1, 16] {
            let (p50, p99, rate) = load(clients, search);
            row[format!("{name}_{clients}_p50_ms")] = json!(p50);
            row[format!("{name}_{clients}_p99_ms")] = json!(p99);
            row[format!("{name}_{clients}_per_s")] = json!(rate);
        }
    }
    row["rss_after_mb"] = json!(memory("VmRSS:") - before);
    row
}

fn passing(index: &Index, number: usize) -> thorax_index::RoaringBitmap {
    index.filter(&Filter::parse(FILTERS[number / WORDS.len() % FILTERS.len()]).unwrap()).unwrap()
}

/// Clients that each ask again as soon as they are answered: p50 and p99 in milliseconds, and answers per second.
fn load(clients: usize, search: &(dyn Fn(usize) + Sync)) -> (f64, f64, f64) {
    let (next, took) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(ASKED)));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= ASKED {
                        return;
                    }
                    let began = Instant::now();
                    search(number);
                    took.lock().unwrap().push(began.elapsed().as_secs_f64() * 1e3);
                }
            });
        }
    });
    let rate = ASKED as f64 / began.elapsed().as_secs_f64();
    let mut took = took.into_inner().unwrap();
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share).round() as usize];
    (at(0.5), at(0.99), rate)
}

/// A line of `/proc/self/status`, in MB; 0 where there is none.
pub fn memory(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|l| l.strip_prefix(line)?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    found.unwrap_or(0.0) / 1e3
}
