//! The model in training: its towers, heads and losses.
//!
//! The graph is cut at the features: the loss needs all of them at once, and its gradient goes back into each piece of the
//! batch ([`gradients`](super::gradients)).

use std::collections::BTreeMap;
use std::ops::Range;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::Init;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::frozen::{Key, TrunkCache, View};
use super::{objective, sampler};
use crate::config::{Config, Objective, Pooling};
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
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Films at the model's size; none where `trunk` is there.
    pub images: Vec<Pixels>,
    /// Output of the frozen layers for the films, in place of the films themselves.
    pub trunk: Option<Tensor>,
    /// Their labels.
    pub image_labels: Vec<Vec<f32>>,
    /// Token ids.
    pub texts: Vec<Vec<u32>>,
    /// Features of the texts, where the text encoder is frozen as a whole.
    pub text_features: Option<Tensor>,
    /// Their labels.
    pub text_labels: Vec<Vec<f32>>,
    /// Images and texts that belong together, as rows of this batch. With InfoNCE row `i` of both does, said or not.
    pub pairs: Vec<(usize, usize)>,
}

impl Batch {
    /// Films.
    pub fn films(&self) -> usize {
        self.trunk.as_ref().and_then(|t| t.dims().first().copied()).unwrap_or(self.images.len())
    }
}

/// Loss of one step and its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Losses {
    /// What is minimised.
    pub total: f32,
    /// The objective.
    pub matching: f32,
    /// Auxiliary cross entropy, before its weight.
    pub auxiliary: f32,
    /// That of the questions, before its weight.
    pub questions: f32,
}

/// A model in training.
pub struct Learner {
    pub(super) config: Config,
    model: MedClip,
    heads: Option<[Linear; 2]>,
    /// Of the sigmoid objective.
    bias: Option<Tensor>,
    /// Of the questions, `[labels]`.
    answers: Option<Tensor>,
    pub(super) parameters: Vec<(String, Var)>,
    store: Parameters,
    tokenizer: Tokenizer,
    /// Of the weights.
    dtype: DType,
    /// Of what flows through the towers.
    compute: DType,
    device: Device,
    pub(super) shards: usize,
    /// Layers of the image tower that don't train.
    frozen: usize,
}

/// The features of a piece of a batch, with the graph behind them.
pub(super) struct Shard {
    pub(super) image_features: Option<Tensor>,
    pub(super) text_features: Option<Tensor>,
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
        let store = Parameters::new(config.training.seed);
        let vb = store.builder(dtype, device);
        let model = Self::towers(config, &store, dtype, device)?;
        let heads = if config.training.auxiliary_weight > 0.0 {
            let vb = vb.pp(AUXILIARY);
            Some([
                Linear::new(config.vision.output_dim(), labels, &vb.pp("image"))?,
                Linear::new(config.text.hidden, labels, &vb.pp("text"))?,
            ])
        } else {
            None
        };
        let bias = if config.training.objective == Objective::Sigmoid {
            Some(vb.pp(AUXILIARY).get_with_hints((), "logit_bias", Init::Const(objective::BIAS))?)
        } else {
            None
        };
        let answers = if config.training.question_weight > 0.0 {
            Some(vb.pp(AUXILIARY).get_with_hints(labels, "answers", Init::Const(0.0))?)
        } else {
            None
        };
        Ok(Self {
            config: config.clone(),
            frozen: config.training.frozen.min(model.vision.layers()),
            model,
            heads,
            bias,
            answers,
            parameters: store.all(),
            store,
            tokenizer: tokenizer.clone(),
            dtype,
            compute: dtype,
            device: device.clone(),
            shards: if device.is_cpu() { shards.max(1) } else { 1 },
        })
    }

    /// The same, whose towers compute in `compute`; the weights stay as they are.
    pub fn computing_in(mut self, compute: DType) -> Self {
        self.compute = compute;
        self
    }

    fn towers(config: &Config, store: &Parameters, dtype: DType, device: &Device) -> Result<MedClip, ModelError> {
        let mut model = MedClip::new(config, &store.builder(dtype, device))?;
        model.text.frozen = config.training.frozen_text_layers;
        Ok(model)
    }

    /// All parameters by name.
    pub fn parameters(&self) -> &[(String, Var)] {
        &self.parameters
    }

    /// The towers for one step. In another type than that of the weights, these are converted anew: they have changed.
    pub(super) fn converted(&self) -> Result<Option<MedClip>, ModelError> {
        let same = self.compute == self.dtype;
        (!same).then(|| Self::towers(&self.config, &self.store, self.compute, &self.device)).transpose()
    }

    /// Outputs of the frozen layers for a batch, `[films, ...]`; what is new is computed and kept.
    ///
    /// They are rounded to half precision always, and on the CPU each film is computed alone: so a run gives the same whether
    /// or not the cache had them.
    pub(super) fn trunk(&self, views: &[View], cache: &TrunkCache) -> Result<Tensor, ModelError> {
        // The loader runs ahead: what it did not find may have been computed since, and a batch can hold a view twice.
        let mut new: BTreeMap<Key, &Pixels> = BTreeMap::new();
        for view in views {
            if let View::New { key, pixels } = view {
                new.insert(*key, pixels);
            }
        }
        let compute = |(key, pixels): (Key, &Pixels)| -> Result<(Key, Tensor), ModelError> {
            if let Some(output) = cache.get(key) {
                return Ok((key, output));
            }
            let output = self.trunk_of(pixels)?;
            cache.put(key, &output);
            Ok((key, output))
        };
        let new: BTreeMap<Key, Tensor> = if self.device.is_cpu() {
            new.into_par_iter().map(compute).collect::<Result<_, _>>()?
        } else {
            new.into_iter().map(compute).collect::<Result<_, _>>()?
        };
        let outputs: Vec<Tensor> = views
            .iter()
            .filter_map(|view| match view {
                View::Known(output) => Some(output.clone()),
                View::New { key, .. } => new.get(key).cloned(),
            })
            .collect();
        Ok(Tensor::cat(&outputs, 0)?.to_device(&self.device)?)
    }

    /// Output of the frozen layers for one film, in half precision in main memory.
    pub(super) fn trunk_of(&self, pixels: &Pixels) -> Result<Tensor, ModelError> {
        let input = Tower::input(std::slice::from_ref(pixels), &self.config, &self.device)?.to_dtype(self.dtype)?;
        let output = self.model.vision.trunk(&input, self.frozen)?.detach();
        Ok(output.to_dtype(DType::F16)?.to_device(&Device::Cpu)?.contiguous()?)
    }

    /// What [`Learner::trunk`] depends on beside the film: the layers, told by what they make of a fixed film, and how films are
    /// changed.
    pub(super) fn trunk_identity(&self) -> Result<String, ModelError> {
        let side = self.config.vision.image_size();
        let ramp = Pixels::new(side, (0..side * side).map(|i| (i * 7 % 251) as u8).collect())?;
        let output = hash(&self.trunk_of(&ramp)?)?;
        let t = &self.config.training;
        let (vision, preprocessing) = (&self.config.vision, &self.config.preprocessing);
        let parts = (output, self.frozen, &t.augmentation, vision, preprocessing);
        serde_json::to_string(&parts).map_err(|e| ModelError::Data(e.to_string()))
    }

    /// Whether the features of a text are the same throughout the run.
    pub(super) fn texts_are_frozen(&self) -> bool {
        let text = &self.config.text;
        self.config.training.frozen_text_layers >= text.layers && text.pooling == Pooling::Masked
    }

    /// Features of the texts of a batch, `[texts, hidden]`, of a frozen text encoder. Each text is computed alone, so that it is
    /// the same whether or not the cache had it.
    pub(super) fn text_features(&self, texts: &[Vec<u32>], cache: &TrunkCache) -> Result<Tensor, ModelError> {
        let compute = |ids: &Vec<u32>| -> Result<Tensor, ModelError> {
            if let Some(features) = cache.text(ids) {
                return Ok(features);
            }
            let features = self.model.text.forward(&self.tokenizer.batch(std::slice::from_ref(ids)))?.detach();
            cache.put_text(ids, &features);
            Ok(features)
        };
        let features: Vec<Tensor> = if self.device.is_cpu() {
            texts.par_iter().map(compute).collect::<Result<_, _>>()?
        } else {
            texts.iter().map(compute).collect::<Result<_, _>>()?
        };
        Ok(Tensor::cat(&features, 0)?)
    }

    /// What [`Learner::text_features`] depends on beside the text.
    pub(super) fn text_identity(&self) -> Result<String, ModelError> {
        let vocabulary = u32::try_from(self.config.text.vocab_size).unwrap_or(u32::MAX);
        let ids: Vec<u32> = (0..self.config.text.max_tokens.min(16) as u32).map(|i| i * 31 % vocabulary).collect();
        let features = self.model.text.forward(&self.tokenizer.batch(&[ids]))?;
        let parts = (hash(&features)?, &self.config.text);
        serde_json::to_string(&parts).map_err(|e| ModelError::Data(e.to_string()))
    }

    /// Runs piece `k` of `pieces` through the towers.
    pub(super) fn shard(
        &self,
        towers: Option<&MedClip>,
        batch: &Batch,
        k: usize,
        pieces: usize,
        step: u64,
    ) -> Result<Shard, ModelError> {
        let model = towers.unwrap_or(&self.model);
        let films = part(batch.films(), k, pieces);
        let image_features = if films.is_empty() {
            None
        } else {
            let mut drop = self.drop_path(k, step);
            let features = match &batch.trunk {
                Some(trunk) => {
                    let trunk = trunk.narrow(0, films.start, films.len())?.to_dtype(self.compute)?;
                    model.vision.head(&trunk, self.frozen, drop.as_mut())?
                }
                None => {
                    let films = batch.images.get(films).unwrap_or_default();
                    let input = Tower::input(films, &self.config, &self.device)?.to_dtype(self.compute)?;
                    model.vision.forward(&input, drop.as_mut())?
                }
            };
            Some(features.to_dtype(self.dtype)?)
        };
        let rows = part(batch.texts.len(), k, pieces);
        let text_features = match &batch.text_features {
            _ if rows.is_empty() => None,
            Some(features) => Some(features.narrow(0, rows.start, rows.len())?),
            None => {
                let texts = batch.texts.get(rows).unwrap_or_default();
                Some(model.text.forward(&self.tokenizer.batch(texts))?.to_dtype(self.dtype)?)
            }
        };
        Ok(Shard { image_features, text_features })
    }

    fn drop_path(&self, shard: usize, step: u64) -> Option<DropPath> {
        let rate = self.config.training.drop_path;
        let rng = |purpose: &str| -> ChaCha8Rng { sampler::rng(purpose, self.config.training.seed, step) };
        (rate > 0.0).then(|| DropPath { rng: rng(&format!("drop path {shard}")), rate })
    }

    /// The loss of the features of a whole batch.
    pub(super) fn loss(&self, images: &Tensor, texts: &Tensor, batch: &Batch) -> Result<(Tensor, Losses), ModelError> {
        let training = &self.config.training;
        let (film_vectors, text_vectors) = (self.model.project_images(images)?, self.model.project_texts(texts)?);
        let (scale, bias) = (&self.model.logit_scale, self.bias.as_ref());
        let matching = objective::matching(training, &film_vectors, &text_vectors, scale, bias, batch)?;
        let mut losses = Losses { total: 0.0, matching: loss::scalar(&matching)?, auxiliary: 0.0, questions: 0.0 };
        let mut total = (matching * training.matching_weight)?;
        if let Some(answers) = &self.answers {
            let (shown, said) = (&batch.image_labels, &batch.text_labels);
            let questions = loss::question_entropy(&film_vectors, &text_vectors, answers, shown, said)?;
            losses.questions = loss::scalar(&questions)?;
            total = (total + (questions * training.question_weight)?)?;
        }
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

/// A hash of the values of a tensor.
fn hash(tensor: &Tensor) -> Result<String, ModelError> {
    let mut hasher = blake3::Hasher::new();
    for value in tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()? {
        hasher.update(&value.to_le_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Part `k` of `n` of so many items, as even as can be.
fn part(items: usize, k: usize, n: usize) -> Range<usize> {
    items * k / n..items * (k + 1) / n
}
