//! A checkpoint on disk, whatever it is: a file or a folder, safetensors or PyTorch's, whole or in shards.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::Deserialize;

use super::names::{Named, canonical};
use super::{Loaded, pickle_file, safetensors_file};
use crate::error::ModelError;

/// What is looked for in a folder, the best first: safetensors cannot hold code, and our own model comes before all.
const FILES: [&str; 4] =
    ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];

/// A checkpoint, read.
pub struct Source {
    /// The file, or the index of the shards.
    pub path: PathBuf,
    /// The folder beside whose files it lies.
    pub dir: PathBuf,
    /// What a single safetensors file says beside its tensors.
    pub metadata: HashMap<String, String>,
    /// Its tensors as `f32`, under our names.
    pub named: Named<Tensor>,
}

/// `*.index.json`: which shard holds which tensor.
#[derive(Deserialize)]
struct Index {
    weight_map: HashMap<String, String>,
}

/// Reads the checkpoint at `path`; a folder is looked into for [`FILES`].
pub fn open(path: &Path, device: &Device) -> Result<Source, ModelError> {
    let path = find(path)?;
    let dir = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let Loaded { tensors, metadata } =
        if path.extension().is_some_and(|e| e == "json") { shards(&path, &dir, device)? } else { one(&path, device)? };
    Ok(Source { path, dir, metadata, named: canonical(tensors) })
}

fn find(path: &Path) -> Result<PathBuf, ModelError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let found = FILES.iter().map(|file| path.join(file)).find(|file| file.is_file());
    found.ok_or_else(|| ModelError::NoCheckpoint { dir: path.to_owned(), looked_for: FILES.join(", ") })
}

fn one(path: &Path, device: &Device) -> Result<Loaded, ModelError> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("bin" | "pt" | "pth" | "ckpt") => {
            Ok(Loaded { tensors: pickle_file::read(path, device)?, metadata: HashMap::new() })
        }
        _ => safetensors_file::read(path, device),
    }
}

fn shards(index: &Path, dir: &Path, device: &Device) -> Result<Loaded, ModelError> {
    let damaged = |reason: String| ModelError::Unreadable { path: index.to_owned(), reason };
    let text = fs_err::read_to_string(index).map_err(ModelError::io(index))?;
    let map: Index = serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?;
    let files: BTreeSet<&String> = map.weight_map.values().collect();
    let mut tensors = HashMap::new();
    for file in files {
        // A shard lies beside its index; anything else would read files that the user didn't name.
        if !matches!(Path::new(file).components().collect::<Vec<_>>().as_slice(), [Component::Normal(_)]) {
            return Err(damaged(format!("shard '{file}' is no file of this folder")));
        }
        tensors.extend(one(&dir.join(file), device)?.tensors);
    }
    Ok(Loaded { tensors, metadata: HashMap::new() })
}
