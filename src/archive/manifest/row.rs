//! One row of a manifest, flat: from the words in its columns to a study of one film.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::super::fields;
use super::super::films::{film, stem};
use super::super::groups::Records;
use super::super::lines::Place;
use super::super::reader::Rejected;
use super::super::sections::{fold_white_space, push, split_sections};
use super::super::study::{LabelOrigin, LabelSet, Study};
use super::super::table::{Table, plain};
use super::SOURCE;
use crate::findings::{Labels, Observation, Polarity};

/// The columns before those of the 14 observations.
const NAMES: [&str; 11] =
    ["study", "patient", "date", "offset", "age", "sex", "view", "image", "report", "findings", "impression"];

/// Number of columns that are known.
const COLUMNS: usize = NAMES.len() + Observation::COUNT;

/// A record of a manifest.
#[derive(Debug)]
pub(super) struct Entry {
    pub place: Place,
    /// What the record says; patient is empty where it says nothing.
    pub study: Study,
    /// True when the name of the study was made from that of the film.
    pub unnamed: bool,
    /// True for a whole study in one record.
    pub whole: bool,
}

/// Position of a known column, by its name without case and punctuation.
fn position(name: &str) -> Option<usize> {
    static POSITIONS: LazyLock<HashMap<String, usize>> = LazyLock::new(|| {
        let names = NAMES.into_iter().chain(Observation::ALL.map(Observation::name));
        names.enumerate().map(|(at, name)| (plain(name), at)).collect()
    });
    POSITIONS.get(&plain(name)).copied()
}

/// The words of one row, by known column; empty where there are none.
pub(super) struct Flat<'a>([Cow<'a, str>; COLUMNS]);

impl<'a> Flat<'a> {
    pub fn new() -> Self {
        Flat(std::array::from_fn(|_| Cow::Borrowed("")))
    }

    /// Sets a column by its name; false when it is not known.
    pub fn set(&mut self, name: &str, value: Cow<'a, str>) -> bool {
        let field = position(name).and_then(|at| self.0.get_mut(at));
        field.map(|field| *field = value).is_some()
    }

    /// The row as a study of at most one film and one report; `folder` is where relative paths begin.
    ///
    /// # Errors
    /// What is wrong with which column. Never quotes a value.
    pub fn entry(&self, place: Place, folder: &Path) -> Result<Entry, String> {
        let [study, patient, date, offset, age, sex, view, image, report, findings, impression, said @ ..] = &self.0;
        let image = Some(image.trim()).filter(|image| !image.is_empty());
        let mut text = split_sections(report);
        push(&mut text.sections, "findings", findings);
        push(&mut text.sections, "impression", impression);
        if image.is_none() && text.sections.is_empty() {
            return Err("has neither an image nor a report".to_owned());
        }
        let name = fold_white_space(study);
        let (name, unnamed) = match image {
            _ if !name.is_empty() => (name, false),
            Some(image) => (stem(image).to_owned(), true),
            None => return Err("has no image to name the study by: fill in the column 'study'".to_owned()),
        };
        let in_column = |column: &str, reason: &str| format!("column '{column}' {reason}");
        let date = match date.trim() {
            "" => None,
            given => Some(fields::date(given).ok_or("column 'date' is not a date: write YYYY-MM-DD")?),
        };
        let labels = said
            .iter()
            .zip(Observation::ALL)
            .map(|(word, observation)| {
                let polarity = polarity(word).map_err(|reason| in_column(observation.name(), reason))?;
                Ok(polarity.map(|polarity| (observation, polarity)))
            })
            .filter_map(Result::transpose)
            .collect::<Result<Labels, String>>()?;
        let id = format!("{SOURCE}/{name}");
        let patient = fold_white_space(patient);
        Ok(Entry {
            place,
            unnamed,
            whole: false,
            study: Study {
                images: image.map(|path| film(&id, 0, folder.join(path), fields::view(view))).into_iter().collect(),
                id,
                source: SOURCE.to_owned(),
                patient: if patient.is_empty() { patient } else { format!("{SOURCE}/{patient}") },
                date,
                offset: fields::number(offset).map_err(|reason| in_column("offset", reason))?,
                age: fields::age(age).map_err(|reason| in_column("age", reason))?,
                sex: fields::sex(sex),
                reports: if text.sections.is_empty() { Vec::new() } else { vec![text] },
                labels: if labels.is_empty() {
                    Vec::new()
                } else {
                    vec![LabelSet { origin: LabelOrigin::Dataset, labels, other: Vec::new() }]
                },
            },
        })
    }
}

/// CheXpert's numbers: 1, 0, -1, or nothing.
fn polarity(word: &str) -> Result<Option<Polarity>, &'static str> {
    match fields::number(word) {
        Ok(None) => Ok(None),
        Ok(Some(1)) => Ok(Some(Polarity::Present)),
        Ok(Some(0)) => Ok(Some(Polarity::Absent)),
        Ok(Some(-1)) => Ok(Some(Polarity::Uncertain)),
        _ => Err("must be 1 (present), 0 (absent), -1 (uncertain) or empty"),
    }
}

/// A manifest in CSV.
pub(super) struct Csv {
    table: Table,
    /// Column of the file and known column.
    columns: Vec<(usize, usize)>,
    folder: PathBuf,
}

impl Csv {
    pub fn new(table: Table) -> Self {
        let mut columns: Vec<(usize, usize)> = Vec::new();
        for (at, name) in table.header().iter().enumerate() {
            // Of two columns with one name the first is read.
            columns.extend(position(name).filter(|known| !columns.iter().any(|(_, k)| k == known)).map(|k| (at, k)));
        }
        let folder = table.path().parent().map(Path::to_owned).unwrap_or_default();
        Csv { table, columns, folder }
    }
}

impl Records for Csv {
    type Record = Entry;

    fn next_record(&mut self) -> Option<(Place, Result<Entry, Rejected>)> {
        let (place, row) = self.table.next_row()?;
        let entry = row.and_then(|row| {
            let mut flat = Flat::new();
            for (at, known) in &self.columns {
                if let Some(field) = flat.0.get_mut(*known) {
                    *field = Cow::Borrowed(row.get(Some(*at)));
                }
            }
            flat.entry(place, &self.folder).map_err(|reason| self.reject(place, reason))
        });
        Some((place, entry))
    }

    fn go_to(&mut self, place: Place) -> io::Result<()> {
        self.table.seek(place)
    }

    fn reject(&self, place: Place, reason: String) -> Rejected {
        place.reject(self.table.path(), reason)
    }
}

/// A manifest must have a column for films or one for reports.
pub(super) fn require_columns(table: &Table) -> Result<(), String> {
    let wanted = ["image", "report", "findings", "impression"];
    if wanted.iter().any(|name| table.column(name).is_some()) {
        return Ok(());
    }
    Err(format!(
        "needs a column 'image' or 'report' (or 'findings', 'impression'); its header is: {}. Columns that are read: {} \
         and the 14 observations, for example 'Pleural Effusion'",
        table.header_text(),
        NAMES.join(", ")
    ))
}

/// Columns of the header that are not known.
pub(super) fn ignored_columns(table: &Table) -> Vec<String> {
    table.header().iter().filter(|name| !name.is_empty() && position(name).is_none()).cloned().collect()
}
