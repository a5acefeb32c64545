//! `HOME/tokens.json`: readable by its user alone, and replaced as a whole.
//!
//! A token that was revoked stays in the file, so that a list and the audit log can name it, and so that revoking the last
//! token does not open the server.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::token::{Token, now};
use crate::error::{Error, Result};
use crate::private;

/// Name of the file in a home.
pub const FILE: &str = "tokens.json";

/// The tokens of a home.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// Oldest first.
    pub tokens: Vec<Token>,
}

impl Tokens {
    /// Reads the file of a home; none is no tokens.
    ///
    /// # Errors
    /// It cannot be read, or is not what was written.
    pub fn read(home: &Path) -> Result<Self> {
        let path = path(home);
        let bytes = match fs_err::read(&path) {
            Ok(bytes) => bytes,
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(fault) => return Err(fault.into()),
        };
        serde_json::from_slice(&bytes).map_err(|fault| {
            Error::Caller(format!(
                "{}: {fault}; nobody gets in until it is mended: remove it, then make new tokens with `thorax token create`",
                path.display()
            ))
        })
    }

    /// The token of this id.
    pub fn get(&self, id: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.id == id)
    }
}

/// Adds a token.
///
/// # Errors
/// The file cannot be read or written.
pub fn add(home: &Path, token: Token) -> Result<()> {
    change(home, |tokens| {
        tokens.tokens.push(token);
        Ok(())
    })
}

/// Revokes a token for good; answers it.
///
/// # Errors
/// There is none of that id, or the file cannot be written.
pub fn revoke(home: &Path, id: &str) -> Result<Token> {
    change(home, |tokens| {
        let token = tokens.tokens.iter_mut().find(|token| token.id == id).ok_or_else(|| {
            Error::Caller(format!(
                "there is no token with the id '{id}'; `thorax token list` names those that are there"
            ))
        })?;
        token.revoked.get_or_insert_with(now);
        Ok(token.clone())
    })
}

/// One change at a time, also among processes.
fn change<T>(home: &Path, with: impl FnOnce(&mut Tokens) -> Result<T>) -> Result<T> {
    let _lock = private::lock(&home.join("tokens.lock"))?;
    let mut tokens = Tokens::read(home)?;
    let answer = with(&mut tokens)?;
    private::replace(&path(home), &serde_json::to_vec_pretty(&tokens)?)?;
    Ok(answer)
}

/// Where the file is.
pub fn path(home: &Path) -> PathBuf {
    home.join(FILE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::access::Role;

    #[test]
    fn tokens_are_kept_also_when_two_are_made_at_once() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Tokens::read(home.path()).unwrap(), Tokens::default());
        let token = Token::create("x", Role::Keeper, None).unwrap().0;
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (home, token) = (home.path(), Token { id: format!("{number}"), ..token.clone() });
                scope.spawn(move || add(home, token).unwrap());
            }
        });
        assert_eq!(Tokens::read(home.path()).unwrap().tokens.len(), 8);
        assert!(revoke(home.path(), "3").unwrap().revoked.is_some());
        assert!(!Tokens::read(home.path()).unwrap().get("3").unwrap().is_valid());
        assert!(revoke(home.path(), "9").unwrap_err().is_caller_fault());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path(home.path())).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs_err::write(path(home.path()), "{").unwrap();
        let fault = Tokens::read(home.path()).unwrap_err();
        assert!(fault.to_string().contains("tokens.json"), "{fault}");
    }
}
