//! BERT (Devlin et al., NAACL 2019) with the Hugging Face names of its weights, and its hidden states.
//!
//! - [`layer`]: one transformer layer

mod layer;
#[cfg(test)]
mod tests;

use candle_core::{DType, Result, Tensor};
use candle_nn::VarBuilder;

use crate::config::{Pooling, Text};
use crate::layers::{LayerNorm, table};
use crate::ops::{Windows, embed};
use crate::tokenizer::TokenBatch;
use layer::Layer;

/// The text encoder up to its pooled features.
pub(crate) struct Bert {
    words: Tensor,
    positions: Tensor,
    types: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
    /// Which states are averaged: 0 is the embedding.
    pooled: Vec<usize>,
    pooling: Pooling,
    /// Layers that don't train, from the first on, and with them the embeddings; 0 = all train.
    pub(crate) frozen: usize,
}

impl Bert {
    pub(crate) fn new(config: &Text, vb: &VarBuilder<'_>) -> Result<Self> {
        let embeddings = vb.pp("embeddings");
        let row = |rows: usize, name: &str| table(rows, config.hidden, "weight", &embeddings.pp(name));
        Ok(Self {
            words: row(config.vocab_size, "word_embeddings")?,
            positions: row(config.position_rows(), "position_embeddings")?,
            types: row(2, "token_type_embeddings")?,
            norm: LayerNorm::new(config.hidden, config.layer_norm_eps, &embeddings.pp("LayerNorm"))?,
            layers: (0..config.layers)
                .map(|i| Layer::new(config, &vb.pp(format!("encoder.layer.{i}"))))
                .collect::<Result<_>>()?,
            pooled: config.pooled_indices(),
            pooling: config.pooling,
            frozen: 0,
        })
    }

    /// The hidden states `[batch, tokens, hidden]`: the embedding, then one per layer up to the last that is averaged.
    pub(crate) fn hidden_states(&self, batch: &TokenBatch) -> Result<Vec<Tensor>> {
        let (rows, tokens) = (batch.lengths.len(), batch.tokens);
        let words = embed(&self.words, &batch.ids)?.reshape((rows, tokens, ()))?;
        let places = self.positions.narrow(0, 0, tokens)?.broadcast_add(&self.types.narrow(0, 0, 1)?)?;
        let mut x = self.norm.forward(&words.broadcast_add(&places)?)?;
        if self.frozen > 0 {
            x = x.detach();
        }
        let windows = Windows::sequences(&batch.lengths, tokens);
        let last = self.pooled.iter().copied().max().unwrap_or(0);
        let mut states = Vec::with_capacity(last + 1);
        for (i, layer) in self.layers.iter().take(last).enumerate() {
            let next = layer.forward(&x, &windows)?;
            let next = if i < self.frozen { next.detach() } else { next };
            states.push(std::mem::replace(&mut x, next));
        }
        states.push(x);
        Ok(states)
    }

    /// Mean of the chosen hidden states over the tokens, those that are padding only where the configuration wants it,
    /// `[batch, hidden]`.
    pub(crate) fn forward(&self, batch: &TokenBatch) -> Result<Tensor> {
        let states = self.hidden_states(batch)?;
        let mut chosen = self.pooled.iter().filter_map(|&i| states.get(i));
        let Some(first) = chosen.next() else { candle_core::bail!("no hidden state is pooled") };
        let sum = chosen.try_fold(first.clone(), |sum, state| &sum + state)?;
        let share = 1.0 / self.pooled.len() as f32;
        let weights: Vec<f32> = batch
            .lengths
            .iter()
            .map(|&l| if self.pooling == Pooling::Masked { l } else { batch.tokens })
            .flat_map(|l| (0..batch.tokens).map(move |t| if t < l { share / l as f32 } else { 0.0 }))
            .collect();
        let weights = Tensor::from_vec(weights, (batch.lengths.len(), 1, batch.tokens), sum.device())?;
        let dtype = sum.dtype();
        let weights = if dtype == DType::F32 { weights } else { weights.to_dtype(dtype)? };
        weights.matmul(&sum)?.squeeze(1)
    }
}
