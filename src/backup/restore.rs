//! A backup into a home. Everything is verified before anything is written, and the catalogue is there as a whole or not at all.

use std::collections::BTreeMap;
use std::path::Path;

use fs_err as fs;
use thorax_index::Restore;

use super::format::End;
use super::read::{Part, parts, read, verify};
use super::target::sync_folder_of;
use crate::error::{Error, Result};
use crate::home::Home;

/// Restores; `force` replaces a home's studies, and models of the same names. Answers what the backup held.
///
/// The models come first, each put in place by a rename, the catalogue last: a restore that was stopped is done again.
///
/// # Errors
/// A damaged backup, a home that has studies, a home that another process owns, files that cannot be written.
pub fn restore(home: &Home, from: &Path, force: bool) -> Result<End> {
    let end = verify(from)?;
    let mut catalogue = Restore::begin(home.path(), force)?;
    let (lines, folder) = parts(from);
    let mut files = Vec::new();
    let mut failed = None;
    let again = read(&lines, |part| {
        let outcome = match part {
            Part::Study(stored) => catalogue.study(stored),
            Part::Record(record) => match record.bytes() {
                Some((key, value)) => catalogue.record(&record.tree, &key, &value),
                None => Ok(()),
            },
            Part::File(file) => {
                files.push(file.path.clone());
                Ok(())
            }
        };
        outcome.map_err(|error| {
            failed = Some(error);
            String::new()
        })
    });
    match (failed, again) {
        (Some(error), _) => return Err(error.into()),
        (None, Err(error)) => return Err(error),
        (None, Ok(seen)) if seen != end => {
            return Err(Error::Caller(format!("{} was changed while it was read", lines.display())));
        }
        (None, Ok(_)) => {}
    }
    if let Some(folder) = folder {
        copy_files(home, &folder, &files, force)?;
    }
    catalogue.finish(end.sequence, end.record_changes)?;
    Ok(end)
}

/// Models as whole folders; a file that is there already stays, unless `force`.
fn copy_files(home: &Home, folder: &Path, files: &[String], force: bool) -> Result<()> {
    let mut models: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in files {
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["models", model, _] => models.entry(model).or_default().push(path),
            ["models", "DEFAULT"] | ["thorax.toml"] => {
                let target = home.path().join(path);
                if force || !target.exists() {
                    copy(&folder.join(path), &target)?;
                }
            }
            _ => return Err(Error::Caller(format!("the backup holds {path}, which this version does not know"))),
        }
    }
    for (model, paths) in models {
        let place = home.model_dir(model)?;
        if place.exists() && !force {
            continue;
        }
        let staging = place.with_file_name(format!(".{model}.import"));
        if staging.exists() {
            fs::remove_dir_all(&staging)?;
        }
        for path in paths {
            let name = path.rsplit('/').next().unwrap_or_default();
            copy(&folder.join(path), &staging.join(name))?;
        }
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::rename(&staging, &place)?;
        sync_folder_of(&place)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, to)?;
    fs::File::open(to)?.sync_all()?;
    Ok(())
}
