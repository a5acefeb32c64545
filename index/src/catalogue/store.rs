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

pub(super) fn open(path: &Path) -> Result<sled::Db> {
    let mut attempt = 1;
    loop {
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES);
        // sled 0.34 panics on most damage to its file
        let opened = catch_unwind(AssertUnwindSafe(|| config.open())).map_err(|_| IndexError::DamagedCatalogue {
            path: path.to_owned(),
            reason: "its file cannot be read".to_owned(),
        })?;
        match opened {
            Ok(db) => return Ok(db),
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
            Err(error @ sled::Error::Corruption { .. }) => {
                return Err(IndexError::DamagedCatalogue { path: path.to_owned(), reason: error.to_string() });
            }
            Err(source) => return Err(failed(path, source)),
        }
        attempt += 1;
        std::thread::sleep(WAIT);
    }
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
