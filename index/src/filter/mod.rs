//! Filters: which studies pass.
//!
//! - `parse` a filter is a query of the [`language`](crate::language) that has tests of fields and no words
//! - [`columns`] the values of a generation, arranged to answer it
//! - [`facets`] how many of what passes have which value
//!
//! ```text
//! sex:F age:40..60 source:nih finding:"Pleural Effusion" -finding:Edema date:2019-01-01.. (view:PA OR view:AP)
//! ```

pub mod columns;
pub mod facets;
mod parse;

use std::fmt;

pub use columns::{FieldColumns, FieldInfo};
pub use facets::{Facet, FacetKind, FacetValue};

use crate::error::Result;
use crate::language::{Node, Query, Test};

/// A parsed filter. `Display` writes it so that it parses to the same filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub(crate) expression: Expression,
}

/// What a filter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    /// All of these; none means that everything passes.
    And(Vec<Expression>),
    /// Any of these.
    Or(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>),
    /// A test of a field.
    Term { field: String, test: Test },
}

impl Filter {
    /// The filter that everything passes.
    pub fn all() -> Self {
        Self { expression: Expression::And(Vec::new()) }
    }

    /// Parses a query of the [`language`](crate::language) without words; an empty text passes everything.
    ///
    /// # Errors
    /// [`BadFilter`](crate::IndexError::BadFilter) with the place and what is wrong. Whether the fields exist is found out when the filter is used.
    pub fn parse(text: &str) -> Result<Self> {
        Self::of(text, &Query::parse(text).map_err(parse::bad)?.root)
    }

    /// The filter of a part of the query `text`.
    ///
    /// # Errors
    /// [`BadFilter`](crate::IndexError::BadFilter) where the part has words.
    pub fn of(text: &str, part: &Node) -> Result<Self> {
        parse::expression(text, part).map(|expression| Self { expression })
    }

    /// `field` has the value `value`, whatever characters the value has.
    pub fn equals(field: &str, value: &str) -> Self {
        let test = Test::Equals(value.to_lowercase());
        Self { expression: Expression::Term { field: field.to_lowercase(), test } }
    }

    /// True when everything passes.
    pub fn is_all(&self) -> bool {
        matches!(&self.expression, Expression::And(parts) if parts.is_empty())
    }

    /// What passes both.
    #[must_use]
    pub fn and(self, other: Filter) -> Self {
        let mut parts = Vec::new();
        for side in [self.expression, other.expression] {
            match side {
                Expression::And(inner) => parts.extend(inner),
                one => parts.push(one),
            }
        }
        Self { expression: one_or(parts, Expression::And) }
    }

    /// What does not pass this one.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { expression: Expression::Not(Box::new(self.expression)) }
    }
}

/// A lone part stands for itself.
pub(crate) fn one_or(mut parts: Vec<Expression>, join: impl Fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Query { root: parse::node(&self.expression) }.fmt(f)
    }
}
