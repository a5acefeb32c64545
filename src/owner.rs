//! Who owns a home: a server writes the address of its listener for commands and a token into `HOME/server.json`, for commands on the same home.
//!
//! The file can be read by the user alone. It is stale when its process is gone or does not answer to the token.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::access::token::{hex, random};
use crate::error::Result;
use crate::private;

/// Name of the file in a home.
pub const FILE: &str = "server.json";

/// The server that owns a home.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Where it listens for commands of this home's user; loopback.
    pub address: SocketAddr,
    /// Where it serves everybody else: `https://thorax.example:8750`.
    #[serde(default)]
    pub serves: String,
    /// Its process.
    pub pid: u32,
    /// What a client must show.
    pub token: String,
    /// Version of the program.
    pub version: String,
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("address", &self.address).field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// The file, as long as the server lives.
#[derive(Debug)]
pub struct Registration {
    path: PathBuf,
    owner: Owner,
}

impl Registration {
    /// Writes the file for this process, with a token of its own.
    ///
    /// # Errors
    /// The system gives no random bytes, or the file cannot be written.
    pub fn write(home: &Path, address: SocketAddr, serves: &str) -> Result<Self> {
        let token = hex(&random::<32>()?);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let owner = Owner { address, serves: serves.to_owned(), pid: std::process::id(), token, version };
        let path = home.join(FILE);
        private::replace(&path, &serde_json::to_vec_pretty(&owner)?)?;
        Ok(Self { path, owner })
    }

    /// What it says.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // another server may have taken the home over
        if read(&self.path).is_some_and(|owner| owner == self.owner) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What the file of a home says, if its process lives; whether that one answers is for the caller to find out.
pub fn registered(home: &Path) -> Option<Owner> {
    read(&home.join(FILE)).filter(|owner| owner.address.ip().is_loopback() && lives(owner.pid))
}

fn read(path: &Path) -> Option<Owner> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Where there is no `/proc`, the answer to the token decides alone.
fn lives(pid: u32) -> bool {
    !Path::new("/proc/self").exists() || Path::new("/proc").join(pid.to_string()).exists()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_file_is_private_and_goes_with_the_server() {
        let home = tempfile::tempdir().unwrap();
        let address = "127.0.0.1:8750".parse().unwrap();
        let registration = Registration::write(home.path(), address, "http://127.0.0.1:8750").unwrap();
        let found = registered(home.path()).unwrap();
        assert_eq!(&found, registration.owner());
        assert_eq!(found.token.len(), 64);
        assert!(!format!("{found:?}").contains(&found.token));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(home.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        // a second server took over: the first one leaves its file alone
        let second = Registration::write(home.path(), address, "http://127.0.0.1:8750").unwrap();
        assert_ne!(second.owner().token, found.token);
        drop(registration);
        assert_eq!(registered(home.path()).as_ref(), Some(second.owner()));
        drop(second);
        assert!(registered(home.path()).is_none() && !home.path().join(FILE).exists());
    }

    #[test]
    fn a_file_of_a_dead_process_or_of_another_host_is_no_owner() {
        let home = tempfile::tempdir().unwrap();
        let write = |owner: &Owner| std::fs::write(home.path().join(FILE), serde_json::to_vec(owner).unwrap()).unwrap();
        let registration = Registration::write(home.path(), "127.0.0.1:1".parse().unwrap(), "").unwrap();
        let mine = registration.owner().clone();
        write(&Owner { pid: u32::MAX, ..mine.clone() });
        assert!(registered(home.path()).is_none());
        write(&Owner { address: "192.0.2.1:80".parse().unwrap(), ..mine });
        assert!(registered(home.path()).is_none());
        std::fs::write(home.path().join(FILE), "{").unwrap();
        assert!(registered(home.path()).is_none());
    }
}
