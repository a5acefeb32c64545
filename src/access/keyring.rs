//! Tokens and sign-in sessions as a server checks them.
//!
//! argon2 runs once per token and server run: a token that was found right is remembered by its BLAKE3 hash. The file is looked
//! at on every request, so that a token that was revoked or has expired is refused from then on, and with it its sessions.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use blake3::Hash;

use super::file::{self, Tokens};
use super::role::Role;
use super::token::{self, Token, hex, random};
use crate::error::Result;

/// A session that nobody used for so long has ended.
pub const IDLE: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions of a server; the one that was used longest ago makes room.
const SESSIONS: usize = 4096;
/// Tokens that are remembered: one entry for each secret that was right.
const REMEMBERED: usize = 4096;

/// Whose request it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Id of the token.
    pub id: String,
    /// Name of the token.
    pub name: String,
    /// What it permits.
    pub role: Role,
}

/// The tokens of a home, and who has signed in with them.
pub struct Keyring {
    home: PathBuf,
    state: Mutex<State>,
    /// One argon2 at a time: each takes 19 MiB.
    verifying: Mutex<()>,
}

#[derive(Default)]
struct State {
    seen: Option<Stamp>,
    tokens: Tokens,
    /// The file cannot be read: nobody gets in, and nobody is let in for want of tokens.
    broken: bool,
    known: HashMap<Hash, Known>,
    sessions: HashMap<Hash, (Known, Instant)>,
}

/// A token as it was when it was found right.
#[derive(Clone)]
struct Known {
    id: String,
    hash: String,
}

/// What tells one state of the file from another.
type Stamp = Option<(SystemTime, u64, u64)>;

impl Keyring {
    /// The tokens of a home.
    pub fn new(home: &Path) -> Self {
        Self { home: home.to_owned(), state: Mutex::default(), verifying: Mutex::default() }
    }

    /// Whether any token was ever made, revoked or not.
    pub fn any(&self) -> bool {
        let state = self.fresh();
        state.broken || !state.tokens.tokens.is_empty()
    }

    /// Whether a token lets somebody in now.
    pub fn any_valid(&self) -> bool {
        self.fresh().tokens.tokens.iter().any(Token::is_valid)
    }

    /// Whose token this is, where it was found right before: answers at once.
    pub fn remembered(&self, text: &str) -> Option<Holder> {
        let state = self.fresh();
        state.known.get(&blake3::hash(text.as_bytes())).and_then(|known| state.holder(known))
    }

    /// Whose token this is. Takes some ten milliseconds: not for the thread that answers requests.
    pub fn verify(&self, text: &str) -> Option<Holder> {
        let (id, secret) = token::parse(text)?;
        let _one = self.verifying.lock().unwrap_or_else(PoisonError::into_inner);
        // somebody may have been first
        if let Some(holder) = self.remembered(text) {
            return Some(holder);
        }
        let token = self.fresh().tokens.get(id).filter(|token| token.is_valid())?.clone();
        if !token.verify(secret) {
            return None;
        }
        let mut state = self.fresh();
        if state.known.len() >= REMEMBERED {
            state.known.clear();
        }
        let known = Known { id: token.id, hash: token.hash };
        state.known.insert(blake3::hash(text.as_bytes()), known.clone());
        state.holder(&known)
    }

    /// Begins a session of a token that was found right; answers its secret.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn begin(&self, text: &str) -> Result<Option<String>> {
        let secret = hex(&random::<32>()?);
        let mut state = self.fresh();
        let Some(known) = state.known.get(&blake3::hash(text.as_bytes())).cloned() else { return Ok(None) };
        state.sessions.retain(|_, (_, used)| used.elapsed() < IDLE);
        if state.sessions.len() >= SESSIONS
            && let Some(oldest) = state.sessions.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key)
        {
            state.sessions.remove(&oldest);
        }
        state.sessions.insert(blake3::hash(secret.as_bytes()), (known, Instant::now()));
        Ok(Some(secret))
    }

    /// Whose session this is.
    pub fn session(&self, secret: &str) -> Option<Holder> {
        let mut state = self.fresh();
        let (known, used) = state.sessions.get_mut(&blake3::hash(secret.as_bytes()))?;
        if used.elapsed() >= IDLE {
            return None;
        }
        *used = Instant::now();
        let known = known.clone();
        state.holder(&known)
    }

    /// Ends a session.
    pub fn end(&self, secret: &str) {
        self.fresh().sessions.remove(&blake3::hash(secret.as_bytes()));
    }

    /// The state, after a look whether the file has changed.
    fn fresh(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&file::path(&self.home));
        if state.seen.as_ref() != Some(&stamp) {
            match Tokens::read(&self.home) {
                Ok(tokens) => (state.tokens, state.broken) = (tokens, false),
                Err(error) => {
                    tracing::error!("{error}");
                    (state.tokens, state.broken) = (Tokens::default(), true);
                }
            }
            state.seen = Some(stamp);
        }
        state
    }
}

impl State {
    /// The token as the file has it now.
    fn holder(&self, known: &Known) -> Option<Holder> {
        let token = self.tokens.get(&known.id).filter(|token| token.is_valid() && token.hash == known.hash)?;
        Some(Holder { id: token.id.clone(), name: token.name.clone(), role: token.role })
    }
}

fn stamp(path: &Path) -> Stamp {
    let about = fs_err::metadata(path).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&about);
    #[cfg(not(unix))]
    let number = 0;
    Some((about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len(), number))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn with_token() -> (tempfile::TempDir, Keyring, String, String) {
        let home = tempfile::tempdir().unwrap();
        let keyring = Keyring::new(home.path());
        assert!(!keyring.any());
        let (token, text) = Token::create("x", Role::Reader, None).unwrap();
        file::add(home.path(), token.clone()).unwrap();
        (home, keyring, token.id, text)
    }

    #[test]
    fn a_revoked_token_is_refused_at_once_and_so_are_its_sessions() {
        let (home, keyring, id, text) = with_token();
        assert!(keyring.any() && keyring.any_valid());
        assert_eq!(keyring.remembered(&text), None, "argon2 has not run yet");
        assert_eq!(keyring.begin(&text).unwrap(), None);
        let holder = keyring.verify(&text).unwrap();
        assert_eq!((holder.role, holder.id.as_str()), (Role::Reader, id.as_str()));
        assert_eq!(keyring.remembered(&text).as_ref(), Some(&holder));
        let session = keyring.begin(&text).unwrap().unwrap();
        let other = keyring.begin(&text).unwrap().unwrap();
        assert_eq!(keyring.session(&session).as_ref(), Some(&holder));
        keyring.end(&other);
        assert_eq!(keyring.session(&other), None);
        assert_eq!(keyring.session(&text), None, "a token is no session");

        file::revoke(home.path(), &id).unwrap();
        assert!(keyring.remembered(&text).is_none() && keyring.verify(&text).is_none());
        assert!(keyring.session(&session).is_none());
        assert!(keyring.any() && !keyring.any_valid(), "revoking the last one does not open the server");
    }

    #[test]
    fn wrong_secrets_and_a_damaged_file_open_nothing() {
        let (home, keyring, id, text) = with_token();
        assert!(keyring.verify(&format!("thx_{id}_{}", "0".repeat(64))).is_none());
        assert!(keyring.verify(&format!("thx_{}_{}", "0".repeat(10), "0".repeat(64))).is_none());
        assert!(keyring.verify(&text).is_some());
        fs_err::write(file::path(home.path()), "{").unwrap();
        assert!(keyring.any() && keyring.remembered(&text).is_none());
    }
}
