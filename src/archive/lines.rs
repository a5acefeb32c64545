//! Physical lines of a file, each with its place, so that a reader can come back to it.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::reader::Rejected;

/// A line longer than this is rejected: what is not text may have no line end for gigabytes.
pub(super) const MAX_LINE: u64 = 16 << 20;

/// Where a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Offset in the file.
    pub byte: u64,
    /// Line number from 1.
    pub line: u64,
}

impl Place {
    /// The record at this place of `file`, rejected.
    pub fn reject(self, file: &Path, reason: impl Into<String>) -> Rejected {
        Rejected { file: file.to_owned(), record: Some(format!("line {}", self.line)), reason: reason.into() }
    }
}

/// The file as a whole, rejected.
pub(super) fn reject_file(file: &Path, reason: impl Into<String>) -> Rejected {
    Rejected { file: file.to_owned(), record: None, reason: reason.into() }
}

/// What [`Lines::read`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// A line was appended, with its line end where it has one.
    Line,
    /// A line longer than [`MAX_LINE`] was skipped.
    TooLong,
    /// The end of the file.
    End,
}

/// The lines of a file.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    file: BufReader<fs_err::File>,
    place: Place,
}

impl Lines {
    /// Opens `path`; a byte order mark of UTF-8 is passed over.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 13, fs_err::File::open(path)?);
        let mut place = Place { byte: 0, line: 1 };
        if file.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            file.consume(3);
            place.byte = 3;
        }
        Ok(Lines { path: path.to_owned(), file, place })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the next line begins.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Goes to a place that [`Lines::place`] gave.
    pub fn seek(&mut self, place: Place) -> io::Result<()> {
        // Relative, so that a near place is found in the buffer.
        match i64::try_from(i128::from(place.byte) - i128::from(self.place.byte)) {
            Ok(0) => {}
            Ok(distance) => self.file.seek_relative(distance)?,
            Err(_) => {
                self.file.seek(SeekFrom::Start(place.byte))?;
            }
        }
        self.place = place;
        Ok(())
    }

    /// Appends the next line to `buffer`.
    pub fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Got> {
        let before = buffer.len();
        let taken = self.file.by_ref().take(MAX_LINE).read_until(b'\n', buffer)? as u64;
        if taken == 0 {
            return Ok(Got::End);
        }
        self.place.byte += taken;
        if taken == MAX_LINE && buffer.last() != Some(&b'\n') {
            buffer.truncate(before);
            self.place.byte += self.skip_line()?;
            self.place.line += 1;
            return Ok(Got::TooLong);
        }
        self.place.line += 1;
        Ok(Got::Line)
    }

    /// Passes over the rest of a line; returns how many bytes.
    fn skip_line(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let buffer = self.file.fill_buf()?;
            if buffer.is_empty() {
                return Ok(skipped);
            }
            let (length, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), false),
            };
            self.file.consume(length);
            skipped += length as u64;
            if ended {
                return Ok(skipped);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn lines_of(content: &[u8]) -> (tempfile::TempDir, Lines) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.txt");
        fs_err::write(&path, content).unwrap();
        let lines = Lines::open(&path).unwrap();
        (folder, lines)
    }

    #[test]
    fn places_lead_back() {
        let (_folder, mut lines) = lines_of(b"\xef\xbb\xbfone\r\ntwo\nthree");
        let mut places = Vec::new();
        let mut read = Vec::new();
        loop {
            let place = lines.place();
            let mut line = Vec::new();
            if lines.read(&mut line).unwrap() == Got::End {
                break;
            }
            places.push(place);
            read.push(line);
        }
        assert_eq!(read, [b"one\r\n".to_vec(), b"two\n".to_vec(), b"three".to_vec()]);
        assert_eq!(places.iter().map(|p| p.line).collect::<Vec<_>>(), [1, 2, 3]);
        for (place, line) in places.iter().zip(&read).rev() {
            lines.seek(*place).unwrap();
            let mut again = Vec::new();
            lines.read(&mut again).unwrap();
            assert_eq!(&again, line);
        }
    }

    #[test]
    fn endless_line_is_skipped_and_the_next_is_read() {
        let mut content = vec![b'x'; MAX_LINE as usize + 100];
        content.extend_from_slice(b"\nshort\n");
        let (_folder, mut lines) = lines_of(&content);
        let mut line = Vec::new();
        assert_eq!(lines.read(&mut line).unwrap(), Got::TooLong);
        assert!(line.is_empty());
        assert_eq!(lines.place().line, 2);
        assert_eq!(lines.read(&mut line).unwrap(), Got::Line);
        assert_eq!(line, b"short\n");
        assert_eq!(lines.read(&mut line).unwrap(), Got::End);
    }
}
