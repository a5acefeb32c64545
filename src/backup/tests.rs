#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;

use thorax_index::{Catalogue, Change, Document, Value};

use super::*;
use crate::error::Error;
use crate::home::Home;

fn document(number: usize) -> Document {
    Document {
        id: format!("a/{number:04}"),
        group: format!("p{}", number / 2),
        fields: BTreeMap::from([("age".to_owned(), vec![Value::Number(number as f64 + 0.1)])]),
        images: Vec::new(),
        sentences: Vec::new(),
        text: format!("A private word of number {number}, with \"quotes\" and ümlauts."),
        denied: Vec::new(),
        body: serde_json::json!({ "number": number }),
    }
}

fn home(studies: usize) -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    if studies > 0 {
        let catalogue = home.catalogue().unwrap();
        catalogue.put(&(0..studies).map(document).collect::<Vec<_>>()).unwrap();
        catalogue.remove(&["a/0001"]).unwrap();
        let changes = [Change::put("c", "text"), Change::put(vec![255, 0], vec![1, 254])];
        catalogue.records("cohorts").unwrap().apply(&changes).unwrap();
    }
    (dir, home)
}

fn saved(home: &Home, dir: &Path) -> (End, std::path::PathBuf) {
    let file = dir.join("saved.jsonl");
    (target::to_file(&home.catalogue().unwrap(), &file).unwrap(), file)
}

fn all(catalogue: &Catalogue) -> Vec<Document> {
    catalogue.iter().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_backup_comes_back_whole_and_a_backup_of_it_is_the_same_but_for_its_name() {
    let (dir, home) = home(20);
    let (end, file) = saved(&home, dir.path());
    assert_eq!((end.studies, end.records, end.sequence, end.record_changes), (19, 2, 21, 2));
    assert_eq!(verify(&file).unwrap(), end);
    // any JSON reader can read it
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    let (other_dir, other) = self::home(0);
    assert_eq!(restore::restore(&other, &file, false).unwrap(), end);
    let catalogue = other.catalogue().unwrap();
    assert_eq!(all(&catalogue), all(&home.catalogue().unwrap()));
    assert_eq!(catalogue.records("cohorts").unwrap().get([255, 0]).unwrap().unwrap(), [1, 254]);
    drop(catalogue);
    let again = std::fs::read_to_string(saved(&other, other_dir.path()).1).unwrap();
    let body = |text: &str| text.lines().skip(1).take(21).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&again), body(&text));
}

#[test]
fn any_flipped_byte_and_any_cut_is_found_with_its_line_and_nothing_is_restored() {
    let (dir, home) = home(6);
    let (_, file) = saved(&home, dir.path());
    let whole = std::fs::read(&file).unwrap();
    let (_other_dir, other) = self::home(0);
    let damaged = dir.path().join("damaged.jsonl");
    for at in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&damaged, &bytes).unwrap();
        let line = 1 + whole[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
        match verify(&damaged) {
            // a line end that is gone makes one line of two
            Err(Error::Backup { line: found, reason, .. }) => {
                assert!(found == line || (found == line + 1 && bytes[at] == b'\n'), "{at}: {found}, {line}: {reason}");
                assert!(!reason.contains("private"));
            }
            other => panic!("flipped at {at}: {other:?}"),
        }
    }
    for cut in (0..whole.len()).step_by(31) {
        std::fs::write(&damaged, &whole[..cut]).unwrap();
        assert!(matches!(restore::restore(&other, &damaged, false), Err(Error::Backup { .. })), "cut at {cut}");
    }
    assert!(!other.path().join("catalogue").exists());
}

#[test]
fn lines_that_are_missing_doubled_or_in_another_order_are_found() {
    let (dir, home) = home(6);
    let (_, file) = saved(&home, dir.path());
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let write = |lines: &[&str]| {
        std::fs::write(&file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        verify(&file)
    };
    assert!(write(&lines).is_ok());
    for at in 0..lines.len() {
        let mut changed = lines.clone();
        changed.remove(at);
        assert!(matches!(write(&changed), Err(Error::Backup { .. })), "without line {at}");
        changed.insert(at, lines[at]);
        changed.insert(at, lines[at]);
        assert!(matches!(write(&changed), Err(Error::Backup { .. })), "line {at} twice");
        let mut changed = lines.clone();
        changed.swap(at, (at + 1) % lines.len());
        assert!(matches!(write(&changed), Err(Error::Backup { .. })), "line {at} later");
    }
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("newer.jsonl");
    std::fs::write(&file, format::line(format::Kind::Header, b"{\"format\":7,\"other\":true}")).unwrap();
    let error = verify(&file).expect_err("it is newer").to_string();
    assert!(error.contains("format 7") && error.contains("newer.jsonl, line 1"), "{error}");
}

#[test]
fn a_folder_has_models_and_configuration_and_comes_back() {
    let (dir, home) = home(4);
    let model = home.path().join("models/m");
    std::fs::create_dir_all(&model).unwrap();
    std::fs::write(model.join("model.safetensors"), vec![7; 300_000]).unwrap();
    std::fs::write(home.path().join("models/DEFAULT"), "m\n").unwrap();
    std::fs::write(home.path().join("thorax.toml"), "threads = 1\n").unwrap();
    std::fs::create_dir_all(home.path().join("models/.x.training")).unwrap();
    let to = dir.path().join("saved");
    let catalogue = home.catalogue().unwrap();
    let (end, place) = target::to_folder(&home, &catalogue, &to, true).unwrap();
    assert_eq!((end.files, &place), (3, &to));
    // a second one goes beside the first
    let (_, second) = target::to_folder(&home, &catalogue, &to, false).unwrap();
    assert_eq!(second, to.join("thorax-backup-5"));
    assert_eq!(verify(&second).unwrap().files, 1);
    assert_eq!(verify(&to).unwrap(), end);
    let (_other_dir, other) = self::home(0);
    restore::restore(&other, &to, false).unwrap();
    assert_eq!(std::fs::read(other.path().join("models/m/model.safetensors")).unwrap().len(), 300_000);
    assert_eq!(std::fs::read_to_string(other.path().join("thorax.toml")).unwrap(), "threads = 1\n");
    assert_eq!(other.model_name(None).unwrap(), "m");
    // a changed model file is found before anything is written
    std::fs::write(to.join("models/m/model.safetensors"), vec![8; 300_000]).unwrap();
    let (_third_dir, third) = self::home(0);
    assert!(matches!(restore::restore(&third, &to, false), Err(Error::Backup { .. })));
    assert!(!third.path().join("models").exists() && !third.path().join("catalogue").exists());
}

#[test]
fn a_path_out_of_the_backup_is_refused() {
    for path in ["../x", "/etc/x", "models/../../x", "models//x"] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lines.jsonl");
        let header =
            Header { format: 1, version: String::new(), identity: "i".to_owned(), sequence: 0, record_changes: 0 };
        let mut bytes = format::line(format::Kind::Header, &serde_json::to_vec(&header).unwrap());
        let named = format::FileLine { path: path.to_owned(), bytes: 0, blake3: String::new() };
        bytes.extend(format::line(format::Kind::File, &serde_json::to_vec(&named).unwrap()));
        std::fs::write(&file, bytes).unwrap();
        assert!(verify(&file).unwrap_err().to_string().contains("outside"), "{path}");
    }
}
