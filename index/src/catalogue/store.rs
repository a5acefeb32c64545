//! Opening sled: its lock, its permissions, and its panics.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use crate::error::{IndexError, Result};

/// A catalogue closed a moment ago in this process lets go of its lock a little later.
const ATTEMPTS: usize = 5;
const WAIT: Duration = Duration::from_millis(40);
/// sled's default is 1 GB, which belongs to the encoders.
const CACHE_BYTES: u64 = 64 << 20;

/// A store, and whether its snapshot was thrown away to open it: then it is to be seen whether every record is there.
pub(super) struct Opened {
    pub(super) db: sled::Db,
    pub(super) healed: bool,
}

/// Opens a new store or one that was there.
pub(super) fn open(path: &Path) -> Result<Opened> {
    let (mut attempt, mut healed) = (1, false);
    loop {
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES);
        // sled 0.34 panics on most damage to its file
        let opened = catch_unwind(AssertUnwindSafe(|| config.open())).map_err(|_| IndexError::DamagedCatalogue {
            path: path.to_owned(),
            reason: "its file cannot be read".to_owned(),
        })?;
        match opened {
            Ok(db) => return Ok(Opened { db, healed }),
            Err(sled::Error::Io(error)) if error.to_string().starts_with("could not acquire lock") => {
                if attempt == ATTEMPTS {
                    return Err(IndexError::InUse { path: path.to_owned() });
                }
            }
            Err(sled::Error::Io(source))
                if matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) =>
            {
                return Err(IndexError::ReadOnly { path: path.to_owned(), source });
            }
            // sled 0.34 cannot pass over a snapshot that a full disk cut off; it makes it anew from its log
            Err(sled::Error::Corruption { at: None, .. }) if !healed && remove_snapshots(path)? => {
                healed = true;
                continue;
            }
            Err(error @ sled::Error::Corruption { .. }) => {
                return Err(IndexError::DamagedCatalogue { path: path.to_owned(), reason: error.to_string() });
            }
            Err(source) => return Err(failed(path, source)),
        }
        attempt += 1;
        std::thread::sleep(WAIT);
    }
}

/// Removes sled's snapshots, which only spare it reading its log; tells whether there were any.
fn remove_snapshots(path: &Path) -> Result<bool> {
    let mut found = false;
    for entry in fs_err::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            fs_err::remove_file(entry.path())?;
            found = true;
        }
    }
    Ok(found)
}

/// What sled says, told apart where the user can mend it.
pub(super) fn failed(path: &Path, source: sled::Error) -> IndexError {
    let path = path.to_owned();
    match source {
        // sled repeats an error of its background thread as text
        sled::Error::Io(error)
            if error.kind() == ErrorKind::StorageFull || error.to_string().contains("StorageFull") =>
        {
            IndexError::DiskFull { path }
        }
        sled::Error::Io(source)
            if matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) =>
        {
            IndexError::ReadOnly { path, source }
        }
        source => IndexError::Store { path, source },
    }
}

/// A name that no other catalogue has.
pub(super) fn new_identity(db: &sled::Db) -> Result<String, sled::Error> {
    let mut hasher = blake3::Hasher::new();
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    hasher.update(&since.as_nanos().to_be_bytes());
    hasher.update(&std::process::id().to_be_bytes());
    hasher.update(&db.generate_id()?.to_be_bytes());
    Ok(hasher.finalize().to_hex().chars().take(16).collect())
}
