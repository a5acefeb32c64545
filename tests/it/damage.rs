//! A flipped bit in any file of a home is found, by opening it or by `thorax doctor`, or it does no harm: the results are the same.
//!
//! `THORAX_FLIPS` offsets in each file (2).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::kill::copy;
use crate::support::{Home, Said, command};

#[test]
fn a_flipped_bit_in_any_file_is_found_or_does_no_harm() {
    let flips: usize = std::env::var("THORAX_FLIPS").ok().and_then(|value| value.parse().ok()).unwrap_or(2);
    let home = Home::new();
    home.ok(&["import", "phantom", "--studies", "6", "--size", "64"]);
    home.ok(&["train", "--preset", "demo", "--steps", "1"]);
    home.ok(&["index"]);
    home.ok(&["delete", "phantom/s1-000003", "--yes"]);
    home.ok(&["import", "phantom", "--studies", "7", "--size", "64", "--seed", "2"]);
    // films name the home by its absolute path: it is damaged in place, and brought back from a copy
    let (path, sound) = (home.path(), home.scratch().join("sound"));
    let expected = answers(&path).unwrap();
    copy(&path, &sound);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut files = files(&sound);
    files.sort();
    let (mut found, mut harmless) = (0, Vec::new());
    let mut films = 0;
    for file in files {
        let name = file.strip_prefix(&sound).unwrap().to_owned();
        let bytes = fs::read(&file).unwrap();
        films += usize::from(name.starts_with("phantom"));
        // a film is like the next one
        if bytes.is_empty() || (name.starts_with("phantom") && films > 2) {
            continue;
        }
        // the store and the ledger are what everything hangs on
        let places = if name.starts_with("catalogue") { 5 * flips } else { flips };
        for _ in 0..places {
            let (at, bit) = (random.random_range(0..bytes.len()), random.random_range(0..8));
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            fs::write(path.join(&name), &changed).unwrap();
            let what = format!("{} at {at}, bit {bit}", name.display());
            let doctor = run(&path, &["doctor", "--json"], &what);
            if doctor.code != 0 {
                let said = format!("{}{}", doctor.stdout, doctor.stderr);
                assert!(said.contains("FAULT") || said.contains("fault") || said.contains("error"), "{what}: {said}");
                found += 1;
            } else {
                let now =
                    answers(&path).unwrap_or_else(|said| panic!("{what}: doctor finds nothing, and then: {said}"));
                assert!(now == expected, "{what}: nobody finds it, and the results are others");
                harmless.push(what);
            }
            bring_back(&sound, &path);
        }
    }
    eprintln!("{found} found, {} harmless: {harmless:#?}", harmless.len());
    assert!(found > 2 * harmless.len(), "most are found");
    home.ok(&["doctor"]);
}

/// What a user sees of the home: every study, and what a search finds.
fn answers(home: &Path) -> Result<(Vec<String>, Value), String> {
    let file = home.with_file_name("look.jsonl");
    let said = run(home, &["backup", &file.display().to_string()], "backup");
    if said.code != 0 {
        return Err(said.stderr);
    }
    let text = fs::read_to_string(&file).unwrap();
    let studies = text.lines().filter(|line| line.contains("\"study\":{")).map(str::to_owned).collect();
    let said = run(home, &["search", "left pleural effusion", "-k", "20", "--json"], "search");
    let mut answer: Value = serde_json::from_str(&said.stdout).map_err(|_| said.stderr)?;
    answer["took_ms"] = Value::Null;
    Ok((studies, answer))
}

/// Runs a command; one that hangs is a failure.
fn run(home: &Path, arguments: &[&str], what: &str) -> Said {
    let mut child = command(home, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (began, mut out, mut err) = (Instant::now(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = std::thread::spawn(move || std::io::read_to_string(&mut out).unwrap());
    let read_err = std::thread::spawn(move || std::io::read_to_string(&mut err).unwrap());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            panic!("{what}: thorax {arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Said { code: status.code().unwrap_or(-1), stdout: read.join().unwrap(), stderr: read_err.join().unwrap() }
}

fn bring_back(sound: &Path, home: &Path) {
    for name in ["audit", "catalogue", "index", "models", "phantom"] {
        let _ = fs::remove_dir_all(home.join(name));
        copy(&sound.join(name), &home.join(name));
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
