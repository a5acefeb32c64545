//! Is what lies in a home what was written? Looks at everything, changes nothing; `repair` mends what is derived.
//!
//! - [`finding`] what can be found
//! - [`catalogue`] every record of the catalogue, and the records as a set
//! - [`generations`] the generation that serves, file by file and beside the catalogue; builds and remains
//! - [`repair`] damaged records set aside, a damaged generation made anew from its vectors or dropped

pub mod catalogue;
pub mod finding;
pub mod generations;
pub mod repair;

pub use finding::{Finding, Severity};

#[cfg(test)]
mod tests;
