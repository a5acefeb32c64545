//! `thorax doctor`: does everything in a home hold what was written, and does it fit together?
//!
//! - [`examine`] all of it, changing nothing
//! - [`repair`] what is derived is made anew, damaged records are set aside
//! - [`models`] fingerprints of the models beside what their cards say
//! - [`films`] the films' bytes beside the hashes in the catalogue
//! - `notes` the audit log's chain
//! - `leftovers` temporary files of stopped runs

pub mod films;
mod leftovers;
pub mod models;
mod notes;
pub mod repair;

use serde::Serialize;
use thorax_index::doctor::{Finding, Severity, catalogue, generations};
use thorax_index::{Catalogue, IndexError};

use crate::error::{Error, Result};
use crate::home::Home;

/// Where to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Read also the films that lie outside the home.
    pub all_films: bool,
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// No fault.
    pub clean: bool,
    /// The catalogue; `None` when it cannot be opened.
    pub catalogue: Option<catalogue::Counts>,
    /// The generation that serves.
    pub index: generations::Counts,
    /// The models of the home.
    pub models: Vec<models::Model>,
    /// Films whose bytes were compared.
    pub films: usize,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The faults.
    pub fn faults(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Fault)
    }
}

/// Looks at everything in the home, and changes nothing.
///
/// # Errors
/// Another process owns the home, the home was written by a newer version, or it cannot be written: then nothing can be said.
pub fn examine(home: &Home, options: Options) -> Result<Report> {
    let mut report = Report::default();
    match open(home)? {
        Opened::Nothing => {}
        Opened::Broken(finding) => report.findings.push(finding),
        Opened::Catalogue(catalogue) => return examine_with(home, Some(&catalogue), options, report),
    }
    examine_with(home, None, options, report)
}

/// As [`examine`], on a catalogue that is open already.
///
/// # Errors
/// As [`examine`].
pub fn examine_beside(home: &Home, catalogue: &Catalogue, options: Options) -> Result<Report> {
    examine_with(home, Some(catalogue), options, Report::default())
}

fn examine_with(home: &Home, catalogue: Option<&Catalogue>, options: Options, mut report: Report) -> Result<Report> {
    let place = home.path().join("catalogue");
    let mut readable = None;
    if let Some(catalogue) = catalogue {
        match catalogue::examine(home.path(), catalogue) {
            Ok((counts, findings)) => {
                report.catalogue = Some(counts);
                report.findings.extend(findings);
                readable = Some(catalogue);
            }
            Err(error) => report.findings.push(Finding::of(&place, &error, LOST)),
        }
    }
    let (counts, findings) = generations::examine(home.path(), readable)?;
    report.findings.extend(findings);
    report.models = models::examine(home, counts.fingerprint.as_deref(), &mut report.findings)?;
    report.index = counts;
    if let Some(catalogue) = readable {
        report.films = films::examine(home, catalogue, options.all_films, &mut report.findings)?;
    }
    notes::examine(home, &mut report.findings);
    leftovers::examine(home, &mut report.findings);
    let clean = report.faults().next().is_none();
    report.clean = clean;
    Ok(report)
}

const LOST: &str =
    "restore a backup with `thorax restore --force`, or move the folder away and import the archive again";

enum Opened {
    Catalogue(Catalogue),
    /// The home has no catalogue, and nothing that was made from one.
    Nothing,
    Broken(Finding),
}

/// Opens the catalogue if there is one; a doctor makes none.
fn open(home: &Home) -> Result<Opened> {
    let place = home.path().join("catalogue");
    if !place.exists() && !Catalogue::restore_is_pending(home.path()) {
        let orphan = home.path().join("index").join("CURRENT").exists();
        let finding = || Finding::fault(place.display().to_string(), "it is gone, and there is an index of it", LOST);
        return Ok(if orphan { Opened::Broken(finding()) } else { Opened::Nothing });
    }
    match home.catalogue() {
        Ok(catalogue) => Ok(Opened::Catalogue(catalogue)),
        Err(Error::Index(
            error @ (IndexError::InUse { .. }
            | IndexError::NewerFormat { .. }
            | IndexError::ReadOnly { .. }
            | IndexError::DiskFull { .. }),
        )) => Err(error.into()),
        Err(Error::Index(error)) => Ok(Opened::Broken(Finding::of(&place, &error, LOST))),
        Err(other) => Err(other),
    }
}
