//! Tensor files: our own and published ones, checked against a configuration, written atomically.
//!
//! - [`safetensors_file`]: one safetensors file, read as a stream, so that little more than its tensors is in memory
//! - [`pickle_file`]: PyTorch's `.bin`, `.pt` and `.pth`
//! - [`source`]: a file or folder, sharded or not, of either kind
//! - [`names`]: the names of published checkpoints become ours
//! - [`check`]: what is missing, extra or of another shape
//! - [`copy`]: a file's tensors into fresh parameters
//! - [`write`]: safetensors files in `f32` or `f16`, and atomic replacement

mod check;
mod copy;
pub mod names;
mod pickle_file;
mod safetensors_file;
pub mod source;
mod write;

pub use check::Mismatch;
pub(crate) use check::check;
pub use copy::{Copied, load_into};
pub(crate) use safetensors_file::{Loaded, header, parse, read, read_hashed};
pub use write::Storage;
pub(crate) use write::{save, serialize, write_atomically};
