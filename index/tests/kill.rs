//! `kill -9` at any moment: what was acknowledged is there, what serves is whole, and a build goes on where it stopped.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use thorax_index::{Builder, Catalogue, Document, Index, Item, Space, Value};

/// Names the home to the child process, which this test starts from its own program.
const HOME: &str = "THORAX_KILL_TEST_HOME";
const DIMENSION: usize = 24;

fn document(number: usize) -> Document {
    let id = format!("s{number:06}");
    let item = |i: usize| Item { key: format!("{id}#{i}"), hash: format!("content {number} {i}") };
    Document {
        group: format!("g{}", number / 3),
        fields: BTreeMap::from([("n".to_owned(), vec![Value::Number(number as f64)])]),
        images: (0..3).map(item).collect(),
        sentences: Vec::new(),
        text: format!("words of number {number} ").repeat(20),
        denied: Vec::new(),
        body: serde_json::Value::Null,
        id,
    }
}

fn vector(hash: &str) -> Vec<f32> {
    let bytes = blake3::hash(hash.as_bytes());
    bytes.as_bytes().iter().take(DIMENSION).map(|byte| f32::from(*byte) - 127.5).collect()
}

fn build(home: &Path, catalogue: &Catalogue) {
    let mut builder = Builder::start_or_resume(home, catalogue, "model", DIMENSION).unwrap();
    for chunk in builder.pending(Space::Images, 8) {
        let outcomes: Vec<_> = chunk.into_iter().map(|p| (p.item.clone(), Ok(vector(&p.item.hash)))).collect();
        builder.append(Space::Images, &outcomes).unwrap();
    }
    builder.finish().unwrap();
}

/// The child: stores and builds until it is killed, and says how many documents have been acknowledged.
#[test]
fn child() {
    let Some(home) = std::env::var_os(HOME) else { return };
    let home = Path::new(&home);
    let catalogue = Catalogue::open(home).unwrap();
    let mut next = catalogue.len();
    loop {
        for _ in 0..4 {
            let batch: Vec<Document> = (next..next + 25).map(document).collect();
            catalogue.put(&batch).unwrap();
            next += 25;
            println!("\nacknowledged {next}");
            std::io::stdout().flush().unwrap();
        }
        build(home, &catalogue);
    }
}

#[test]
fn killed_again_and_again() {
    if std::env::var_os(HOME).is_some() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..12u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env(HOME, home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<usize>().ok()).last()
        });
        std::thread::sleep(Duration::from_millis(60 + round * 53 % 300));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged = acknowledged.max(reader.join().unwrap().unwrap_or(0));

        let catalogue = Catalogue::open(home.path()).unwrap();
        let documents: Vec<Document> = catalogue.iter().collect::<Result<_, _>>().unwrap();
        assert!(documents.len() >= acknowledged, "{} of {acknowledged} in round {round}", documents.len());
        for (number, found) in documents.iter().enumerate() {
            assert_eq!(*found, document(number));
        }
        if let Some(index) = Index::open(home.path()).unwrap() {
            check(&index);
        }
    }
    assert!(acknowledged > 0, "the child never came to store anything");
    let catalogue = Catalogue::open(home.path()).unwrap();
    build(home.path(), &catalogue);
    let index = Index::open(home.path()).unwrap().unwrap();
    assert_eq!(index.len(), catalogue.len());
    assert!(index.manifest().is_current("model", &catalogue).unwrap());
    check(&index);
}

/// Every image has the vector of its content.
fn check(index: &Index) {
    assert_eq!(index.item_count(Space::Images), index.len() * 3);
    for row in 0..index.len() as u32 {
        for (i, item) in index.items(Space::Images, row).enumerate() {
            let expected = vector(&format!("content {row} {i}"));
            let norm = expected.iter().map(|x| x * x).sum::<f32>().sqrt();
            let found = index.vector(Space::Images, item).unwrap();
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b / norm).abs() < 1e-5));
        }
    }
}
