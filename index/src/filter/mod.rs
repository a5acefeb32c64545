//! Filters: which studies pass.
//!
//! - [`parse`] the language
//! - [`columns`] the values of a generation, arranged to answer it
//!
//! ```text
//! sex:F age:40..60 source:nih finding:"Pleural Effusion" -finding:Edema date:2019-01-01.. (view:PA OR view:AP)
//! ```
//! A blank means AND, `OR` binds less, `-` means NOT. Ranges include both ends, and an end may be open. A date may be given in part
//! (`date:2019`, `date:2019-03..2020`). `field:*` passes what has any value. Case is ignored everywhere but in `OR`.

pub mod columns;
pub mod parse;

use std::fmt;

pub use columns::{FieldColumns, FieldInfo};

use crate::error::Result;

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

/// A test of a field: passes when any of its values does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// There is a value.
    Any,
    /// Equal without case; as a number where the field has numbers; a date in part equals all dates that begin so.
    Equals(String),
    /// Between the ends, both included; at least one is given.
    Range { low: Option<String>, high: Option<String> },
}

impl Filter {
    /// The filter that everything passes.
    pub fn all() -> Self {
        Self { expression: Expression::And(Vec::new()) }
    }

    /// Parses the language that the module's page describes; an empty text passes everything.
    ///
    /// # Errors
    /// [`BadFilter`](crate::IndexError::BadFilter) with the place and what is wrong. Whether the fields exist is found out when the filter is used.
    pub fn parse(text: &str) -> Result<Self> {
        parse::parse(text).map(|expression| Self { expression })
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
        write_expression(f, &self.expression, true)
    }
}

fn write_expression(f: &mut fmt::Formatter<'_>, expression: &Expression, top: bool) -> fmt::Result {
    match expression {
        Expression::And(parts) if parts.is_empty() => f.write_str(if top { "" } else { "()" }),
        Expression::And(parts) => write_parts(f, parts, " ", !top),
        Expression::Or(parts) => write_parts(f, parts, " OR ", !top),
        Expression::Not(inner) => {
            f.write_str("-")?;
            write_expression(f, inner, false)
        }
        Expression::Term { field, test } => {
            write!(f, "{field}:")?;
            match test {
                Test::Any => f.write_str("*"),
                Test::Equals(value) => write_value(f, value),
                Test::Range { low, high } => {
                    write!(f, "{}..{}", low.as_deref().unwrap_or(""), high.as_deref().unwrap_or(""))
                }
            }
        }
    }
}

fn write_parts(f: &mut fmt::Formatter<'_>, parts: &[Expression], between: &str, parentheses: bool) -> fmt::Result {
    if parentheses {
        f.write_str("(")?;
    }
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        write_expression(f, part, false)?;
    }
    if parentheses {
        f.write_str(")")?;
    }
    Ok(())
}

fn write_value(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    let plain = !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    if plain {
        return f.write_str(value);
    }
    write!(f, "\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
