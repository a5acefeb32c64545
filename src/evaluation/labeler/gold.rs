//! Human annotations: one row a report, one column an observation.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::findings::Observation;
use crate::findings::observation::UnknownObservation;

/// The annotation of one observation in one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// 1.
    Present,
    /// 0.
    Absent,
    /// -1: not scored.
    LeftOut,
}

/// Annotations by report.
pub type Gold = BTreeMap<String, Vec<(Observation, Truth)>>;

/// Reads a CSV whose first column is the report (`CXR17`) and whose other columns are observations with 1 present, 0 absent,
/// -1 leave out.
///
/// # Errors
/// A file that cannot be read, or a column or value that is none of these, is named with its line.
pub fn read(path: &Path) -> Result<Gold> {
    let fault = |line: u64, reason: String| Error::Caller(format!("{}, line {line}: {reason}", path.display()));
    let mut csv = csv::Reader::from_path(path).map_err(|e| Error::Caller(format!("{}: {e}", path.display())))?;
    let header = csv.headers().map_err(|e| fault(1, e.to_string()))?.clone();
    let columns: Vec<Observation> = header
        .iter()
        .skip(1)
        .map(|name| name.parse().map_err(|e: UnknownObservation| fault(1, e.to_string())))
        .collect::<Result<_>>()?;
    let mut gold = Gold::new();
    for record in csv.records() {
        let record = record.map_err(|e| Error::Caller(format!("{}: {e}", path.display())))?;
        let line = record.position().map_or(0, csv::Position::line);
        let mut values = Vec::with_capacity(columns.len());
        for (observation, value) in columns.iter().zip(record.iter().skip(1)) {
            let truth = match value.trim() {
                "1" => Truth::Present,
                "0" => Truth::Absent,
                "-1" => Truth::LeftOut,
                _ => return Err(fault(line, format!("{observation}: wanted 1, 0 or -1"))),
            };
            values.push((*observation, truth));
        }
        gold.insert(record.get(0).unwrap_or_default().to_owned(), values);
    }
    Ok(gold)
}
