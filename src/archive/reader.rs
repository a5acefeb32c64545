//! What a reader is: an iterator over studies and rejected records.

use std::path::PathBuf;

use super::study::Study;

/// A record that could not be read: what, where, and what to do about it. Never holds report text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{}{}: {reason}", file.display(), record.as_deref().map(|r| format!(" ({r})")).unwrap_or_default())]
pub struct Rejected {
    /// The file at fault.
    pub file: PathBuf,
    /// Line or record in it, for example `line 17`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// What is wrong and what to do.
    pub reason: String,
}

/// What a reader yields, one record after the other, without holding the archive in memory.
pub type Studies = Box<dyn Iterator<Item = Result<Study, Rejected>> + Send>;
