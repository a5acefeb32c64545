//! Metrics and protocols.
//!
//! - [`metrics`] precision@k, area under the ROC curve
//! - [`bootstrap`] intervals by resampling patients
//! - [`retrieval`] text-to-film retrieval, per finding, beside the prevalence
//! - [`labeler`] the labeler against human annotations

pub mod bootstrap;
pub mod labeler;
pub mod metrics;
pub mod retrieval;
