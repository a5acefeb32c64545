//! `thorax ablate`: the same data, encoders and steps, one thing changed at a time.
//!
//! - [`plan`] the file: variants as lists of settings and data restrictions
//! - [`runs`] each variant with each seed is trained and scored once; what is finished is kept
//! - [`held_out`] the films that they are scored on
//! - [`compare`] scores become figures: mean and deviation over seeds, and paired intervals of the difference to the base

pub mod compare;
pub mod held_out;
pub mod plan;
pub mod runs;

pub use compare::Report;
pub use plan::Plan;
pub use runs::{Options, ablate};
