//! The vectors of an unfinished build, as an append-only file of chunks.
//!
//! A chunk is `magic, length, crc32` (4 bytes each, little endian) and a payload: the length of a JSON header (4 bytes), the header, and the vectors
//! of the entries that have one, in order. A chunk that is not whole (the process was killed while it was written) ends the file: it
//! and what follows is dropped, and its items are embedded again.

use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::error::{IndexError, Result};
use crate::vectors;

const MAGIC: u32 = u32::from_le_bytes(*b"TXC1");
const FRAME: usize = 12;

/// What became of one content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Its vector begins at this byte of the log.
    At(u64),
    /// It could not be embedded, and why.
    Failed(String),
}

/// An entry that the log holds.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub hash: String,
    pub outcome: Outcome,
    /// Copied from an earlier generation, not embedded in this build.
    pub carried: bool,
}

#[derive(Serialize, Deserialize)]
struct Header {
    carried: bool,
    entries: Vec<HeaderEntry>,
}

#[derive(Serialize, Deserialize)]
struct HeaderEntry {
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

/// An open log.
pub(crate) struct VectorLog {
    file: fs::File,
    end: u64,
    dimension: usize,
}

impl VectorLog {
    /// Opens or creates the log, drops what is not whole at its end, and tells what it holds, in the order of writing.
    pub(crate) fn open(path: &Path, dimension: usize) -> Result<(Self, Vec<Entry>)> {
        let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let length = file.metadata()?.len();
        let mut reader = BufReader::with_capacity(1 << 18, &file);
        let (mut entries, mut end) = (Vec::new(), 0);
        while let Some((chunk_length, chunk)) = read_chunk(&mut reader, end, length, dimension)? {
            entries.extend(chunk);
            end += chunk_length;
        }
        if end < length {
            file.set_len(end)?;
            file.sync_all()?;
        }
        Ok((Self { file, end, dimension }, entries))
    }

    /// Writes one chunk; when this returns it is on disk. Gives back where each entry's vector is.
    pub(crate) fn append(
        &mut self,
        entries: &[(String, Result<Vec<f32>, String>)],
        carried: bool,
    ) -> Result<Vec<Outcome>> {
        let header = Header {
            carried,
            entries: entries
                .iter()
                .map(|(hash, outcome)| HeaderEntry { hash: hash.clone(), failed: outcome.as_ref().err().cloned() })
                .collect(),
        };
        let header = serde_json::to_vec(&header)?;
        let mut payload = length_of(header.len())?.to_le_bytes().to_vec();
        payload.extend_from_slice(&header);
        let mut outcomes = Vec::with_capacity(entries.len());
        for (_, outcome) in entries {
            outcomes.push(match outcome {
                Ok(vector) if vector.len() != self.dimension => {
                    return Err(IndexError::WrongDimension { expected: self.dimension, found: vector.len() });
                }
                Ok(vector) => {
                    let at = self.end + (FRAME + payload.len()) as u64;
                    payload.extend(vectors::encode(vector));
                    Outcome::At(at)
                }
                Err(reason) => Outcome::Failed(reason.clone()),
            });
        }
        let mut chunk = Vec::with_capacity(FRAME + payload.len());
        chunk.extend(MAGIC.to_le_bytes());
        chunk.extend(length_of(payload.len())?.to_le_bytes());
        chunk.extend(crc32fast::hash(&payload).to_le_bytes());
        chunk.extend(payload);
        // a write that failed half-way leaves a torn chunk, which the next one overwrites
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&chunk)?;
        self.file.sync_data()?;
        self.end += chunk.len() as u64;
        Ok(outcomes)
    }

    /// The vector that begins at this byte.
    pub(crate) fn vector(&mut self, at: u64) -> Result<Vec<f32>> {
        let mut bytes = vec![0; self.dimension * 4];
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(&mut bytes)?;
        Ok(vectors::decode(&bytes))
    }
}

fn length_of(bytes: usize) -> Result<u32> {
    u32::try_from(bytes).map_err(|_| std::io::Error::other("a chunk of vectors is larger than 4 GB").into())
}

/// The chunk that begins at `start`, with its length; `None` when there is no whole chunk.
fn read_chunk(
    reader: &mut impl Read,
    start: u64,
    file_length: u64,
    dimension: usize,
) -> Result<Option<(u64, Vec<Entry>)>> {
    let mut frame = [0; FRAME];
    if start + FRAME as u64 > file_length {
        return Ok(None);
    }
    reader.read_exact(&mut frame)?;
    let word = |at: usize| frame.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
    let (magic, length, crc) = (word(0), u64::from(word(4)), word(8));
    let end = start + FRAME as u64 + length;
    if magic != MAGIC || end > file_length {
        return Ok(None);
    }
    let mut payload = vec![0; length as usize];
    reader.read_exact(&mut payload)?;
    if crc32fast::hash(&payload) != crc {
        return Ok(None);
    }
    Ok(entries_of(&payload, start + FRAME as u64, dimension).map(|entries| (end - start, entries)))
}

fn entries_of(payload: &[u8], start: u64, dimension: usize) -> Option<Vec<Entry>> {
    let (length, rest) = payload.split_at_checked(4)?;
    let (header, vectors) = rest.split_at_checked(u32::from_le_bytes(length.try_into().ok()?) as usize)?;
    let header: Header = serde_json::from_slice(header).ok()?;
    let vector_bytes = dimension * 4;
    let mut at = 0;
    let entry = |entry: HeaderEntry| {
        let outcome = match entry.failed {
            Some(reason) => Outcome::Failed(reason),
            None => {
                let here = start + (payload.len() - vectors.len() + at) as u64;
                at += vector_bytes;
                Outcome::At(here)
            }
        };
        Entry { hash: entry.hash, outcome, carried: header.carried }
    };
    let entries: Vec<Entry> = header.entries.into_iter().map(entry).collect();
    (at == vectors.len()).then_some(entries)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn chunk(first: u8) -> Vec<(String, Result<Vec<f32>, String>)> {
        vec![
            (format!("h{first}"), Ok(vec![f32::from(first), 1.0])),
            (format!("f{first}"), Err("no pixels".to_owned())),
            (format!("g{first}"), Ok(vec![f32::from(first), 2.0])),
        ]
    }

    #[test]
    fn a_log_cut_or_flipped_anywhere_keeps_its_whole_chunks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("images.log");
        let (mut log, entries) = VectorLog::open(&path, 2).unwrap();
        assert!(entries.is_empty());
        let mut ends = vec![0];
        for first in 0..3 {
            log.append(&chunk(first), first == 0).unwrap();
            ends.push(log.end as usize);
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut log, entries) = VectorLog::open(&path, 2).unwrap();
            let chunks = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert_eq!(entries.len(), chunks * 3, "cut at {cut}");
            assert_eq!(std::fs::metadata(&path).unwrap().len() as usize, ends[chunks]);
            if cut % 16 != 0 {
                continue;
            }
            // what is appended afterwards is found again
            log.append(&chunk(9), false).unwrap();
            let (mut log, entries) = VectorLog::open(&path, 2).unwrap();
            assert_eq!(entries.len(), chunks * 3 + 3);
            let last = entries.last().unwrap();
            let Outcome::At(at) = last.outcome else { panic!("a vector was written") };
            assert_eq!(log.vector(at).unwrap(), [9.0, 2.0]);
        }
        for byte in (0..whole.len()).step_by(3) {
            let mut flipped = whole.clone();
            flipped[byte] ^= 0x10;
            std::fs::write(&path, &flipped).unwrap();
            let (_, entries) = VectorLog::open(&path, 2).unwrap();
            let chunks = ends.iter().filter(|end| **end <= byte).count() - 1;
            assert_eq!(entries.len(), chunks * 3, "byte {byte}");
        }
    }

    #[test]
    fn entries_come_back_as_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("images.log");
        let (mut log, _) = VectorLog::open(&path, 2).unwrap();
        let outcomes = log.append(&chunk(5), true).unwrap();
        let (_, entries) = VectorLog::open(&path, 2).unwrap();
        assert_eq!(entries.iter().map(|e| e.outcome.clone()).collect::<Vec<_>>(), outcomes);
        assert!(entries.iter().all(|e| e.carried));
        assert_eq!(entries[1].outcome, Outcome::Failed("no pixels".to_owned()));
        assert!(matches!(
            log.append(&[("x".to_owned(), Ok(vec![1.0]))], false),
            Err(IndexError::WrongDimension { .. })
        ));
    }
}
