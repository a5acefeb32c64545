//! A model folder becomes one file with the names of the released MedCLIP.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::Device;

use crate::config::{Config, Vision};
use crate::encoder::{CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE};
use crate::error::ModelError;
use crate::medclip::MedClip;
use crate::weights::names::{RESNET_PROJECTION, VISION_PROJECTION};
use crate::weights::{self, Storage};

/// Our configuration in the file's metadata: what shapes don't tell.
pub(super) const CONFIG_KEY: &str = "thorax.config";
/// Our tokenizer in the file's metadata.
pub(super) const TOKENIZER_KEY: &str = "thorax.tokenizer";

/// Writes the model in `dir` to `file`: safetensors with the names of the released MedCLIP, so that
/// `model.load_state_dict(safetensors.torch.load_file(FILE), strict=False)` loads it in Python. (Strictly it would ask for
/// BERT's pooler, which no embedding depends on and no model of ours has.)
///
/// Configuration and tokenizer are in the metadata, so that the file alone can be imported again: in `f32` to the bit.
///
/// # Errors
/// The model is damaged, the file cannot be written, or a value is too large for `f16`.
pub fn export(dir: &Path, file: &Path, storage: Storage) -> Result<(), ModelError> {
    let config = Config::load(&dir.join(CONFIG_FILE))?;
    let path = dir.join(TOKENIZER_FILE);
    let tokenizer = fs_err::read_to_string(&path).map_err(ModelError::io(&path))?;
    let path = dir.join(WEIGHTS_FILE);
    let mut tensors = weights::read(&path, &Device::Cpu)?.tensors;
    weights::check(&tensors, &MedClip::shapes(&config)?, &path)?;
    if matches!(config.vision, Vision::Resnet(_))
        && let Some(projection) = tensors.remove(VISION_PROJECTION)
    {
        tensors.insert(RESNET_PROJECTION.to_owned(), projection);
    }
    let metadata = HashMap::from([
        ("format".to_owned(), "pt".to_owned()),
        (CONFIG_KEY.to_owned(), config.to_toml()?),
        (TOKENIZER_KEY.to_owned(), tokenizer),
    ]);
    let tensors: BTreeMap<_, _> = tensors.into_iter().collect();
    weights::save(file, &tensors, storage, Some(metadata))
}
