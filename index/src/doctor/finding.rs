//! What an examination finds.

use std::path::Path;

use serde::Serialize;

use crate::error::IndexError;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is not as it was written, or does not fit together.
    Fault,
    /// Nothing is wrong: remains of a stopped run, or an index that is behind.
    Note,
}

/// One thing that was found. No report text and no patient's name; ids of studies and names of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file, folder or study.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// A fault.
    pub fn fault(place: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity: Severity::Fault, place: place.into(), problem: problem.into(), remedy: remedy.into() }
    }

    /// A note.
    pub fn note(place: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity: Severity::Note, place: place.into(), problem: problem.into(), remedy: remedy.into() }
    }

    /// What an error says, as a fault of `place`, unless the error knows the place better.
    pub fn of(place: &Path, error: &IndexError, remedy: &str) -> Self {
        match error {
            IndexError::Damaged { path, reason } | IndexError::DamagedCatalogue { path, reason } => {
                Self::fault(path.display().to_string(), reason.clone(), remedy)
            }
            other => Self::fault(place.display().to_string(), other.to_string(), remedy),
        }
    }
}
