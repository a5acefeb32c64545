//! Published checkpoints become model folders, and model folders become published checkpoints.
//!
//! - [`architecture`]: the configuration from the shapes of the tensors, and from `config.json` what shapes don't tell
//! - [`vocabulary`]: `vocab.txt` or `tokenizer.json` becomes our tokenizer
//! - [`import`]: a whole MedCLIP, or two towers, becomes a model folder
//! - [`export`]: a model folder becomes one safetensors file with the published names
//! - [`describe`]: what a model folder holds, without loading it

mod architecture;
mod describe;
mod export;
mod import;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use describe::{Description, TensorShape, describe};
pub use export::export;
pub use import::{Import, Imported, import};
