//! The state of a run on disk: weights, moments, averages, the best weights, step and time in one file, replaced atomically.
//!
//! Sampling and augmentation depend on the seed and the step alone, so no generator needs to be kept.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};

use super::ema::Ema;
use super::optimizer::AdamW;
use crate::error::ModelError;
use crate::weights;

const STATE: &str = "state";

/// What a checkpoint knows beside its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Steps done.
    pub(super) step: u64,
    /// Seconds of training.
    pub(super) seconds: f64,
    /// Moving average of the loss.
    pub(super) average_loss: Option<f32>,
    /// Images of the run.
    pub(super) images: usize,
    /// Texts of the run.
    pub(super) texts: usize,
    /// Length of the labels.
    pub(super) labels: usize,
    /// The model that the run started from.
    #[serde(default)]
    pub(super) from: Option<PathBuf>,
    /// The best validation so far.
    #[serde(default)]
    pub(super) best: Option<Best>,
    /// Step of the last validation.
    #[serde(default)]
    pub(super) validated: u64,
}

impl State {
    /// Of a run that has not begun.
    pub(super) fn new(images: usize, texts: usize, labels: usize, from: Option<PathBuf>) -> Self {
        Self { step: 0, seconds: 0.0, average_loss: None, images, texts, labels, from, best: None, validated: 0 }
    }
}

/// When the weights were best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    /// After this step.
    pub(super) step: u64,
    /// The score.
    pub(super) value: f64,
    /// What it was made of.
    pub(super) details: serde_json::Value,
}

/// All that a checkpoint keeps.
pub(super) struct Kept<'a> {
    pub(super) adam: &'a AdamW,
    pub(super) ema: Option<&'a Ema>,
    /// The best weights of the model, where there was a validation.
    pub(super) best: &'a BTreeMap<String, Tensor>,
}

/// Prefix of the best weights.
const BEST: &str = "best/";

/// The variables that are kept per parameter.
fn parts<'a>(adam: &'a AdamW, ema: Option<&'a Ema>) -> impl Iterator<Item = (String, &'a Var)> + 'a {
    let slots = adam.slots().iter().flat_map(|slot| {
        [("weight", &slot.var), ("first", &slot.first), ("second", &slot.second)]
            .map(|(kind, var)| (format!("{kind}/{}", slot.name), var))
    });
    slots.chain(ema.into_iter().flat_map(Ema::averages).map(|(name, var)| (format!("average/{name}"), var)))
}

/// Writes the checkpoint.
pub(super) fn save(path: &Path, kept: &Kept<'_>, state: &State) -> Result<(), ModelError> {
    let mut tensors: BTreeMap<String, Tensor> =
        parts(kept.adam, kept.ema).map(|(name, var)| (name, var.as_tensor().clone())).collect();
    tensors.extend(kept.best.iter().map(|(name, tensor)| (format!("{BEST}{name}"), tensor.clone())));
    let state = serde_json::to_string(state).map_err(|e| ModelError::Data(e.to_string()))?;
    let metadata = HashMap::from([(STATE.to_owned(), state)]);
    weights::write_atomically(path, &weights::serialize(&tensors, Some(metadata))?)
}

/// Reads the checkpoint into the parameters, moments and averages; `now` is what this run would start with. Answers the state
/// and the best weights.
pub(super) fn resume(
    path: &Path,
    adam: &AdamW,
    ema: Option<&Ema>,
    now: &State,
    device: &Device,
) -> Result<(State, BTreeMap<String, Tensor>), ModelError> {
    let bytes = fs_err::read(path).map_err(ModelError::io(path))?;
    let mut loaded = weights::parse(&bytes, path, device)?;
    let state: State = loaded
        .metadata
        .get(STATE)
        .and_then(|s| serde_json::from_str(s).ok())
        .ok_or_else(|| ModelError::Damaged { path: path.to_owned(), reason: "it has no state".to_owned() })?;
    let name = |from: &Option<PathBuf>| from.as_ref().map_or("none".to_owned(), |dir| dir.display().to_string());
    let facts = [
        ("the number of images", state.images.to_string(), now.images.to_string()),
        ("the number of texts", state.texts.to_string(), now.texts.to_string()),
        ("the length of the labels", state.labels.to_string(), now.labels.to_string()),
        ("the model to start from", name(&state.from), name(&now.from)),
    ];
    for (what, then, now) in facts {
        if then != now {
            return Err(ModelError::CheckpointMismatch { path: path.to_owned(), what, then, now });
        }
    }
    let mut best = BTreeMap::new();
    loaded.tensors.retain(|name, tensor| match name.strip_prefix(BEST) {
        Some(name) => {
            best.insert(name.to_owned(), tensor.clone());
            false
        }
        None => true,
    });
    let expected = parts(adam, ema).map(|(name, var)| (name, var.dims().to_vec())).collect();
    weights::check(&loaded.tensors, &expected, path)?;
    for (name, var) in parts(adam, ema) {
        if let Some(tensor) = loaded.tensors.get(&name) {
            var.set(tensor)?;
        }
    }
    Ok((state, best))
}
