//! The values of a generation's fields, arranged so that a filter becomes a bitmap of rows without looking at each study.

use std::collections::BTreeMap;
use std::ops::Bound;

use roaring::RoaringBitmap;

use super::{Expression, Filter};
use crate::document::{Value, is_private};
use crate::error::{IndexError, Result};
use crate::language::Test;

/// All fields, by lower-case name.
#[derive(Debug, Default)]
pub struct FieldColumns {
    fields: BTreeMap<String, Field>,
    rows: u32,
}

#[derive(Debug, Default)]
pub(super) struct Field {
    pub name: String,
    /// By lower-case value; dates stand in order.
    pub words: BTreeMap<String, Posting>,
    /// In ascending order.
    pub numbers: Vec<(f64, u32)>,
    pub has_dates: bool,
    pub present: RoaringBitmap,
}

#[derive(Debug, Default)]
pub(super) struct Posting {
    pub shown: String,
    pub rows: RoaringBitmap,
}

/// A field, and what kinds of values it has.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldInfo {
    /// As the first document spells it.
    pub name: String,
    /// Some values are numbers.
    pub numbers: bool,
    /// Some values are dates.
    pub dates: bool,
    /// Some values are words that are no dates.
    pub words: bool,
}

impl FieldColumns {
    /// Arranges the fields of the rows, given in order from row 0.
    pub fn new<'a>(rows: impl Iterator<Item = &'a BTreeMap<String, Vec<Value>>>) -> Self {
        let mut columns = Self::default();
        rows.for_each(|fields| columns.push(fields));
        columns.sorted()
    }

    /// Adds the next row; [`FieldColumns::sorted`] comes after the last one.
    pub(crate) fn push(&mut self, fields: &BTreeMap<String, Vec<Value>>) {
        for (name, values) in fields.iter().filter(|(name, _)| !is_private(name)) {
            self.add(name, values);
        }
        self.rows += 1;
    }

    pub(crate) fn sorted(mut self) -> Self {
        for field in self.fields.values_mut() {
            field.numbers.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            field.numbers.shrink_to_fit();
        }
        self
    }

    fn add(&mut self, name: &str, values: &[Value]) {
        if values.is_empty() {
            return;
        }
        let row = self.rows;
        let field = self.fields.entry(name.to_lowercase()).or_default();
        if field.name.is_empty() {
            name.clone_into(&mut field.name);
        }
        field.present.insert(row);
        for value in values {
            match value {
                // minus zero is zero
                Value::Number(number) => field.numbers.push((number + 0.0, row)),
                Value::Text(text) => {
                    let key = text.to_lowercase();
                    field.has_dates |= is_date(&key);
                    let posting =
                        field.words.entry(key).or_insert_with(|| Posting { shown: text.clone(), ..Posting::default() });
                    posting.rows.insert(row);
                }
            }
        }
    }

    /// All rows.
    pub fn all(&self) -> RoaringBitmap {
        let mut rows = RoaringBitmap::new();
        rows.insert_range(0..self.rows);
        rows
    }

    /// The fields in the order of their names.
    pub fn names(&self) -> Vec<FieldInfo> {
        let info = |field: &Field| FieldInfo {
            name: field.name.clone(),
            numbers: !field.numbers.is_empty(),
            dates: field.has_dates,
            words: field.words.keys().any(|word| !is_date(word)),
        };
        self.fields.values().map(info).collect()
    }

    /// The rows that pass.
    ///
    /// # Errors
    /// [`IndexError::UnknownField`], [`IndexError::WrongFieldType`].
    pub fn rows(&self, filter: &Filter) -> Result<RoaringBitmap> {
        self.eval(&filter.expression)
    }

    fn eval(&self, expression: &Expression) -> Result<RoaringBitmap> {
        match expression {
            // every part is evaluated, so that a wrong field is always found
            Expression::And(parts) => parts.iter().try_fold(self.all(), |rows, part| Ok(rows & self.eval(part)?)),
            Expression::Or(parts) => {
                parts.iter().try_fold(RoaringBitmap::new(), |rows, part| Ok(rows | self.eval(part)?))
            }
            Expression::Not(inner) => Ok(self.all() - self.eval(inner)?),
            Expression::Term { field, test } => {
                let column = self.field(field)?;
                match test {
                    Test::Any => Ok(column.present.clone()),
                    Test::Equals(value) => column.equal(value),
                    Test::Range { low, high } => column.between(low.as_deref(), high.as_deref()),
                }
            }
        }
    }

    pub(super) fn field(&self, name: &str) -> Result<&Field> {
        self.fields.get(&name.to_lowercase()).ok_or_else(|| {
            let known: Vec<&str> = self.fields.values().map(|field| field.name.as_str()).collect();
            IndexError::unknown_field(name, &known)
        })
    }
}

impl Field {
    fn equal(&self, value: &str) -> Result<RoaringBitmap> {
        let number = number(value);
        if self.words.is_empty() && number.is_none() {
            let reason = format!("the field '{}' holds numbers, and '{value}' is none", self.name);
            return Err(IndexError::WrongFieldType { reason });
        }
        let mut rows = number.map(|n| self.numbers_between(Some(n), Some(n))).unwrap_or_default();
        if self.has_dates && is_date_part(value) {
            rows |= self.dates_between(Some(value), Some(value));
        }
        if let Some(posting) = self.words.get(value) {
            rows |= &posting.rows;
        }
        Ok(rows)
    }

    fn between(&self, low: Option<&str>, high: Option<&str>) -> Result<RoaringBitmap> {
        let ends = || low.iter().chain(high.iter());
        let as_numbers = !self.numbers.is_empty() && ends().all(|end| number(end).is_some());
        let as_dates = self.has_dates && ends().all(|end| is_date_part(end));
        if !as_numbers && !as_dates {
            let kind = match (self.numbers.is_empty(), self.has_dates) {
                (true, true) => "dates (YYYY-MM-DD)",
                (false, true) => "numbers and dates (YYYY-MM-DD)",
                (false, false) => "numbers",
                (true, false) => "words, which have no ranges",
            };
            let range = format!("{}..{}", low.unwrap_or(""), high.unwrap_or(""));
            let reason = format!("the range '{range}' does not fit the field '{}': it holds {kind}", self.name);
            return Err(IndexError::WrongFieldType { reason });
        }
        let mut rows = RoaringBitmap::new();
        if as_numbers {
            rows |= self.numbers_between(low.and_then(number), high.and_then(number));
        }
        if as_dates {
            rows |= self.dates_between(low, high);
        }
        Ok(rows)
    }

    fn numbers_between(&self, low: Option<f64>, high: Option<f64>) -> RoaringBitmap {
        let from = low.map_or(0, |low| self.numbers.partition_point(|(n, _)| *n < low));
        let rest = self.numbers.get(from..).unwrap_or_default();
        rest.iter().take_while(|(n, _)| high.is_none_or(|high| *n <= high)).map(|(_, row)| *row).collect()
    }

    fn dates_between(&self, low: Option<&str>, high: Option<&str>) -> RoaringBitmap {
        let from = low.map_or(Bound::Unbounded, Bound::Included);
        let mut rows = RoaringBitmap::new();
        for (date, posting) in self.words.range::<str, _>((from, Bound::Unbounded)) {
            // an end given in part includes all days that begin so
            if high.is_some_and(|high| date.get(..high.len()).is_none_or(|part| part > high)) {
                if is_date(date) {
                    break;
                }
                continue;
            }
            if is_date(date) {
                rows |= &posting.rows;
            }
        }
        rows
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// `YYYY-MM-DD`.
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10 && is_date_part(text)
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
fn is_date_part(text: &str) -> bool {
    let shape =
        text.bytes().enumerate().all(|(i, byte)| if i == 4 || i == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    shape && matches!(text.len(), 4 | 7 | 10)
}

#[cfg(test)]
mod tests;
