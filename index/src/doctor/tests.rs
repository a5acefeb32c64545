#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use super::repair::{Mended, mend_generation, set_records_aside};
use super::*;
use crate::catalogue::Catalogue;
use crate::generation::layout::column_file;
use crate::generation::{Builder, Space};
use crate::index::Index;
use crate::testing::{DIMENSION, build, document, documents, run};

fn home() -> (tempfile::TempDir, Catalogue) {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    catalogue.put(&documents(12)).unwrap();
    build(home.path(), &catalogue, "a");
    (home, catalogue)
}

fn found(home: &Path, catalogue: &Catalogue) -> Vec<Finding> {
    let mut findings = catalogue::examine(home, catalogue).unwrap().1;
    findings.extend(generations::examine(home, Some(catalogue)).unwrap().1);
    findings
}

fn faults(home: &Path, catalogue: &Catalogue) -> Vec<Finding> {
    found(home, catalogue).into_iter().filter(|finding| finding.severity == Severity::Fault).collect()
}

#[test]
fn a_sound_home_has_no_fault_and_changes_are_notes() {
    let (home, catalogue) = home();
    assert_eq!(found(home.path(), &catalogue), []);
    let (counts, _) = generations::examine(home.path(), Some(&catalogue)).unwrap();
    assert_eq!((counts.studies, counts.generation), (12, Some(1)));
    assert!(counts.files > 6);
    catalogue.remove(&["s00003"]).unwrap();
    catalogue.put(&[document(40), document(3)]).unwrap();
    catalogue.remove(&["s00004"]).unwrap();
    let mut builder = Builder::start_or_resume(home.path(), &catalogue, "a", DIMENSION).unwrap();
    let notes = found(home.path(), &catalogue);
    assert!(notes.iter().all(|note| note.severity == Severity::Note), "{notes:?}");
    assert_eq!(notes.len(), 2, "two studies are behind, and an unfinished build: {notes:?}");
    run(&mut builder, "a");
    builder.finish().unwrap();
    assert_eq!(found(home.path(), &catalogue), []);
}

#[test]
fn damaged_records_are_named_and_set_aside() {
    let (home, catalogue) = home();
    catalogue.damage("s00002", |bytes| bytes.truncate(30));
    catalogue.damage("s00005", |bytes| {
        let at = bytes.len() - 40;
        bytes[at] ^= 1;
    });
    let found = faults(home.path(), &catalogue);
    for id in ["s00002", "s00005"] {
        assert!(found.iter().any(|fault| fault.place.contains(id) && fault.remedy.contains("--repair")), "{found:?}");
    }
    let (file, count) = set_records_aside(home.path(), &catalogue).unwrap().unwrap();
    assert_eq!(count, 2);
    let kept = std::fs::read_to_string(&file).unwrap();
    assert_eq!(kept.lines().count(), 2);
    assert!(kept.contains(&format!("\"id\":\"{}\"", b"s00002".map(|byte| format!("{byte:02x}")).concat())));
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(catalogue.len(), 10);
    assert_eq!(faults(home.path(), &catalogue), []);
    let index = Index::open_beside(home.path(), &catalogue).unwrap().unwrap();
    assert_eq!((index.behind().deleted, index.row("s00002")), (2, None));
    assert_eq!(set_records_aside(home.path(), &catalogue).unwrap(), None);
}

#[test]
fn a_record_that_went_silently_is_missed() {
    let (home, catalogue) = home();
    catalogue.lose("s00007");
    let found = faults(home.path(), &catalogue);
    assert!(found.iter().any(|f| f.problem.contains("12 records were acknowledged, 11 are there")), "{found:?}");
    assert!(found.iter().any(|f| f.place.contains("s00007") && f.problem.contains("the catalogue has not")));
}

#[test]
fn a_damaged_generation_is_made_anew_from_its_vectors() {
    let (home, catalogue) = home();
    let dir = home.path().join("index/1");
    let text = std::fs::read_dir(dir.join("text"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "idx"));
    let text = text.unwrap();
    let mut bytes = std::fs::read(&text).unwrap();
    bytes[5] ^= 0x10;
    std::fs::write(&text, bytes).unwrap();
    let found = faults(home.path(), &catalogue);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].place.ends_with(text.file_name().unwrap().to_str().unwrap()));
    assert_eq!(mend_generation(home.path(), &catalogue).unwrap(), Mended::Rebuilt { generation: 2 });
    assert_eq!(faults(home.path(), &catalogue), []);
    assert_eq!(Index::open(home.path()).unwrap().unwrap().len(), 12);
}

#[test]
fn what_is_lost_is_to_be_embedded_and_what_is_sound_is_kept() {
    let (home, catalogue) = home();
    let column = home.path().join("index/1").join(column_file(Space::Images));
    std::fs::write(&column, b"junk").unwrap();
    assert_eq!(faults(home.path(), &catalogue).len(), 1);
    assert_eq!(mend_generation(home.path(), &catalogue).unwrap(), Mended::Begun { missing: 12 });
    let mut builder = Builder::start_or_resume(home.path(), &catalogue, "a", DIMENSION).unwrap();
    assert!(run(&mut builder, "a").iter().all(|hash| hash.starts_with("image")));
    builder.finish().unwrap();
    assert_eq!(faults(home.path(), &catalogue), []);
}

#[test]
fn a_lost_current_is_found_again_and_a_generation_of_junk_is_dropped() {
    let (home, catalogue) = home();
    let root = home.path().join("index");
    std::fs::write(root.join("CURRENT"), "7 nothing\n").unwrap();
    assert_eq!(faults(home.path(), &catalogue).len(), 1);
    assert_eq!(mend_generation(home.path(), &catalogue).unwrap(), Mended::PointedAt { generation: 1 });
    assert_eq!(found(home.path(), &catalogue), []);
    std::fs::write(root.join("1/manifest.json"), "{}").unwrap();
    assert_eq!(faults(home.path(), &catalogue).len(), 1);
    assert_eq!(mend_generation(home.path(), &catalogue).unwrap(), Mended::Dropped);
    assert_eq!(faults(home.path(), &catalogue), []);
    build(home.path(), &catalogue, "a");
    assert_eq!(found(home.path(), &catalogue), []);
}
