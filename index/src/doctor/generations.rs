//! The generation that serves: every file, and its studies beside the catalogue's. Builds and remains are noted.

use std::path::Path;

use serde::Serialize;

use super::Finding;
use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::generation::layout::{BUILD, Layout, MANIFEST, STUDIES};
use crate::generation::studies::{self, Study};
use crate::generation::{Manifest, Space};
use crate::index::Index;

pub(super) const REBUILD: &str = "`thorax doctor --repair` makes it anew from what is sound, or run `thorax index`";
const LEFTOVER: &str = "nothing: the next `thorax index` removes it";

/// What the serving generation has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Its number; `None` when nothing serves.
    pub generation: Option<u64>,
    /// Fingerprint of its model.
    pub fingerprint: Option<String>,
    /// Files whose checksums were compared.
    pub files: usize,
    /// Studies.
    pub studies: usize,
    /// Vectors of both spaces.
    pub vectors: usize,
}

/// Examines `HOME/index`, beside the catalogue where that can be opened.
///
/// # Errors
/// When the folder cannot be read.
pub fn examine(home: &Path, catalogue: Option<&Catalogue>) -> Result<(Counts, Vec<Finding>)> {
    let layout = Layout::new(home);
    let (mut counts, mut findings) = (Counts::default(), Vec::new());
    let current = match layout.current() {
        Ok(current) => current,
        Err(error) => {
            findings.push(Finding::of(&layout.root().join("CURRENT"), &error, REBUILD));
            remains(&layout, None, &mut findings)?;
            return Ok((counts, findings));
        }
    };
    if let Some(current) = &current {
        counts.generation = Some(current.generation);
        match Manifest::read(&layout, current) {
            Err(error) => findings.push(Finding::of(&layout.generation(current.generation), &error, REBUILD)),
            Ok(manifest) => {
                counts.fingerprint = Some(manifest.fingerprint.clone());
                counts.studies = manifest.studies;
                counts.vectors = manifest.images + manifest.sentences;
                counts.files = manifest.files.len();
                serving(home, &layout.generation(current.generation), &manifest, catalogue, &mut findings)?;
            }
        }
    }
    remains(&layout, current.map(|current| current.generation), &mut findings)?;
    Ok((counts, findings))
}

/// Every file in full, then the whole, then beside the catalogue.
fn serving(
    home: &Path,
    dir: &Path,
    manifest: &Manifest,
    catalogue: Option<&Catalogue>,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let before = findings.len();
    for name in manifest.files.keys() {
        if let Err(error) = manifest.check_file(dir, name) {
            findings.push(Finding::of(&dir.join(name), &error, REBUILD));
        }
    }
    if findings.len() > before {
        return Ok(());
    }
    match Index::open(home) {
        Err(error) => findings.push(Finding::of(dir, &error, REBUILD)),
        Ok(None) => {}
        Ok(Some(index)) => {
            let counted = [index.len(), index.item_count(Space::Images), index.item_count(Space::Sentences)];
            if counted != [manifest.studies, manifest.images, manifest.sentences] {
                let problem = "it has other numbers of studies and vectors than its manifest says";
                findings.push(Finding::fault(dir.display().to_string(), problem, REBUILD));
            }
            if index.text_documents() != manifest.studies as u64 {
                let problem = format!("it has {} texts of {} studies", index.text_documents(), manifest.studies);
                findings.push(Finding::fault(dir.join("text").display().to_string(), problem, REBUILD));
            }
        }
    }
    match catalogue {
        Some(catalogue) if catalogue.identity() == manifest.catalogue => beside(dir, manifest, catalogue, findings),
        Some(_) => {
            let problem = "it was made from another catalogue than the one that is here";
            findings.push(Finding::note(dir.display().to_string(), problem, "run `thorax index`"));
            Ok(())
        }
        None => Ok(()),
    }
}

/// What did not change since the generation was made must be the same here and there.
fn beside(dir: &Path, manifest: &Manifest, catalogue: &Catalogue, findings: &mut Vec<Finding>) -> Result<()> {
    if manifest.sequence > catalogue.sequence()? {
        let problem = "it knows of later changes than the catalogue, which has lost some";
        let remedy = "restore a backup with `thorax restore --force`, or import the archive again";
        findings.push(Finding::fault(dir.display().to_string(), problem, remedy));
        return Ok(());
    }
    let since = catalogue.changed_since(manifest.sequence)?;
    let changed: Option<std::collections::HashSet<String>> = since.ids.map(|ids| ids.into_iter().collect());
    // without a log, what is gone may have been deleted
    let unchanged = |id: &str| changed.as_ref().is_some_and(|changed| !changed.contains(id));
    let file = dir.join(STUDIES);
    let mut generation = studies::read(&file)?.peekable();
    let mut behind = 0usize;
    let mut differs = |study: &Study, problem: &str| {
        findings.push(Finding::fault(format!("study {}", study.id), problem.to_owned(), REBUILD));
    };
    catalogue.snapshot_versions(|sequence, document| {
        let there: Study = document.into();
        loop {
            match generation.peek() {
                Some(Ok(study)) if study.id < there.id => {
                    if unchanged(&study.id) {
                        differs(study, "the index has it, the catalogue has not");
                    }
                    generation.next();
                }
                Some(Err(_)) => return generation.next().transpose().map(|_| ()),
                _ => break,
            }
        }
        let here = match generation.peek() {
            Some(Ok(study)) if study.id == there.id => generation.next().transpose()?,
            _ => None,
        };
        if sequence > manifest.sequence {
            behind += 1;
            return Ok(());
        }
        match here {
            None => differs(&there, "the catalogue has it since before the index was made, the index has not"),
            Some(here) if here.images != there.images || here.sentences != there.sentences => {
                differs(&there, "the index has other films or sentences of it than the catalogue");
            }
            Some(here) if here.fields != there.fields || here.group != there.group => {
                differs(&there, "the index has other fields of it than the catalogue");
            }
            Some(_) => {}
        }
        Ok(())
    })?;
    for study in generation {
        let study = study?;
        if unchanged(&study.id) {
            differs(&study, "the index has it, the catalogue has not");
        }
    }
    if behind > 0 {
        let problem = format!("{behind} studies are new or changed since it was made");
        findings.push(Finding::note(dir.display().to_string(), problem, "run `thorax index` to find them"));
    }
    Ok(())
}

/// Folders and files that nothing uses.
fn remains(layout: &Layout, current: Option<u64>, findings: &mut Vec<Finding>) -> Result<()> {
    for number in layout.generations()? {
        let dir = layout.generation(number);
        if Some(number) == current {
            continue;
        }
        let place = dir.display().to_string();
        if dir.join(BUILD).is_file() && current.is_none_or(|current| number > current) {
            findings.push(Finding::note(place, "an unfinished build", "`thorax index` goes on with it"));
        } else if dir.join(MANIFEST).is_file() {
            findings.push(Finding::note(place, "a generation that does not serve", LEFTOVER));
        } else {
            findings.push(Finding::note(place, "the remains of a build that was stopped", LEFTOVER));
        }
    }
    Ok(())
}
