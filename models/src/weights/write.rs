//! Safetensors files as we write them.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::str::FromStr;

use candle_core::{DType, Tensor};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use crate::error::ModelError;

/// Type of the numbers in a file. In memory they are always `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// 32 bits: exact.
    #[default]
    F32,
    /// 16 bits: half the size, 11 significant bits.
    F16,
}

impl FromStr for Storage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            _ => Err(format!("'{text}' is neither f32 nor f16")),
        }
    }
}

impl Storage {
    fn types(self) -> (DType, Dtype, usize) {
        match self {
            Self::F32 => (DType::F32, Dtype::F32, 4),
            Self::F16 => (DType::F16, Dtype::F16, 2),
        }
    }
}

fn fault(error: impl std::fmt::Display) -> ModelError {
    ModelError::Data(format!("tensors cannot be written: {error}"))
}

/// Header and tensors in the order of their names, one tensor at a time.
fn write_to(
    mut out: impl Write,
    tensors: &BTreeMap<String, Tensor>,
    storage: Storage,
    metadata: Option<HashMap<String, String>>,
    io: impl Fn(std::io::Error) -> ModelError,
) -> Result<(), ModelError> {
    let (dtype, stored, width) = storage.types();
    let mut end = 0;
    let mut infos = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let start = end;
        end += tensor.elem_count() * width;
        let shape = tensor.dims().to_vec();
        infos.push((name.clone(), TensorInfo { dtype: stored, shape, data_offsets: (start, end) }));
    }
    let header = Metadata::new(metadata, infos).map_err(fault)?;
    let mut header = serde_json::to_vec(&header).map_err(fault)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    out.write_all(&(header.len() as u64).to_le_bytes()).map_err(&io)?;
    out.write_all(&header).map_err(&io)?;
    let mut bytes = Vec::new();
    for (name, tensor) in tensors {
        let tensor = tensor.detach().to_dtype(dtype)?;
        // Half precision ends at 65,504: what is larger would silently become infinite.
        if storage == Storage::F16 && !tensor.to_dtype(DType::F32)?.abs()?.sum_all()?.to_scalar::<f32>()?.is_finite() {
            return Err(fault(format!("{name} has values that f16 cannot hold; use f32")));
        }
        bytes.clear();
        tensor.write_bytes(&mut bytes)?;
        out.write_all(&bytes).map_err(&io)?;
    }
    out.flush().map_err(&io)
}

/// The bytes of a safetensors file in `f32`.
pub(crate) fn serialize(
    tensors: &BTreeMap<String, Tensor>,
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::new();
    write_to(&mut bytes, tensors, Storage::F32, metadata, fault)?;
    Ok(bytes)
}

/// Writes a safetensors file, atomically.
pub(crate) fn save(
    path: &Path,
    tensors: &BTreeMap<String, Tensor>,
    storage: Storage,
    metadata: Option<HashMap<String, String>>,
) -> Result<(), ModelError> {
    replace(path, |file| {
        let io = |source| ModelError::Io { path: path.to_owned(), source };
        write_to(BufWriter::with_capacity(1 << 20, file), tensors, storage, metadata, io)
    })
}

/// Writes a file so that after a crash there is either the old or the new one: temporary file, sync, rename.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    replace(path, |file| file.write_all(bytes).map_err(ModelError::io(path)))
}

fn replace(path: &Path, fill: impl FnOnce(&mut fs_err::File) -> Result<(), ModelError>) -> Result<(), ModelError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let mut file = fs_err::File::create(&temporary).map_err(ModelError::io(&temporary))?;
    let filled = fill(&mut file).and_then(|()| file.sync_all().map_err(ModelError::io(&temporary)));
    if let Err(error) = filled {
        let _ = fs_err::remove_file(&temporary);
        return Err(error);
    }
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
    use super::super::parse;
    use super::*;
    use candle_core::Device;

    fn tensors() -> BTreeMap<String, Tensor> {
        let of = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        BTreeMap::from([("b".to_owned(), of(&[1.0, 0.1])), ("a".to_owned(), of(&[-65504.0, 3e-8, 2.0]))])
    }

    #[test]
    fn bytes_are_those_of_the_format_s_own_library() {
        let raw: Vec<(String, Vec<u8>, Vec<usize>)> = tensors()
            .iter()
            .map(|(n, t)| {
                let bytes = t.to_vec1::<f32>().unwrap().iter().flat_map(|v| v.to_le_bytes()).collect();
                (n.clone(), bytes, t.dims().to_vec())
            })
            .collect();
        let views: Vec<_> = raw
            .iter()
            .map(|(n, b, s)| (n, safetensors::tensor::TensorView::new(Dtype::F32, s.clone(), b).unwrap()))
            .collect();
        assert_eq!(serialize(&tensors(), None).unwrap(), safetensors::serialize(views, None).unwrap());
    }

    #[test]
    fn half_precision_is_half_the_size_and_rounds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.safetensors");
        save(&path, &tensors(), Storage::F16, None).unwrap();
        let bytes = fs_err::read(&path).unwrap();
        let again = parse(&bytes, &path, &Device::Cpu).unwrap().tensors;
        assert_eq!(again["b"].to_vec1::<f32>().unwrap(), [1.0, 0.099_975_586]);
        // 3e-8 is half of the smallest f16 and rounds to it.
        assert_eq!(again["a"].to_vec1::<f32>().unwrap(), [-65504.0, 5.960_464_5e-8, 2.0]);
        assert_eq!(serialize(&tensors(), None).unwrap().len() - bytes.len(), 10);
    }

    #[test]
    fn what_half_precision_cannot_hold_is_refused_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.safetensors");
        let large = BTreeMap::from([("big".to_owned(), Tensor::new(&[1e6f32], &Device::Cpu).unwrap())]);
        let message = save(&path, &large, Storage::F16, None).unwrap_err().to_string();
        assert!(message.contains("big has values that f16 cannot hold"), "{message}");
        assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 0);
    }
}
