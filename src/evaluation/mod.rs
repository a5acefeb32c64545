//! Metrics and protocols.
//!
//! - [`metrics`] precision@k, ROC, average precision, F1
//! - [`bootstrap`] intervals by resampling patients
//! - [`cohort`] the films and sentences that are scored, and what is known of them
//! - [`prompt_bank`] films scored by class prompts; [`per_finding`] scores become figures
//! - [`zero_shot`] classification by prompts
//! - [`retrieval`] text to film; [`matching`] film to sentence and back
//! - [`labeler`] the labeler against human annotations
//! - [`report`] tables and plots, on a terminal or as one HTML file

pub mod bootstrap;
pub mod cohort;
pub mod labeler;
pub mod matching;
pub mod metrics;
pub mod per_finding;
pub mod prompt_bank;
pub mod report;
pub mod retrieval;
pub mod zero_shot;
