//! A backup line by line. Everything is checked on the way: each line, their order, and at the end the whole.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use fs_err as fs;
use thorax_index::read_stored;

use super::format::{End, FORMAT, FileLine, Header, Kind, RecordLine, parse};
use crate::error::{Error, Result};

/// Name of the lines in a folder.
pub const LINES: &str = "catalogue.jsonl";

/// What a line brings.
#[derive(Debug)]
pub enum Part<'a> {
    /// A study as the catalogue stores it.
    Study(&'a [u8]),
    /// A record.
    Record(&'a RecordLine),
    /// A file of the folder.
    File(&'a FileLine),
}

/// The file of lines, and the folder of the other files where there is one.
pub fn parts(path: &Path) -> (PathBuf, Option<PathBuf>) {
    if path.is_dir() { (path.join(LINES), Some(path.to_owned())) } else { (path.to_owned(), None) }
}

/// Reads the whole backup, its other files too, and keeps nothing.
///
/// # Errors
/// [`Error::Backup`] names the line.
pub fn verify(path: &Path) -> Result<End> {
    let (lines, folder) = parts(path);
    read(&lines, |part| match (part, &folder) {
        (Part::File(file), Some(folder)) => check_file(folder, file),
        (Part::File(_), None) => Err("it names a file, and the backup is no folder".to_owned()),
        _ => Ok(()),
    })
}

/// Calls `visit` with each line. What it has seen before an error may be a part only.
///
/// # Errors
/// [`Error::Backup`] names the line; [`Error::Io`].
pub fn read(path: &Path, mut visit: impl FnMut(Part<'_>) -> Result<(), String>) -> Result<End> {
    let mut lines = BufReader::with_capacity(1 << 18, fs::File::open(path)?);
    let mut state = State::default();
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        let damaged = |reason: &str| Error::Backup { path: path.to_owned(), line: number, reason: reason.to_owned() };
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return state.end.ok_or_else(|| damaged("it is missing: the backup ends before its last line"));
        }
        let Some(text) = line.strip_suffix(b"\n") else {
            return Err(damaged("it is cut off"));
        };
        state.take(text, &mut visit).map_err(|reason| damaged(&reason))?;
        state.hasher.update(&line);
    }
}

#[derive(Default)]
struct State {
    header: Option<Header>,
    counted: End,
    last_id: Option<String>,
    hasher: blake3::Hasher,
    end: Option<End>,
}

impl State {
    fn take(&mut self, line: &[u8], visit: &mut impl FnMut(Part<'_>) -> Result<(), String>) -> Result<(), String> {
        let (kind, body) = parse(line)?;
        let unreadable = |_| "what it holds does not parse".to_owned();
        if self.end.is_some() {
            return Err("it comes after the last line".to_owned());
        }
        if kind == Kind::Header {
            if self.header.is_some() {
                return Err("it is a second first line".to_owned());
            }
            return self.begin(body);
        }
        let Some(header) = &self.header else {
            return Err("it is not the first line of a backup".to_owned());
        };
        match kind {
            Kind::Header => Ok(()),
            Kind::Study => {
                let stored = read_stored(body)?;
                if stored.sequence > header.sequence {
                    return Err("its study is later than the backup".to_owned());
                }
                if self.last_id.as_ref().is_some_and(|last| *last >= stored.id) {
                    return Err("its study is not in the order of the ids".to_owned());
                }
                self.last_id = Some(stored.id);
                self.counted.studies += 1;
                visit(Part::Study(body))
            }
            Kind::Record => {
                let record: RecordLine = serde_json::from_slice(body).map_err(unreadable)?;
                record.bytes().ok_or("its record is no hex digits")?;
                self.counted.records += 1;
                visit(Part::Record(&record))
            }
            Kind::File => {
                let file: FileLine = serde_json::from_slice(body).map_err(unreadable)?;
                // a backup may come from anywhere
                if file.path.starts_with('/') || file.path.split('/').any(|part| matches!(part, "" | "." | "..")) {
                    return Err("its file lies outside the backup".to_owned());
                }
                self.counted.files += 1;
                visit(Part::File(&file))
            }
            Kind::End => {
                let end: End = serde_json::from_slice(body).map_err(unreadable)?;
                self.finish(end)
            }
        }
    }

    fn begin(&mut self, body: &[u8]) -> Result<(), String> {
        #[derive(serde::Deserialize)]
        struct Format {
            format: u64,
        }
        let unreadable = |_| "what it holds does not parse".to_owned();
        let found = serde_json::from_slice::<Format>(body).map_err(unreadable)?.format;
        if found != FORMAT {
            return Err(format!(
                "the backup has format {found}, this program knows format {FORMAT}: use the program that wrote it, or a newer one"
            ));
        }
        self.header = Some(serde_json::from_slice(body).map_err(unreadable)?);
        Ok(())
    }

    fn finish(&mut self, end: End) -> Result<(), String> {
        let Some(header) = &self.header else { return Err("there is no first line".to_owned()) };
        let expected = End {
            identity: header.identity.clone(),
            sequence: header.sequence,
            record_changes: header.record_changes,
            blake3: self.hasher.finalize().to_hex().to_string(),
            ..self.counted.clone()
        };
        if end != expected {
            return Err("it counts other lines than those before it".to_owned());
        }
        self.end = Some(end);
        Ok(())
    }
}

/// Compares a file with what its line says.
pub(super) fn check_file(folder: &Path, file: &FileLine) -> Result<(), String> {
    let path = folder.join(&file.path);
    let (bytes, hash) = thorax_index::checksum(&path).map_err(|error| error.to_string())?;
    if (bytes, hash.as_str()) == (file.bytes, file.blake3.as_str()) {
        return Ok(());
    }
    Err(format!("the file {} is not the one that was saved", file.path))
}
