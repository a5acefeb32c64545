//! A file that is there as a whole or not at all: written beside its place, then renamed.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Where an export goes.
pub struct Target {
    place: Place,
}

enum Place {
    Stdout(io::Stdout),
    File { path: PathBuf, file: NamedTempFile, force: bool },
    Stream(Box<dyn Write + Send>),
}

impl Target {
    /// Standard output.
    pub fn stdout() -> Self {
        Self { place: Place::Stdout(io::stdout()) }
    }

    /// What takes the bytes as they come, such as the body of an answer.
    pub fn stream(out: impl Write + Send + 'static) -> Self {
        Self { place: Place::Stream(Box::new(out)) }
    }

    /// A file; one that is there is replaced only with `force`.
    ///
    /// # Errors
    /// It is there, or its folder cannot be written.
    pub fn file(path: &Path, force: bool) -> Result<Self> {
        if path.exists() && !force {
            return Err(exists(path));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().prefix(".thorax-export-").tempfile_in(folder);
        let file = file.map_err(|e| Error::Caller(format!("{} cannot be written: {e}", path.display())))?;
        Ok(Self { place: Place::File { path: path.to_owned(), file, force } })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// It was made by somebody else meanwhile, or the disk is full.
    pub fn finish(self) -> Result<()> {
        match self.place {
            Place::Stdout(mut out) => Ok(out.flush()?),
            Place::Stream(mut out) => Ok(out.flush()?),
            Place::File { path, file, force } => {
                file.as_file().sync_all()?;
                let kept = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
                kept.map(|_| ()).map_err(|e| match e.error.kind() {
                    io::ErrorKind::AlreadyExists => exists(&path),
                    _ => Error::Io(io::Error::new(e.error.kind(), format!("{}: {}", path.display(), e.error))),
                })
            }
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.place {
            Place::Stdout(out) => out.write(bytes),
            Place::Stream(out) => out.write(bytes),
            Place::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::Stdout(out) => out.flush(),
            Place::Stream(out) => out.flush(),
            Place::File { file, .. } => file.flush(),
        }
    }
}

fn exists(path: &Path) -> Error {
    Error::Caller(format!("{} is there already: take another name, or replace it with --force", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_appears_at_the_end_and_is_not_replaced_unasked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.csv");
        let mut target = Target::file(&path, false).unwrap();
        target.write_all(b"one").unwrap();
        assert!(!path.exists());
        target.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert!(Target::file(&path, false).is_err_and(|e| e.to_string().contains("--force")));

        let mut unfinished = Target::file(&path, true).unwrap();
        unfinished.write_all(b"half").unwrap();
        drop(unfinished);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left over");

        let mut target = Target::file(&path, true).unwrap();
        target.write_all(b"two").unwrap();
        target.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");

        // somebody else was quicker
        let late = dir.path().join("late.csv");
        let target = Target::file(&late, false).unwrap();
        std::fs::write(&late, b"theirs").unwrap();
        assert!(target.finish().is_err_and(|e| e.is_caller_fault()));
        assert_eq!(std::fs::read(&late).unwrap(), b"theirs");
    }
}
