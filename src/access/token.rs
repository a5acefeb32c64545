//! One token. It is shown once; what is kept of it is an argon2id hash.
//!
//! The secret has 256 random bits, so the hash need not be slow to be safe; argon2id with its default cost (19 MiB, two
//! passes; OWASP's minimum) keeps a stolen file useless also where somebody puts a weaker secret into it by hand.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};

use super::role::Role;
use crate::error::{Error, Result};

/// What every token begins with: scanners of repositories find a leaked one by it.
const PREFIX: &str = "thx_";
/// Random bytes of an id.
const ID: usize = 5;
/// Random bytes of a secret.
const SECRET: usize = 32;
/// Random bytes of a salt.
const SALT: usize = 16;
/// Longest name of a token, in characters.
pub const LONGEST_NAME: usize = 64;

/// What is kept of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Ten hex digits; no secret.
    pub id: String,
    /// Whose it is, or what for.
    pub name: String,
    /// What it permits.
    pub role: Role,
    /// Seconds since 1970.
    pub created: i64,
    /// From when on it is refused; seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// When it was revoked; seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<i64>,
    /// argon2id in PHC format.
    pub hash: String,
}

impl Token {
    /// A new token, and the text that its owner gets.
    ///
    /// # Errors
    /// A name that is empty, too long or not printable; or the system gives no random bytes.
    pub fn create(name: &str, role: Role, expires: Option<i64>) -> Result<(Self, String)> {
        let count = name.chars().count();
        if count == 0 || count > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Error::Caller(format!(
                "a token's name has 1 to {LONGEST_NAME} characters that can be printed"
            )));
        }
        let (id, secret, salt) = (hex(&random::<ID>()?), hex(&random::<SECRET>()?), random::<SALT>()?);
        let hash = Argon2::default()
            .hash_password_with_salt(secret.as_bytes(), &salt)
            .map_err(|e| Error::Io(std::io::Error::other(format!("hashing a token: {e}"))))?
            .to_string();
        let text = format!("{PREFIX}{id}_{secret}");
        let name = name.to_owned();
        Ok((Self { id, name, role, created: now(), expires, revoked: None, hash }, text))
    }

    /// Whether it lets somebody in at this moment.
    pub fn is_valid(&self) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now() < expires)
    }

    /// Whether this is its secret. Takes some ten milliseconds and 19 MiB.
    pub fn verify(&self, secret: &str) -> bool {
        Argon2::default().verify_password(secret.as_bytes(), self.hash.as_str()).is_ok()
    }
}

/// Id and secret of a token's text; `None` where it is none.
pub fn parse(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let is_hex = |part: &str, bytes| part.len() == 2 * bytes && part.bytes().all(|b| b.is_ascii_hexdigit());
    (is_hex(id, ID) && is_hex(secret, SECRET)).then_some((id, secret))
}

/// Seconds since 1970.
pub fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// Bytes of the system's random source.
///
/// # Errors
/// It gives none.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::Io(std::io::Error::other(format!("random bytes: {e}"))))?;
    Ok(bytes)
}

/// As lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_its_own_secret_opens_a_token() {
        let (token, text) = Token::create("reading room", Role::Reader, None).unwrap();
        let (id, secret) = parse(&text).unwrap();
        assert_eq!((id, secret.len()), (token.id.as_str(), 64));
        assert!(token.hash.starts_with("$argon2id$") && !token.hash.contains(secret));
        assert!(token.is_valid() && token.verify(secret));
        let (other, _) = Token::create("reading room", Role::Reader, None).unwrap();
        assert!(!other.verify(secret) && !token.verify(&"0".repeat(64)));
        assert!(!Token { expires: Some(now()), ..token.clone() }.is_valid());
        assert!(Token { expires: Some(now() + 60), ..token.clone() }.is_valid());
        assert!(!Token { revoked: Some(now()), ..token }.is_valid());
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        for text in ["", "thx_", "thx_a_b", "Bearer", &format!("thx_{}_{}", "0".repeat(10), "g".repeat(64))] {
            assert_eq!(parse(text), None, "{text}");
        }
        for name in ["", "two\nlines", &"x".repeat(65)] {
            assert!(Token::create(name, Role::Reader, None).is_err(), "{name:?}");
        }
    }
}
