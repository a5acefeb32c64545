//! The studies of a generation: one JSON line each, in the order of their ids. A study's line is its row.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::document::{Document, Item, Value};
use crate::error::{IndexError, Result};

use super::Space;

/// What a generation keeps of a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Study {
    pub id: String,
    pub group: String,
    pub fields: BTreeMap<String, Vec<Value>>,
    pub images: Vec<Item>,
    pub sentences: Vec<Item>,
    /// In the snapshot only: in the finished generation the text index has it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// As the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<std::ops::Range<usize>>,
}

impl From<Document> for Study {
    fn from(document: Document) -> Self {
        let Document { id, group, fields, images, sentences, text, denied, body: _ } = document;
        Self { id, group, fields, images, sentences, text, denied }
    }
}

impl Study {
    pub(crate) fn items(&self, space: Space) -> &[Item] {
        match space {
            Space::Images => &self.images,
            Space::Sentences => &self.sentences,
        }
    }
}

pub(crate) fn write_line(out: &mut impl Write, study: &Study) -> Result<()> {
    let mut line = serde_json::to_vec(study)?;
    line.push(b'\n');
    Ok(out.write_all(&line)?)
}

/// The studies of `path`, one after the other.
pub(crate) fn read(path: &Path) -> Result<impl Iterator<Item = Result<Study>>> {
    let lines = BufReader::with_capacity(1 << 18, fs::File::open(path)?).split(b'\n');
    let path = path.to_owned();
    Ok(lines.enumerate().map(move |(number, line)| parse(&path, number + 1, &line?)))
}

/// The study of a line.
pub(crate) fn parse(path: &Path, line_number: usize, line: &[u8]) -> Result<Study> {
    // serde's own message may quote the line
    let damaged =
        |_| IndexError::Damaged { path: path.to_owned(), reason: format!("line {line_number} does not parse") };
    serde_json::from_slice(line).map_err(damaged)
}
