//! What client and server say to each other, as JSON under `/internal/v1` with the token of `server.json` as bearer.
//!
//! ```text
//! GET    /health          Health
//! POST   /commands        Envelope -> 200 Outcome (answered at once), or 202 Accepted (a job)
//! GET    /jobs            [JobView]
//! GET    /jobs/{id}?seen  JobView, with the lines after the first `seen`
//! DELETE /jobs/{id}       204: it stops after its current piece
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Remote;
use crate::cli::output::Said;
use crate::error::{Error, Result};
use crate::progress::board::View;

/// Where it all is.
pub const SCOPE: &str = "/internal/v1";

/// Who answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Health {
    /// The server's process.
    pub pid: u32,
    /// Its version.
    pub version: String,
}

/// A command on its way to the server.
#[derive(Serialize, Deserialize)]
pub struct Envelope {
    /// What to run.
    pub command: Remote,
    /// `--json`.
    pub json: bool,
    /// `--threads`.
    pub threads: Option<usize>,
}

/// The number of a job that was accepted.
#[derive(Debug, Serialize, Deserialize)]
pub struct Accepted {
    /// Its number.
    pub job: u64,
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = JobState)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Others are before it.
    Waiting,
    /// Under way.
    Running,
    /// Ended, well or not.
    Done,
}

/// A job, to somebody who has seen some of its lines.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    /// Its number.
    pub job: u64,
    /// The command.
    pub command: String,
    /// Where it is.
    pub state: State,
    /// How far it is, and the lines not seen yet.
    #[serde(flatten)]
    pub board: View,
    /// What came of it; only once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What came of a command.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = JobOutcome)]
pub struct Outcome {
    /// For stdout.
    pub result: String,
    /// For stderr.
    pub notes: Vec<String>,
    /// Why it failed.
    pub fault: Option<Fault>,
}

/// Why a command failed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = JobFault)]
pub struct Fault {
    /// In words.
    pub message: String,
    /// Whose fault.
    pub kind: Kind,
}

/// Whose fault it is: decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = JobFaultKind)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The caller can mend it.
    Caller,
    /// The server failed.
    Service,
    /// It was stopped.
    Interrupted,
}

impl Outcome {
    /// From what a command answered and said.
    pub fn new(outcome: &Result<()>, said: Said) -> Self {
        let fault = outcome.as_ref().err().map(|error| Fault {
            message: error.to_string(),
            kind: match error {
                Error::Interrupted => Kind::Interrupted,
                error if error.is_caller_fault() => Kind::Caller,
                _ => Kind::Service,
            },
        });
        Self { result: said.result, notes: said.notes, fault }
    }

    /// The error that the command would have ended with here.
    pub fn error(&self) -> Result<()> {
        match &self.fault {
            None => Ok(()),
            Some(Fault { kind: Kind::Interrupted, .. }) => Err(Error::Interrupted),
            Some(Fault { kind: Kind::Caller, message }) => Err(Error::Caller(message.clone())),
            Some(Fault { kind: Kind::Service, message }) => Err(Error::Server(message.clone())),
        }
    }
}
