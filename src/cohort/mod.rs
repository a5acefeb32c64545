//! Cohorts: named sets of studies that say where they come from, and what would come of it today.
//!
//! - [`model`] a cohort, its members, and the steps that made it
//! - [`store`] cohorts in the catalogue: user data, acknowledged like studies
//! - [`algebra`] union, intersection and difference of members in order
//! - [`ask`] the one door to index and search: what a query selects today
//! - [`edit`] create, add, remove, combine: each a step that is pinned
//! - [`verify`] the steps run again, and what that would change
//! - [`summary`] counts: patients, findings, sex, age, source, dates
//! - [`export`] CSV, JSONL, Parquet and embeddings
//!
//! ```text
//! query | filter | ids | cohort --ask--> members --algebra--> cohort --store--> catalogue
//!                                     steps --verify--> what would change;  members --export--> files
//! ```

pub mod algebra;
pub mod ask;
pub mod edit;
pub mod export;
pub mod model;
pub mod store;
pub mod summary;
pub mod verify;

pub use ask::Archive;
pub use model::{Cohort, Member};
pub use store::Store;
