//! What happened.

use serde::{Deserialize, Serialize};

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Somebody with a token.
    Token {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// Somebody on the server's machine, where no token is needed.
    Loopback,
    /// The user of the home, by a command.
    CommandLine,
    /// Somebody who was not let in, or asked for what everybody may see.
    Nobody,
    /// The log itself.
    Log,
}

/// One event. What is not known stays out of the line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Who did it.
    pub who: Who,
    /// `search`, `study`, `export`, ...
    pub kind: String,
    /// Method of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Route of the request, with `{key}` and the like as they stand in the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Opaque key of the study or film.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many were found, deleted, exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// A command that ended with an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// The request's id, as the server's log has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What was looked for; only where `audit.query_text` is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Id of the token that was made or revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// A line before this one that a crash left unfinished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<Torn>,
}

/// A line that a crash left unfinished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Torn {
    /// Its length.
    pub bytes: u64,
    /// Its keyed hash.
    pub hash: String,
}

impl Event {
    /// An event of this kind, of which nothing else is known.
    pub fn new(who: Who, kind: &str) -> Self {
        Self {
            who,
            kind: kind.to_owned(),
            method: None,
            pattern: None,
            key: None,
            status: None,
            count: None,
            failed: false,
            request: None,
            query: None,
            token: None,
            torn: None,
        }
    }
}

/// An event as it is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// Its number, from 1.
    pub seq: u64,
    /// When, UTC.
    pub time: String,
    /// What.
    #[serde(flatten)]
    pub event: Event,
    /// Hash of the line before it.
    pub prev: String,
}
