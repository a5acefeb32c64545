//! `thorax delete`: studies out of the catalogue.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::atomic::Ordering;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::output;
use super::through::Opened;
use crate::archive::delete::{Selection, select};
use crate::error::{Error, Result};

/// Delete studies from the catalogue. The archive's own files are not touched.
///
/// No search finds them from that moment on; the next `thorax index` leaves them out of the index. On a home that a server owns, the
/// server does it.
#[derive(Args, Serialize, Deserialize)]
#[command(after_help = EXAMPLES, override_usage = "thorax delete [OPTIONS] <ID...|--filter EXPR|--source NAME>")]
pub struct Delete {
    /// Ids of studies, as results show them.
    #[arg(value_name = "ID", required_unless_present_any = ["filter", "source"], conflicts_with_all = ["filter", "source"])]
    ids: Vec<String>,
    /// All studies that pass a filter, in the language of `thorax search --filter`.
    #[arg(long, value_name = "EXPR", conflicts_with = "source")]
    filter: Option<String>,
    /// All studies of a source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only say what would be deleted.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax delete nih/00000013_005
  thorax delete --filter 'patient:\"nih/13\"' --dry-run
  thorax delete --source covid-chestxray --yes --json

A study that is imported again is back. Report text of deleted studies may stay in unused parts of the
home's files until `thorax index` has run.";

#[derive(Serialize)]
struct Report<'a> {
    deleted: usize,
    dry_run: bool,
    studies: &'a [String],
    catalogue: usize,
}

impl Delete {
    /// Runs the command.
    ///
    /// # Errors
    /// An id that is not there, a filter that does not parse, no consent, or a catalogue that cannot be written.
    pub fn run_on(self, opened: &Opened) -> Result<()> {
        let catalogue = &opened.catalogue;
        let (dry_run, yes) = (self.dry_run, self.yes);
        let ids = select(catalogue, &self.selection())?;
        let mut deleted = 0;
        if !dry_run && !ids.is_empty() {
            if !yes {
                consent(ids.len(), catalogue.len(), opened.serving().is_none())?;
            }
            deleted = catalogue.remove(&ids.iter().map(String::as_str).collect::<Vec<_>>())?;
            opened.counted.store(deleted as u64, Ordering::SeqCst);
            if let Some(serving) = opened.serving() {
                serving.current().index().catch_up(catalogue)?;
            }
        }
        let left = catalogue.len();
        if opened.json {
            return output::json(&Report { deleted, dry_run, studies: &ids, catalogue: left });
        }
        if dry_run {
            for id in &ids {
                output::line(id)?;
            }
            return output::line(&format!("{} of {left} studies would be deleted", ids.len()));
        }
        output::line(&format!(
            "{deleted} studies deleted, the catalogue has {left}; no search finds them any more, and the next \
             `thorax index` leaves them out"
        ))
    }

    fn selection(self) -> Selection {
        match (self.filter, self.source) {
            (Some(filter), _) => Selection::Filter(filter),
            (None, Some(source)) => Selection::Source(source),
            (None, None) => Selection::Ids(self.ids),
        }
    }
}

/// A server's terminal is not the caller's.
fn consent(count: usize, of: usize, here: bool) -> Result<()> {
    if !here || !std::io::stdin().is_terminal() {
        return Err(Error::Caller(format!("{count} of {of} studies would be deleted: say so with --yes")));
    }
    eprint!("Delete {count} of {of} studies? Type yes: ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Error::Caller("nothing was deleted".to_owned())) }
}
