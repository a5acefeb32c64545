//! The client: finds the server that owns a home, sends it a command, shows its progress, and ends as the command ended.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use super::wire::{Accepted, Envelope, Health, JobView, Outcome, SCOPE, State};
use super::{NAMES, Remote};
use crate::cli::{Context, output};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::owner::{self, Owner};
use crate::progress::Progress;

/// How often a job is asked after, at first and later: a short job should not wait for its client.
const POLL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));
/// The server answers these from memory.
const QUICK: Duration = Duration::from_secs(10);
/// Longest answer, in bytes: a search of a thousand results with their reports.
const LONGEST: u64 = 256 << 20;

/// The server that owns a home.
pub struct Server {
    agent: Agent,
    owner: Owner,
}

impl Server {
    /// The server that owns this home; `None` where none does, also where a dead one left its file.
    ///
    /// # Errors
    /// The server is there and does not answer, or is another version of thorax.
    pub fn of(home: &Path) -> Result<Option<Self>> {
        let Some(owner) = owner::registered(home) else { return Ok(None) };
        // no proxy of the environment: the server is on this machine
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).max_redirects(0);
        let server = Self { agent: config.build().into(), owner };
        let answer = match server.get("/health") {
            Ok(answer) => answer,
            Err(ureq::Error::Timeout(_)) => return Err(server.silent()),
            // nobody listens there any more
            Err(_) => return Ok(None),
        };
        // somebody else listens there now
        let Ok(health) = read::<Health>(answer) else { return Ok(None) };
        if health.pid != server.owner.pid {
            return Ok(None);
        }
        if health.version != env!("CARGO_PKG_VERSION") {
            return Err(Error::Caller(format!(
                "the server that owns this home is thorax {}, this is {}: use the same program",
                health.version,
                env!("CARGO_PKG_VERSION")
            )));
        }
        Ok(Some(server))
    }

    /// What to say to a command that does not go through a server.
    pub fn refusal(&self) -> Error {
        let Owner { serves, pid, .. } = &self.owner;
        Error::Caller(format!(
            "this home is in use by the thorax server at {serves} (process {pid}), and this command does not go \
             through it: stop the server first; {NAMES} do go through it"
        ))
    }

    /// Runs a command there.
    ///
    /// # Errors
    /// What the command ended with, or the server went away.
    pub fn run(&self, command: Remote, context: &Context) -> Result<()> {
        let (name, detached) = (command.name(), command.detached());
        let envelope = Envelope { command, json: context.json, threads: context.threads };
        // no limit of time: a search takes what it takes
        let answer = self.post("/commands", &envelope).map_err(|e| self.gone(&e))?;
        let accepted = answer.status() == StatusCode::ACCEPTED;
        if !accepted {
            let outcome: Outcome = read(answer)?;
            outcome.notes.iter().for_each(|line| eprintln!("{line}"));
            output::raw(&outcome.result)?;
            return outcome.error();
        }
        let Accepted { job } = read(answer)?;
        if detached {
            eprintln!("{name}: job {job} of the server at {}; `thorax status` says how far it is", self.owner.serves);
            return if context.json { output::json(&Accepted { job }) } else { Ok(()) };
        }
        self.follow(job)
    }

    /// Shows a job until it ends. Ctrl-C stops the job; what it has done is kept.
    fn follow(&self, job: u64) -> Result<()> {
        let (mut seen, mut wait, mut stopping) = (0, POLL.0, false);
        let mut shown: Option<(u64, Progress)> = None;
        let mut waiting_said = false;
        loop {
            if interrupt::asked() && !stopping {
                stopping = true;
                self.delete(&format!("/jobs/{job}")).map_err(|e| self.gone(&e))?;
            }
            let view: JobView = read(self.get(&format!("/jobs/{job}?seen={seen}")).map_err(|e| self.gone(&e))?)?;
            seen += view.board.notes.len();
            if view.state == State::Waiting && !waiting_said && wait == POLL.1 {
                waiting_said = true;
                eprintln!("waiting: the server runs another job first");
            }
            if let Some(stage) = &view.board.stage {
                if shown.as_ref().is_none_or(|(number, _)| *number != stage.number) {
                    if let Some((_, before)) = shown.take() {
                        before.finish();
                    }
                    shown = Some((stage.number, Progress::new(stage.what.clone(), stage.total)));
                }
                if let Some((_, progress)) = &shown {
                    progress.set(stage.done, &stage.note);
                }
            }
            for line in &view.board.notes {
                match &shown {
                    Some((_, progress)) => progress.note(line),
                    None => eprintln!("{line}"),
                }
            }
            if let Some(outcome) = view.outcome {
                if let Some((_, progress)) = shown.take() {
                    progress.finish();
                }
                outcome.notes.iter().for_each(|line| eprintln!("{line}"));
                output::raw(&outcome.result)?;
                return outcome.error();
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(POLL.1);
        }
    }

    fn get(&self, path: &str) -> Result<Response<Body>, ureq::Error> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        request.config().timeout_global(Some(QUICK)).build().call()
    }

    fn delete(&self, path: &str) -> Result<Response<Body>, ureq::Error> {
        let request = self.agent.delete(self.url(path)).header("authorization", self.bearer());
        request.config().timeout_global(Some(QUICK)).build().call()
    }

    fn post(&self, path: &str, body: &impl Serialize) -> Result<Response<Body>, ureq::Error> {
        let body = serde_json::to_vec(body).map_err(|e| ureq::Error::Other(Box::new(e)))?;
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        request.header("content-type", "application/json").send(body)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{SCOPE}{path}", self.owner.address)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.owner.token)
    }

    fn silent(&self) -> Error {
        let Owner { serves, pid, .. } = &self.owner;
        Error::Server(format!("the server at {serves} (process {pid}) owns this home and does not answer"))
    }

    fn gone(&self, error: &ureq::Error) -> Error {
        let serves = &self.owner.serves;
        Error::Server(format!("the server at {serves} went away ({error}); what was acknowledged is kept"))
    }
}

/// An answer's JSON; what is no success is an error in the server's words.
fn read<T: DeserializeOwned>(answer: Response<Body>) -> Result<T> {
    #[derive(serde::Deserialize)]
    struct Said {
        message: String,
    }
    let status = answer.status();
    let bytes = answer
        .into_body()
        .into_with_config()
        .limit(LONGEST)
        .read_to_vec()
        .map_err(|e| Error::Server(format!("the server's answer broke off: {e}")))?;
    if status.is_success() {
        return serde_json::from_slice(&bytes)
            .map_err(|e| Error::Server(format!("the server's answer is not understood: {e}")));
    }
    let said = serde_json::from_slice::<Said>(&bytes).map_or_else(|_| status.to_string(), |said| said.message);
    Err(if status.is_client_error() { Error::Caller(said) } else { Error::Server(said) })
}
