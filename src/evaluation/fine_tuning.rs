//! Supervised fine-tuning: the image encoder goes on training on the labels of the training patients, and no film is compared with
//! any text. What it has learned is measured as in the linear probe ([`super::supervised`]).

use std::path::Path;

use thorax_index::Catalogue;
use thorax_models::device::{Choice, device};
use thorax_models::train::Budget;
use thorax_models::{Config, Encoder};

use crate::error::{Error, Result};
use crate::training::dataset::gather_some;
use crate::training::run::{self, Options};
use crate::training::selection::Selection;
use crate::training::split::Part;

/// How the encoder is trained further.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Steps, of 32 films each.
    pub steps: u64,
    /// Layers of the image encoder that stay as they are, from the first on.
    pub frozen: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Seed of sampling and augmentation.
    pub seed: u64,
    /// Where to compute.
    pub device: Choice,
}

/// The model of the folder `from` after training on the films of `source` (empty: of all sources).
///
/// # Errors
/// There is no labelled film of a training patient, a setting does not fit, or Ctrl-C was pressed.
pub fn fine_tuned(catalogue: &Catalogue, from: &Path, source: &str, tuning: &Tuning) -> Result<Encoder> {
    let start = Config::load(&from.join("config.toml"))?;
    let config = start.with(&[
        "training.objective=semantic-matching".to_owned(),
        "training.matching_weight=0".to_owned(),
        "training.question_weight=0".to_owned(),
        "training.auxiliary_weight=1".to_owned(),
        "training.hard_negatives=0".to_owned(),
        "training.pair_blending=0".to_owned(),
        "training.image_batch=32".to_owned(),
        // Texts are drawn all the same: a few of them cost nothing.
        "training.text_batch=2".to_owned(),
        "training.micro_batch=0".to_owned(),
        "training.balance=0".to_owned(),
        "training.flip=0.5".to_owned(),
        "training.augmentation=published".to_owned(),
        "training.frozen_views=8".to_owned(),
        "training.ema_decay=0".to_owned(),
        // The last weights are taken: zero-shot figures say nothing of a classifier.
        "training.validate_every=0".to_owned(),
        format!("training.frozen_text_layers={}", start.text.layers),
        format!("training.frozen={}", tuning.frozen),
        format!("training.learning_rate={:e}", tuning.learning_rate),
        format!("training.seed={}", tuning.seed),
    ])?;
    let films = if source.is_empty() { Vec::new() } else { vec![source.to_owned()] };
    let data = gather_some(catalogue, &Selection { films, ..Selection::default() }, Part::Split)?;
    if data.films.is_empty() {
        return Err(Error::Caller(format!("no labelled film of a training patient in source '{source}'")));
    }
    let work = tempfile::tempdir()?;
    let (from, device_choice) = (Some(from.to_owned()), tuning.device);
    let options = Options { from, device: device_choice, ..Options::new("", Budget::Steps(tuning.steps)) };
    run::run(&config, &options, &data, None, work.path(), None)?;
    Ok(Encoder::load(work.path(), &device(device_choice)?)?)
}
