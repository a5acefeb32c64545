//! A query against an index: which studies can be results, and what keyword search looks for.

use thorax_index::language::{Kind, Node, Query};
use thorax_index::{Filter, Index, IndexError, Keywords, RoaringBitmap, Said, Term};

use super::notions::{self, Notion, notions};
use super::prose::prose;
use crate::error::Result;
use crate::findings::query::Wanted;
use crate::findings::{Observation, Polarity, Side, understand};
use crate::indexing::document::FIELDS;

/// A query, ready to be searched.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The studies that can be results.
    pub rows: RoaringBitmap,
    /// What keyword search ranks by; empty where the query is a filter only.
    pub terms: Vec<Term>,
    /// What the encoder and `understand` read; empty where the query is a filter only.
    pub prose: String,
    /// What the caller should know, such as a test of a field that no study has.
    pub warnings: Vec<String>,
}

/// Reads the query `text` for `index`.
///
/// # Errors
/// [`IndexError::Syntax`] with the place, [`IndexError::UnknownField`], [`IndexError::WrongFieldType`].
pub fn plan(index: &Index, text: &str) -> Result<Plan> {
    let query = Query::parse(text).map_err(IndexError::from)?;
    let mut reading = Reading { index, text, fields: known_fields(index), terms: Vec::new(), warnings: Vec::new() };
    let keywords = reading.part(&query.root, Place { loose: true, positive: true })?;
    let rows = index.keyword_matches(&keywords)?;
    Ok(Plan { rows, terms: reading.terms, prose: prose(&query), warnings: reading.warnings })
}

/// The studies that the filter `text` lets pass, and what the caller should know.
///
/// # Errors
/// [`IndexError::BadFilter`] with the place, [`IndexError::UnknownField`], [`IndexError::WrongFieldType`].
pub fn filter(index: &Index, text: &str) -> Result<(RoaringBitmap, Vec<String>)> {
    // a filter has no words
    Filter::parse(text)?;
    let Plan { rows, warnings, .. } = plan(index, text)?;
    Ok((rows, warnings))
}

fn known_fields(index: &Index) -> Vec<String> {
    let mut names: Vec<String> = index.field_names().into_iter().map(|field| field.name).collect();
    names.extend(
        FIELDS
            .iter()
            .filter(|name| !names.iter().any(|known| known == *name))
            .map(|n| (*n).to_owned())
            .collect::<Vec<_>>(),
    );
    names
}

/// Where a part stands.
#[derive(Clone, Copy)]
struct Place {
    /// At the top, where words rank and exclude nothing.
    loose: bool,
    /// Under an even number of negations.
    positive: bool,
}

struct Reading<'a> {
    index: &'a Index,
    text: &'a str,
    fields: Vec<String>,
    terms: Vec<Term>,
    warnings: Vec<String>,
}

impl Reading<'_> {
    fn part(&mut self, node: &Node, place: Place) -> Result<Keywords> {
        let strict = Place { loose: false, ..place };
        Ok(match &node.kind {
            Kind::Beside(parts) => Keywords::All(self.parts(parts, place)?),
            Kind::And(parts) => Keywords::All(self.parts(parts, strict)?),
            Kind::Or(parts) => Keywords::Any(self.parts(parts, strict)?),
            Kind::Not(inner) => {
                Keywords::Not(Box::new(self.part(inner, Place { loose: false, positive: !place.positive })?))
            }
            Kind::Phrase(phrase) => {
                let term = notions::phrase(phrase);
                if place.positive {
                    self.terms.push(term.clone());
                }
                Keywords::Term(term)
            }
            Kind::Words(words) => {
                let run = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
                let notions = notions(&run);
                if place.positive {
                    self.terms.extend(notions.iter().flat_map(|n| n.single.iter().chain([&n.term])).cloned());
                }
                if place.loose { Keywords::All(Vec::new()) } else { self.run(&run, &notions)? }
            }
            Kind::Field { field, .. } => Keywords::Rows(self.field(node, field)?),
        })
    }

    fn parts(&mut self, parts: &[Node], place: Place) -> Result<Vec<Keywords>> {
        parts.iter().map(|part| self.part(part, place)).collect()
    }

    /// A run of words that a study has to say, or to be stated to show; what the run denies it must neither say nor show.
    fn run(&self, run: &str, notions: &[Notion]) -> Result<Keywords> {
        let (mut said, mut shown, mut not) = (Vec::new(), Vec::new(), Vec::new());
        for notion in notions {
            let whole = Keywords::Term(Term { said: Said::Affirmed, ..notion.term.clone() });
            match notion.single.as_slice() {
                _ if notion.is_denied() => not.push(Keywords::Not(Box::new(whole))),
                [] => said.push(whole),
                single => {
                    let all = Keywords::All(single.iter().cloned().map(Keywords::Term).collect());
                    said.push(Keywords::Any(vec![whole, all]));
                }
            }
        }
        for want in &understand(run).findings {
            let rows = Keywords::Rows(stated(self.index, want)?);
            match want.polarity {
                Polarity::Absent => not.push(Keywords::Not(Box::new(rows))),
                _ => shown.push(rows),
            }
        }
        let mut all = not;
        match (said.is_empty(), shown.is_empty()) {
            (_, true) => all.extend(said),
            (true, false) => all.extend(shown),
            (false, false) => all.push(Keywords::Any(vec![Keywords::All(said), Keywords::All(shown)])),
        }
        Ok(Keywords::All(all))
    }

    fn field(&mut self, node: &Node, name: &str) -> Result<RoaringBitmap> {
        let known: Vec<&str> = self.fields.iter().map(String::as_str).collect();
        if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(IndexError::unknown_field(name, &known).into());
        }
        match self.index.filter(&Filter::of(self.text, node)?) {
            Ok(rows) => Ok(rows),
            Err(IndexError::UnknownField { .. }) => {
                self.warnings
                    .push(format!("no study of this archive has the field '{name}', so nothing passes '{name}:'"));
                Ok(RoaringBitmap::new())
            }
            Err(other) => Err(other.into()),
        }
    }
}

/// The studies that are stated to show what is wanted, whether it is wanted present or absent.
fn stated(index: &Index, want: &Wanted) -> Result<RoaringBitmap> {
    let field = match want.side {
        Some(Side::Left) if want.observation != Observation::NoFinding => "left",
        Some(Side::Right) if want.observation != Observation::NoFinding => "right",
        _ => "finding",
    };
    match index.filter(&Filter::equals(field, want.observation.name())) {
        Err(IndexError::UnknownField { .. }) => Ok(RoaringBitmap::new()),
        other => Ok(other?),
    }
}
