//! From the catalogue to a generation of the index.
//!
//! - [`shown`] what a study shows: labels and reports brought together
//! - [`statements`] the same as a field of the document, two characters a statement
//! - [`document`] a study as the catalogue keeps it
//! - [`embed`] embeds what is new, and swaps the generation
//! - [`pipeline`] decoding, encoding and writing side by side

pub mod document;
pub mod embed;
pub mod pipeline;
pub mod shown;
pub mod statements;

pub use shown::{Finding, shown};
