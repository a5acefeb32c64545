//! Gradients of a batch, piece by piece.
//!
//! Many of Candle's CPU operations use one thread, so pieces of the batch run side by side, as many as there are shards. With
//! more pieces than that (`micro_batch`), the features come first, without their graph; then each piece runs again and takes
//! its share of the gradient (GradCache, Gao et al., RepL4NLP 2021). The loss sees the whole batch either way.

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use rayon::prelude::*;

use super::learner::{Batch, Learner, Losses, Shard};
use crate::error::ModelError;
use crate::ops;

/// A gradient per parameter, in the parameters' order; `None` where nothing flows.
pub type Gradients = Vec<Option<Tensor>>;

impl Learner {
    /// Loss and gradients. `step` seeds what is random in the forward pass.
    pub fn gradients(&self, batch: &Batch, step: u64) -> Result<(Losses, Gradients), ModelError> {
        let rows = batch.films().max(batch.texts.len()).max(1);
        let shards = self.shards.min(rows);
        let micro = self.config.training.micro_batch;
        let pieces = if micro == 0 { shards } else { rows.div_ceil(micro).max(shards) };
        let towers = self.converted()?;
        let run = |k: usize| self.shard(towers.as_ref(), batch, k, pieces, step);

        let mut graphs: Vec<Shard> = Vec::new();
        let mut leaves: Vec<[Option<Var>; 2]> = Vec::with_capacity(pieces);
        for group in groups(pieces, shards) {
            let made = group.into_par_iter().map(run).collect::<Result<Vec<_>, ModelError>>()?;
            for graph in &made {
                leaves.push([leaf(graph.image_features.as_ref())?, leaf(graph.text_features.as_ref())?]);
            }
            if pieces == shards {
                graphs = made;
            }
        }
        let join = |which: usize| -> Result<Tensor, ModelError> {
            let parts: Vec<&Tensor> = leaves.iter().filter_map(|l| l[which].as_deref()).collect();
            Ok(Tensor::cat(&parts, 0)?)
        };
        let (loss, losses) = self.loss(&join(0)?, &join(1)?, batch)?;
        let head = ops::backward(&loss)?;

        let mut gradients = self.sum(vec![None; self.parameters.len()], &[&head])?;
        for group in groups(pieces, shards) {
            let stores = group
                .into_par_iter()
                .map(|k| {
                    let again = if graphs.is_empty() { Some(run(k)?) } else { None };
                    match (again.as_ref().or_else(|| graphs.get(k)), leaves.get(k)) {
                        (Some(graph), Some(leaves)) => back(graph, leaves, &head),
                        _ => Ok(None),
                    }
                })
                .collect::<Result<Vec<Option<GradStore>>, ModelError>>()?;
            gradients = self.sum(gradients, &stores.iter().flatten().collect::<Vec<_>>())?;
        }
        Ok((losses, gradients))
    }

    /// Adds what `stores` have of each parameter, always in the same order, so that a run is reproducible.
    fn sum(&self, gradients: Gradients, stores: &[&GradStore]) -> Result<Gradients, ModelError> {
        self.parameters
            .par_iter()
            .zip(gradients)
            .map(|((_, var), mut sum)| {
                for gradient in stores.iter().filter_map(|store| store.get(var)) {
                    sum = Some(match sum {
                        Some(sum) => (sum + gradient)?,
                        None => gradient.clone(),
                    });
                }
                Ok(sum)
            })
            .collect()
    }

    /// The loss alone, for tests.
    #[cfg(test)]
    pub(crate) fn loss_only(&self, batch: &Batch, step: u64) -> Result<Tensor, ModelError> {
        let graph = self.shard(None, batch, 0, 1, step)?;
        match (graph.image_features, graph.text_features) {
            (Some(images), Some(texts)) => Ok(self.loss(&images, &texts, batch)?.0),
            _ => Err(ModelError::Data("an empty batch".to_owned())),
        }
    }
}

/// Pieces that run side by side.
fn groups(pieces: usize, shards: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..pieces).step_by(shards).map(move |first| (first..pieces.min(first + shards)).collect())
}

/// A copy of features without their graph, whose gradient can be asked for.
fn leaf(features: Option<&Tensor>) -> Result<Option<Var>, ModelError> {
    Ok(features.map(|f| Var::from_tensor(&f.detach())).transpose()?)
}

/// Sends the gradient of the features back through a piece.
fn back(graph: &Shard, leaves: &[Option<Var>; 2], head: &GradStore) -> Result<Option<GradStore>, ModelError> {
    let mut surrogate: Option<Tensor> = None;
    for (features, leaf) in [&graph.image_features, &graph.text_features].into_iter().zip(leaves) {
        let (Some(features), Some(leaf)) = (features, leaf) else { continue };
        let Some(gradient) = head.get(leaf) else { continue };
        // The derivative of this product by the features is the gradient.
        let product = (features * gradient.detach())?.sum_all()?;
        surrogate = Some(match surrogate {
            Some(sum) => (sum + product)?,
            None => product,
        });
    }
    Ok(surrogate.map(|s| ops::backward(&s)).transpose()?)
}
