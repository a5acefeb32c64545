//! A published checkpoint becomes a model folder.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use serde::Serialize;

use super::architecture::{self, Published};
use super::export::{CONFIG_KEY, TOKENIZER_KEY};
use super::vocabulary;
use crate::config::Config;
use crate::encoder::{CARD_FILE, write_model};
use crate::error::ModelError;
use crate::medclip::MedClip;
use crate::parameters::Parameters;
use crate::tokenizer::Tokenizer;
use crate::train::Card;
use crate::weights::names::Tower;
use crate::weights::source::{self, Source};
use crate::weights::{self, write_atomically};

/// What is imported.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// A whole MedCLIP: a file or folder.
    pub whole: Option<PathBuf>,
    /// An image encoder; with `whole`, in place of its own.
    pub vision: Option<PathBuf>,
    /// A text encoder; with `whole`, in place of its own.
    pub text: Option<PathBuf>,
    /// Where the tokenizer is, if not beside the text encoder.
    pub tokenizer: Option<PathBuf>,
    /// Whether a `vocab.txt` is of lower-case text, if `tokenizer_config.json` doesn't say.
    pub lowercase: Option<bool>,
    /// Name for the configuration.
    pub name: String,
    /// Seed of what the checkpoints don't have.
    pub seed: u64,
}

/// What was imported.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// Image encoder and text encoder.
    pub architecture: String,
    /// Dimension of the embeddings.
    pub dimension: usize,
    /// Numbers in its tensors.
    pub parameters: usize,
    /// Hash of all that its embeddings depend on.
    pub fingerprint: String,
    /// Tensors that no checkpoint has: their values are random, so the model has to be trained before it is of use.
    pub fresh: Vec<String>,
    /// Tensors that were left out because no embedding depends on them.
    pub ignored: Vec<String>,
    /// The tokenizer's file; none where the checkpoint itself holds it.
    pub tokenizer: Option<PathBuf>,
}

/// Imports into the folder `dir`, which must not exist.
///
/// # Errors
/// A file cannot be read, an encoder or the tokenizer is missing, or tensors don't fit the architecture.
pub fn import(what: &Import, dir: &Path) -> Result<Imported, ModelError> {
    if dir.exists() {
        return Err(ModelError::AlreadyTrained { dir: dir.to_owned() });
    }
    let mut parts = Parts::read(what)?;
    let (tokenizer, file) = match parts.tokenizer.take().filter(|_| what.tokenizer.is_none()) {
        Some(json) => (Tokenizer::from_json(json, parts.config.text.max_tokens)?, None),
        None => {
            let place = what.tokenizer.as_deref().unwrap_or(&parts.text_dir);
            let (tokenizer, file) = vocabulary::read(place, parts.config.text.max_tokens, what.lowercase)?;
            (tokenizer, Some(file))
        }
    };
    if tokenizer.vocab_size() > parts.config.text.vocab_size {
        let (have, rows) = (tokenizer.vocab_size(), parts.config.text.vocab_size);
        return Err(ModelError::Tokenizer(format!("it has {have} tokens, the text encoder knows {rows}")));
    }
    // A whole model that lacks them is damaged; encoders put together never had them.
    let together = what.vision.is_some() || what.text.is_some();
    let fresh = if together { parts.complete(what.seed)? } else { Vec::new() };
    weights::check(&parts.tensors, &MedClip::shapes(&parts.config)?, &parts.path)?;
    let tensors: BTreeMap<String, Tensor> = parts.tensors.into_iter().collect();
    parts.config.name.clone_from(&what.name);
    // Beside its place first, so that an import that is broken off leaves no half model.
    let mut staging = std::ffi::OsString::from(".");
    staging.push(dir.file_name().unwrap_or_default());
    staging.push(".import");
    let staging = dir.with_file_name(staging);
    if staging.exists() {
        fs_err::remove_dir_all(&staging).map_err(ModelError::io(&staging))?;
    }
    fs_err::create_dir_all(&staging).map_err(ModelError::io(&staging))?;
    let fingerprint = write_model(&staging, &parts.config, &tokenizer, &tensors)?;
    let imported = Imported {
        architecture: format!("{} + bert", parts.config.vision.name()),
        dimension: parts.config.projection.dimension,
        parameters: tensors.values().map(Tensor::elem_count).sum(),
        fingerprint,
        fresh,
        ignored: parts.ignored,
        tokenizer: file,
    };
    let card = card(&parts.config, &imported, what);
    let card = serde_json::to_vec_pretty(&card).map_err(|e| ModelError::Data(e.to_string()))?;
    write_atomically(&staging.join(CARD_FILE), &card)?;
    fs_err::rename(&staging, dir).map_err(ModelError::io(dir))?;
    Ok(imported)
}

/// All that was read.
struct Parts {
    tensors: HashMap<String, Tensor>,
    config: Config,
    /// The text of a `tokenizer.json` within the checkpoint.
    tokenizer: Option<String>,
    text_dir: PathBuf,
    /// For messages.
    path: PathBuf,
    ignored: Vec<String>,
}

impl Parts {
    fn read(what: &Import) -> Result<Self, ModelError> {
        let open = |path: &Option<PathBuf>| path.as_deref().map(|p| source::open(p, &Device::Cpu)).transpose();
        let whole = open(&what.whole)?;
        let path = what.whole.clone().or(what.vision.clone()).or(what.text.clone()).unwrap_or_default();
        let mut parts = Self {
            tensors: HashMap::new(),
            config: Config::preset("medclip")?,
            tokenizer: None,
            text_dir: PathBuf::new(),
            path,
            ignored: Vec::new(),
        };
        let (mut vision, mut text) = (None, None);
        let mut own_config = None;
        if let Some(mut source) = whole {
            own_config = source.metadata.remove(CONFIG_KEY);
            parts.tokenizer = source.metadata.remove(TOKENIZER_KEY);
            let published = Published::beside(&source.dir)?;
            let towers = source.named.towers.clone();
            let tensors = parts.take(source, "")?;
            for tower in towers {
                match tower {
                    Tower::Bert => text = Some(architecture::text(&tensors, &published)?),
                    _ => vision = Some(architecture::vision(&tensors, tower, &published)?),
                }
            }
            parts.tensors = tensors;
        }
        if let Some(source) = open(&what.vision)? {
            let tower = source.named.towers.iter().copied().find(|&t| t != Tower::Bert);
            let tower = tower.ok_or_else(|| nothing_in(&source.path, "image"))?;
            let published = Published::beside(&source.dir)?;
            let tensors = parts.replace(source, "vision_model.")?;
            vision = Some(architecture::vision(&tensors, tower, &published)?);
            parts.tensors.extend(tensors);
            own_config = None;
        }
        if let Some(source) = open(&what.text)? {
            if !source.named.towers.contains(&Tower::Bert) {
                return Err(nothing_in(&source.path, "text"));
            }
            let published = Published::beside(&source.dir)?;
            parts.tokenizer = None;
            let tensors = parts.replace(source, "text_model.")?;
            text = Some(architecture::text(&tensors, &published)?);
            parts.tensors.extend(tensors);
            own_config = None;
        }
        parts.config = match own_config {
            Some(toml) => Config::parse(&toml, &parts.path)?,
            None => {
                let vision = vision.ok_or_else(|| missing(&parts.path, "image", "--vision"))?;
                let text = text.ok_or_else(|| missing(&parts.path, "text", "--text"))?;
                architecture::model(&parts.tensors, vision, text)?
            }
        };
        Ok(parts)
    }

    /// The tensors of a source whose names begin with `prefix`.
    fn take(&mut self, source: Source, prefix: &str) -> Result<HashMap<String, Tensor>, ModelError> {
        let mut tensors = source.named.tensors;
        tensors.retain(|name, _| name.starts_with(prefix));
        self.ignored.extend(source.named.ignored);
        if prefix != "vision_model." {
            self.text_dir = source.dir;
        }
        Ok(tensors)
    }

    /// The same, in place of what there is already.
    fn replace(&mut self, source: Source, prefix: &str) -> Result<HashMap<String, Tensor>, ModelError> {
        let tensors = self.take(source, prefix)?;
        // With the projection, which is of no use for another encoder.
        self.tensors.retain(|name, _| !name.starts_with(prefix));
        Ok(tensors)
    }

    /// Random projections, and the logit scale's start, for encoders that are put together. Names what it added.
    fn complete(&mut self, seed: u64) -> Result<Vec<String>, ModelError> {
        let parameters = Parameters::new(seed);
        MedClip::joint(&self.config, &parameters.builder(DType::F32, &Device::Cpu))?;
        let mut fresh = Vec::new();
        for (name, var) in parameters.all() {
            if !self.tensors.contains_key(&name) {
                self.tensors.insert(name.clone(), var.as_tensor().detach());
                fresh.push(name);
            }
        }
        Ok(fresh)
    }
}

fn nothing_in(path: &Path, kind: &str) -> ModelError {
    let known = if kind == "image" { "Swin, ResNet or EfficientNet-Lite" } else { "BERT" };
    ModelError::Unreadable {
        path: path.to_owned(),
        reason: format!("it holds no {kind} encoder that is known ({known})"),
    }
}

fn missing(path: &Path, kind: &str, flag: &str) -> ModelError {
    let reason = format!("it holds no {kind} encoder; name one with {flag}, or give a whole MedCLIP");
    ModelError::Unreadable { path: path.to_owned(), reason }
}

fn card(config: &Config, imported: &Imported, what: &Import) -> Card {
    let file = |path: &Option<PathBuf>| {
        // Only the name: the card travels with the model, the user's folders don't.
        path.as_ref().and_then(|p| p.file_name()).map(|n| n.to_string_lossy().into_owned())
    };
    let mut notes = serde_json::Map::new();
    for (key, path) in [("imported_from", &what.whole), ("vision_from", &what.vision), ("text_from", &what.text)] {
        if let Some(name) = file(path) {
            notes.insert(key.to_owned(), name.into());
        }
    }
    if !imported.fresh.is_empty() {
        notes.insert("untrained_tensors".to_owned(), imported.fresh.clone().into());
    }
    Card {
        preset: config.name.clone(),
        fingerprint: imported.fingerprint.clone(),
        dimension: imported.dimension,
        parameters: imported.parameters,
        images: 0,
        images_skipped: 0,
        texts: 0,
        labels: 0,
        steps: 0,
        best_step: 0,
        validation: None,
        validation_details: serde_json::Value::Null,
        seconds: 0.0,
        loss: 0.0,
        notes,
    }
}
