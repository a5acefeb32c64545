//! Convolutions on rows of channels: a film is `[side * side, channels]`, pixel after pixel, so that a 1 x 1 convolution is a
//! matrix product, a depthwise one works on neighbouring values, and the output is a row of tokens.
//!
//! - [`geometry`]: kernel, stride and padding on a square, and the taps of a kernel as tensors
//! - [`activation`]: what is applied to the output at once
//! - [`pointwise`]: 1 x 1; [`depthwise`]: each channel by itself; [`dense`]: all others
//! - [`pool`]: maximum over a window
//!
//! Batch norm is not here: with fixed statistics it is folded into weight and bias before.

mod activation;
mod dense;
mod depthwise;
mod geometry;
mod pointwise;
mod pool;

pub(crate) use activation::Activation;
pub(crate) use dense::{conv, rows};
pub(crate) use depthwise::{depthwise, taps};
pub(crate) use geometry::Geometry;
pub(crate) use pointwise::pointwise;
pub(crate) use pool::max_pool;
