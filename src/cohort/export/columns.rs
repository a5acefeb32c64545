//! The columns of an export.

use crate::error::{Error, Result};
use crate::findings::Observation;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The study's id, or its pseudonym.
    Study,
    /// The patient, or the pseudonym. Health data.
    Patient,
    /// Where it was imported from.
    Source,
    /// `YYYY-MM-DD`.
    Date,
    /// Place on the patient's time line where there is no date.
    Offset,
    /// Years.
    Age,
    /// `F` or `M`.
    Sex,
    /// Projections of the films, with `;` between them.
    View,
    /// Number of films.
    Films,
    /// The films' files, with `;` between them.
    Paths,
    /// 1 present, 0 absent, -1 uncertain, empty where nothing is stated.
    Stated(Observation),
    /// Observations that are present on the left, with `;` between them.
    Left,
    /// Observations that are present on the right.
    Right,
    /// Findings in the source's own words.
    Other,
    /// The score that brought it into the cohort.
    Score,
    /// The rank there.
    Rank,
    /// Content hash when it became a member.
    Hash,
    /// The record has changed since.
    Changed,
    /// The reports.
    Report,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// 64 bits.
    Integer,
    /// 64 bits.
    Float,
    /// True or false.
    Bool,
}

/// Columns that stand before those of the observations, and after them.
const BEFORE: [(Column, &str); 10] = [
    (Column::Study, "study"),
    (Column::Patient, "patient"),
    (Column::Source, "source"),
    (Column::Date, "date"),
    (Column::Offset, "offset"),
    (Column::Age, "age"),
    (Column::Sex, "sex"),
    (Column::View, "view"),
    (Column::Films, "films"),
    (Column::Paths, "paths"),
];
const AFTER: [(Column, &str); 8] = [
    (Column::Left, "left"),
    (Column::Right, "right"),
    (Column::Other, "other"),
    (Column::Score, "score"),
    (Column::Rank, "rank"),
    (Column::Hash, "hash"),
    (Column::Changed, "changed"),
    (Column::Report, "report"),
];

/// What is allowed to be written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowed {
    /// The patients' own ids.
    pub patients: bool,
    /// The reports.
    pub reports: bool,
    /// Ids are replaced by pseudonyms.
    pub pseudonyms: bool,
}

impl Column {
    /// All columns, in their order.
    pub fn all() -> Vec<Column> {
        let fixed = |columns: &[(Column, &str)]| columns.iter().map(|(column, _)| *column).collect::<Vec<_>>();
        let mut all = fixed(&BEFORE);
        all.extend(Observation::ALL.map(Column::Stated));
        all.extend(fixed(&AFTER));
        all
    }

    /// The name in the file.
    pub fn name(self) -> &'static str {
        if let Column::Stated(observation) = self {
            return observation.name();
        }
        BEFORE.iter().chain(&AFTER).find(|(column, _)| *column == self).map_or("", |(_, name)| name)
    }

    /// What its values are.
    pub fn kind(self) -> Kind {
        match self {
            Column::Offset | Column::Films | Column::Stated(_) | Column::Rank => Kind::Integer,
            Column::Age | Column::Score => Kind::Float,
            Column::Changed => Kind::Bool,
            _ => Kind::Text,
        }
    }

    /// With pseudonyms, what could lead back to the patient is written only where it is named.
    fn identifies(self) -> bool {
        matches!(self, Column::Date | Column::Paths | Column::Hash | Column::Other | Column::Report)
    }
}

/// The columns to write: those named, or all that are allowed without being named.
///
/// # Errors
/// A name that is no column's, or a column that needs another option to be allowed.
pub fn chosen(names: &[String], allowed: Allowed) -> Result<Vec<Column>> {
    if names.is_empty() {
        let unasked = |column: &Column| match column {
            Column::Patient => allowed.patients || allowed.pseudonyms,
            Column::Report => allowed.reports,
            Column::Paths => false,
            column => !(allowed.pseudonyms && column.identifies()),
        };
        return Ok(Column::all().into_iter().filter(unasked).collect());
    }
    let all = Column::all();
    let mut columns = Vec::new();
    for name in names {
        let wanted = name.trim();
        let Some(column) = all.iter().copied().find(|column| column.name().eq_ignore_ascii_case(wanted)) else {
            let known = all.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ");
            return Err(Error::Caller(format!("there is no column '{wanted}'; there are: {known}")));
        };
        let refused = match column {
            Column::Patient if !allowed.patients && !allowed.pseudonyms => {
                "the patients' ids are written with --patients, or replaced with --pseudonyms KEYFILE"
            }
            Column::Report if !allowed.reports => "reports are written with --reports",
            Column::Paths | Column::Hash if allowed.pseudonyms => "it would undo --pseudonyms",
            _ => "",
        };
        if !refused.is_empty() {
            return Err(Error::Caller(format!("column '{}': {refused}", column.name())));
        }
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn names(columns: &[Column]) -> Vec<&'static str> {
        columns.iter().map(|column| column.name()).collect()
    }

    #[test]
    fn health_data_is_written_only_where_it_is_asked_for() {
        let plain = names(&chosen(&[], Allowed::default()).unwrap());
        for hidden in ["patient", "report", "paths"] {
            assert!(!plain.contains(&hidden), "{hidden}");
        }
        assert!(plain.contains(&"study") && plain.contains(&"Pleural Effusion") && plain.contains(&"date"));
        let under_pseudonyms = names(&chosen(&[], Allowed { pseudonyms: true, ..Allowed::default() }).unwrap());
        for hidden in ["date", "hash", "paths", "other", "report"] {
            assert!(!under_pseudonyms.contains(&hidden), "{hidden}");
        }
        assert!(under_pseudonyms.contains(&"patient"));
        let all = Allowed { patients: true, reports: true, pseudonyms: false };
        assert!(names(&chosen(&[], all).unwrap()).contains(&"report"));
    }

    #[test]
    fn columns_by_name() {
        let asked = |list: &[&str], allowed| chosen(&list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(), allowed);
        let found = asked(&["score", " STUDY", "pleural effusion", "score"], Allowed::default()).unwrap();
        assert_eq!(names(&found), ["score", "study", "Pleural Effusion"]);
        let fault = |list: &[&str], allowed| asked(list, allowed).expect_err("refused").to_string();
        assert!(fault(&["weight"], Allowed::default()).contains("there are: study, patient, source"));
        assert!(fault(&["patient"], Allowed::default()).contains("--patients"));
        assert!(fault(&["report"], Allowed::default()).contains("--reports"));
        assert!(fault(&["hash"], Allowed { pseudonyms: true, ..Allowed::default() }).contains("undo"));
    }
}
