//! What a model folder holds, from its small files and the header of the large one.

use std::path::Path;

use serde::Serialize;

use crate::config::Config;
use crate::encoder::{CARD_FILE, CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE, fingerprint};
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;
use crate::train::Card;
use crate::weights;

/// One tensor of a model's file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorShape {
    /// Its name.
    pub name: String,
    /// Its type in the file.
    pub dtype: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// See the module.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// Image encoder and text encoder.
    pub architecture: String,
    /// Dimension of the embeddings.
    pub dimension: usize,
    /// Numbers in all tensors.
    pub parameters: usize,
    /// Bytes of the folder's files.
    pub bytes: u64,
    /// Types of the tensors in the file.
    pub dtypes: Vec<String>,
    /// Hash of all that its embeddings depend on, computed from the files.
    pub fingerprint: String,
    /// What the model says of itself.
    pub card: Option<Card>,
    /// Its configuration.
    pub config: Config,
    /// Its tensors, by name.
    pub tensors: Vec<TensorShape>,
}

/// Describes the model in `dir`. The weights are read once, for the fingerprint, but not kept.
///
/// # Errors
/// It is no model folder, or a file is damaged.
pub fn describe(dir: &Path) -> Result<Description, ModelError> {
    for file in [CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE] {
        if !dir.join(file).is_file() {
            return Err(ModelError::NotAModel { dir: dir.to_owned(), file, hint: "" });
        }
    }
    let config = Config::load(&dir.join(CONFIG_FILE))?;
    let tokenizer = Tokenizer::load(&dir.join(TOKENIZER_FILE), config.text.max_tokens)?;
    let path = dir.join(WEIGHTS_FILE);
    let tensors: Vec<TensorShape> =
        weights::header(&path)?.into_iter().map(|(name, dtype, shape)| TensorShape { name, dtype, shape }).collect();
    let mut dtypes: Vec<String> = tensors.iter().map(|t| t.dtype.clone()).collect();
    dtypes.sort();
    dtypes.dedup();
    let card = dir.join(CARD_FILE).is_file().then(|| Card::load(dir)).transpose()?;
    let mut bytes = 0;
    for file in [CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE, CARD_FILE] {
        bytes += fs_err::metadata(dir.join(file)).map_or(0, |m| m.len());
    }
    Ok(Description {
        architecture: format!("{} + bert", config.vision.name()),
        dimension: config.projection.dimension,
        parameters: tensors.iter().map(|t| t.shape.iter().product::<usize>()).sum(),
        bytes,
        dtypes,
        fingerprint: fingerprint(&config, &tokenizer, &path)?,
        card,
        config,
        tensors,
    })
}
