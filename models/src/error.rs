//! The errors of this crate. None of them holds report text.

use std::path::PathBuf;

use crate::weights::Mismatch;

/// What can go wrong with a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file could not be read or written.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The folder holds no trained model.
    #[error("{} holds no trained model: {} is missing{}", dir.display(), file, hint)]
    NotAModel {
        /// The folder.
        dir: PathBuf,
        /// The file that is missing.
        file: &'static str,
        /// What may be the matter.
        hint: &'static str,
    },
    /// The folder already holds a trained model.
    #[error("{} already holds a trained model; choose another folder or remove it", dir.display())]
    AlreadyTrained {
        /// The folder.
        dir: PathBuf,
    },
    /// There is no such preset.
    #[error("there is no preset '{name}'; known are {known}, or give the path of a .toml file")]
    UnknownPreset {
        /// The name given.
        name: String,
        /// The presets.
        known: String,
    },
    /// The configuration is no valid TOML, or has unknown or missing fields.
    #[error("{}: {source}", path.display())]
    ConfigSyntax {
        /// The file or preset.
        path: PathBuf,
        /// The parser's error, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A value of the configuration cannot be set.
    #[error("cannot set '{text}': {reason}")]
    Override {
        /// What was asked for.
        text: String,
        /// Why not.
        reason: String,
    },
    /// A value of the configuration does not fit.
    #[error("configuration: {field} {reason}")]
    Config {
        /// The field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A tensor file is damaged.
    #[error("{} is no intact safetensors file: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file that should hold a published checkpoint cannot be read as one.
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A folder holds no checkpoint.
    #[error("{} holds no checkpoint; looked for {looked_for}", dir.display())]
    NoCheckpoint {
        /// The folder.
        dir: PathBuf,
        /// File names.
        looked_for: String,
    },
    /// Tensors of a file don't fit the configuration.
    #[error("{}: {mismatch}", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// Which, and how.
        mismatch: Mismatch,
    },
    /// A checkpoint belongs to another run.
    #[error("{} is of another run: {what} was {then}, is {now}; remove it to start anew", path.display())]
    CheckpointMismatch {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// In the checkpoint.
        then: String,
        /// In this run.
        now: String,
    },
    /// The tokenizer could not be trained, read or used.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// An image has no pixels.
    #[error("the image is {width} x {height} pixels: there is nothing to see")]
    EmptyImage {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Pixels of another size than this model's.
    #[error("pixels are prepared for {found} x {found}, this model takes {expected} x {expected}")]
    PixelSize {
        /// The model's.
        expected: usize,
        /// The pixels'.
        found: usize,
    },
    /// The training data cannot be trained on.
    #[error("training data: {0}")]
    Data(String),
    /// The loss is no number any more.
    #[error("the loss is {loss} at step {step}; lower training.learning_rate")]
    Diverged {
        /// The step.
        step: u64,
        /// The loss.
        loss: f32,
    },
    /// The device is not there.
    #[error("device: {0}")]
    Device(String),
    /// A tensor operation failed.
    #[error("tensor operation: {0}")]
    Tensor(#[from] candle_core::Error),
}

impl ModelError {
    /// For `map_err` on a file operation.
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

impl ModelError {
    /// True when the caller can mend it: a preset, a configuration, a folder, data or a device that does not fit.
    /// False when it is ours: a file that cannot be accessed or is damaged, a run that diverged, a tensor operation.
    pub fn is_caller_fault(&self) -> bool {
        !matches!(self, Self::Io { .. } | Self::Damaged { .. } | Self::Diverged { .. } | Self::Tensor(_))
    }
}
