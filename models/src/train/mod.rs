//! The trainer: from images with labels and sentences with labels, unpaired, to a model folder.
//!
//! - `source`, `validate`: what the application hands over
//! - `options`: what is wanted, and what is reported on the way
//! - `run`: the loop; `start`: a run begun, from nothing, from another model or from its checkpoint
//! - `sampler`, `texts`, `augment`, `loader`: which items, how they are changed, and preparing the next batch meanwhile
//! - `learner`, `objective`, `gradients`: the model in training, its loss, and gradients of a batch piece by piece
//! - `frozen`: outputs of layers that don't train, computed once
//! - `optimizer`, `schedule`, `ema`: AdamW, its learning rate, the moving average of the weights
//! - `checkpoint`, `curves`, `card`: the state of a run on disk, how it went, and what the finished model says of itself
//! - `bench`: a tower alone, for the benchmarks

mod augment;
mod card;
mod checkpoint;
mod curves;
mod ema;
mod frozen;
mod gradients;
mod learner;
#[cfg(test)]
mod learner_tests;
mod loader;
mod objective;
mod optimizer;
mod options;
#[cfg(test)]
mod recipe_tests;
mod run;
#[cfg(test)]
mod run_tests;
mod sampler;
mod schedule;
mod source;
mod start;
mod texts;
mod validate;

pub use card::Card;
pub use frozen::TrunkCache;
pub use options::{Budget, Event, Options, Outcome, Precision, Progress, default_shards};
pub use run::train;
pub use source::{ImageSource, SourceError, Sources, TextSource};
pub use validate::{Score, Validator};

#[doc(hidden)]
pub mod bench;
