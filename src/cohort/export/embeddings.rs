//! Embeddings of a cohort: a matrix `[n, dimension]` of 32-bit numbers, and a CSV that says which row is whose.
//!
//! NPY is NumPy's own format (NEP 1, version 1.0). Both files are written row by row.

use std::io::{BufWriter, Write};

use serde::Serialize;
use thorax_index::{Index, Space};

use super::pseudonyms::Pseudonyms;
use super::target::Target;
use crate::cohort::model::Cohort;
use crate::cohort::store::Store;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::progress::Progress;

/// Format of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `numpy.load`.
    Npy,
    /// One tensor named `embeddings`.
    Safetensors,
}

impl Format {
    /// The format of a file that ends so.
    pub fn of(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "npy" => Some(Format::Npy),
            "safetensors" => Some(Format::Safetensors),
            _ => None,
        }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Vectors.
    pub rows: u64,
    /// Numbers in each.
    pub dimension: usize,
    /// Fingerprint of the model that made them.
    pub fingerprint: String,
    /// Members without a vector: gone from the archive, not indexed yet, or without a film or report.
    pub without: u64,
}

/// Writes the vectors of all members, in the order of studies and of their films or sentences.
///
/// The rows file has the columns `row` (from 0), `study` and `item`.
///
/// # Errors
/// The files cannot be written, or Ctrl-C was pressed.
pub fn export(
    store: &Store<'_>,
    cohort: &Cohort,
    index: &Index,
    space: Space,
    format: Format,
    pseudonyms: Option<&Pseudonyms>,
    (matrix, rows): (Target, Target),
) -> Result<Exported> {
    let dimension = index.manifest().dimension;
    let fingerprint = index.manifest().fingerprint.clone();
    let (mut count, mut without) = (0u64, 0u64);
    for member in store.members(cohort) {
        let items = index.row(&member?.id).map_or(0, |row| index.items(space, row).len());
        count += items as u64;
        without += u64::from(items == 0);
    }
    let mut out = BufWriter::with_capacity(1 << 18, matrix);
    match format {
        Format::Npy => out.write_all(&npy_head(count, dimension))?,
        Format::Safetensors => out.write_all(&safetensors_head(count, dimension, &fingerprint, cohort)?)?,
    }
    let mut names = csv::Writer::from_writer(rows);
    let name_fault = |e: csv::Error| Error::Io(std::io::Error::other(format!("CSV: {e}")));
    names.write_record(["row", "study", "item"]).map_err(name_fault)?;
    let progress = Progress::new("exporting vectors", Some(count));
    let mut written = 0u64;
    for member in store.members(cohort) {
        if interrupt::asked() {
            return Err(Error::Interrupted);
        }
        let member = member?;
        let Some(row) = index.row(&member.id) else { continue };
        for (place, item) in index.items(space, row).enumerate() {
            let (Some(vector), Some(key)) = (index.vector(space, item), index.item_key(space, item)) else { continue };
            for number in vector {
                out.write_all(&number.to_le_bytes())?;
            }
            let (study, key) = match pseudonyms {
                None => (member.id.clone(), key.to_owned()),
                Some(names) => {
                    let study = names.study(&member.id);
                    let key = format!("{study}#{place}");
                    (study, key)
                }
            };
            names.write_record([written.to_string(), study, key]).map_err(name_fault)?;
            written += 1;
            progress.add(1);
        }
    }
    if written != count {
        return Err(Error::Caller("a vector cannot be read, or the archive changed meanwhile: run the command again, or `thorax index --rebuild`".to_owned()));
    }
    // the names first: a matrix is never there without them
    names.into_inner().map_err(|e| Error::Io(std::io::Error::other(e.to_string())))?.finish()?;
    out.into_inner().map_err(|e| Error::Io(e.into_error()))?.finish()?;
    progress.finish();
    Ok(Exported { rows: count, dimension, fingerprint, without })
}

fn npy_head(rows: u64, dimension: usize) -> Vec<u8> {
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dimension}), }}");
    // magic, version and length take 10 bytes; the numbers begin at a multiple of 64
    while !(10 + text.len() + 1).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    let mut head = b"\x93NUMPY\x01\x00".to_vec();
    head.extend((text.len() as u16).to_le_bytes());
    head.extend(text.as_bytes());
    head
}

fn safetensors_head(rows: u64, dimension: usize, fingerprint: &str, cohort: &Cohort) -> Result<Vec<u8>> {
    let bytes = rows * dimension as u64 * 4;
    let mut json = serde_json::to_vec(&serde_json::json!({
        "__metadata__": { "fingerprint": fingerprint, "cohort": cohort.name, "digest": cohort.digest },
        "embeddings": { "dtype": "F32", "shape": [rows, dimension], "data_offsets": [0, bytes] },
    }))?;
    while !json.len().is_multiple_of(8) {
        json.push(b' ');
    }
    let mut head = (json.len() as u64).to_le_bytes().to_vec();
    head.extend(json);
    Ok(head)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cohort::model::FORMAT;

    #[test]
    fn heads_are_aligned_and_say_the_shape() {
        for (rows, dimension) in [(0, 512), (7, 16), (12_345_678, 768)] {
            let head = npy_head(rows, dimension);
            assert!(head.len().is_multiple_of(64));
            assert!(String::from_utf8_lossy(&head).contains(&format!("'shape': ({rows}, {dimension})")));
        }
    }

    #[test]
    fn safetensors_reads_it() {
        let cohort = Cohort {
            format: FORMAT,
            name: "c".to_owned(),
            note: None,
            created: String::new(),
            changed: String::new(),
            revision: 1,
            studies: 2,
            digest: "d".to_owned(),
            steps: Vec::new(),
        };
        let mut bytes = safetensors_head(2, 3, "f", &cohort).unwrap();
        bytes.extend([1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_le_bytes()));
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let tensor = tensors.tensor("embeddings").unwrap();
        assert_eq!((tensor.shape(), tensor.dtype()), (&[2usize, 3][..], safetensors::Dtype::F32));
    }
}
