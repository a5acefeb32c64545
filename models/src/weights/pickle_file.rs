//! PyTorch's own files (`torch.save`): a zip archive with a pickle that describes the tensors and one entry per storage;
//! before PyTorch 1.6, several pickles and the storages one behind the other.
//!
//! Candle interprets the pickles; nothing of them is executed. What they describe is taken apart here with every size
//! checked.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use candle_core::pickle::{Object, Stack};
use candle_core::{DType, Device, Tensor};
use zip::ZipArchive;

use super::safetensors_file::to_f32;
use crate::error::ModelError;

/// Keys under which training scripts put the weights in a larger checkpoint.
const NESTED: [&str; 4] = ["state_dict", "model_state_dict", "model", "module"];
/// The description of a large model has some 100 kB.
const MAX_PICKLE: u64 = 64 << 20;

/// A tensor as the pickle describes it.
struct Described {
    name: String,
    offset: usize,
    shape: Vec<usize>,
    stride: Vec<usize>,
    /// `None`: not a floating type, left out.
    dtype: Option<DType>,
    /// Bytes of one number.
    width: usize,
}

type Archive = ZipArchive<BufReader<fs_err::File>>;
type Result<T, E = String> = std::result::Result<T, E>;

/// The first pickle of the old format: a magic number.
const OLD_MAGIC: [u8; 15] = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];

/// Reads all floating tensors of the file at `path` as `f32`.
pub(crate) fn read(path: &Path, device: &Device) -> Result<HashMap<String, Tensor>, ModelError> {
    let file = fs_err::File::open(path).map_err(ModelError::io(path))?;
    let size = file.metadata().map_err(ModelError::io(path))?.len();
    let mut reader = BufReader::new(file);
    let start = reader.fill_buf().map_err(ModelError::io(path))?.to_vec();
    let tensors = if start.starts_with(b"PK") {
        read_archive(reader, size, device)
    } else if start.starts_with(&OLD_MAGIC) {
        reader.consume(OLD_MAGIC.len());
        read_old(reader, size, device)
    } else if start.starts_with(b"version https://git-lfs") {
        Err("it is a Git LFS pointer, not the file itself; fetch it with `git lfs pull`".to_owned())
    } else {
        Err("it is no file of PyTorch's torch.save".to_owned())
    };
    tensors.map_err(|reason| ModelError::Unreadable { path: path.to_owned(), reason })
}

fn read_archive(reader: BufReader<fs_err::File>, size: u64, device: &Device) -> Result<HashMap<String, Tensor>> {
    let mut zip = ZipArchive::new(reader).map_err(|e| format!("it is no intact zip archive: {e}"))?;
    let names: Vec<String> = zip.file_names().filter_map(|n| Some(n.ok()?.into_owned())).collect();
    let Some(root) = names.iter().find_map(|n| n.strip_suffix("data.pkl")) else {
        return Err("it is a zip archive without data.pkl, not one of PyTorch's".to_owned());
    };
    let order = format!("{root}byteorder");
    if names.contains(&order) && entry(&mut zip, &order, 16)? != b"little" {
        return Err("it was written on a big-endian machine; save it again on another".to_owned());
    }
    let pickle = entry(&mut zip, &format!("{root}data.pkl"), MAX_PICKLE.min(size))?;
    let mut tensors = HashMap::new();
    for (key, described) in describe(unpickle(&mut pickle.as_slice())?)? {
        if described.iter().any(|d| d.dtype.is_some()) {
            let bytes = entry(&mut zip, &format!("{root}data/{key}"), size)?;
            take(described, &bytes, device, &mut tensors)?;
        }
    }
    Ok(tensors)
}

/// The old format, behind its magic number: version, system, description, keys of the storages, storages. Each storage
/// begins with the number of its elements.
fn read_old(mut reader: BufReader<fs_err::File>, size: u64, device: &Device) -> Result<HashMap<String, Tensor>> {
    unpickle(&mut reader)?;
    let system = unpickle(&mut reader)?;
    let little = |(key, value): &(Object, Object)| !is(key, "little_endian") || *value == Object::Bool(true);
    if matches!(&system, Object::Dict(entries) if !entries.iter().all(little)) {
        return Err("it was written on a big-endian machine; save it again on another".to_owned());
    }
    let mut described = describe(unpickle(&mut reader)?)?;
    let Object::List(keys) = unpickle(&mut reader)? else { return Err("it has no list of storages".to_owned()) };
    let mut tensors = HashMap::new();
    for key in keys {
        let Object::Unicode(key) = key else { return Err("the key of a storage is no text".to_owned()) };
        let Some(described) = described.remove(&key) else {
            return Err(format!("storage {key} belongs to no tensor"));
        };
        let cut = |e: std::io::Error| format!("storage {key}: {e}");
        let mut count = [0; 8];
        reader.read_exact(&mut count).map_err(cut)?;
        let width = described.first().map_or(1, |d| d.width);
        let bytes = u64::from_le_bytes(count).saturating_mul(width as u64);
        if bytes > size {
            return Err(format!("storage {key} claims {bytes} bytes"));
        }
        let mut values = Vec::new();
        if reader.by_ref().take(bytes).read_to_end(&mut values).map_err(cut)? as u64 != bytes {
            return Err(format!("storage {key} is cut off"));
        }
        take(described, &values, device, &mut tensors)?;
    }
    match described.keys().next() {
        Some(key) => Err(format!("storage {key} is missing")),
        None => Ok(tensors),
    }
}

/// Adds the tensors that lie in one storage.
fn take(
    described: Vec<Described>,
    storage: &[u8],
    device: &Device,
    tensors: &mut HashMap<String, Tensor>,
) -> Result<()> {
    for tensor in described {
        let Some(dtype) = tensor.dtype else { continue };
        let fault = |e: String| format!("{}: {e}", tensor.name);
        let values = tensor.gather(storage).map_err(fault)?;
        let values = to_f32(&values, dtype, &tensor.shape, device).map_err(|e| fault(e.to_string()))?;
        tensors.insert(tensor.name, values);
    }
    Ok(())
}

fn unpickle(reader: &mut impl BufRead) -> Result<Object> {
    let mut stack = Stack::empty();
    stack.read_loop(reader).map_err(|e| format!("its description is damaged: {e}"))?;
    stack.finalize().map_err(|e| format!("its description is damaged: {e}"))
}

/// An entry of the archive, of at most `most` bytes.
fn entry(zip: &mut Archive, name: &str, most: u64) -> Result<Vec<u8>> {
    let mut entry = zip.by_name(name).map_err(|e| format!("{name}: {e}"))?;
    if entry.size() > most {
        return Err(format!("{name} claims {} bytes", entry.size()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(entry.size()).unwrap_or(0));
    // Reading to the end also compares the checksum.
    entry.read_to_end(&mut bytes).map_err(|e| format!("{name}: {e}"))?;
    Ok(bytes)
}

/// The tensors of a pickled state dict, by the key of the storage that they lie in.
fn describe(object: Object) -> Result<BTreeMap<String, Vec<Described>>> {
    let Object::Dict(mut entries) = object else {
        return Err("it holds no dictionary of tensors; save model.state_dict()".to_owned());
    };
    if !entries.iter().any(|(_, value)| matches!(value, Object::Reduce { .. })) {
        let nested = NESTED.iter().find_map(|key| {
            let place = entries.iter().position(|(k, v)| is(k, key) && matches!(v, Object::Dict(_)))?;
            entries.swap_remove(place).1.dict().ok()
        });
        entries = nested.ok_or_else(|| "it holds no dictionary of tensors; save model.state_dict()".to_owned())?;
    }
    let mut storages: BTreeMap<String, Vec<Described>> = BTreeMap::new();
    for (name, value) in entries {
        let (Object::Unicode(name), Object::Reduce { callable, args }) = (name, value) else { continue };
        let (key, tensor) =
            tensor(&name, &callable, &args).ok_or_else(|| format!("{name} is described in a way that is not known"))?;
        storages.entry(key).or_default().push(tensor);
    }
    Ok(storages)
}

fn is(object: &Object, text: &str) -> bool {
    matches!(object, Object::Unicode(t) if t == text)
}

/// `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...)`, or a parameter around it.
fn tensor(name: &str, callable: &Object, args: &Object) -> Option<(String, Described)> {
    let (Object::Class { class_name, .. }, Object::Tuple(args)) = (callable, args) else { return None };
    match (class_name.as_str(), args.as_slice()) {
        ("_rebuild_parameter" | "_rebuild_parameter_with_state", [Object::Reduce { callable, args }, ..]) => {
            tensor(name, callable, args)
        }
        ("_rebuild_from_type_v2", [callable, _, args, ..]) => tensor(name, callable, args),
        ("_rebuild_tensor_v2", [storage, offset, size, stride, ..]) => {
            let (key, dtype, width) = storage_of(storage)?;
            let (shape, stride) = (sizes(size)?, sizes(stride)?);
            let offset = number(offset)?;
            (shape.len() == stride.len()).then(|| {
                let name = name.to_owned();
                (key, Described { name, offset, shape, stride, dtype, width })
            })
        }
        _ => None,
    }
}

/// Key, type and width of `('storage', torch.FloatStorage, key, location, elements)`.
fn storage_of(object: &Object) -> Option<(String, Option<DType>, usize)> {
    let Object::PersistentLoad(id) = object else { return None };
    let Object::Tuple(parts) = id.as_ref() else { return None };
    let [_, Object::Class { class_name, .. }, Object::Unicode(key), ..] = parts.as_slice() else { return None };
    let (dtype, width) = match class_name.as_str() {
        "FloatStorage" => (Some(DType::F32), 4),
        "DoubleStorage" => (Some(DType::F64), 8),
        "HalfStorage" => (Some(DType::F16), 2),
        "BFloat16Storage" => (Some(DType::BF16), 2),
        "LongStorage" => (None, 8),
        "IntStorage" => (None, 4),
        "ShortStorage" => (None, 2),
        "CharStorage" | "ByteStorage" | "BoolStorage" => (None, 1),
        _ => return None,
    };
    Some((key.clone(), dtype, width))
}

fn number(object: &Object) -> Option<usize> {
    match object {
        Object::Int(n) => usize::try_from(*n).ok(),
        Object::Long(n) => usize::try_from(*n).ok(),
        _ => None,
    }
}

fn sizes(object: &Object) -> Option<Vec<usize>> {
    match object {
        Object::Tuple(items) => items.iter().map(number).collect(),
        _ => None,
    }
}

impl Described {
    /// Its bytes in row-major order out of those of its storage.
    fn gather(&self, storage: &[u8]) -> Result<Vec<u8>> {
        let width = self.width;
        let held = storage.len() / width;
        let outside = || format!("lies outside of its storage of {held} numbers");
        let count = self.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).ok_or_else(outside)?;
        if count > held {
            return Err(outside());
        }
        let mut next = 1usize;
        let contiguous = self.shape.iter().zip(&self.stride).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == next;
            next = next.saturating_mul(size);
            fits
        });
        if contiguous {
            let start = self.offset.checked_mul(width).ok_or_else(outside)?;
            let end = start.checked_add(count * width).ok_or_else(outside)?;
            return storage.get(start..end).map(<[u8]>::to_vec).ok_or_else(outside);
        }
        let mut bytes = Vec::with_capacity(count * width);
        let mut place = vec![0usize; self.shape.len()];
        for _ in 0..count {
            let at =
                place.iter().zip(&self.stride).fold(self.offset, |at, (&i, &s)| at.saturating_add(i.saturating_mul(s)));
            let start = at.saturating_mul(width);
            bytes.extend_from_slice(storage.get(start..start.saturating_add(width)).ok_or_else(outside)?);
            for (i, &size) in place.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < size {
                    break;
                }
                *i = 0;
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Made by `tests/parity/pickles.py`.
    const ARCHIVE: &[u8] = include_bytes!("testdata/archive.pt");
    const OLD: &[u8] = include_bytes!("testdata/old.pt");
    const NESTED_DICT: &[u8] = include_bytes!("testdata/nested.pt");
    const LIST: &[u8] = include_bytes!("testdata/list.pt");

    fn read_bytes(bytes: &[u8]) -> Result<HashMap<String, Tensor>, ModelError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.bin");
        fs_err::write(&path, bytes).unwrap();
        read(&path, &Device::Cpu)
    }

    fn complaint(bytes: &[u8]) -> String {
        read_bytes(bytes).unwrap_err().to_string()
    }

    #[test]
    fn all_kinds_of_tensors_in_all_kinds_of_files() {
        for file in [ARCHIVE, OLD, NESTED_DICT] {
            let tensors = read_bytes(file).unwrap();
            let flat = |name: &str| tensors[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(tensors.len(), 9, "integers are left out");
            assert_eq!(flat("matrix"), [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]);
            assert_eq!(tensors["transposed"].dims(), [3, 2]);
            assert_eq!(flat("transposed"), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
            assert_eq!(flat("shared"), [1.0, 1.25, 1.5, 1.75]);
            assert_eq!(flat("also_shared"), [2.0, 2.25, 2.5, 2.75]);
            for name in ["half", "brain", "double"] {
                assert_eq!(flat(name), [1.0, -0.5]);
            }
            assert_eq!(flat("parameter"), [2.0, 3.0]);
            assert!(tensors["scalar"].dims().is_empty() && flat("scalar") == [7.0]);
        }
    }

    #[test]
    fn what_is_no_checkpoint_says_what_it_is() {
        assert!(complaint(LIST).contains("no dictionary of tensors"));
        assert!(complaint(b"version https://git-lfs.github.com/spec/v1\noid sha256:0").contains("git lfs pull"));
        assert!(complaint(b"<html>").contains("no file of PyTorch"));
        assert!(complaint(b"").contains("no file of PyTorch"));
    }

    #[test]
    fn a_file_cut_or_changed_anywhere_is_an_error_or_reads_but_never_panics() {
        for file in [ARCHIVE, OLD] {
            for end in (0..file.len()).step_by(7) {
                assert!(read_bytes(&file[..end]).is_err(), "{end}");
            }
        }
        // The archive has checksums, the old format has none: a changed byte may pass, but must not do harm.
        for at in (0..OLD.len()).step_by(3) {
            let mut changed = OLD.to_vec();
            changed[at] ^= 0x55;
            let _ = read_bytes(&changed);
        }
    }
}
