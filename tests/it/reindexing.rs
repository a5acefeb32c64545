//! Re-indexing under load: a client at 20 queries a second sees no error while the server embeds everything anew and swaps.
//!
//! `make bench-serve` runs it longer: `THORAX_BENCH_SERVE` seconds before and during, on a home of `THORAX_BENCH_HOME`.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Server;
use crate::support::{self, Home};

const PER_SECOND: u32 = 20;

/// Latencies in milliseconds, and what went wrong.
#[derive(Default)]
struct Load {
    took: Vec<f64>,
    errors: Vec<String>,
}

impl Load {
    fn figures(&self) -> Value {
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|p| support::percentile(&self.took, p));
        json!({"queries": self.took.len(), "errors": self.errors.len(), "p50_ms": p50, "p99_ms": p99, "max_ms": max})
    }
}

/// Asks at a steady rate, each query on a thread of its own: a slow answer does not hold back the next question.
fn ask(server: &Server, until: impl Fn() -> bool) -> Load {
    let queries =
        ["no pleural effusion", "enlarged heart", "left pneumothorax", "small right effusion", "normal chest"];
    let load = Mutex::new(Load::default());
    std::thread::scope(|scope| {
        let (started, mut asked) = (Instant::now(), 0);
        while !until() {
            let text = queries[asked as usize % queries.len()];
            let load = &load;
            scope.spawn(move || {
                let began = Instant::now();
                let (status, answer) = server.search(&json!({"text": text, "k": 10}));
                let took = began.elapsed().as_secs_f64() * 1e3;
                let mut load = load.lock().unwrap();
                load.took.push(took);
                if status != 200 || answer["results"].as_array().is_none_or(Vec::is_empty) {
                    load.errors.push(format!("{status} {answer}"));
                }
            });
            asked += 1;
            std::thread::sleep((started + asked * Duration::from_secs(1) / PER_SECOND) - Instant::now());
        }
    });
    load.into_inner().unwrap()
}

#[test]
fn a_client_sees_no_error_while_everything_is_embedded_anew() {
    let seconds = std::env::var("THORAX_BENCH_SERVE").ok().map(|s| s.parse::<u64>().unwrap());
    let given = std::env::var_os("THORAX_BENCH_HOME").map(PathBuf::from);
    let own = given.is_none().then(|| Home::ready(150));
    let home = given.or_else(|| own.as_ref().map(Home::path)).unwrap();
    let server = Server::of(&home);
    let generation = || {
        let (status, body, _) = server.get("/api/v1/status");
        assert_eq!(status, 200);
        serde_json::from_slice::<Value>(&body).unwrap()["generation"].as_u64().unwrap()
    };
    let first = generation();

    let quiet = Instant::now() + Duration::from_secs(seconds.unwrap_or(2));
    let before = ask(&server, || Instant::now() >= quiet);

    let done = AtomicBool::new(false);
    let (during, rebuilds) = std::thread::scope(|scope| {
        let job = scope.spawn(|| {
            let begun = Instant::now();
            let mut rebuilds = 0;
            while rebuilds < 2 || begun.elapsed().as_secs() < seconds.unwrap_or(0) {
                let said = support::command(&home, &["index", "--rebuild"]).output().unwrap();
                assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
                rebuilds += 1;
            }
            done.store(true, Ordering::SeqCst);
            rebuilds
        });
        let during = ask(&server, || done.load(Ordering::SeqCst) || job.is_finished());
        (during, job.join().unwrap())
    });

    println!(
        "{}",
        json!({"bench": "serve", "queries_per_s": PER_SECOND, "rebuilds": rebuilds, "before": before.figures(), "during": during.figures()})
    );
    assert!(before.errors.is_empty() && during.errors.is_empty(), "{:?} {:?}", before.errors, during.errors);
    assert!(during.took.len() >= 5, "the job was over before anything was asked: {}", during.took.len());
    assert_eq!(generation(), first + rebuilds, "the server answers from the generation that was made last");
    let left = || -> usize {
        let folders = std::fs::read_dir(home.join("index")).unwrap();
        folders.filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().parse::<u64>().is_ok()).count()
    };
    let started = Instant::now();
    while left() > 1 {
        assert!(started.elapsed().as_secs() < 10, "generations that nobody reads are removed");
        std::thread::sleep(Duration::from_millis(100));
    }
}
