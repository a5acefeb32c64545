//! Commands that work on a home that a server owns: the server runs them, and the client shows what they say.
//!
//! - [`Remote`] the commands that go through a server, as the client sends them
//! - [`Opened`] the home that a command works on, opened by this process or by the server
//! - [`wire`] what client and server say to each other
//! - [`client`] finds the server, sends the command, shows its progress

pub mod client;
pub mod wire;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use thorax_index::Catalogue;
use thorax_models::Encoder;

use super::output::{self, Said};
use super::{Context, backup, cohort, delete, facets, import, index, search, status};
use crate::audit::{Event, Log, Who};
use crate::error::Result;
use crate::home::Home;
use crate::nice;
use crate::progress::Watch;
use crate::search::Engine;
use crate::server::Serving;

/// Priority of jobs in a server, where the client does not say: searches go first.
const SERVER_NICE: i32 = 10;

/// A command that a server can run.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Remote {
    /// `thorax import`
    Import(import::Import),
    /// `thorax delete`
    Delete(delete::Delete),
    /// `thorax backup`
    Backup(backup::Backup),
    /// `thorax index`
    Index(index::IndexCommand),
    /// `thorax search`
    Search(search::Search),
    /// `thorax facets`
    Facets(facets::Facets),
    /// `thorax cohort`
    Cohort(cohort::Cohort),
    /// `thorax status`
    Status(status::Status),
}

/// The names of the commands that go through a server.
pub const NAMES: &str = "import, delete, backup, index, search, facets, cohort and status";

/// A home that is open for a command.
pub struct Opened {
    /// The home.
    pub home: Home,
    /// Its catalogue.
    pub catalogue: Arc<Catalogue>,
    /// Where progress goes.
    pub watch: Watch,
    /// `--json`.
    pub json: bool,
    /// Who asked for the command.
    pub who: Who,
    /// For the audit log: how many studies were imported, deleted, saved.
    pub counted: AtomicU64,
    serving: Option<Arc<Serving>>,
}

impl Opened {
    /// Opens a home in this process.
    ///
    /// # Errors
    /// Another process owns it, or its catalogue cannot be read.
    pub fn here(home: Home, json: bool) -> Result<Self> {
        let catalogue = Arc::new(home.catalogue()?);
        Ok(Self::new(home, catalogue, Watch::terminal(), json, None))
    }

    /// The home that a server has open.
    pub fn served(serving: Arc<Serving>, watch: Watch, json: bool) -> Self {
        let (home, catalogue) = (serving.home().clone(), Arc::clone(serving.catalogue()));
        Self::new(home, catalogue, watch, json, Some(serving))
    }

    fn new(home: Home, catalogue: Arc<Catalogue>, watch: Watch, json: bool, serving: Option<Arc<Serving>>) -> Self {
        Self { home, catalogue, watch, json, who: Who::CommandLine, counted: AtomicU64::default(), serving }
    }

    /// The server that runs this command, if one does.
    pub fn serving(&self) -> Option<&Serving> {
        self.serving.as_deref()
    }

    /// Does something with the engine.
    ///
    /// # Errors
    /// See [`Engine::open`], and what `with` meets.
    pub fn with_engine<T>(&self, with: impl FnOnce(&Engine) -> Result<T>) -> Result<T> {
        match &self.serving {
            Some(serving) => with(&serving.current()),
            None => with(&Engine::open_beside(&self.home, Arc::clone(&self.catalogue), None)?),
        }
    }

    /// The encoder of a model; a server shares the one it has.
    ///
    /// # Errors
    /// See [`Home::encoder`].
    pub fn encoder(&self, name: &str) -> Result<Arc<Encoder>> {
        match &self.serving {
            Some(serving) => serving.encoder(name),
            None => Ok(Arc::new(self.home.encoder(name)?)),
        }
    }
}

impl Remote {
    /// Runs the command: in the server that owns the home, or here where none does.
    ///
    /// # Errors
    /// Whatever the command meets; the same here as through a server.
    pub fn run(self, context: &Context) -> Result<()> {
        let home = context.home()?;
        if let Some(server) = client::Server::of(home.path())? {
            return server.run(self.absolute()?, context);
        }
        if self.detached() {
            eprintln!("--detach: no server owns this home; doing it here");
        }
        let nice = self.nice().unwrap_or(0);
        let opened = Opened::here(home, context.json)?;
        if nice == 0 {
            return self.run_on(&opened);
        }
        let threads = context.threads.unwrap_or(opened.home.config.threads);
        nice::pool(threads, nice, |line| opened.watch.say(line))?.install(|| self.run_on(&opened))
    }

    /// Runs the command on a server's home, on threads that give way to searches where it is a long one. Answers what
    /// it met, and what it said.
    pub fn run_served(self, opened: &Opened, threads: Option<usize>) -> (Result<()>, Said) {
        let (job, nice) = (self.is_job(), self.nice().unwrap_or(SERVER_NICE));
        let keep = || output::keep(|| self.run_on(opened));
        if !job {
            return keep();
        }
        let threads = threads.unwrap_or(opened.home.config.threads);
        match nice::pool(threads, nice, |line| opened.watch.say(line)) {
            Ok(pool) => pool.install(keep),
            Err(error) => (Err(error), Said::default()),
        }
    }

    /// Runs the command; what changes or copies the archive is written down.
    fn run_on(self, opened: &Opened) -> Result<()> {
        if !self.is_job() {
            return self.run_unnoted(opened);
        }
        // what cannot be written down is not begun
        let (log, kind) = (Log::open(opened.home.path())?, self.name());
        let outcome = self.run_unnoted(opened);
        let event = Event {
            count: Some(opened.counted.load(Ordering::SeqCst)),
            failed: outcome.is_err(),
            ..Event::new(opened.who.clone(), kind)
        };
        let noted = log.append(event);
        outcome.and(noted)
    }

    fn run_unnoted(self, opened: &Opened) -> Result<()> {
        match self {
            Remote::Import(command) => command.run_on(opened),
            Remote::Delete(command) => command.run_on(opened),
            Remote::Backup(command) => command.run_on(opened),
            Remote::Index(command) => command.run_on(opened),
            Remote::Search(command) => command.run_on(opened),
            Remote::Facets(command) => command.run_on(opened),
            Remote::Cohort(command) => command.run_on(opened),
            Remote::Status(command) => command.run_on(opened),
        }
    }

    /// True for what takes its turn among the jobs of a server; the others are answered at once.
    pub fn is_job(&self) -> bool {
        match self {
            Remote::Import(_) | Remote::Delete(_) | Remote::Backup(_) | Remote::Index(_) => true,
            Remote::Search(_) | Remote::Facets(_) | Remote::Cohort(_) | Remote::Status(_) => false,
        }
    }

    /// `index`, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Remote::Import(_) => "import",
            Remote::Delete(_) => "delete",
            Remote::Backup(_) => "backup",
            Remote::Index(_) => "index",
            Remote::Search(_) => "search",
            Remote::Facets(_) => "facets",
            Remote::Cohort(_) => "cohort",
            Remote::Status(_) => "status",
        }
    }

    /// True where the client does not wait for the job.
    pub fn detached(&self) -> bool {
        match self {
            Remote::Import(command) => command.detach,
            Remote::Index(command) => command.detach,
            Remote::Delete(_)
            | Remote::Backup(_)
            | Remote::Search(_)
            | Remote::Facets(_)
            | Remote::Cohort(_)
            | Remote::Status(_) => false,
        }
    }

    fn nice(&self) -> Option<i32> {
        match self {
            Remote::Index(command) => command.nice,
            _ => None,
        }
    }

    /// The server works in another folder.
    fn absolute(mut self) -> Result<Self> {
        match &mut self {
            Remote::Import(command) => command.paths.iter_mut().try_for_each(make_absolute)?,
            Remote::Search(command) => command.image.iter_mut().try_for_each(make_absolute)?,
            Remote::Backup(command) => absolute_keeping_slash(&mut command.to)?,
            Remote::Cohort(command) => command.elsewhere()?,
            Remote::Delete(_) | Remote::Index(_) | Remote::Facets(_) | Remote::Status(_) => {}
        }
        Ok(self)
    }
}

pub(super) fn make_absolute(path: &mut PathBuf) -> Result<()> {
    *path = std::path::absolute(Path::new(path))?;
    Ok(())
}

/// A slash at the end says that a folder is meant.
fn absolute_keeping_slash(path: &mut PathBuf) -> Result<()> {
    let folder = path.as_os_str().to_string_lossy().ends_with('/');
    make_absolute(path)?;
    if folder {
        path.push("");
    }
    Ok(())
}
