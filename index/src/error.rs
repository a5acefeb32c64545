//! What can go wrong. No message holds report text or a patient's name; ids of documents and names of files may appear.

use std::path::PathBuf;

use crate::language::SyntaxError;

/// Result of this crate.
pub type Result<T, E = IndexError> = std::result::Result<T, E>;

/// All errors of this crate. [`IndexError::is_caller_fault`] tells a wrong request from a fault of ours or of the machine.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The filter text does not parse.
    #[error("filter: {reason}")]
    BadFilter {
        /// Character of the filter text, from 1.
        position: usize,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The query does not parse.
    #[error("query: {0}")]
    Syntax(#[from] SyntaxError),
    /// The filter names a field that no document has.
    #[error("there is no field '{field}'{}; there are: {known}", hint.as_ref().map_or(String::new(), |near| format!(": did you mean '{near}'?")))]
    UnknownField {
        /// The name as given.
        field: String,
        /// The names that exist, separated by commas.
        known: String,
        /// The one that is spelled most like it.
        hint: Option<String>,
    },
    /// The filter asks a field for something that its values do not have, such as a range of words.
    #[error("filter: {reason}")]
    WrongFieldType {
        /// What is asked, and what the field holds.
        reason: String,
    },
    /// A vector of another length than the generation's.
    #[error("a vector of {found} dimensions was given, the index has {expected}")]
    WrongDimension {
        /// Dimension of the generation.
        expected: usize,
        /// Length of what was given.
        found: usize,
    },
    /// A query vector with NaN, with infinity, or of length zero.
    #[error("the query vector is not finite or has length zero")]
    NotFinite,
    /// A document that the catalogue does not take.
    #[error("document '{id}': {reason}")]
    BadDocument {
        /// Its id.
        id: String,
        /// What is wrong.
        reason: String,
    },

    /// Another process has the catalogue open.
    #[error("{} is in use by another process: only one can have it open, so stop that one or go through its server", path.display())]
    InUse {
        /// The catalogue's folder.
        path: PathBuf,
    },
    /// A home that has studies, where an empty one is needed.
    #[error("{} has {studies} studies: restore into an empty home, or replace them all with --force", path.display())]
    NotEmpty {
        /// The home.
        path: PathBuf,
        /// How many there are.
        studies: usize,
    },
    /// The home folder is not there.
    #[error("the folder {} does not exist", path.display())]
    HomeMissing {
        /// The folder.
        path: PathBuf,
    },
    /// The home folder cannot be written to.
    #[error("the folder {} cannot be written to: {source}", path.display())]
    ReadOnly {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Written by a newer version of the program.
    #[error("{what} has format {found}, this program knows formats up to {known}: use the newer program")]
    NewerFormat {
        /// What was read.
        what: String,
        /// Its format.
        found: u64,
        /// The newest that this program reads.
        known: u64,
    },
    /// A generation that an older version of the program wrote.
    #[error("the index in {} has format {found}, this program searches format {known}: run `thorax index`, which takes its vectors over, or `thorax index --rebuild`", path.display())]
    OlderFormat {
        /// The generation's folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format that this program searches.
        known: u32,
    },
    /// A record of the catalogue that does not parse.
    #[error(
        "the catalogue's record of '{id}' is damaged ({reason}): restore the catalogue from a backup, or import this study again"
    )]
    DamagedRecord {
        /// Id of the document.
        id: String,
        /// What the parser said, without the record's text.
        reason: String,
    },
    /// The catalogue's file is not what was acknowledged.
    #[error("the catalogue in {} is damaged: {reason}; restore a backup with `thorax restore --force`, or move this folder away and import the archive again with `thorax import`", path.display())]
    DamagedCatalogue {
        /// The catalogue's folder, or the file at fault.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file of a generation that is not what was written.
    #[error("{} is damaged: {reason}; `thorax index --rebuild` makes the index anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The index was made by another model than the one in use.
    #[error(
        "the index was made with model {found}, the model in use is {expected}: run `thorax index` to embed the archive with it"
    )]
    OtherModel {
        /// Fingerprint of the model in use.
        expected: String,
        /// Fingerprint in the index.
        found: String,
    },
    /// Two builds at once on one catalogue.
    #[error("an index build is already running")]
    BuildRunning,
    /// Finishing a build while items have no vector.
    #[error("{missing} items have not been embedded yet")]
    Unfinished {
        /// How many.
        missing: usize,
    },
    /// A vector for something that is not part of the build.
    #[error("'{key}' is no item of this build")]
    UnknownItem {
        /// Key of the item.
        key: String,
    },
    /// The catalogue does not fit on the disk any more.
    #[error("the disk of {} is full: what was acknowledged before is kept, nothing of the last step is; make room and run the command again", path.display())]
    DiskFull {
        /// The catalogue's folder.
        path: PathBuf,
    },
    /// The key-value store failed.
    #[error("catalogue in {}: {source}", path.display())]
    Store {
        /// The catalogue's folder.
        path: PathBuf,
        /// What sled said.
        source: sled::Error,
    },
    /// The text index failed.
    #[error("text index: {0}")]
    Text(#[from] tantivy::TantivyError),
    /// Reading or writing a file failed; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something could not be written as JSON.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl IndexError {
    /// There is no field `field` among `known`.
    pub fn unknown_field(field: &str, known: &[&str]) -> Self {
        let hint = nearest_name(field, known).map(str::to_owned);
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Self::UnknownField { field: field.to_owned(), known, hint }
    }

    /// True when the request was wrong, and asking again would fail again; false when the fault is ours or the machine's.
    pub fn is_caller_fault(&self) -> bool {
        use IndexError::{
            BadDocument, BadFilter, NotEmpty, NotFinite, Syntax, UnknownField, WrongDimension, WrongFieldType,
        };
        matches!(
            self,
            BadFilter { .. }
                | UnknownField { .. }
                | WrongFieldType { .. }
                | Syntax(_)
                | WrongDimension { .. }
                | NotFinite
                | BadDocument { .. }
                | NotEmpty { .. }
        )
    }
}

/// The name that is at most two letters away, and fewer than the name has.
fn nearest_name<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let letters = name.chars().count();
    let far = known.iter().map(|other| (distance(&name.to_lowercase(), &other.to_lowercase()), *other));
    far.filter(|(d, _)| *d <= 2 && *d < letters).min().map(|(_, other)| other)
}

/// Letters to put in, take out or change, and neighbours to swap.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let at = |up: usize, left: usize| {
                let line = if up == 0 { Some(&row) } else { rows.get(i - up) };
                line.and_then(|line| line.get(j - left)).copied().unwrap_or(usize::MAX / 2)
            };
            let same = a.get(i - 1) == b.get(j - 1);
            let mut best = (at(1, 0) + 1).min(at(0, 1) + 1).min(at(1, 1) + usize::from(!same));
            if i > 1 && j > 1 && a.get(i - 1) == b.get(j - 2) && a.get(i - 2) == b.get(j - 1) {
                best = best.min(at(2, 2) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_spelled_alike_is_offered() {
        let known = ["sex", "age", "finding", "date", "patient"];
        let says = |name| IndexError::unknown_field(name, &known).to_string();
        assert!(says("findng").starts_with("there is no field 'findng': did you mean 'finding'?; there are: sex, age"));
        assert!(says("aeg").contains("'age'?"));
        assert!(says("Dates").contains("'date'?"));
        assert!(!says("colour").contains("did you mean"));
        assert!(!says("x").contains("did you mean"));
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abcd", "acbd"), 1);
    }
}
