//! thorax: search your own archive of chest X-rays by text or by image. Not for diagnosis.
//!
//! - [`archive`] readers, one per source, and the importer
//! - [`findings`] the 14 observations: vocabulary, labeler, prompts, query understanding
//! - [`indexing`] from the catalogue to a generation of the index
//! - [`training`] binds an archive to the trainer of `thorax-models`
//! - [`evaluation`] metrics and protocols
//! - [`backup`] the catalogue as lines of JSON, and back
//! - [`doctor`] does everything in a home hold what was written?
//! - [`explain`] where a query lies on a film, and how a film stands among the archive's
//! - [`ablation`] variants of a recipe, trained and compared
//! - [`search`] query -> candidates -> fuse -> re-rank -> results
//! - [`cohort`] named sets of studies with their provenance: create, combine, verify, export
//! - [`server`] the HTTP API and the page
//! - [`cli`] one file per subcommand
//! - [`audit`] who did what, in a log that shows when it was changed
//! - [`access`] who may do what: tokens and roles
//! - [`home`], [`owner`], [`config`], [`error`], [`progress`], [`interrupt`], [`logging`], [`memory`], [`nice`], [`private`] what they all use

pub mod ablation;
pub mod access;
pub mod archive;
pub mod audit;
pub mod backup;
pub mod cli;
pub mod cohort;
pub mod config;
pub mod doctor;
pub mod error;
pub mod evaluation;
pub mod explain;
pub mod findings;
pub mod home;
pub mod indexing;
pub mod interrupt;
pub mod logging;
pub mod memory;
pub mod nice;
pub mod owner;
pub mod private;
pub mod progress;
pub mod search;
pub mod server;
pub mod training;

pub use error::{Error, Result};

/// Said wherever results are shown.
pub const NOTICE: &str = "Not for diagnosis. thorax finds similar studies; it does not say what a patient has.";
