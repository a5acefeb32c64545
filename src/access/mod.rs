//! Who may do what: tokens, their roles, and what a role permits.
//!
//! - [`role`] the four roles and the permissions that they have
//! - [`token`] one token: `thx_<id>_<secret>`, of which only an argon2id hash is kept
//! - [`file`] `HOME/tokens.json`
//! - [`keyring`] tokens and sign-in sessions as a server checks them
//!
//! Tokens are no part of the catalogue: `thorax token` works while a server owns the home, and the server sees the change at
//! the next request.

pub mod file;
pub mod keyring;
pub mod role;
pub mod token;

pub use keyring::Keyring;
pub use role::{Permission, Role};
