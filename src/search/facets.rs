//! Counts of what passes: for each field, how many of the studies (or patients) that a query lets through have which value. Exact.

use serde::{Deserialize, Serialize};
use thorax_index::{Facet, IndexError};
use utoipa::ToSchema;

use super::engine::Engine;
use super::judging::Judging;
use super::language;
use super::request::{Group, MAX_TEXT, Target};
use crate::error::{Error, Result};
use crate::findings::understand;

/// The fields that are counted where the caller names none; ids and notes of a source are not among them.
pub const USUAL: [&str; 9] = ["source", "finding", "absent", "left", "right", "sex", "age", "view", "date"];

/// Values of a field where the caller does not say.
const TOP: usize = 10;

/// Most values of a field.
const MAX_TOP: usize = 1000;

/// What is counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = FacetQuery)]
#[serde(default, deny_unknown_fields)]
pub struct Asked {
    /// A query, as for a search: what it excludes or has in quotation marks narrows, other words don't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A filter expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Studies with films or studies with reports; all where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Target>,
    /// The fields; [`USUAL`] where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// At most so many words, or about so many ranges of numbers, for each field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<usize>,
    /// Whether studies or patients are counted.
    pub group: Group,
}

/// What was counted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FacetAnswer)]
pub struct Counted {
    /// The generation that was counted.
    pub generation: u64,
    /// Studies or patients that pass.
    pub total: u64,
    /// What the caller should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// Each field that the archive has, in the order that was asked for.
    pub facets: Vec<Facet>,
}

impl Engine {
    /// Counts what the query and the filter let pass, as [`Engine::search`] does: what is stated to show something that the query
    /// excludes does not pass.
    ///
    /// # Errors
    /// A query or filter that does not parse, a field that does not exist, a bound: the caller's fault.
    pub fn facets(&self, asked: &Asked) -> Result<Counted> {
        let top = asked.top.unwrap_or(TOP);
        if top == 0 || top > MAX_TOP {
            return Err(Error::Caller(format!("top must be between 1 and {MAX_TOP}")));
        }
        let text = asked.text.as_deref().unwrap_or_default();
        if text.len() > MAX_TEXT {
            return Err(Error::Caller(format!("the query is longer than {MAX_TEXT} bytes")));
        }
        self.index().catch_up(self.catalogue())?;
        let mut plan = language::plan(self.index(), text)?;
        self.narrow(&mut plan, asked.filter.as_deref(), asked.to)?;
        let wanted = understand(&plan.prose).findings;
        let excluded = Judging::new(self.statements(), wanted, &[], &[], false).excluded(&plan.rows);
        plan.rows -= excluded;
        let grouped = asked.group == Group::Patient;
        let usual = asked.fields.is_empty();
        let names: Vec<&str> = if usual { USUAL.to_vec() } else { asked.fields.iter().map(String::as_str).collect() };
        let mut facets = Vec::with_capacity(names.len());
        for name in names {
            match self.index().facet(name, Some(&plan.rows), top, grouped) {
                Ok(facet) => facets.push(facet),
                // an archive need not have them all
                Err(IndexError::UnknownField { .. }) if usual => {}
                Err(error) => return Err(error.into()),
            }
        }
        let total = match grouped {
            false => plan.rows.len(),
            true => plan.rows.iter().map(|row| self.patient_of(row)).collect::<thorax_index::RoaringBitmap>().len(),
        };
        let warning = (!plan.warnings.is_empty()).then(|| plan.warnings.join("; "));
        Ok(Counted { generation: self.index().manifest().generation, total, warning, facets })
    }
}
