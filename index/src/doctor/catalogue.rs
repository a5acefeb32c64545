//! The catalogue: every record parses, is what was stored, and none is missing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde::Serialize;

use super::Finding;
use crate::catalogue::Catalogue;
use crate::error::{IndexError, Result};

const SET_ASIDE: &str =
    "`thorax doctor --repair` sets the record aside; then import this study again, or restore a backup";
const RESTORE: &str =
    "restore a backup with `thorax restore --force`, or import the archive again with `thorax import`";

/// What the catalogue has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Records, the damaged ones included.
    pub records: u64,
    /// Records that are not what was stored.
    pub damaged: u64,
    /// The sequence number.
    pub sequence: u64,
}

/// Reads every record. A store that panics on its own file is a fault like any other.
///
/// # Errors
/// When the store cannot be read at all.
pub fn examine(home: &Path, catalogue: &Catalogue) -> Result<(Counts, Vec<Finding>)> {
    let place = home.join("catalogue");
    let panicked =
        |_| IndexError::DamagedCatalogue { path: place.clone(), reason: "its file cannot be read".to_owned() };
    catch_unwind(AssertUnwindSafe(|| read_all(&place, catalogue))).map_err(panicked)?
}

fn read_all(place: &Path, catalogue: &Catalogue) -> Result<(Counts, Vec<Finding>)> {
    let mut findings = Vec::new();
    let place = place.display().to_string();
    let examined = catalogue.examine(|id, fault| {
        findings.push(Finding::fault(format!("study {}", String::from_utf8_lossy(id)), fault.words(), SET_ASIDE));
    })?;
    let damaged = findings.len() as u64;
    match examined.kept {
        Some(kept) if Some(kept) != examined.found => {
            let problem = if kept.count == examined.records {
                format!("its {} records are not those that were acknowledged", examined.records)
            } else {
                format!("{} records were acknowledged, {} are there", kept.count, examined.records)
            };
            findings.push(Finding::fault(place, problem, RESTORE));
        }
        None if damaged == 0 && examined.records > 0 => {
            let problem = "there is no digest of its records, since a damaged one was replaced";
            findings.push(Finding::note(place, problem, "the next opening makes it"));
        }
        _ => {}
    }
    Ok((Counts { records: examined.records, damaged, sequence: examined.sequence }, findings))
}
