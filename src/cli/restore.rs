//! `thorax restore`: a backup into a home.

use std::path::PathBuf;

use clap::Args;

use super::{Context, backup};
use crate::backup::restore::restore;
use crate::error::{Error, Result};

/// Bring a backup back, into a home that has no studies. Everything is verified before anything is written.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Restore {
    /// What `thorax backup` wrote.
    #[arg(value_name = "FILE|DIR")]
    from: PathBuf,
    /// Replace all studies of the home, and models of the same names. Nothing is merged.
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax --home /new/home restore archive.jsonl
  thorax restore /backups/thorax/thorax-backup-4711 --force

Afterwards `thorax index` makes the index; vectors of an index that is there are used again.
A catalogue that cannot be opened is moved to HOME/catalogue.damaged-1 by --force.";

impl Restore {
    /// Runs the command.
    ///
    /// # Errors
    /// A damaged backup, a home that has studies or that another process owns, files that cannot be written.
    pub fn run(self, context: &Context) -> Result<()> {
        if !self.from.exists() {
            return Err(Error::Caller(format!("there is no backup {}", self.from.display())));
        }
        let home = context.home()?;
        let end = restore(&home, &self.from, self.force)?;
        backup::say("restored from", end, self.from, context.json)?;
        eprintln!("run `thorax index` to search them");
        Ok(())
    }
}
