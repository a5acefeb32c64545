//! Where a backup goes. It is written beside its place, synced and renamed: a stopped backup leaves the one before as it was.

use std::ffi::OsString;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use fs_err as fs;
use thorax_index::{Catalogue, checksum, sync_dir};

use super::format::{End, FileLine};
use super::read::LINES;
use super::write::write;
use crate::error::{Error, Result};
use crate::home::Home;

/// Ends the name of what is not finished.
const UNFINISHED: &str = ".thorax-new";

/// Saves the catalogue into the file `to`, in place of what it held.
///
/// # Errors
/// A damaged record; a file that cannot be written.
pub fn to_file(catalogue: &Catalogue, to: &Path) -> Result<End> {
    let beside = beside(to)?;
    let done = write_lines(catalogue, &[], &beside).and_then(|end| {
        fs::rename(&beside, to)?;
        sync_folder_of(to)?;
        Ok(end)
    });
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done
}

/// Saves the catalogue, the configuration and, with `models`, the models into a folder: into `to` where it does not exist, else into
/// a new folder in it. Answers the folder.
///
/// # Errors
/// As [`to_file`].
pub fn to_folder(home: &Home, catalogue: &Catalogue, to: &Path, models: bool) -> Result<(End, PathBuf)> {
    let place = match to.exists() {
        true => free_name(to, catalogue.sequence()?),
        false => to.to_owned(),
    };
    let beside = beside(&place)?;
    if beside.exists() {
        fs::remove_dir_all(&beside)?;
    }
    let done = fill(home, catalogue, &beside, models).and_then(|end| {
        fs::rename(&beside, &place)?;
        sync_folder_of(&place)?;
        Ok(end)
    });
    if done.is_err() {
        let _ = fs::remove_dir_all(&beside);
    }
    Ok((done?, place))
}

fn fill(home: &Home, catalogue: &Catalogue, dir: &Path, models: bool) -> Result<End> {
    fs::create_dir_all(dir)?;
    let mut files = Vec::new();
    for (from, name) in sources(home, models)? {
        let target = dir.join(&name);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(&from, &target)?;
        fs::File::open(&target)?.sync_all()?;
        let (bytes, blake3) = checksum(&target)?;
        files.push(FileLine { path: name, bytes, blake3 });
    }
    let end = write_lines(catalogue, &files, &dir.join(LINES))?;
    fs::File::open(dir)?.sync_all()?;
    Ok(end)
}

/// Files of the home, and their names in the backup, in order.
fn sources(home: &Home, models: bool) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let mut add = |dir: &Path, prefix: &str| -> Result<Vec<PathBuf>> {
        let mut folders = Vec::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
            // runs under way, and temporary files
            if name.starts_with('.') || name.ends_with(".new") {
                continue;
            }
            if path.is_dir() { folders.push(path) } else { files.push((path, format!("{prefix}{name}"))) }
        }
        Ok(folders)
    };
    let root = home.path().join("models");
    if models && root.is_dir() {
        for model in add(&root, "models/")? {
            let name = model.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            add(&model, &format!("models/{name}/"))?;
        }
    }
    let config = home.path().join(crate::config::FILE);
    if config.is_file() {
        files.push((config, crate::config::FILE.to_owned()));
    }
    files.sort();
    Ok(files)
}

fn write_lines(catalogue: &Catalogue, files: &[FileLine], to: &Path) -> Result<End> {
    let mut out = BufWriter::with_capacity(1 << 18, create_private(to)?);
    let end = write(catalogue, files, &mut out)?;
    let file = out.into_inner().map_err(|error| Error::Io(error.into_error()))?;
    file.sync_all()?;
    Ok(end)
}

/// A backup holds report text: for its owner's eyes.
fn create_private(path: &Path) -> Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    Ok(options.open(path)?)
}

fn beside(to: &Path) -> Result<PathBuf> {
    let name = to.file_name().ok_or_else(|| Error::Caller(format!("{} names no file", to.display())))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(UNFINISHED);
    Ok(to.with_file_name(hidden))
}

fn free_name(dir: &Path, sequence: u64) -> PathBuf {
    let plain = dir.join(format!("thorax-backup-{sequence}"));
    let numbered = |number: usize| dir.join(format!("thorax-backup-{sequence}-{number}"));
    std::iter::once(plain.clone()).chain((2..).map(numbered)).find(|path| !path.exists()).unwrap_or(plain)
}

pub(super) fn sync_folder_of(path: &Path) -> Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(sync_dir(parent)?)
}
