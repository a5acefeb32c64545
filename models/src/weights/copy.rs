//! A file's tensors into fresh parameters: how a training run starts from a published tower or from another model.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Tensor, Var};

use super::check::Mismatch;
use super::{names, source};
use crate::error::ModelError;

/// What became of the tensors of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Parameters that have the file's values now.
    pub copied: usize,
    /// Parameters of the towers that the file holds, and that it has no values for.
    pub missing: Vec<String>,
    /// Tensors of the file that no parameter asks for; what is known to be of no use is not among them.
    pub unused: Vec<String>,
}

/// Copies into `parameters` what the file or folder at `path` holds for them.
///
/// `path` is a model folder, or anything that [`source::open`] reads: a whole MedCLIP, or one tower under its published
/// names. Only parameters whose name starts with one of `prefixes` are written (all, where there is none):
/// `vision_model.` takes the image encoder and its projection out of a whole model. The type and the device of each
/// parameter stay.
///
/// # Errors
/// The file cannot be read, a tensor has another shape than its parameter, or nothing fits. Then nothing was written.
pub fn load_into(path: &Path, parameters: &[(String, Var)], prefixes: &[&str]) -> Result<Copied, ModelError> {
    let source = source::open(path, &candle_core::Device::Cpu)?;
    copy(source.named.tensors, parameters, prefixes, &source.path)
}

fn copy(
    mut tensors: HashMap<String, Tensor>,
    parameters: &[(String, Var)],
    prefixes: &[&str],
    path: &Path,
) -> Result<Copied, ModelError> {
    let wanted = |name: &str| prefixes.is_empty() || prefixes.iter().any(|p| name.starts_with(p));
    tensors.retain(|name, _| wanted(name));
    let chosen: Vec<&(String, Var)> = parameters.iter().filter(|(name, _)| wanted(name)).collect();
    let expected: BTreeMap<String, Vec<usize>> =
        chosen.iter().map(|(name, var)| (name.clone(), var.dims().to_vec())).collect();
    let mismatch = Mismatch::of(&tensors, &expected);
    if !mismatch.shapes.is_empty() || mismatch.missing.len() == expected.len() {
        // What is missing is no fault by itself, unless it is everything.
        let none = mismatch.missing.len() == expected.len();
        let missing = if none { mismatch.missing } else { Vec::new() };
        let mismatch = Mismatch { missing, extra: Vec::new(), shapes: mismatch.shapes };
        return Err(ModelError::Tensors { path: path.to_owned(), mismatch });
    }
    let mut copied = 0;
    for (name, var) in chosen {
        if let Some(tensor) = tensors.get(name) {
            var.set(&tensor.to_dtype(var.dtype())?.to_device(var.device())?)?;
            copied += 1;
        }
    }
    // A file with one tower says nothing about the other.
    let of_file = |name: &str| {
        [names::VISION, names::TEXT].iter().any(|p| name.starts_with(p) && tensors.keys().any(|t| t.starts_with(p)))
    };
    let missing = mismatch.missing.into_iter().map(|(name, _)| name).filter(|name| of_file(name)).collect();
    Ok(Copied { copied, missing, unused: mismatch.extra })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use candle_core::{DType, Device};

    fn parameters(items: &[(&str, &[usize])]) -> Vec<(String, Var)> {
        items.iter().map(|(n, s)| ((*n).to_owned(), Var::zeros(*s, DType::F32, &Device::Cpu).unwrap())).collect()
    }

    fn ones(items: &[(&str, &[usize])]) -> HashMap<String, Tensor> {
        let one = |s: &[usize]| Tensor::ones(s, DType::F32, &Device::Cpu).unwrap();
        items.iter().map(|(n, s)| ((*n).to_owned(), one(s))).collect()
    }

    fn sum(var: &Var) -> f32 {
        var.sum_all().unwrap().to_scalar().unwrap()
    }

    const A: &str = "vision_model.model.a";
    const B: &str = "vision_model.model.b";
    const T: &str = "text_model.model.t";

    #[test]
    fn what_matches_is_copied_and_the_rest_is_named() {
        let p = parameters(&[(A, &[2]), (B, &[2]), (T, &[3]), ("logit_scale", &[])]);
        let copied = copy(ones(&[(A, &[2]), ("vision_model.model.c", &[9])]), &p, &[], Path::new("m")).unwrap();
        let expected =
            Copied { copied: 1, missing: vec![B.to_owned()], unused: vec!["vision_model.model.c".to_owned()] };
        assert_eq!(copied, expected);
        assert_eq!(p.iter().map(|(_, v)| sum(v)).collect::<Vec<_>>(), [2.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn only_the_part_that_is_asked_for() {
        let p = parameters(&[(A, &[2]), (T, &[3])]);
        let copied = copy(ones(&[(A, &[2]), (T, &[3])]), &p, &["text_model."], Path::new("m")).unwrap();
        assert_eq!(copied, Copied { copied: 1, ..Default::default() });
        assert_eq!((sum(&p[0].1), sum(&p[1].1)), (0.0, 3.0));
    }

    #[test]
    fn another_shape_or_nothing_at_all_is_an_error_and_changes_nothing() {
        let p = parameters(&[(A, &[2]), (B, &[2])]);
        let complain = |t| copy(t, &p, &[], Path::new("m")).unwrap_err().to_string();
        assert!(complain(ones(&[(A, &[2]), (B, &[3])])).contains("b has shape [3], asked for is [2]"));
        assert!(complain(ones(&[(T, &[2])])).contains("2 tensors missing: vision_model.model.a [2]"));
        assert_eq!(sum(&p[0].1), 0.0);
    }
}
