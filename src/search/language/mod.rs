//! A typed query as a search uses it: which studies can be results, what keyword search looks for, and the prose.
//!
//! The grammar is [`thorax_index::language`]'s, one for the search box, the command line and `--filter`.
//!
//! - [`prose`] what the encoder and [`understand`](crate::findings::understand) read
//! - [`notions`] words as terms: synonyms, spelling, and whether they are asked for as present or as absent
//! - [`plan`] a query against an index
//!
//! What a query's parts do:
//!
//! | part | the studies that can be results | the ranking |
//! |---|---|---|
//! | words at the top | all | keywords with synonyms, prose |
//! | `"a phrase"` | those whose report has these words | keywords as they stand, prose |
//! | `-word`, `NOT words` | those that neither say nor are stated to show it; "no edema" says nothing of an edema | prose: "no edema" |
//! | words under `AND`, `OR` | those that say or are stated to show it | as words at the top |
//! | `field:value` | those that pass | |

pub mod notions;
pub mod plan;
pub mod prose;

pub use plan::{Plan, filter, plan};
pub use thorax_index::language::{Kind, Node, Query, SyntaxError};

/// Parses a query.
///
/// # Errors
/// [`SyntaxError`]: the place, and what to do.
pub fn parse(text: &str) -> Result<Query, SyntaxError> {
    Query::parse(text)
}
