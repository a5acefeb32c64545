//! Temporary files of runs that were stopped. They do no harm, and only take space.

use std::path::{Path, PathBuf};

use thorax_index::doctor::Finding;

use crate::home::Home;

/// Notes each of them.
pub(super) fn examine(home: &Home, findings: &mut Vec<Finding>) {
    for path in all(home.path()) {
        let place = path.display().to_string();
        findings.push(Finding::note(place, "left by a run that was stopped", "`thorax doctor --repair` removes it"));
    }
}

/// Removes them, and tells how many there were.
pub(super) fn remove(home: &Home) -> std::io::Result<usize> {
    let found = all(home.path());
    for path in &found {
        if path.is_dir() { fs_err::remove_dir_all(path)? } else { fs_err::remove_file(path)? }
    }
    Ok(found.len())
}

fn all(home: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut look = |dir: &Path, is_one: &dyn Fn(&str) -> bool| {
        for entry in fs_err::read_dir(dir).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(is_one) {
                found.push(entry.path());
            }
        }
    };
    let replaced = |name: &str| name.ends_with(".new");
    let private = |name: &str| replaced(name) && (name.starts_with("tokens.json.") || name.starts_with("server.json."));
    look(home, &|name| {
        matches!(name, "catalogue.restoring" | "catalogue.replaced") || name.ends_with(".thorax-new") || private(name)
    });
    look(&home.join("audit"), &replaced);
    look(&home.join("catalogue"), &replaced);
    look(&home.join("index"), &replaced);
    look(&home.join("models"), &|name| replaced(name) || (name.starts_with('.') && name.ends_with(".import")));
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_a_stopped_run_left_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in
            ["catalogue/acknowledged.new", "models/DEFAULT.new", "models/.x.import/config.toml", "index/CURRENT.new"]
        {
            let path = dir.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "x").unwrap();
        }
        for name in ["catalogue/db", "models/news", "models/.x.training", "index/CURRENT", "notes.new"] {
            fs_err::write(dir.path().join(name), "x").unwrap();
        }
        let home = Home::open(dir.path()).unwrap();
        let mut findings = Vec::new();
        examine(&home, &mut findings);
        assert_eq!(findings.len(), 4, "{findings:?}");
        assert_eq!(remove(&home).unwrap(), 4);
        assert!(all(dir.path()).is_empty());
        assert!(dir.path().join("models/.x.training").exists() && dir.path().join("notes.new").exists());
    }
}
