//! What is wanted of a run, and what it reports.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use candle_core::{DType, Device};

use super::frozen::TrunkCache;
use crate::config::Config;
use crate::error::ModelError;
use crate::weights::Copied;

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Budget {
    /// So many steps.
    Steps(u64),
    /// So many minutes of training time, those before a resume included.
    Minutes(f64),
}

/// The numbers that the towers compute with. Weights, losses and the optimiser are always in `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits with the range of 32 (bfloat16). On a GPU only: no CPU operation here has it.
    Bf16,
}

impl Precision {
    pub(super) fn dtype(self, device: &Device) -> Result<DType, ModelError> {
        match self {
            Self::F32 => Ok(DType::F32),
            Self::Bf16 if device.is_cpu() => {
                Err(ModelError::Device("bf16 needs a GPU; on the CPU choose f32".to_owned()))
            }
            Self::Bf16 => Ok(DType::BF16),
        }
    }
}

impl std::str::FromStr for Precision {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            _ => Err(ModelError::Device(format!("number type '{text}' is neither f32 nor bf16"))),
        }
    }
}

/// What is wanted of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Architecture and training.
    pub config: Config,
    /// Folder of the model. A checkpoint of the same run in it is resumed.
    pub out: PathBuf,
    /// Where to compute.
    pub device: Device,
    /// In which numbers.
    pub precision: Precision,
    /// Folder of a model to start from: its tokenizer is taken, and its weights as far as the names are the same.
    pub from: Option<PathBuf>,
    /// Outputs of frozen layers, shared with other runs in this process; `None` keeps them for this run alone.
    pub trunk_cache: Option<Arc<TrunkCache>>,
    /// How long.
    pub budget: Budget,
    /// How often a checkpoint is written.
    pub checkpoint_every: Duration,
    /// Parallel shards of a batch on the CPU; `None` takes [`default_shards`]. Results depend on it by rounding errors.
    pub shards: Option<usize>,
    /// Further entries of `card.json`: where the data came from, for example.
    pub notes: serde_json::Map<String, serde_json::Value>,
}

/// Shards of a batch where nothing else is said.
///
/// Candle adds large tensors in a pool of its own with one lock and spinning waiters, so shards that run side by side get
/// in each other's way: one shard then. With `CANDLE_NUM_THREADS=1` in the environment there is no such pool, and one shard
/// per thread is 1.5 times as fast on two cores (it must be set before the process starts: Candle reads it once).
pub fn default_shards() -> usize {
    if candle_core::utils::barrier_pool().n_workers() == 0 { rayon::current_num_threads() } else { 1 }
}

impl Options {
    /// Options with a checkpoint every two minutes and the default shards.
    pub fn new(config: Config, out: &Path, device: Device, budget: Budget) -> Self {
        Self {
            config,
            out: out.to_owned(),
            device,
            precision: Precision::F32,
            from: None,
            trunk_cache: None,
            budget,
            checkpoint_every: Duration::from_secs(120),
            shards: None,
            notes: serde_json::Map::new(),
        }
    }
}

/// What a run reports, on the thread that called it.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// Once, before the first step.
    Started {
        /// Trainable numbers of the model.
        parameters: usize,
        /// Tokens of the vocabulary.
        vocabulary: usize,
        /// Steps already done: above 0 where a checkpoint was resumed.
        step: u64,
    },
    /// Before the first step of a run that starts from another model.
    Initial(&'a Copied),
    /// After every step.
    Step(Progress),
    /// The validation patients were looked at.
    Validated {
        /// After this many steps.
        step: u64,
        /// The score.
        value: f64,
        /// No weights scored higher so far; these are kept.
        best: bool,
    },
    /// No more outputs of frozen layers can be kept (`training.cache_mb`); the rest is computed each time. Once.
    CacheFull,
    /// An image could not be loaded; it is left out. Once per image.
    ImageSkipped {
        /// Its index in the source.
        index: usize,
        /// Why.
        reason: String,
    },
    /// A checkpoint was written.
    Checkpoint {
        /// After this many steps.
        step: u64,
        /// The file.
        path: &'a Path,
    },
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps in all, where the budget is in steps.
    pub total: Option<u64>,
    /// Share of the budget that is spent, 0 to 1.
    pub fraction: f64,
    /// Loss of this step.
    pub loss: f32,
    /// Exponential moving average of the loss over about 50 steps.
    pub average_loss: f32,
    /// Of `loss`, the objective.
    pub matching: f32,
    /// Of `loss`, the auxiliary cross entropy before its weight.
    pub auxiliary: f32,
    /// Cross entropy of the questions, before its weight.
    pub questions: f32,
    /// Images per second, over about 10 steps.
    pub images_per_second: f32,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Seconds of training, those before a resume included.
    pub seconds: f64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The budget is spent and the model is written.
    Finished(crate::train::Card),
    /// The stop flag was raised; the checkpoint holds everything up to this step.
    Stopped {
        /// Steps done.
        step: u64,
    },
}
