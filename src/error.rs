//! What can go wrong, the caller's faults apart from ours.

use thorax_index::IndexError;
use thorax_models::ModelError;

use crate::archive::{ArchiveError, Rejected};

/// Result of the application.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of the application.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A request that cannot be served as it stands; the text says what to do.
    #[error("{0}")]
    Caller(String),
    /// An archive that cannot be opened.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// One file that cannot be read.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// Catalogue or index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Model, training or checkpoint.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file of the home, or an output; the path is in the message.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A record of the catalogue that does not parse.
    #[error("catalogue record of study {id}: {source}; import the study again")]
    Record {
        /// The study.
        id: String,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A cohort whose records are not what was saved.
    #[error("cohort '{name}': {reason}; restore the catalogue from a backup, or delete the cohort and create it again")]
    Cohort {
        /// Its name.
        name: String,
        /// What is wrong, without the record's text.
        reason: String,
    },
    /// A check that found a difference: the answer to the question, and no fault of anybody.
    #[error("{0}")]
    Differs(String),
    /// Output as JSON.
    #[error("writing JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The server that owns the home failed at a command, in its words; its log says why.
    #[error("{0}")]
    Server(String),
    /// A backup that is not what was written.
    #[error("{}, line {line}: {reason}; take another backup", path.display())]
    Backup {
        /// The file.
        path: std::path::PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong, without the line's text.
        reason: String,
    },
    /// What `thorax doctor` counts.
    #[error("{0} faults; see above what to do about each")]
    Faults(usize),
    /// Interrupted by Ctrl-C; what was acknowledged is kept.
    #[error("interrupted; run the same command again to go on")]
    Interrupted,
}

impl Error {
    /// True when the caller can mend it, false when it is ours.
    pub fn is_caller_fault(&self) -> bool {
        match self {
            Error::Caller(_) | Error::Archive(_) | Error::Rejected(_) | Error::Backup { .. } => true,
            // Another process has the home: the caller can stop it.
            Error::Index(IndexError::InUse { .. }) => true,
            Error::Index(e) => e.is_caller_fault(),
            Error::Model(e) => e.is_caller_fault(),
            Error::Io(_) | Error::Faults(_) | Error::Differs(_) | Error::Cohort { .. } | Error::Record { .. } => false,
            Error::Json(_) | Error::Server(_) | Error::Interrupted => false,
        }
    }
}
