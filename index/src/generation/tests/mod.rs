//! Tests of whole builds.
//!
//! - [`building`] what is embedded, carried over, and failed
//! - [`crash`] builds stopped at every step
//! - [`damage`] files that are not what was written
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod building;
mod crash;
mod damage;

use std::path::{Path, PathBuf};

use super::layout::Layout;
use super::*;
use crate::catalogue::Catalogue;
use crate::document::Document;
use crate::testing::DIMENSION;

fn catalogue_of(home: &Path, documents: &[Document]) -> Catalogue {
    let catalogue = Catalogue::open(home).unwrap();
    catalogue.put(documents).unwrap();
    catalogue
}

fn start(home: &Path, catalogue: &Catalogue, model: &str) -> Builder {
    Builder::start_or_resume(home, catalogue, model, DIMENSION).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// All that must be the same however often a build was killed.
fn content(home: &Path) -> (Manifest, Vec<Vec<u8>>) {
    let mut manifest = Manifest::current(home).unwrap().unwrap();
    let dir = Layout::new(home).generation(manifest.generation);
    // tantivy names its segments at random
    manifest.files.retain(|name, _| !name.starts_with("text/"));
    manifest.catalogue.clear();
    let bytes = manifest.files.keys().map(|name| std::fs::read(dir.join(name)).unwrap()).collect();
    (manifest, bytes)
}
