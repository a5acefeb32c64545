//! Search: query -> candidates -> fuse -> re-rank -> results.
//!
//! - [`request`] what is asked
//! - [`language`] a typed query: which studies can be results, terms, prose
//! - [`engine`] opens a home for searching and runs a search
//! - [`candidates`] rankings from films, sentences, keywords and stated findings
//! - [`fuse`] reciprocal rank fusion
//! - [`agreement`] how well what a study shows agrees with what the query wants
//! - [`response`] what is answered

pub mod agreement;
pub mod candidates;
pub mod engine;
pub mod fuse;
pub mod language;
pub mod request;
pub mod response;

pub use engine::Engine;
pub use request::{Query, Request, Target};
pub use response::Response;
