//! The files below a folder, in a stable order.

use std::io;
use std::path::{Path, PathBuf};

use super::lines::reject_file;
use super::reader::Rejected;

/// Folders nested deeper than this are passed over.
const MAX_DEPTH: usize = 64;

/// All files below `root`, depth first, each folder in order of its names. A folder that cannot be read is one
/// rejection. Holds the names of the folders on the way only. Links to folders are followed, but not in circles.
pub(super) fn walk(root: &Path) -> Walk {
    Walk { stack: vec![Level { folder: root.to_owned(), real: None, names: None }] }
}

/// See [`walk`].
#[derive(Debug)]
pub(super) struct Walk {
    stack: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    folder: PathBuf,
    /// Where the folder lies without links.
    real: Option<PathBuf>,
    /// What is left of it, last first; read when its turn comes.
    names: Option<Vec<PathBuf>>,
}

impl Level {
    /// The folder's next entry.
    fn next(&mut self) -> io::Result<Option<PathBuf>> {
        if let Some(names) = &mut self.names {
            return Ok(names.pop());
        }
        self.names = Some(Vec::new());
        self.real = Some(fs_err::canonicalize(&self.folder)?);
        let mut names = Vec::new();
        for entry in fs_err::read_dir(&self.folder)? {
            names.push(entry?.path());
        }
        names.sort_unstable_by(|a, b| b.cmp(a));
        let next = names.pop();
        self.names = Some(names);
        Ok(next)
    }
}

impl Iterator for Walk {
    type Item = Result<PathBuf, Rejected>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let level = self.stack.last_mut()?;
            match level.next() {
                Err(error) => {
                    return Some(Err(reject_file(&level.folder, format!("cannot be read: {}", error.kind()))));
                }
                Ok(None) => {
                    self.stack.pop();
                }
                Ok(Some(path)) if path.is_dir() => {
                    let real = fs_err::canonicalize(&path).ok();
                    let circle = self.stack.iter().any(|level| level.real == real);
                    if !circle && self.stack.len() < MAX_DEPTH {
                        self.stack.push(Level { folder: path, real, names: None });
                    }
                }
                Ok(Some(path)) => return Some(Ok(path)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn nested_files_come_in_order_and_circles_end() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/2.txt", "b/1.txt", "a/z/9.txt", "c.txt"] {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, b"x").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("b/again")).unwrap();
        let found: Vec<String> = walk(folder.path())
            .map(|path| path.unwrap().strip_prefix(folder.path()).unwrap().display().to_string())
            .collect();
        assert_eq!(found, ["a/z/9.txt", "b/1.txt", "b/2.txt", "c.txt"]);
        let none: Vec<_> = walk(&folder.path().join("none")).collect();
        assert_eq!(none.len(), 1);
        assert!(none[0].is_err());
    }
}
