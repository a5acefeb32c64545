//! The trainer: from images with labels and sentences with labels, unpaired, to a model folder.
//!
//! - `source`: what the application hands over
//! - `options`: what is wanted, and what is reported on the way
//! - `run`: the loop
//! - `sampler`, `augment`, `loader`: which items, how they are changed, and preparing the next batch meanwhile
//! - `learner`: loss and gradients of a batch, in parallel shards
//! - `optimizer`, `schedule`: AdamW and its learning rate
//! - `checkpoint`, `card`: the state of a run on disk, and what the finished model says of itself

mod augment;
mod card;
mod checkpoint;
mod learner;
#[cfg(test)]
mod learner_tests;
mod loader;
mod optimizer;
mod options;
mod run;
#[cfg(test)]
mod run_tests;
mod sampler;
mod schedule;
mod source;

pub use card::Card;
pub use options::{Budget, Event, Options, Outcome, Progress, default_shards};
pub use run::train;
pub use source::{ImageSource, SourceError, TextSource};

#[doc(hidden)]
pub mod bench {
    //! For the benchmarks only.
    pub use super::learner::{Batch, Learner};
}
