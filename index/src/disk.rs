//! Files that survive a hard stop: fsync of files and folders, replacement by rename, checksums while reading.

use std::io::{Read, Write};
use std::path::Path;

use fs_err as fs;

use crate::error::Result;

/// Makes the folder's entries durable: a created or renamed file is only there after a crash once its folder is synced.
///
/// # Errors
/// The folder cannot be opened or synced.
pub fn sync_dir(dir: &Path) -> Result<()> {
    fs::File::open(dir)?.sync_all()?;
    Ok(())
}

/// Writes `bytes` to `path` so that after a crash there is the old content or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Length and BLAKE3 (hex) of a file.
///
/// # Errors
/// The file cannot be read.
pub fn checksum(path: &Path) -> Result<(u64, String)> {
    let mut file = fs::File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((length, hasher.finalize().to_hex().to_string()));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        length += read as u64;
    }
}

/// Removes a file or folder; nothing to remove is no error.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let outcome = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match outcome {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
