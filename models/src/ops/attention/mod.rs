//! Softmax attention within groups of tokens: Swin's windows, or the whole sequence of BERT.
//!
//! - [`windows`]: which tokens attend to each other, and what is masked
//! - [`heads`]: scores, bias, mask, softmax and weighted sum, and their gradients
//! - [`plain`]: the same from tensor operations, for other devices and types

mod heads;
pub(super) mod plain;
mod windows;

pub(super) use heads::Heads;
pub(crate) use windows::Windows;
