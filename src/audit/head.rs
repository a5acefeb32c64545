//! How far the log reached when it was last made durable.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::chain::{Key, Link};
use crate::error::{Error, Result};
use crate::private;

/// Name of its file.
const FILE: &str = "head.json";

/// How far the log reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The last line.
    #[serde(flatten)]
    pub link: Link,
    /// Length of the log up to its end, bytes.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    #[serde(flatten)]
    head: Head,
    /// Keyed hash of the others.
    mac: String,
}

impl Head {
    /// Reads the head of a folder; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read, or was not written with this key.
    pub fn read(folder: &Path, key: &Key) -> Result<Option<Self>> {
        let path = folder.join(FILE);
        let bytes = match fs_err::read(&path) {
            Ok(bytes) => bytes,
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(fault.into()),
        };
        let signed: Option<Signed> = serde_json::from_slice(&bytes).ok();
        match signed {
            Some(signed) if signed.mac == mac(&signed.head, key)? => Ok(Some(signed.head)),
            _ => Err(Error::Differs(format!(
                "{}: edited: it does not fit the key; how far the log reached is not known",
                path.display()
            ))),
        }
    }

    /// Writes it, durably.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path, key: &Key) -> Result<()> {
        let signed = Signed { head: self.clone(), mac: mac(self, key)? };
        private::replace(&folder.join(FILE), &serde_json::to_vec(&signed)?)
    }
}

fn mac(head: &Head, key: &Key) -> Result<String> {
    Ok(key.hash(&serde_json::to_vec(&("head", head))?).to_hex().to_string())
}
