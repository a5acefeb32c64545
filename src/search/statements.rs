//! What every study of the index is stated to show, in memory: judging a study costs no read of the catalogue.

use std::collections::HashMap;

use rayon::prelude::*;
use thorax_index::{Catalogue, Index};

use crate::error::Result;
use crate::indexing::document::study;
use crate::indexing::{Finding, shown, statements};

/// The statements by study row. Studies that show the same share one entry: reports repeat themselves.
#[derive(Default)]
pub struct Statements {
    kind_of: Vec<u32>,
    kinds: Vec<Vec<Finding>>,
}

impl Statements {
    /// Reads them out of the index. A study that an older version imported has none there, and is read from the catalogue.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn of(index: &Index, catalogue: &Catalogue) -> Result<Self> {
        let mut builder = Builder::default();
        let mut unread = Vec::new();
        for row in 0..index.len() as u32 {
            match index.kept(row, statements::FIELD) {
                Some(text) if statements::decode(text).is_some() => builder.push(text),
                _ => {
                    unread.push(row);
                    builder.push("");
                }
            }
        }
        let read = read(unread, |row| {
            let document = index.study(row).map(|s| catalogue.get(s.id)).transpose()?.flatten();
            Ok(document.as_ref().map(study).transpose()?.as_ref().map(shown).unwrap_or_default())
        })?;
        for (row, findings) in read {
            builder.set(row, &statements::encode(&findings));
        }
        Ok(builder.finish())
    }

    /// From what `shown` says of each row.
    ///
    /// # Errors
    /// The first of `shown`.
    pub fn with(rows: u32, shown: impl Fn(u32) -> Result<Vec<Finding>> + Sync) -> Result<Self> {
        let mut builder = Builder::default();
        for (_, findings) in read((0..rows).collect(), shown)? {
            builder.push(&statements::encode(&findings));
        }
        Ok(builder.finish())
    }

    /// What a study is stated to show.
    pub fn shown(&self, row: u32) -> &[Finding] {
        let kind = self.kind_of.get(row as usize).and_then(|kind| self.kinds.get(*kind as usize));
        kind.map(Vec::as_slice).unwrap_or_default()
    }

    /// Judges what studies show, each combination of statements once.
    pub fn judge<T>(&self, judge: impl Fn(&[Finding]) -> T) -> Judged<'_, T> {
        Judged { kind_of: &self.kind_of, verdicts: self.kinds.iter().map(|kind| judge(kind)).collect() }
    }
}

/// Many at a time: reading reports takes its time.
fn read(rows: Vec<u32>, shown: impl Fn(u32) -> Result<Vec<Finding>> + Sync) -> Result<Vec<(u32, Vec<Finding>)>> {
    rows.into_par_iter().map(|row| Ok((row, shown(row)?))).collect()
}

/// Verdicts by study row.
pub struct Judged<'a, T> {
    kind_of: &'a [u32],
    verdicts: Vec<T>,
}

impl<T> Judged<'_, T> {
    /// The verdict on a study.
    pub fn get(&self, row: u32) -> Option<&T> {
        self.verdicts.get(*self.kind_of.get(row as usize)? as usize)
    }
}

#[derive(Default)]
struct Builder {
    kind_of: Vec<u32>,
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Builder {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    fn push(&mut self, text: &str) {
        let number = self.number(text);
        self.kind_of.push(number);
    }

    fn set(&mut self, row: u32, text: &str) {
        let number = self.number(text);
        if let Some(kind) = self.kind_of.get_mut(row as usize) {
            *kind = number;
        }
    }

    fn finish(self) -> Statements {
        let kinds = self.texts.iter().map(|text| statements::decode(text).unwrap_or_default()).collect();
        Statements { kind_of: self.kind_of, kinds }
    }
}

#[cfg(test)]
pub(crate) fn of_rows(rows: &[Vec<Finding>]) -> Statements {
    let mut builder = Builder::default();
    rows.iter().for_each(|findings| builder.push(&statements::encode(findings)));
    builder.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::archive::LabelOrigin;
    use crate::findings::{Observation, Polarity};

    #[test]
    fn the_same_statements_are_kept_and_judged_once() {
        let one = |observation| Finding {
            observation,
            polarity: Polarity::Present,
            side: None,
            severity: None,
            origin: LabelOrigin::Dataset,
        };
        let (edema, fracture) = (vec![one(Observation::Edema)], vec![one(Observation::Fracture)]);
        let statements = of_rows(&[edema.clone(), fracture.clone(), Vec::new(), edema.clone()]);
        assert_eq!(statements.kinds.len(), 3);
        assert_eq!(statements.shown(1), fracture);
        assert_eq!(statements.shown(3), edema);
        assert!(statements.shown(2).is_empty() && statements.shown(9).is_empty());
        let calls = std::cell::Cell::new(0);
        let judged = statements.judge(|shown| {
            calls.set(calls.get() + 1);
            shown.len()
        });
        assert_eq!((judged.get(0), judged.get(2), judged.get(9)), (Some(&1), Some(&0), None));
        assert_eq!(calls.get(), 3);
    }
}
