//! The query language: one for the search box, the command line and filters.
//!
//! - [`tree`] what a query says, with the place of each part
//! - [`error`] what is wrong with a text, where, and what to do
//! - `lex` the text cut into words, phrases, tests and signs
//! - `parse` the grammar, by recursive descent
//! - `print` a tree written so that it parses to the same tree
//!
//! ```text
//! query  = [ or ]
//! or     = and { "OR" and }
//! and    = beside { "AND" beside }
//! beside = unit { unit }
//! unit   = "NOT" ( words | unit ) | "-" one | one
//! one    = "(" [ or ] ")" | phrase | test | words
//! words  = word { word }                     as many as stand beside each other
//! phrase = '"' characters '"'
//! test   = name ":" value                    no blank on either side of the colon
//! value  = "*" | characters | '"' characters '"' | [ low ] ".." [ high ]
//! ```
//!
//! **Words** are prose. `large right effusion, no pneumothorax` is one run of words, and so is anything without a sign: a comma, a
//! lone `-`, `left: small`, `12:30`, `nodule(s)`, `and`, `not`. At the top of a query words rank and don't exclude; under `AND`, `OR`
//! and `NOT` all words of a run are meant. `AND`, `OR` and `NOT` take the whole run beside them, `-` takes one word.
//!
//! **Phrases** are taken literally: these words in this order, and no synonyms. Curly quotation marks do too.
//!
//! **Tests**: `sex:F`, `finding:"Pleural Effusion"`, `age:40..60`, `age:60..`, `date:2019`, `date:2019-03..2020`, `field:*` (has a
//! value). Both ends of a range are included; case is ignored. A name begins with a letter or `_`.
//!
//! **Signs**: blanks bind like `AND`, which binds more than `OR`; `-` counts before a letter, `_`, a quotation mark, a parenthesis or a
//! backslash. `AND`, `OR`, `NOT` count in capitals. In a text without any small letter, a pasted report such as `NO EFFUSION OR
//! PNEUMOTHORAX`, they are words as soon as two words stand beside each other.
//!
//! **Escapes**: a backslash makes the next character an ordinary one: `\-5`, `\AND`, `a\:b`, `\"`, `\(`, `\\`.

pub mod error;
pub mod tree;

mod lex;
mod parse;
mod print;

pub use error::SyntaxError;
pub use tree::{Kind, Node, Query, Test, Word};

#[cfg(test)]
mod tests;
