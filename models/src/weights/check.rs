//! Which tensors of a file don't fit a configuration.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use candle_core::Tensor;

use crate::error::ModelError;

/// Names in an error message; the rest is counted.
const NAMED: usize = 5;

/// The tensors of a file that don't fit, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Asked for and not there, with the shape.
    pub missing: Vec<(String, Vec<usize>)>,
    /// There and not asked for.
    pub extra: Vec<String>,
    /// Of another shape: name, asked for, found.
    pub shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
}

impl Mismatch {
    /// Compares `tensors` with the names and shapes that are `expected`.
    pub(crate) fn of(tensors: &HashMap<String, Tensor>, expected: &BTreeMap<String, Vec<usize>>) -> Self {
        let mut all = Self::default();
        for (name, shape) in expected {
            match tensors.get(name) {
                None => all.missing.push((name.clone(), shape.clone())),
                Some(t) if t.dims() != shape => all.shapes.push((name.clone(), shape.clone(), t.dims().to_vec())),
                Some(_) => {}
            }
        }
        all.extra = tensors.keys().filter(|name| !expected.contains_key(*name)).cloned().collect();
        all.extra.sort();
        all
    }

    /// True where everything fits.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.shapes.is_empty()
    }
}

/// The first few of `items`, and how many there are.
fn list<T>(
    f: &mut fmt::Formatter<'_>,
    first: &mut bool,
    what: &str,
    items: &[T],
    show: impl Fn(&T) -> String,
) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    let separator = if std::mem::take(first) { "" } else { "; " };
    let names: Vec<String> = items.iter().take(NAMED).map(show).collect();
    let rest = items.len().saturating_sub(NAMED);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let noun = if items.len() == 1 { "tensor" } else { "tensors" };
    write!(f, "{separator}{} {noun} {what}: {}{more}", items.len(), names.join(", "))
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        list(f, &mut first, "missing", &self.missing, |(name, shape)| format!("{name} {shape:?}"))?;
        list(f, &mut first, "of another shape", &self.shapes, |(name, want, have)| {
            format!("{name} has shape {have:?}, asked for is {want:?}")
        })?;
        list(f, &mut first, "unknown to this configuration", &self.extra, Clone::clone)
    }
}

/// Names what is missing, of another shape, or not asked for.
pub(crate) fn check(
    tensors: &HashMap<String, Tensor>,
    expected: &BTreeMap<String, Vec<usize>>,
    path: &Path,
) -> Result<(), ModelError> {
    let mismatch = Mismatch::of(tensors, expected);
    if mismatch.is_empty() { Ok(()) } else { Err(ModelError::Tensors { path: path.to_owned(), mismatch }) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use candle_core::{DType, Device};

    fn tensors(names: &[&str]) -> HashMap<String, Tensor> {
        names.iter().map(|n| ((*n).to_owned(), Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap())).collect()
    }

    fn complaint(have: &[&str], want: &[(&str, &[usize])]) -> String {
        let expected = want.iter().map(|(n, s)| ((*n).to_owned(), s.to_vec())).collect();
        check(&tensors(have), &expected, Path::new("m")).unwrap_err().to_string()
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(complaint(&[], &[("b", &[1])]), "m: 1 tensor missing: b [1]");
        assert_eq!(
            complaint(&["a"], &[("a", &[3, 2])]),
            "m: 1 tensor of another shape: a has shape [2, 3], asked for is [3, 2]"
        );
        assert_eq!(complaint(&["a"], &[]), "m: 1 tensor unknown to this configuration: a");
        assert!(check(&tensors(&["a"]), &BTreeMap::from([("a".to_owned(), vec![2, 3])]), Path::new("m")).is_ok());
    }

    #[test]
    fn all_kinds_at_once_and_the_rest_is_counted() {
        let have = ["a", "x1", "x2", "x3", "x4", "x5", "x6", "x7"];
        assert_eq!(
            complaint(&have, &[("a", &[2]), ("b", &[4])]),
            "m: 1 tensor missing: b [4]; 1 tensor of another shape: a has shape [2, 3], asked for is [2]; \
             7 tensors unknown to this configuration: x1, x2, x3, x4, x5 and 2 more"
        );
    }
}
