//! Safetensors, read tensor by tensor in the order of the file: beside the tensors themselves there is never more than one
//! of them in memory.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, Metadata};

use crate::error::ModelError;

/// Tensors and metadata of a safetensors file.
pub(crate) struct Loaded {
    pub(crate) tensors: HashMap<String, Tensor>,
    pub(crate) metadata: HashMap<String, String>,
}

/// The format's own bound; a header is some 100 bytes per tensor.
const MAX_HEADER: u64 = 100_000_000;

/// Parses the bytes of the safetensors file at `path`; all tensors become `f32`.
pub(crate) fn parse(bytes: &[u8], path: &Path, device: &Device) -> Result<Loaded, ModelError> {
    read_from(bytes, bytes.len() as u64, path, device)
}

/// Reads the file at `path`; all tensors become `f32`.
pub(crate) fn read(path: &Path, device: &Device) -> Result<Loaded, ModelError> {
    let (file, size) = open(path)?;
    read_from(BufReader::new(file), size, path, device)
}

/// As [`read`], adding the file's length and its bytes to `hasher`.
pub(crate) fn read_hashed(path: &Path, device: &Device, hasher: &mut blake3::Hasher) -> Result<Loaded, ModelError> {
    let (file, size) = open(path)?;
    hasher.update(&size.to_le_bytes());
    read_from(Hashing { inner: BufReader::new(file), hasher }, size, path, device)
}

fn open(path: &Path) -> Result<(fs_err::File, u64), ModelError> {
    let file = fs_err::File::open(path).map_err(ModelError::io(path))?;
    let size = file.metadata().map_err(ModelError::io(path))?.len();
    Ok((file, size))
}

/// Passes bytes on and hashes them.
struct Hashing<'a, R> {
    inner: R,
    hasher: &'a mut blake3::Hasher,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Name, type and shape of each tensor of the file at `path`, by name; the tensors themselves are not read.
pub(crate) fn header(path: &Path) -> Result<Vec<(String, String, Vec<usize>)>, ModelError> {
    let (file, size) = open(path)?;
    let header = read_header(&mut BufReader::new(file), size, path)?;
    let mut all: Vec<_> = header
        .tensors()
        .into_iter()
        .map(|(name, info)| (name, format!("{:?}", info.dtype).to_lowercase(), info.shape.clone()))
        .collect();
    all.sort();
    Ok(all)
}

/// The header of a file of `total` bytes. Sizes are checked against `total` before anything is allocated for them.
fn read_header(reader: &mut impl Read, total: u64, path: &Path) -> Result<Metadata, ModelError> {
    let damaged = |reason: String| ModelError::Damaged { path: path.to_owned(), reason };
    let mut size = [0u8; 8];
    reader.read_exact(&mut size).map_err(|_| damaged(format!("it has {total} bytes, no header")))?;
    let size = u64::from_le_bytes(size);
    if size > MAX_HEADER || size > total.saturating_sub(8) {
        let first = if size > MAX_HEADER { " (is it another kind of file?)" } else { "" };
        return Err(damaged(format!("its header claims {size} of {total} bytes{first}")));
    }
    let mut header = vec![0; usize::try_from(size).unwrap_or(0)];
    reader.read_exact(&mut header).map_err(ModelError::io(path))?;
    // Also checks that the tensors lie one behind the other and that their sizes fit their shapes.
    let header: Metadata = serde_json::from_slice(&header).map_err(|e| damaged(e.to_string()))?;
    let expected = 8 + size + header.data_len() as u64;
    if expected != total {
        return Err(damaged(format!("it has {total} bytes, its header speaks of {expected}")));
    }
    Ok(header)
}

/// Reads `total` bytes to their end.
fn read_from(mut reader: impl Read, total: u64, path: &Path, device: &Device) -> Result<Loaded, ModelError> {
    let header = read_header(&mut reader, total, path)?;
    let mut order: Vec<_> = header.tensors().into_iter().collect();
    order.sort_by_key(|(_, info)| info.data_offsets);
    let mut tensors = HashMap::new();
    for (name, info) in order {
        let (start, end) = info.data_offsets;
        let mut bytes = vec![0; end.saturating_sub(start)];
        reader.read_exact(&mut bytes).map_err(ModelError::io(path))?;
        let dtype = match info.dtype {
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F32 => DType::F32,
            Dtype::F64 => DType::F64,
            // Index buffers of published checkpoints; nothing of ours is integral.
            _ => continue,
        };
        tensors.insert(name, to_f32(&bytes, dtype, &info.shape, device)?);
    }
    Ok(Loaded { tensors, metadata: header.metadata().clone().unwrap_or_default() })
}

/// Little-endian bytes as a tensor of `f32`.
pub(super) fn to_f32(bytes: &[u8], dtype: DType, shape: &[usize], device: &Device) -> Result<Tensor, ModelError> {
    Ok(Tensor::from_raw_buffer(bytes, dtype, shape, &Device::Cpu)?.to_dtype(DType::F32)?.to_device(device)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::serialize;
    use super::*;
    use std::collections::BTreeMap;

    fn one() -> BTreeMap<String, Tensor> {
        BTreeMap::from([("a".to_owned(), Tensor::new(&[[1f32, -2.5], [0.25, 3.0]], &Device::Cpu).unwrap())])
    }

    #[test]
    fn round_trip_with_metadata() {
        let metadata = HashMap::from([("step".to_owned(), "7".to_owned())]);
        let bytes = serialize(&one(), Some(metadata.clone())).unwrap();
        let loaded = parse(&bytes, Path::new("x"), &Device::Cpu).unwrap();
        assert_eq!(loaded.tensors["a"].to_vec2::<f32>().unwrap(), [[1.0, -2.5], [0.25, 3.0]]);
        assert_eq!(loaded.metadata, metadata);
    }

    #[test]
    fn a_cut_or_foreign_file_is_damaged() {
        let bytes = serialize(&one(), None).unwrap();
        for end in [0, 4, 12, bytes.len() - 1] {
            let result = parse(&bytes[..end], Path::new("cut"), &Device::Cpu);
            assert!(matches!(result, Err(ModelError::Damaged { .. })), "{end}");
        }
        for foreign in [&[0xff; 64][..], b"PK\x03\x04 and something else", b"\x02\0\0\0\0\0\0\0{}tail"] {
            assert!(matches!(parse(foreign, Path::new("x"), &Device::Cpu), Err(ModelError::Damaged { .. })));
        }
    }

    #[test]
    fn every_floating_type_becomes_f32_and_integers_are_left_out() {
        let of = |dtype| Tensor::new(&[1f32, -0.5], &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.safetensors");
        let tensors = HashMap::from([
            ("f16", of(DType::F16)),
            ("bf16", of(DType::BF16)),
            ("f64", of(DType::F64)),
            ("index", Tensor::new(&[1i64, 2], &Device::Cpu).unwrap()),
        ]);
        candle_core::safetensors::save(&tensors, &path).unwrap();
        let mut hasher = blake3::Hasher::new();
        let loaded = read_hashed(&path, &Device::Cpu, &mut hasher).unwrap().tensors;
        assert_eq!(loaded.len(), 3);
        for tensor in loaded.values() {
            assert_eq!(tensor.to_vec1::<f32>().unwrap(), [1.0, -0.5]);
        }
        let bytes = fs_err::read(&path).unwrap();
        let whole = blake3::Hasher::new().update(&(bytes.len() as u64).to_le_bytes()).update(&bytes).finalize();
        assert_eq!(hasher.finalize(), whole, "the whole file is hashed, what is left out too");
    }
}
