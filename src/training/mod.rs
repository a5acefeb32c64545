//! Binds an archive to the trainer of `thorax-models`.
//!
//! - [`split`] who is trained on, validated on, held out: by patient
//! - [`labels`] the signed label vector
//! - [`dataset`] films and sentences of the training patients, or a [`selection`] of them; [`sources`] hands them to the
//!   trainer
//! - [`flip`] texts that say the contrary of another
//! - [`validation`] choosing the best weights by AUC on the validation patients
//! - [`run`] a run, from the catalogue to a model in the home; `watch` shows it; [`card`] what the model says of itself

pub mod card;
pub mod dataset;
pub mod flip;
pub mod labels;
pub mod run;
pub mod selection;
pub mod sources;
pub mod split;
pub mod validation;
mod watch;

pub use run::{Budget, Options, Summary, train, untrained};
