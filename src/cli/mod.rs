//! The command line: one file per subcommand. Results on stdout, progress and logs on stderr.

pub mod ablate;
pub mod audit;
pub mod backup;
pub mod cohort;
pub mod delete;
pub mod demo;
pub mod doctor;
pub mod embed;
pub mod eval;
pub mod explain;
pub mod facets;
pub mod import;
pub mod index;
pub mod label;
pub mod model;
pub mod output;
pub mod restore;
pub mod search;
pub mod serve;
pub mod status;
pub mod through;
pub mod token;
pub mod train;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::logging::Format;
use through::Remote;

/// Search your own archive of chest X-rays by text or by image. Not for diagnosis.
#[derive(Parser)]
#[command(name = "thorax", version, about, after_help = EXAMPLES)]
pub struct Cli {
    /// Folder that holds catalogue, models and index [default: thorax in the user's data folder].
    #[arg(long, global = true, env = "THORAX_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// One JSON document on stdout.
    #[arg(long, global = true)]
    json: bool,
    /// Threads for decoding, encoding and scanning; 0 = all cores.
    #[arg(long, global = true, env = "THORAX_THREADS", value_name = "N")]
    threads: Option<usize>,
    /// How lines of the log look [default: text, or `log_format` of thorax.toml].
    #[arg(long, global = true, env = "THORAX_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    log_format: Option<Format>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  thorax demo                                   a phantom archive, trained, indexed and served
  thorax import nih /data/nih                   NIH ChestX-ray14
  thorax import manifest films.csv              anything, by our CSV or JSONL
  thorax train --preset small --minutes 10
  thorax index
  thorax search \"small left effusion\" -k 20 --filter 'age:40..60'
  thorax search --image film.png --to reports
  thorax cohort create effusions \"pleural effusion\" --all-matching
  thorax delete --source nih --dry-run          what would go
  thorax explain film.png \"left effusion\" --out map.png
  thorax serve
  thorax token create reading-room --role reader

Exit status: 0 done, 2 the caller's fault, 1 ours.";

#[derive(Subcommand)]
enum Command {
    Import(import::Import),
    Delete(delete::Delete),
    Label(label::Label),
    Model(model::Model),
    Train(train::Train),
    Ablate(ablate::Ablate),
    Embed(embed::Embed),
    Index(index::IndexCommand),
    Search(search::Search),
    Facets(facets::Facets),
    Cohort(cohort::Cohort),
    Eval(eval::Eval),
    Explain(explain::Explain),
    Serve(serve::Serve),
    Token(token::TokenCommand),
    Audit(audit::Audit),
    Status(status::Status),
    Doctor(doctor::Doctor),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Demo(demo::Demo),
}

/// What every subcommand gets.
pub struct Context {
    home: Option<PathBuf>,
    /// `--json`.
    pub json: bool,
    threads: Option<usize>,
}

impl Context {
    /// Opens the home.
    ///
    /// # Errors
    /// See [`Home::open`].
    pub fn home(&self) -> Result<Home> {
        self.home_or(default_home()?)
    }

    /// Opens the home, or `default` where none was named.
    ///
    /// # Errors
    /// See [`Home::open`].
    pub fn home_or(&self, default: PathBuf) -> Result<Home> {
        let home = Home::open(self.home.as_deref().unwrap_or(&default))?;
        use_threads(self.threads.unwrap_or(home.config.threads));
        Ok(home)
    }
}

impl Cli {
    /// How lines of the log look. The log begins before the configuration is read: a faulty one is reported later.
    pub fn log_format(&self) -> Format {
        let configured = || {
            let home = self.home.clone().or_else(|| default_home().ok())?;
            Config::load(&home).ok().map(|config| config.log_format)
        };
        self.log_format.or_else(configured).unwrap_or_default()
    }

    /// Whether the log has a line for each request.
    pub fn serves(&self) -> bool {
        matches!(self.command, Command::Serve(_))
    }

    /// Runs the subcommand.
    ///
    /// # Errors
    /// Whatever it meets; [`Error::is_caller_fault`] decides the exit status.
    pub fn run(self) -> Result<()> {
        let context = Context { home: self.home, json: self.json, threads: self.threads };
        match self.command {
            Command::Import(command) => Remote::Import(command).run(&context),
            Command::Delete(command) => Remote::Delete(command).run(&context),
            Command::Label(command) => command.run(&context),
            Command::Model(command) => command.run(&context),
            Command::Train(command) => command.run(&context),
            Command::Ablate(command) => command.run(&context),
            Command::Embed(command) => command.run(&context),
            Command::Index(command) => Remote::Index(command).run(&context),
            Command::Search(command) => Remote::Search(command).run(&context),
            Command::Facets(command) => Remote::Facets(command).run(&context),
            Command::Cohort(command) => Remote::Cohort(command).run(&context),
            Command::Eval(command) => command.run(&context),
            Command::Explain(command) => command.run(&context),
            Command::Serve(command) => command.run(&context),
            Command::Audit(command) => command.run(&context),
            Command::Token(command) => command.run(&context),
            Command::Status(command) => Remote::Status(command).run(&context),
            Command::Doctor(command) => command.run(&context),
            Command::Backup(command) if command.verify => command.check(context.json),
            Command::Backup(command) => Remote::Backup(command).run(&context),
            Command::Restore(command) => command.run(&context),
            Command::Demo(command) => command.run(&context),
        }
    }
}

fn default_home() -> Result<PathBuf> {
    let var = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    var("XDG_DATA_HOME")
        .or_else(|| var("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("thorax"))
        .ok_or_else(|| Error::Caller("no home: give --home DIR or set THORAX_HOME".to_owned()))
}

fn use_threads(threads: usize) {
    // Fails only where the pool was made already: then its size stands.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
}
