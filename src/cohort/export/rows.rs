//! A study as a row of values.

use super::columns::Column;
use super::pseudonyms::Pseudonyms;
use crate::archive::Study;
use crate::cohort::model::Member;
use crate::cohort::summary::stated;
use crate::findings::{Observation, Polarity, Side};
use crate::indexing::shown;

/// A value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing is known.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A truth value.
    Bool(bool),
}

impl Cell {
    fn text(text: Option<String>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Cell::Null, Cell::Text)
    }
}

/// Fills `row` with the values of a study, one for each column.
pub fn fill(
    row: &mut Vec<Cell>,
    columns: &[Column],
    member: &Member,
    study: &Study,
    changed: bool,
    pseudonyms: Option<&Pseudonyms>,
) {
    let found = shown(study);
    let labels = stated(&found);
    let on = |side: Side| {
        let here = Observation::ALL.iter().filter(|observation| {
            found.iter().any(|f| {
                f.observation == **observation
                    && f.polarity == Polarity::Present
                    && (f.side == Some(side) || f.side == Some(Side::Bilateral))
            })
        });
        joined(here.map(|observation| observation.name().to_owned()))
    };
    row.clear();
    row.extend(columns.iter().map(|column| match column {
        Column::Study => Cell::Text(pseudonyms.map_or_else(|| study.id.clone(), |names| names.study(&study.id))),
        Column::Patient => {
            Cell::Text(pseudonyms.map_or_else(|| study.patient.clone(), |names| names.patient(&study.patient)))
        }
        Column::Source => Cell::Text(study.source.clone()),
        Column::Date => Cell::text(study.date.clone()),
        Column::Offset => study.offset.map_or(Cell::Null, |offset| Cell::Integer(offset.into())),
        Column::Age => study.age.map_or(Cell::Null, |age| Cell::Float(widened(age))),
        Column::Sex => Cell::text(study.sex.map(|sex| sex.code().to_owned())),
        Column::View => {
            let mut views: Vec<_> = study.images.iter().filter_map(|image| image.view).collect();
            views.dedup();
            joined(views.into_iter().map(|view| view.code().to_owned()))
        }
        Column::Films => Cell::Integer(study.images.len() as i64),
        Column::Paths => joined(study.images.iter().map(|image| image.path.display().to_string())),
        Column::Stated(observation) => {
            let polarity = labels.get(observation.index()).copied().flatten();
            polarity.map_or(Cell::Null, |polarity| Cell::Integer(polarity.code().into()))
        }
        Column::Left => on(Side::Left),
        Column::Right => on(Side::Right),
        Column::Other => joined(study.labels.iter().flat_map(|set| set.other.iter().cloned())),
        Column::Score => member.score.map_or(Cell::Null, |score| Cell::Float(widened(score))),
        Column::Rank => member.rank.map_or(Cell::Null, |rank| Cell::Integer(rank.into())),
        Column::Hash => Cell::Text(member.hash.clone()),
        Column::Changed => Cell::Bool(changed),
        Column::Report => Cell::text(Some(report(study))),
    }));
}

fn joined(parts: impl Iterator<Item = String>) -> Cell {
    let parts: Vec<String> = parts.collect();
    Cell::text(Some(parts.join(";")))
}

/// The reports as they read: a heading before each section, an empty line between reports.
fn report(study: &Study) -> String {
    let section = |name: &str, text: &str| match name.is_empty() {
        true => text.to_owned(),
        false => format!("{}: {text}", name.to_uppercase()),
    };
    let one = |report: &crate::archive::Report| {
        report.sections.iter().map(|s| section(&s.name, &s.text)).collect::<Vec<_>>().join("\n")
    };
    study.reports.iter().map(one).collect::<Vec<_>>().join("\n\n")
}

/// The number that reads the same: 0.1 as `f32` is 0.1 as `f64`, and not 0.10000000149.
fn widened(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_the_same() {
        assert_eq!([widened(0.1), widened(1.016_393_4), widened(57.0)], [0.1, 1.016_393_4, 57.0]);
    }
}
