//! Metrics and protocols.
//!
//! - [`metrics`] precision@k, area under the ROC curve
//! - [`retrieval`] text-to-film retrieval, per finding, beside the prevalence
//! - [`labeler`] the labeler against human annotations

pub mod labeler;
pub mod metrics;
pub mod retrieval;
