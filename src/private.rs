//! Files that their user alone may read.

use std::io::Write;
use std::path::Path;

use fs_err as fs;

use crate::error::Result;

/// Replaces a file as a whole: who reads it sees the old one or the new one, also after a power cut.
///
/// # Errors
/// The folder cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    // one that was left over may have other permissions
    let _ = fs::remove_file(beside);
    let mut file = create(beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    if let Some(folder) = path.parent() {
        thorax_index::sync_dir(folder)?;
    }
    Ok(())
}

/// Makes a file that must not be there yet.
///
/// # Errors
/// It is there, or the folder cannot be written.
pub fn create(path: &Path) -> Result<fs::File> {
    Ok(options().write(true).create_new(true).open(path)?)
}

/// Opens a file to read it and to write at its end; makes it where it is missing.
///
/// # Errors
/// It cannot be opened.
pub fn append(path: &Path) -> Result<fs::File> {
    Ok(options().read(true).append(true).create(true).open(path)?)
}

/// Waits until no other process holds this file's lock; it is let go with the answer.
///
/// # Errors
/// The file cannot be made or locked.
pub fn lock(path: &Path) -> Result<std::fs::File> {
    let file = options().write(true).create(true).truncate(false).open(path)?.into_file();
    file.lock()?;
    Ok(file)
}

#[cfg(unix)]
fn options() -> fs::OpenOptions {
    use fs_err::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn options() -> fs::OpenOptions {
    fs::OpenOptions::new()
}
