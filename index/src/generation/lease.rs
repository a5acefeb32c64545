//! Generations that are read: their files stay until the last reader is done, whatever process it is in.
//!
//! A reader holds a shared lock on the manifest; who removes a generation asks for the exclusive one first and passes over
//! what he does not get. Where the system has no locks, nothing is kept: files that are open or mapped stay readable anyway.

use std::path::Path;

use fs_err as fs;

use crate::disk;
use crate::error::Result;

use super::layout::{Layout, MANIFEST};

/// Keeps a generation's files as long as it lives.
#[derive(Debug)]
pub(crate) struct Lease {
    _manifest: Option<fs::File>,
}

impl Lease {
    /// Waits while the generation is being removed; whoever takes a lease checks afterwards that the files are there.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        let manifest = fs::File::open(dir.join(MANIFEST))?;
        let locked = manifest.file().lock_shared().is_ok();
        Ok(Self { _manifest: locked.then_some(manifest) })
    }
}

/// Removes a generation unless somebody reads it; tells whether it is gone.
pub(crate) fn remove_unless_read(dir: &Path) -> Result<bool> {
    // without a manifest it was never finished, or is removed in part: nobody can read it
    if let Ok(manifest) = fs::File::open(dir.join(MANIFEST)) {
        if matches!(manifest.file().try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
            return Ok(false);
        }
        disk::remove(dir)?;
        return Ok(true);
    }
    disk::remove(dir)?;
    Ok(true)
}

/// Removes the generations before the one that serves, but for those that are read; how many were removed.
///
/// # Errors
/// Files that cannot be removed.
pub fn remove_unread(home: &Path) -> Result<usize> {
    let layout = Layout::new(home);
    let Some(current) = layout.current()? else { return Ok(0) };
    let mut removed = 0;
    for older in layout.generations()?.into_iter().filter(|number| *number < current.generation) {
        removed += usize::from(remove_unless_read(&layout.generation(older))?);
    }
    Ok(removed)
}
