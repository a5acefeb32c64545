//! The two halves of a transformer layer, each as one operation: Swin's (norm before the branch) and BERT's (norm after
//! the sum).
//!
//! A layer made of single operations sends every intermediate result through memory. Here a group of rows goes through the
//! whole branch while it is in the cache, and the groups run in parallel. At training only what the backward pass cannot
//! cheaply compute again is kept: neither normalised values, nor GELUs, nor attention probabilities.
//!
//! - [`parameters`]: norm and linear layers of a block
//! - [`mlp`]: two linear layers with a GELU between them
//! - [`attend`]: query, key, value, attention and output layer; [`strips`]: writing windows back to their tokens
//! - `rows`: what both do with rows

mod attend;
mod mlp;
mod parameters;
mod rows;
mod strips;
#[cfg(test)]
mod tests;

pub(crate) use attend::SelfAttention;
pub(crate) use mlp::Mlp;
pub(crate) use parameters::{Dense, Norm, Place};
