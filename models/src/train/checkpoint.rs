//! The state of a run on disk: weights, moments, step and time in one file, replaced atomically.
//!
//! Sampling and augmentation depend on the seed and the step alone, so no generator needs to be kept.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};

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
}

/// The kinds of tensors that are kept per parameter.
fn parts<'a>(adam: &'a AdamW) -> impl Iterator<Item = (String, &'a Var)> + 'a {
    adam.slots().iter().flat_map(|slot| {
        [("weight", &slot.var), ("first", &slot.first), ("second", &slot.second)]
            .map(|(kind, var)| (format!("{kind}/{}", slot.name), var))
    })
}

/// Writes the checkpoint.
pub(super) fn save(path: &Path, adam: &AdamW, state: &State) -> Result<(), ModelError> {
    let tensors: BTreeMap<String, Tensor> = parts(adam).map(|(name, var)| (name, var.as_tensor().clone())).collect();
    let state = serde_json::to_string(state).map_err(|e| ModelError::Data(e.to_string()))?;
    let metadata = HashMap::from([(STATE.to_owned(), state)]);
    weights::write_atomically(path, &weights::serialize(&tensors, Some(metadata))?)
}

/// Reads the checkpoint into the parameters and moments; `now` is what this run would start with.
pub(super) fn resume(path: &Path, adam: &AdamW, now: &State, device: &Device) -> Result<State, ModelError> {
    let bytes = fs_err::read(path).map_err(ModelError::io(path))?;
    let loaded = weights::parse(&bytes, path, device)?;
    let state: State = loaded
        .metadata
        .get(STATE)
        .and_then(|s| serde_json::from_str(s).ok())
        .ok_or_else(|| ModelError::Damaged { path: path.to_owned(), reason: "it has no state".to_owned() })?;
    let counts = [
        ("the number of images", state.images, now.images),
        ("the number of texts", state.texts, now.texts),
        ("the length of the labels", state.labels, now.labels),
    ];
    for (what, then, now) in counts {
        if then != now {
            let (then, now) = (then.to_string(), now.to_string());
            return Err(ModelError::CheckpointMismatch { path: path.to_owned(), what, then, now });
        }
    }
    let expected = parts(adam).map(|(name, var)| (name, var.dims().to_vec())).collect();
    weights::check(&loaded.tensors, &expected, path)?;
    for (name, var) in parts(adam) {
        if let Some(tensor) = loaded.tensors.get(&name) {
            var.set(tensor)?;
        }
    }
    Ok(state)
}
