//! `kill -9` during `thorax index`: the next run resumes, and the result equals that of a run that was not killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Home, command};

#[test]
fn a_killed_index_run_resumes_and_comes_out_equal() {
    let home = Home::with_model(150);
    let undisturbed = home.path();
    let killed = home.scratch().join("killed");
    copy(&undisturbed, &killed);

    home.ok(&["index"]);
    let mut kills = 0;
    for attempt in 0.. {
        assert!(attempt < 200, "it never finishes");
        let mut child = command(&killed, &["index"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Later and later, so that every stage is hit: opening, films, sentences, writing, swapping.
        std::thread::sleep(Duration::from_millis(15 + 25 * attempt));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 3, "only {kills} kills landed: the test shows nothing");
    assert!(command(&killed, &["index"]).output().unwrap().status.success());

    assert_eq!(vectors(&undisturbed), vectors(&killed), "after {kills} kills");
    for query in ["enlarged heart", "left pleural effusion", "no pneumothorax"] {
        assert_eq!(results(&undisturbed, query), results(&killed, query), "{query}");
    }
}

#[test]
fn a_second_run_embeds_nothing_and_a_new_study_is_all_that_is_embedded() {
    let home = Home::ready(30);
    let again = home.json(&["index", "--json"]);
    assert_eq!((&again["embedded"], &again["generation"]), (&0.into(), &1.into()));

    let csv = home.scratch().join("one.csv");
    fs::write(&csv, "study,patient,report\nx,x,FINDINGS: Quite another sentence altogether about effusion.\n").unwrap();
    home.ok(&["import", "manifest", &csv.display().to_string()]);
    let before: Value = home.json(&["search", "effusion", "--json"]);
    assert!(before["warning"].as_str().unwrap().contains("thorax index"));
    let next = home.json(&["index", "--json"]);
    assert_eq!((&next["embedded"], &next["generation"], &next["failed"]), (&1.into(), &2.into(), &0.into()));

    let anew = home.json(&["index", "--rebuild", "--json"]);
    assert_eq!(anew["carried"], 0);
    assert_eq!(anew["generation"], 3);
    assert!(home.json(&["search", "effusion", "--json"])["warning"].is_null());
}

fn results(home: &Path, query: &str) -> Vec<(String, String)> {
    let said = command(home, &["search", query, "-k", "20", "--json"]).output().unwrap();
    assert!(said.status.success());
    let answer: Value = serde_json::from_slice(&said.stdout).unwrap();
    answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["study"].to_string(), format!("{} {}", r["score"], r["components"])))
        .collect()
}

/// The vector columns and their keys, byte for byte.
fn vectors(home: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let current = fs::read_to_string(home.join("index/CURRENT")).unwrap();
    let dir = home.join("index").join(current.split_whitespace().next().unwrap());
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // tantivy names its segments at random, and the manifest holds their checksums.
        if path.is_file() && !name.contains("manifest") {
            files.insert(PathBuf::from(name), fs::read(&path).unwrap());
        }
    }
    assert!(files.values().any(|bytes| bytes.len() > 50_000), "no vector column among {:?}", files.keys());
    files
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => {
                fs::copy(&path, &target).unwrap();
            }
        }
    }
}
