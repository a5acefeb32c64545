use std::collections::HashSet;

use super::super::layout::{Current, column_file};
use super::super::manifest::FileSum;
use super::*;
use crate::error::{IndexError, Result};
use crate::index::Index;
use crate::testing::{build, build_with, document, documents, embed};
use crate::tuning::Tuning;

/// Opens the index, and scores every vector.
fn opened_and_used(home: &Path) -> Result<()> {
    let index = Index::open(home)?.expect("a generation");
    let mut query = vec![0.0; DIMENSION];
    query[0] = 1.0;
    Space::ALL.iter().try_for_each(|space| index.nearest(*space, &query, 1000, None).map(|_| ()))
}

#[test]
fn a_changed_byte_in_any_file_is_found_before_it_is_used() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(40));
    let tuning = Tuning { exact_below: 10, ..Default::default() };
    build_with(home.path(), &catalogue, "a", tuning);
    let root = Layout::new(home.path()).root().to_owned();
    let all = files(&root);
    let names: HashSet<String> = all.iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    for expected in ["CURRENT", "manifest.json", "images.f32", "images.graph", "studies.jsonl"] {
        assert!(names.contains(expected), "{expected} in {names:?}");
    }
    for path in all {
        if path.extension().is_some_and(|e| e == "lock") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 0x01;
            std::fs::write(&path, &changed).unwrap();
            let error = opened_and_used(home.path()).err().unwrap_or_else(|| panic!("{} at {at}", path.display()));
            assert!(matches!(error, IndexError::Damaged { .. }), "{}: {error}", path.display());
            assert!(error.to_string().contains("thorax index --rebuild"));
        }
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(matches!(Index::open(home.path()), Err(IndexError::Damaged { .. })), "{} cut", path.display());
        // without CURRENT nothing serves
        if path.file_name().is_some_and(|name| name != "CURRENT") {
            std::fs::remove_file(&path).unwrap();
            assert!(matches!(Index::open(home.path()), Err(IndexError::Damaged { .. })), "{} gone", path.display());
        }
        std::fs::write(&path, &bytes).unwrap();
    }
    Index::open(home.path()).unwrap().unwrap();
    // a damaged generation does not keep the next one from being built, all anew
    std::fs::write(Layout::new(home.path()).generation(1).join(column_file(Space::Images)), b"junk").unwrap();
    catalogue.put(&[document(50)]).unwrap();
    let summary = build(home.path(), &catalogue, "a");
    assert_eq!((summary.studies, summary.images), (41, 41));
    Index::open(home.path()).unwrap().unwrap();
}

#[test]
fn a_newer_generation_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(2));
    build(home.path(), &catalogue, "a");
    let layout = Layout::new(home.path());
    let text = r#"{ "format": 99, "something": "else" }"#;
    std::fs::write(layout.generation(1).join("manifest.json"), text).unwrap();
    std::fs::write(layout.root().join("CURRENT"), format!("1 {}\n", blake3::hash(text.as_bytes()).to_hex())).unwrap();
    assert!(matches!(Index::open(home.path()), Err(IndexError::NewerFormat { found: 99, .. })));
}

#[test]
fn an_older_generation_is_refused_and_its_vectors_are_taken_over() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(12));
    build(home.path(), &catalogue, "a");
    // as format 1 was: no checksums after the rows
    let layout = Layout::new(home.path());
    let dir = layout.generation(1);
    let mut manifest = Manifest::current(home.path()).unwrap().unwrap();
    manifest.format = 1;
    for space in Space::ALL {
        let path = dir.join(column_file(space));
        let bytes = std::fs::read(&path).unwrap();
        let rows = bytes.len() / (DIMENSION * 4 + 4);
        std::fs::write(&path, &bytes[..rows * DIMENSION * 4]).unwrap();
        let (bytes, blake3) = crate::disk::checksum(&path).unwrap();
        manifest.files.insert(column_file(space), FileSum { bytes, blake3 });
    }
    let text = serde_json::to_vec(&manifest).unwrap();
    std::fs::write(dir.join("manifest.json"), &text).unwrap();
    let manifest_hash = blake3::hash(&text).to_hex().to_string();
    layout.set_current(&Current { generation: 1, manifest_hash }).unwrap();

    let error = Index::open(home.path()).err().unwrap();
    assert!(matches!(error, IndexError::OlderFormat { found: 1, .. }), "{error}");
    assert!(error.to_string().contains("thorax index --rebuild"));
    assert!(!manifest.is_current("a", &catalogue).unwrap());
    let summary = build(home.path(), &catalogue, "a");
    assert_eq!((summary.generation, summary.embedded, summary.carried), (2, 0, 12 + 15));
    let index = Index::open(home.path()).unwrap().unwrap();
    assert_eq!(index.vector(Space::Images, 3).unwrap(), embed("a", "image 3"));
}
