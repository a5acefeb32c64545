//! Tensor files: read and checked against a configuration, written atomically.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::error::ModelError;

/// Tensors and metadata of a safetensors file.
pub(crate) struct Loaded {
    pub(crate) tensors: HashMap<String, Tensor>,
    pub(crate) metadata: HashMap<String, String>,
}

/// Parses the bytes of the safetensors file at `path`; all tensors become `f32`.
pub(crate) fn parse(bytes: &[u8], path: &Path, device: &Device) -> Result<Loaded, ModelError> {
    let damaged = |reason: String| ModelError::Damaged { path: path.to_owned(), reason };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(e.to_string()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| damaged(e.to_string()))?;
    let mut tensors = HashMap::new();
    for (name, view) in file.tensors() {
        let dtype = match view.dtype() {
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F32 => DType::F32,
            Dtype::F64 => DType::F64,
            // Index buffers of published checkpoints; nothing of ours is integral.
            _ => continue,
        };
        let tensor = Tensor::from_raw_buffer(view.data(), dtype, view.shape(), device)?.to_dtype(DType::F32)?;
        tensors.insert(name, tensor);
    }
    Ok(Loaded { tensors, metadata: header.metadata().clone().unwrap_or_default() })
}

/// Names the first tensor that is missing, of another shape, or not asked for.
pub(crate) fn check(
    tensors: &HashMap<String, Tensor>,
    expected: &BTreeMap<String, Vec<usize>>,
    path: &Path,
) -> Result<(), ModelError> {
    for (name, shape) in expected {
        let Some(tensor) = tensors.get(name) else {
            return Err(ModelError::MissingTensor {
                path: path.to_owned(),
                name: name.clone(),
                expected: shape.clone(),
            });
        };
        if tensor.dims() != shape {
            return Err(ModelError::TensorShape {
                path: path.to_owned(),
                name: name.clone(),
                expected: shape.clone(),
                found: tensor.dims().to_vec(),
            });
        }
    }
    let mut extra: Vec<&String> = tensors.keys().filter(|name| !expected.contains_key(*name)).collect();
    // Published checkpoints carry BERT's and Swin's poolers, which MedCLIP doesn't use.
    extra.retain(|name| !name.contains(".pooler."));
    extra.sort();
    match extra.first() {
        Some(name) => Err(ModelError::ExtraTensor { path: path.to_owned(), name: (*name).clone() }),
        None => Ok(()),
    }
}

/// The bytes of a safetensors file.
pub(crate) fn serialize(
    tensors: &BTreeMap<String, Tensor>,
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, ModelError> {
    let mut buffers = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let values: Vec<f32> = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?;
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        buffers.push((name.as_str(), tensor.dims().to_vec(), bytes));
    }
    let fault = |e: safetensors::SafeTensorError| ModelError::Data(format!("tensors cannot be written: {e}"));
    let views = buffers
        .iter()
        .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(fault)?)))
        .collect::<Result<Vec<_>, ModelError>>()?;
    safetensors::serialize(views, metadata).map_err(fault)
}

/// Writes a file so that after a crash there is either the old or the new one: temporary file, sync, rename.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let mut file = fs_err::File::create(&temporary).map_err(ModelError::io(&temporary))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(ModelError::io(&temporary))?;
    fs_err::rename(&temporary, path).map_err(ModelError::io(path))?;
    // The rename itself lasts only once the folder is synced; not every system lets a folder be opened.
    if let Some(Ok(dir)) = path.parent().map(fs_err::File::open) {
        let _ = dir.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn one(name: &str, shape: &[usize]) -> BTreeMap<String, Tensor> {
        BTreeMap::from([(name.to_owned(), Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap())])
    }

    #[test]
    fn round_trip_with_metadata() {
        let metadata = HashMap::from([("step".to_owned(), "7".to_owned())]);
        let bytes = serialize(&one("a", &[2, 3]), Some(metadata.clone())).unwrap();
        let loaded = parse(&bytes, Path::new("x"), &Device::Cpu).unwrap();
        assert_eq!(loaded.tensors["a"].to_vec2::<f32>().unwrap(), [[1.0; 3]; 2]);
        assert_eq!(loaded.metadata, metadata);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let bytes = serialize(&one("a", &[2, 3]), None).unwrap();
        let tensors = parse(&bytes, Path::new("x"), &Device::Cpu).unwrap().tensors;
        let complain = |name: &str, shape: &[usize]| {
            let expected = BTreeMap::from([(name.to_owned(), shape.to_vec())]);
            check(&tensors, &expected, Path::new("m.safetensors")).unwrap_err().to_string()
        };
        assert_eq!(complain("b", &[1]), "m.safetensors: tensor b of shape [1] is missing");
        assert_eq!(
            complain("a", &[3, 2]),
            "m.safetensors: tensor a has shape [2, 3], the configuration asks for [3, 2]"
        );
        let error = check(&tensors, &BTreeMap::new(), Path::new("m")).unwrap_err().to_string();
        assert_eq!(error, "m: tensor a is none of this configuration's");
        assert!(check(&tensors, &BTreeMap::from([("a".to_owned(), vec![2, 3])]), Path::new("m")).is_ok());
    }

    #[test]
    fn a_cut_file_is_damaged() {
        let bytes = serialize(&one("a", &[2, 3]), None).unwrap();
        for end in [0, 4, bytes.len() - 1] {
            let result = parse(&bytes[..end], Path::new("cut"), &Device::Cpu);
            assert!(matches!(result, Err(ModelError::Damaged { .. })), "{end}");
        }
    }
}
