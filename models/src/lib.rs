//! MedCLIP (Wang et al., EMNLP 2022) on Candle: encoders, losses, training, checkpoints. No HTTP, no index and no medical
//! words: labels are vectors of numbers.
//!
//! | module | what |
//! |---|---|
//! | [`config`] | architecture, preprocessing and training as TOML; presets in `configs/` |
//! | [`preprocess`] | a film becomes a square of gray values |
//! | [`tokenizer`] | WordPiece, trained on the archive's sentences |
//! | [`loss`] | semantic matching, InfoNCE, cross entropy on known labels |
//! | [`train`] | the trainer: data sources, sampling, augmentation, optimiser, checkpoints |
//! | [`encoder`] | inference: a model folder becomes embeddings |
//! | [`shipped`] | the model that is part of the program |
//! | [`device`] | CPU or GPU |
//! | [`error`] | [`ModelError`] |
//! | `medclip`, `vision`, `bert`, `layers` | the network |
//! | `ops` | fused operations with a backward pass |
//! | [`exchange`] | published checkpoints become model folders, and the other way round |
//! | [`weights`] | tensor files: ours and published ones |
//! | `parameters` | named variables |

mod bert;
pub mod config;
pub mod device;
pub mod encoder;
pub mod error;
pub mod exchange;
mod layers;
pub mod loss;
mod medclip;
mod ops;
mod parameters;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod parity;
pub mod preprocess;
pub mod shipped;
#[cfg(test)]
mod testing;
pub mod tokenizer;
pub mod train;
mod vision;
pub mod weights;

pub use candle_core::Device;
pub use config::Config;
pub use encoder::{Encoder, Regions};
pub use error::ModelError;
pub use preprocess::Pixels;
pub use tokenizer::Tokenizer;
