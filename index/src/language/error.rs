//! What is wrong with a query text.

use std::ops::Range;

/// A text that is no query: the place, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SyntaxError {
    /// Character of the text, from 1.
    pub column: usize,
    /// Bytes of the text at fault.
    pub span: Range<usize>,
    /// What is wrong, with the column in it, and what would be right.
    pub reason: String,
}

impl SyntaxError {
    /// At the bytes `span` of `text`; `what` gets the column in place of `{}`.
    pub(crate) fn new(text: &str, span: Range<usize>, what: &str) -> Self {
        let column = text.get(..span.start).map_or(1, |before| before.chars().count() + 1);
        Self { column, span, reason: what.replacen("{}", &format!("column {column}"), 1) }
    }
}
