//! Your own archive, listed in a CSV or JSONL file.
//!
//! One row is one film, one report, or both. All columns but one of `image`, `report`, `findings`, `impression` are
//! optional; their order, their case and blanks or `_` within their names don't matter.
//!
//! | column | meaning |
//! |---|---|
//! | `study` | name of the study; rows with the same name are one study. Without it, the image's file name without extension |
//! | `patient` | who it is of; without it each study is its own patient |
//! | `date` | `YYYY-MM-DD` |
//! | `offset` | place on the patient's time line where there is no date: a whole number |
//! | `age` | years, or a DICOM age such as `018M` |
//! | `sex` | `F` or `M`; all else is not known |
//! | `view` | `PA`, `AP` or `LATERAL`; all else is not known |
//! | `image` | path of a JPEG or PNG, relative to the manifest |
//! | `report` | the report's text; headings such as `FINDINGS:` split it into sections |
//! | `findings`, `impression` | sections of the report, where they are kept apart |
//! | `Pneumonia`, ... | one column for each of the 14 observations: 1 present, 0 absent, -1 uncertain, empty not mentioned |
//!
//! CSV may be separated by `,` `;` or tabs. In JSONL a line is an object with the same keys, or a whole
//! [`Study`](super::Study) with `images` and `reports`.
//!
//! The rows of a study may stand anywhere in the file; what the first of them says of the patient holds, and films,
//! reports and labels are added up (where two rows differ, present goes before uncertain before absent). A study does
//! not reach from one file into another. Memory grows by 24 bytes a row and 40 a study, whatever the rows hold.

mod json;
mod merge;
mod row;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::groups::Groups;
use super::lines::reject_file;
use super::reader::{Rejected, Studies};
use super::source::OpenFault;
use super::table::Table;
use json::JsonLines;
use row::Csv;

/// In front of the ids of studies and patients.
pub(super) const SOURCE: &str = "manifest";

/// Opens a manifest; its format goes by its extension.
pub(super) fn open(path: &Path) -> Result<Studies, OpenFault> {
    if !path.is_file() {
        return Err(OpenFault::Wrong("is not a file".to_owned()));
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv" | "tsv") => Ok(open_csv(path).unwrap_or_else(|rejected| Box::new(std::iter::once(Err(rejected))))),
        Some("jsonl" | "ndjson") => {
            let lines = JsonLines::open(path)?;
            let groups = Groups::new(lines, |entry| Some(entry.study.id.clone()));
            note_ignored(path, groups.records().ignored());
            let path = path.to_owned();
            Ok(Box::new(groups.flat_map(move |entries| merge::merge(entries, &path))))
        }
        _ => Err(OpenFault::Wrong("has an extension that says neither CSV nor JSONL".to_owned())),
    }
}

fn open_csv(path: &Path) -> Result<Studies, Rejected> {
    let table = Table::open(path)?;
    row::require_columns(&table).map_err(|reason| reject_file(path, reason))?;
    note_ignored(path, row::ignored_columns(&table));
    let groups = Groups::new(Csv::new(table), |entry| Some(entry.study.id.clone()));
    let path = path.to_owned();
    Ok(Box::new(groups.flat_map(move |entries| merge::merge(entries, &path))))
}

/// Says once which columns are not known: one of them may be a slip of the pen.
fn note_ignored(path: &Path, columns: impl IntoIterator<Item = String>) {
    let columns: Vec<String> = columns.into_iter().collect();
    if !columns.is_empty() {
        tracing::warn!(file = %path.display(), columns = %columns.join(", "), "columns that are not known are ignored");
    }
}
