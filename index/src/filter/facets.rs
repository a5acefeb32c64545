//! What a field holds among the rows that pass: exact counts of rows or of groups, never of hits or of a sample.

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::columns::{Field, FieldColumns, is_date};
use crate::error::Result;

/// Dates that span more months than this are counted by year.
const MONTHS: u32 = 36;

/// The values of a field, and how many rows have each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facet {
    /// The field, as the first document spells it.
    pub field: String,
    /// What the values are.
    pub kind: FacetKind,
    /// The most frequent words, or the ranges of a histogram in their order; none with a count of zero.
    pub values: Vec<FacetValue>,
    /// How many have a value and none that is listed.
    pub others: u64,
    /// How many have any value.
    pub with: u64,
    /// How many have none.
    pub without: u64,
}

/// What the values of a facet are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum FacetKind {
    /// Words as they stand.
    Words,
    /// Ranges of numbers, of one width.
    Numbers,
    /// Months or years.
    Dates,
}

/// A value or a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetValue {
    /// What a filter has behind the colon to select it, but for quotation marks: `Edema`, `40..49`, `2019-03`.
    pub value: String,
    /// How many have it.
    pub count: u64,
}

/// What is counted: rows, or the groups of the rows.
#[derive(Clone, Copy)]
pub(crate) struct Counting<'a> {
    /// The group's number of each row, where groups are counted.
    pub groups: Option<&'a [u32]>,
}

impl Counting<'_> {
    fn count(&self, rows: &RoaringBitmap) -> u64 {
        let Some(groups) = self.groups else { return rows.len() };
        rows.iter().filter_map(|row| groups.get(row as usize).copied()).collect::<RoaringBitmap>().len()
    }
}

/// A value and the rows that have it.
type Listed = (String, RoaringBitmap);

impl FieldColumns {
    /// Counts a field among `within`: at most `top` words, or about `top` ranges of its numbers or dates.
    ///
    /// # Errors
    /// [`IndexError::UnknownField`](crate::IndexError::UnknownField).
    pub(crate) fn facet(
        &self,
        name: &str,
        within: &RoaringBitmap,
        top: usize,
        counting: Counting<'_>,
    ) -> Result<Facet> {
        let field = self.field(name)?;
        let words = field.words.keys().any(|word| !is_date(word));
        let (kind, listed) = match (words, field.numbers.is_empty()) {
            (false, false) => (FacetKind::Numbers, numbers(field, within, top)),
            (false, true) if field.has_dates => (FacetKind::Dates, dates(field, within)),
            _ => (FacetKind::Words, most_frequent(field, within, top, counting)),
        };
        let covered = listed.iter().fold(RoaringBitmap::new(), |all, (_, rows)| all | rows);
        let having = within & &field.present;
        let values =
            listed.into_iter().map(|(value, rows)| FacetValue { value, count: counting.count(&rows) }).collect();
        Ok(Facet {
            field: field.name.clone(),
            kind,
            values,
            others: counting.count(&(&having - &covered)),
            without: counting.count(&(within - &having)),
            with: counting.count(&having),
        })
    }
}

fn most_frequent(field: &Field, within: &RoaringBitmap, top: usize, counting: Counting<'_>) -> Vec<Listed> {
    let mut counts: Vec<(u64, &str, &RoaringBitmap)> = field
        .words
        .values()
        .map(|posting| match counting.groups {
            None => (within.intersection_len(&posting.rows), posting.shown.as_str(), &posting.rows),
            Some(_) => (counting.count(&(within & &posting.rows)), posting.shown.as_str(), &posting.rows),
        })
        .filter(|(count, _, _)| *count > 0)
        .collect();
    counts.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    counts.into_iter().take(top).map(|(_, shown, rows)| (shown.to_owned(), rows & within)).collect()
}

/// Ranges of one round width. A filter's range includes both ends, so a range ends at the last number before the next one begins.
fn numbers(field: &Field, within: &RoaringBitmap, top: usize) -> Vec<Listed> {
    let passing = || field.numbers.iter().filter(|(_, row)| within.contains(*row));
    let Some((low, high)) = passing().next().zip(passing().next_back()) else { return Vec::new() };
    let whole = field.numbers.iter().all(|(number, _)| number.fract() == 0.0);
    let width = round_width((high.0 - low.0) / top.max(1) as f64, whole);
    let mut ranges: Vec<(f64, Vec<u32>)> = Vec::new();
    for (number, row) in passing() {
        let start = (number / width).floor() * width;
        match ranges.last_mut() {
            Some((last, rows)) if *last == start => rows.push(*row),
            _ => ranges.push((start, vec![*row])),
        }
    }
    let end = |start: f64| match whole {
        true => start + width - 1.0,
        // that of any row: whether it passes is another filter's matter
        false => {
            let next = field.numbers.partition_point(|(number, _)| (number / width).floor() * width <= start);
            next.checked_sub(1).and_then(|last| field.numbers.get(last)).map_or(start, |(number, _)| *number)
        }
    };
    let value = |start: f64| match end(start) {
        end if end == start => format!("{start}"),
        end => format!("{start}..{end}"),
    };
    ranges
        .into_iter()
        .map(|(start, mut rows)| {
            rows.sort_unstable();
            (value(start), rows.into_iter().collect())
        })
        .collect()
}

/// By month, or by year where there are many months.
fn dates(field: &Field, within: &RoaringBitmap) -> Vec<Listed> {
    let passing = || field.words.iter().filter(|(date, posting)| is_date(date) && !within.is_disjoint(&posting.rows));
    let ends = passing().next().zip(passing().next_back());
    let months = ends.map_or(0, |((first, _), (last, _))| month(last).saturating_sub(month(first)));
    let letters = if months < MONTHS { 7 } else { 4 };
    let mut listed: Vec<Listed> = Vec::new();
    for (date, posting) in passing() {
        let part = date.get(..letters).unwrap_or(date);
        let rows = &posting.rows & within;
        match listed.last_mut() {
            Some((last, all)) if last == part => *all |= rows,
            _ => listed.push((part.to_owned(), rows)),
        }
    }
    listed
}

/// Months since the year 0.
fn month(date: &str) -> u32 {
    let part =
        |range: std::ops::Range<usize>| date.get(range).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    12 * part(0..4) + part(5..7)
}

/// 1, 2 or 5 times a power of ten, not less than `least`; at least 1 where the numbers are whole.
fn round_width(least: f64, whole: bool) -> f64 {
    let least = if whole { least.max(1.0) } else { least };
    // one number, or numbers that lie too close for their difference to be one
    if !least.is_normal() {
        return 1.0;
    }
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|width| *width >= least).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests;
