//! Objectives. All take embeddings or features and answer a scalar; none knows where its inputs come from.
//!
//! - [`similarity`]: how alike the labels of an image and of a text are: cosine (the paper) or dot product (the released code)
//! - [`targets`]: what a softmax should give: soft by labels, hard by pairs, or blended
//! - [`matching`]: semantic matching and InfoNCE, which are cross entropies with such targets
//! - [`sigmoid`]: the pairwise alternative without a softmax
//! - [`entropy`]: multilabel binary cross entropy on the labels that are known
//! - [`questions`]: the same of films, asked by texts that state a finding and texts that deny it

mod entropy;
mod matching;
mod questions;
#[cfg(test)]
mod reference;
mod sigmoid;
mod similarity;
mod targets;

use candle_core::{DType, Result, Tensor};

pub use entropy::known_label_entropy;
pub use matching::{info_nce, logits, matching, semantic_matching};
pub use questions::question_entropy;
pub use sigmoid::{pairwise_sigmoid, sigmoid_targets};
pub use similarity::{label_product, label_similarity};
pub use targets::Targets;

/// A scalar as `f32`.
pub(crate) fn scalar(loss: &Tensor) -> Result<f32> {
    loss.to_dtype(DType::F32)?.to_scalar()
}
