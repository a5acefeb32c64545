//! Metrics and protocols.
//!
//! - [`metrics`] precision@k, ROC, average precision, F1
//! - [`bootstrap`] intervals by resampling patients
//! - [`cohort`] the films and sentences that are scored, and what is known of them
//! - [`prompt_bank`] films scored by class prompts; [`per_finding`] scores become figures
//! - [`zero_shot`] classification by prompts
//! - [`retrieval`] text to film; [`matching`] film to sentence and back
//! - [`supervised`] linear probe, [`fine_tuning`] and prompt tuning, by [`logistic`] regression
//! - [`negation`] what "no X" returns, and [`pairs`] of "X" and "no X"
//! - [`queries`] what typed queries return that they should not, and what the cut-off keeps
//! - [`grounding`] the pointing game of the heat map on [`boxes`], beside `blind` guesses
//! - [`labeler`] the labeler against human annotations
//! - [`report`] tables and plots, on a terminal or as one HTML file

mod blind;
pub mod bootstrap;
pub mod boxes;
pub mod cohort;
pub mod fine_tuning;
pub mod grounding;
mod grounding_sheet;
pub mod labeler;
pub mod logistic;
pub mod matching;
pub mod metrics;
pub mod negation;
mod negation_sheet;
pub mod pairs;
pub mod per_finding;
pub mod prompt_bank;
pub mod queries;
pub mod report;
pub mod retrieval;
pub mod supervised;
pub mod zero_shot;
