//! A study's line as opening a generation reads it: borrowed from the file's bytes, many at a time on all threads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use fs_err as fs;
use rayon::prelude::*;
use serde::Deserialize;

use crate::document::Value;
use crate::error::{IndexError, Result};
use crate::generation::Space;

/// Lines parsed at a time: what is in memory of the file.
const BLOCK: usize = 8192;

/// What opening needs of a study.
#[derive(Deserialize)]
pub(super) struct StudyLine<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow)]
    pub group: Cow<'a, str>,
    pub fields: BTreeMap<String, Vec<Value>>,
    #[serde(borrow)]
    images: Vec<ItemLine<'a>>,
    #[serde(borrow)]
    sentences: Vec<ItemLine<'a>>,
}

/// An item of it.
#[derive(Deserialize)]
pub(super) struct ItemLine<'a> {
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    #[serde(borrow)]
    pub hash: Cow<'a, str>,
}

impl<'a> StudyLine<'a> {
    pub(super) fn items(&self, space: Space) -> &[ItemLine<'a>] {
        match space {
            Space::Images => &self.images,
            Space::Sentences => &self.sentences,
        }
    }
}

/// Gives every study of `path` to `take`, in order, with the byte at which its line ends.
pub(super) fn each(path: &Path, mut take: impl FnMut(&StudyLine<'_>, u64)) -> Result<()> {
    let mut reader = BufReader::with_capacity(1 << 20, fs::File::open(path)?);
    let (mut block, mut ends, mut read, mut before) = (Vec::new(), Vec::new(), 0u64, 0);
    loop {
        block.clear();
        ends.clear();
        let start = read;
        while ends.len() < BLOCK {
            let length = reader.read_until(b'\n', &mut block)?;
            if length == 0 {
                break;
            }
            read += length as u64;
            ends.push(block.len());
        }
        if ends.is_empty() {
            return Ok(());
        }
        let studies: Vec<Result<StudyLine<'_>>> =
            (0..ends.len()).into_par_iter().map(|place| parse(path, before, &block, &ends, place)).collect();
        for (study, end) in studies.into_iter().zip(&ends) {
            take(&study?, start + *end as u64);
        }
        before += ends.len();
    }
}

fn parse<'a>(path: &Path, before: usize, block: &'a [u8], ends: &[usize], place: usize) -> Result<StudyLine<'a>> {
    let start = place.checked_sub(1).and_then(|last| ends.get(last)).copied().unwrap_or(0);
    let line = ends.get(place).and_then(|end| block.get(start..*end)).unwrap_or_default();
    // serde's own message may quote the line
    serde_json::from_slice(line).map_err(|_| IndexError::Damaged {
        path: path.to_owned(),
        reason: format!("line {} does not parse", before + place + 1),
    })
}
