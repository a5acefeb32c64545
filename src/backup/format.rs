//! One line of a backup: its checksum, its kind, and what it holds.

use serde::{Deserialize, Serialize};

/// Format of the lines.
pub const FORMAT: u64 = 1;

/// Hex digits of a line's checksum.
const DIGITS: usize = 32;
const BEFORE: &str = "{\"blake3\":\"";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`]
    pub format: u64,
    /// Version of the program.
    pub version: String,
    /// Name of the catalogue.
    pub identity: String,
    /// Its sequence number.
    pub sequence: u64,
    /// Its count of changed records.
    pub record_changes: u64,
}

/// A record that is no study.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLine {
    /// Name of its tree.
    pub tree: String,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Key and value are hex digits, since they are no text.
    pub hex: bool,
}

/// A file beside the lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLine {
    /// Its path below the folder, with `/`.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its BLAKE3.
    pub blake3: String,
}

/// The last line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Lines of studies.
    pub studies: u64,
    /// Lines of records.
    pub records: u64,
    /// Lines of files.
    pub files: u64,
    /// As in the header.
    pub identity: String,
    /// As in the header.
    pub sequence: u64,
    /// As in the header.
    pub record_changes: u64,
    /// BLAKE3 of all bytes before this line.
    pub blake3: String,
}

/// What a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Header`]
    Header,
    /// A study as the catalogue stores it.
    Study,
    /// [`RecordLine`]
    Record,
    /// [`FileLine`]
    File,
    /// [`End`]
    End,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Header, Kind::Study, Kind::Record, Kind::File, Kind::End];

    /// Its name in the line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Header => "thorax_backup",
            Kind::Study => "study",
            Kind::Record => "record",
            Kind::File => "file",
            Kind::End => "end",
        }
    }
}

impl RecordLine {
    /// Of a record as the catalogue has it.
    pub fn new(tree: &str, key: &[u8], value: &[u8]) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (tree, texts) = (tree.to_owned(), std::str::from_utf8(key).ok().zip(std::str::from_utf8(value).ok()));
        match texts {
            Some((key, value)) => Self { tree, key: key.to_owned(), value: value.to_owned(), hex: false },
            None => Self { tree, key: hex(key), value: hex(value), hex: true },
        }
    }

    /// Key and value; `None` when they are no hex digits.
    pub fn bytes(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let read = |text: &str| -> Option<Vec<u8>> {
            if !self.hex {
                return Some(text.as_bytes().to_vec());
            }
            let pairs = text.as_bytes().chunks(2);
            pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
        };
        Some((read(&self.key)?, read(&self.value)?))
    }
}

/// Writes a line, with its end.
pub fn line(kind: Kind, body: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(body.len() + 64);
    line.extend_from_slice(BEFORE.as_bytes());
    line.extend_from_slice(checksum(kind, body).as_bytes());
    line.extend_from_slice(format!("\",\"{}\":", kind.name()).as_bytes());
    line.extend_from_slice(body);
    line.extend_from_slice(b"}\n");
    line
}

/// Reads a line, without its end.
///
/// # Errors
/// What is wrong with it, without its text.
pub fn parse(line: &[u8]) -> Result<(Kind, &[u8]), &'static str> {
    const SHAPE: &str = "it is no line of a backup";
    let rest = line.strip_prefix(BEFORE.as_bytes()).and_then(|rest| rest.split_at_checked(DIGITS)).ok_or(SHAPE)?;
    let (digits, rest) = rest;
    let rest = rest.strip_prefix(b"\",\"").and_then(|rest| rest.strip_suffix(b"}")).ok_or(SHAPE)?;
    let found = Kind::ALL.into_iter().find_map(|kind| {
        let body = rest.strip_prefix(kind.name().as_bytes())?.strip_prefix(b"\":")?;
        Some((kind, body))
    });
    let (kind, body) = found.ok_or("its kind is none that this version knows")?;
    if checksum(kind, body).as_bytes() != digits {
        return Err("its checksum is not that of what it holds");
    }
    Ok((kind, body))
}

fn checksum(kind: Kind, body: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.name().as_bytes()).update(&[0]).update(body);
    hasher.finalize().to_hex().chars().take(DIGITS).collect()
}
