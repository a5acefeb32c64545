//! Starting from the weights of another model.

use std::collections::BTreeSet;
use std::path::Path;

use candle_core::{Device, Var};

use super::learner::AUXILIARY;
use crate::encoder::WEIGHTS_FILE;
use crate::error::ModelError;
use crate::weights;

/// What was taken over from another model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Initial {
    /// Tensors that were copied.
    pub copied: usize,
    /// Tensors of this model that the other has not: they start at random.
    pub fresh: Vec<String>,
    /// Tensors of the other model that this one has no place for.
    pub unused: Vec<String>,
}

/// Copies the tensors that both have by name. One of another shape is an error: the configuration does not fit.
pub(super) fn copy(dir: &Path, parameters: &[(String, Var)], device: &Device) -> Result<Initial, ModelError> {
    let path = dir.join(WEIGHTS_FILE);
    if !path.is_file() {
        return Err(ModelError::NotAModel { dir: dir.to_owned(), file: WEIGHTS_FILE, hint: "" });
    }
    let bytes = fs_err::read(&path).map_err(ModelError::io(&path))?;
    let tensors = weights::parse(&bytes, &path, device)?.tensors;
    let mut initial = Initial::default();
    for (name, var) in parameters {
        let Some(tensor) = tensors.get(name) else {
            if !name.starts_with(AUXILIARY) {
                initial.fresh.push(name.clone());
            }
            continue;
        };
        if tensor.dims() != var.dims() {
            let (expected, found) = (var.dims().to_vec(), tensor.dims().to_vec());
            return Err(ModelError::TensorShape { path, name: name.clone(), expected, found });
        }
        var.set(&tensor.to_dtype(var.dtype())?)?;
        initial.copied += 1;
    }
    let known: BTreeSet<&String> = parameters.iter().map(|(name, _)| name).collect();
    initial.unused = tensors.keys().filter(|name| !known.contains(name)).cloned().collect();
    initial.unused.sort();
    if initial.copied == 0 {
        let reason = format!("none of its {} tensors has a name of this model", tensors.len());
        return Err(ModelError::Data(format!("{}: {reason}", path.display())));
    }
    Ok(initial)
}
