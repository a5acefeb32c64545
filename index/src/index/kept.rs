//! Private fields of the studies, by row: words that repeat themselves stand once.

use std::collections::{BTreeMap, HashMap};

use super::strings::Strings;
use crate::document::Value;

/// Fields whose name begins with `_`: their first word, in memory.
#[derive(Default)]
pub(super) struct Kept(BTreeMap<String, Column>);

#[derive(Default)]
struct Column {
    words: Strings,
    /// Of each row: 0 for none, else the number of its word from 1.
    of: Vec<u32>,
}

/// Gathers them in the order of the rows.
#[derive(Default)]
pub(super) struct KeptBuilder {
    columns: BTreeMap<String, (Column, HashMap<String, u32>)>,
    rows: usize,
}

impl KeptBuilder {
    /// Adds the next row.
    pub(super) fn push(&mut self, fields: &BTreeMap<String, Vec<Value>>) {
        // names stand in order, and `_` comes before all lower-case letters but after digits and capitals
        for (name, values) in fields.range("_".to_owned()..).take_while(|(name, _)| name.starts_with('_')) {
            let Some(Value::Text(word)) = values.first() else { continue };
            let (column, numbers) = self.columns.entry(name.clone()).or_default();
            let number = *numbers.entry(word.clone()).or_insert_with(|| {
                column.words.push(word);
                column.words.len() as u32
            });
            column.of.resize(self.rows, 0);
            column.of.push(number);
        }
        self.rows += 1;
    }

    pub(super) fn finish(self) -> Kept {
        let shrunk = |(name, (mut column, _)): (String, (Column, _))| {
            column.words.shrink();
            column.of.shrink_to_fit();
            (name, column)
        };
        Kept(self.columns.into_iter().map(shrunk).collect())
    }
}

impl Kept {
    pub(super) fn get(&self, row: u32, field: &str) -> Option<&str> {
        let column = self.0.get(field)?;
        column.words.get(column.of.get(row as usize)?.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_row_has_its_own_word_and_some_have_none() {
        let text = |word: &str| vec![Value::Text(word.to_owned())];
        let row = |fields: &[(&str, Vec<Value>)]| fields.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        let mut builder = KeptBuilder::default();
        builder.push(&row(&[("_a", text("x")), ("sex", text("F")), ("Z", text("z"))]));
        builder.push(&row(&[("sex", text("F"))]));
        builder.push(&row(&[("_a", text("y")), ("_b", vec![Value::Number(1.0)])]));
        builder.push(&row(&[("_a", text("x"))]));
        let kept = builder.finish();
        assert_eq!([0, 1, 2, 3, 4].map(|row| kept.get(row, "_a")), [Some("x"), None, Some("y"), Some("x"), None]);
        assert_eq!((kept.get(0, "sex"), kept.get(2, "_b"), kept.0["_a"].words.len()), (None, None, 2));
    }
}
