//! Loss and gradients of a batch.
//!
//! Many of Candle's CPU operations use one thread, so the batch is cut into shards that run through the towers in parallel.
//! The graph is cut at the features: the loss needs all of them at once, and its gradient goes back into each shard.

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::sampler;
use crate::config::Config;
use crate::error::ModelError;
use crate::layers::Linear;
use crate::loss;
use crate::medclip::MedClip;
use crate::ops::DropPath;
use crate::parameters::Parameters;
use crate::preprocess::Pixels;
use crate::tokenizer::Tokenizer;
use crate::vision::Tower;

/// Parameters that only training needs; they aren't part of the model folder.
pub(super) const AUXILIARY: &str = "auxiliary";

/// The items of one step, unpaired.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Films at the model's size.
    pub images: Vec<Pixels>,
    /// Their labels.
    pub image_labels: Vec<Vec<f32>>,
    /// Token ids.
    pub texts: Vec<Vec<u32>>,
    /// Their labels.
    pub text_labels: Vec<Vec<f32>>,
}

/// Loss of one step and its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Losses {
    /// What is minimised.
    pub total: f32,
    /// Semantic matching.
    pub matching: f32,
    /// Auxiliary cross entropy, before its weight.
    pub auxiliary: f32,
}

/// A gradient per parameter, in the parameters' order; `None` where nothing flows.
pub type Gradients = Vec<Option<Tensor>>;

/// A model in training.
pub struct Learner {
    config: Config,
    model: MedClip,
    heads: Option<[Linear; 2]>,
    parameters: Vec<(String, Var)>,
    tokenizer: Tokenizer,
    dtype: DType,
    device: Device,
    shards: usize,
}

/// The features of a shard, with the graph behind them.
struct Shard {
    image_features: Option<Tensor>,
    text_features: Option<Tensor>,
}

impl Learner {
    /// A model with fresh parameters. `labels` is the length of the label vectors.
    pub fn new(
        config: &Config,
        tokenizer: &Tokenizer,
        labels: usize,
        dtype: DType,
        device: &Device,
        shards: usize,
    ) -> Result<Self, ModelError> {
        let parameters = Parameters::new(config.training.seed);
        let vb = parameters.builder(dtype, device);
        let model = MedClip::new(config, &vb)?;
        let heads = if config.training.auxiliary_weight > 0.0 {
            let vb = vb.pp(AUXILIARY);
            Some([
                Linear::new(config.vision.output_dim(), labels, &vb.pp("image"))?,
                Linear::new(config.text.hidden, labels, &vb.pp("text"))?,
            ])
        } else {
            None
        };
        Ok(Self {
            config: config.clone(),
            model,
            heads,
            parameters: parameters.all(),
            tokenizer: tokenizer.clone(),
            dtype,
            device: device.clone(),
            shards: if device.is_cpu() { shards.max(1) } else { 1 },
        })
    }

    /// All parameters by name.
    pub fn parameters(&self) -> &[(String, Var)] {
        &self.parameters
    }

    /// Loss and gradients. `step` seeds what is random in the forward pass.
    pub fn gradients(&self, batch: &Batch, step: u64) -> Result<(Losses, Gradients), ModelError> {
        let shards = self.shards.min(batch.images.len().max(batch.texts.len())).max(1);
        let graphs = (0..shards)
            .into_par_iter()
            .map(|k| self.shard(batch, k, shards, step))
            .collect::<Result<Vec<_>, ModelError>>()?;
        let leaves = graphs
            .iter()
            .map(|g| Ok([leaf(g.image_features.as_ref())?, leaf(g.text_features.as_ref())?]))
            .collect::<Result<Vec<_>, ModelError>>()?;
        let join = |which: usize| -> Result<Tensor, ModelError> {
            let parts: Vec<&Tensor> = leaves.iter().filter_map(|l| l[which].as_deref()).collect();
            Ok(Tensor::cat(&parts, 0)?)
        };
        let (loss, losses) = self.loss(&join(0)?, &join(1)?, batch)?;
        let head = loss.backward()?;
        let stores = graphs
            .par_iter()
            .zip(&leaves)
            .map(|(graph, leaves)| back(graph, leaves, &head))
            .collect::<Result<Vec<Option<GradStore>>, ModelError>>()?;
        let gradients = self
            .parameters
            .par_iter()
            .map(|(_, var)| {
                let all = std::iter::once(&head).chain(stores.iter().flatten());
                // Always in the same order, so that a run is reproducible.
                let mut sum: Option<Tensor> = None;
                for gradient in all.filter_map(|store| store.get(var)) {
                    sum = Some(match sum {
                        Some(sum) => (sum + gradient)?,
                        None => gradient.clone(),
                    });
                }
                Ok(sum)
            })
            .collect::<Result<_, ModelError>>()?;
        Ok((losses, gradients))
    }

    /// The loss alone, for tests.
    #[cfg(test)]
    pub(crate) fn loss_only(&self, batch: &Batch, step: u64) -> Result<Tensor, ModelError> {
        let graph = self.shard(batch, 0, 1, step)?;
        match (graph.image_features, graph.text_features) {
            (Some(images), Some(texts)) => Ok(self.loss(&images, &texts, batch)?.0),
            _ => Err(ModelError::Data("an empty batch".to_owned())),
        }
    }

    /// Runs shard `k` of `shards` through the towers.
    fn shard(&self, batch: &Batch, k: usize, shards: usize, step: u64) -> Result<Shard, ModelError> {
        let images = part(&batch.images, k, shards);
        let image_features = if images.is_empty() {
            None
        } else {
            let input = Tower::input(images, &self.config, &self.device)?.to_dtype(self.dtype)?;
            let mut drop = self.drop_path(k, step);
            Some(self.model.vision.forward(&input, drop.as_mut())?)
        };
        let texts = part(&batch.texts, k, shards);
        let text_features =
            if texts.is_empty() { None } else { Some(self.model.text.forward(&self.tokenizer.batch(texts))?) };
        Ok(Shard { image_features, text_features })
    }

    fn drop_path(&self, shard: usize, step: u64) -> Option<DropPath> {
        let rate = self.config.training.drop_path;
        let rng = |purpose: &str| -> ChaCha8Rng { sampler::rng(purpose, self.config.training.seed, step) };
        (rate > 0.0).then(|| DropPath { rng: rng(&format!("drop path {shard}")), rate })
    }

    fn loss(&self, images: &Tensor, texts: &Tensor, batch: &Batch) -> Result<(Tensor, Losses), ModelError> {
        let training = &self.config.training;
        let similarity = loss::label_similarity(&batch.image_labels, &batch.text_labels, &self.device)?;
        let matching = loss::semantic_matching(
            &self.model.project_images(images)?,
            &self.model.project_texts(texts)?,
            &self.model.logit_scale,
            &similarity,
            training.label_temperature,
        )?;
        let mut losses = Losses { total: 0.0, matching: loss::scalar(&matching)?, auxiliary: 0.0 };
        let mut total = matching;
        if let Some([image_head, text_head]) = &self.heads {
            let of_images = loss::known_label_entropy(&image_head.forward(images)?, &batch.image_labels)?;
            let of_texts = loss::known_label_entropy(&text_head.forward(texts)?, &batch.text_labels)?;
            let auxiliary = (of_images + of_texts)?;
            losses.auxiliary = loss::scalar(&auxiliary)?;
            total = (total + (auxiliary * training.auxiliary_weight)?)?;
        }
        losses.total = loss::scalar(&total)?;
        Ok((total, losses))
    }
}

/// Part `k` of `n`, as even as can be.
fn part<T>(items: &[T], k: usize, n: usize) -> &[T] {
    &items[items.len() * k / n..items.len() * (k + 1) / n]
}

/// A copy of features without their graph, whose gradient can be asked for.
fn leaf(features: Option<&Tensor>) -> Result<Option<Var>, ModelError> {
    Ok(features.map(|f| Var::from_tensor(&f.detach())).transpose()?)
}

/// Sends the gradient of the features back through a shard.
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
    Ok(surrogate.map(|s| s.backward()).transpose()?)
}
