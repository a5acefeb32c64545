use std::collections::HashSet;

use super::super::layout::column_file;
use super::*;
use crate::error::IndexError;
use crate::index::Index;
use crate::testing::{build, build_with, document, documents};
use crate::tuning::Tuning;

#[test]
fn a_changed_byte_in_any_file_is_found_at_opening() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = catalogue_of(home.path(), &documents(40));
    let tuning = Tuning { exact_below: 10, ..Default::default() };
    build_with(home.path(), &catalogue, "a", tuning);
    let root = Layout::new(home.path()).root().to_owned();
    let all = files(&root);
    let names: HashSet<String> = all.iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    for expected in ["CURRENT", "manifest.json", "images.f32", "images.hnsw.data", "images.hnsw.graph", "studies.jsonl"]
    {
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
            let error = Index::open(home.path()).err().unwrap_or_else(|| panic!("{} at {at}", path.display()));
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
    let text = r#"{ "format": 2, "something": "else" }"#;
    std::fs::write(layout.generation(1).join("manifest.json"), text).unwrap();
    std::fs::write(layout.root().join("CURRENT"), format!("1 {}\n", blake3::hash(text.as_bytes()).to_hex())).unwrap();
    assert!(matches!(Index::open(home.path()), Err(IndexError::NewerFormat { found: 2, .. })));
}
