//! What a query says.

use std::ops::Range;

use super::SyntaxError;

/// A query, parsed. `Display` writes it so that it parses to an equal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The whole of it; an empty [`Kind::Beside`] where the text was empty.
    pub root: Node,
}

/// A part of a query. Two parts are equal when they say the same, wherever they stand.
#[derive(Clone, Debug, Eq)]
pub struct Node {
    /// What it says.
    pub kind: Kind,
    /// Bytes of the query's text.
    pub span: Range<usize>,
}

/// What a part says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Parts beside each other, none of them an empty [`Kind::Beside`] and no two [`Kind::Words`] in a row.
    Beside(Vec<Node>),
    /// Joined by `AND`; two or more.
    And(Vec<Node>),
    /// Joined by `OR`; two or more.
    Or(Vec<Node>),
    /// `-` or `NOT`.
    Not(Box<Node>),
    /// Words beside each other; one or more.
    Words(Vec<Word>),
    /// Quoted words, as they stand between the marks.
    Phrase(String),
    /// `field:value`; the name in lower case.
    Field {
        /// The field's name.
        field: String,
        /// What its values are asked.
        test: Test,
    },
}

/// A word of prose with its punctuation.
#[derive(Clone, Debug, Eq)]
pub struct Word {
    /// As typed, without escapes.
    pub text: String,
    /// Bytes of the query's text.
    pub span: Range<usize>,
}

/// A test of a field: passes when any of its values does. Values are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// There is a value.
    Any,
    /// Equal without case; as a number where the field has numbers; a date in part equals all dates that begin so.
    Equals(String),
    /// Between the ends, both included; at least one is given.
    Range {
        /// The lower end.
        low: Option<String>,
        /// The upper end.
        high: Option<String>,
    },
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Query {
    /// Parses the language that the module's page describes.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        super::parse::parse(text).map(|root| Self { root })
    }

    /// True when it says nothing.
    pub fn is_empty(&self) -> bool {
        matches!(&self.root.kind, Kind::Beside(parts) if parts.is_empty())
    }

    /// All tests of fields in it: name, bytes of the text.
    pub fn fields(&self) -> Vec<(&str, Range<usize>)> {
        let mut found = Vec::new();
        self.root.visit(&mut |node| {
            if let Kind::Field { field, .. } = &node.kind {
                found.push((field.as_str(), node.span.clone()));
            }
        });
        found
    }
}

impl Node {
    /// Calls `see` with this part and all parts within, in the order of the text.
    pub fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Node)) {
        see(self);
        match &self.kind {
            Kind::Beside(parts) | Kind::And(parts) | Kind::Or(parts) => parts.iter().for_each(|part| part.visit(see)),
            Kind::Not(inner) => inner.visit(see),
            Kind::Words(_) | Kind::Phrase(_) | Kind::Field { .. } => {}
        }
    }
}
