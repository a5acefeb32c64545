//! `thorax cohort`: named sets of studies, reproducible.
//!
//! - `asked` what create, add and remove select, as flags
//! - `told` cohorts, counts and differences in words
//! - `export` CSV, JSONL, Parquet and embeddings

mod asked;
mod export;
mod told;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use super::output;
use super::through::{Opened, make_absolute};
use crate::cohort::model::{self, Operation};
use crate::cohort::summary::summary;
use crate::cohort::verify::verify;
use crate::cohort::{Archive, Store, edit};
use crate::error::{Error, Result};

use asked::Selected;

/// Named sets of studies that say where they come from, and can be checked against the archive of today.
#[derive(Args, Serialize, Deserialize)]
#[command(after_help = EXAMPLES)]
pub struct Cohort {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  thorax cohort create women --filter 'sex:F age:40..60'
  thorax cohort create effusions \"left pleural effusion, no pneumothorax\" --all-matching
  thorax cohort create similar --image film.png -k 200 --filter 'view:PA'
  cut -d, -f1 trial.csv | thorax cohort create trial --ids -
  thorax cohort add trial \"hernia\" --min-score 1.0
  thorax cohort intersect trial-women trial women
  thorax cohort show trial-women
  thorax cohort verify trial-women --json
  thorax cohort export trial-women --out trial.parquet --pseudonyms key
  thorax cohort export trial-women --embeddings films --out trial.npy

`verify` exits with 0 when running the steps again gives the same, with 1 when it would change something.";

#[derive(Subcommand, Serialize, Deserialize)]
enum Command {
    /// Create a cohort of a search, a filter, a list of ids or another cohort.
    Create(Create),
    /// Add studies to a cohort.
    Add(Change),
    /// Remove studies from a cohort.
    Remove(Change),
    /// Create a cohort of the studies that are in any of the others.
    Union(Combine),
    /// Create a cohort of the studies that are in all of the others.
    Intersect(Combine),
    /// Create a cohort of the studies of the first that are in none of the others.
    Minus(Combine),
    /// Write a cohort as CSV, JSONL or Parquet, or its embeddings.
    Export(export::Export),
    /// Run the steps of a cohort again, and say what that would change.
    Verify(Verify),
    /// List the cohorts.
    List,
    /// Count what is in a cohort, and say how it came about.
    Show(Show),
    /// Delete a cohort for good; its studies stay in the archive.
    Delete(Delete),
}

#[derive(Args, Serialize, Deserialize)]
struct Create {
    /// Name of the cohort: letters, digits, '-', '_' and '.'.
    name: String,
    #[command(flatten)]
    selected: Selected,
    /// A note to keep with it.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Args, Serialize, Deserialize)]
struct Change {
    /// The cohort.
    name: String,
    #[command(flatten)]
    selected: Selected,
}

#[derive(Args, Serialize, Deserialize)]
struct Combine {
    /// Name of the new cohort.
    name: String,
    /// The cohorts to make it of.
    #[arg(required = true, num_args = 2.., value_name = "COHORT")]
    of: Vec<String>,
    /// A note to keep with it.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Args, Serialize, Deserialize)]
struct Verify {
    /// The cohort.
    name: String,
    /// The film that it was searched with, where that is neither where it was nor in the archive.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
}

#[derive(Args, Serialize, Deserialize)]
struct Show {
    /// The cohort.
    name: String,
    /// List the studies: id, content hash, score and rank.
    #[arg(long)]
    members: bool,
    /// Count the studies of each patient, by id. This is health data.
    #[arg(long)]
    patients: bool,
}

#[derive(Args, Serialize, Deserialize)]
struct Delete {
    /// The cohort.
    name: String,
}

impl Cohort {
    /// Runs the command.
    ///
    /// # Errors
    /// The caller's: no such cohort, a query that does not make sense; [`Error::Differs`] from `verify`; or the catalogue cannot be
    /// read or written.
    pub fn run_on(self, opened: &Opened) -> Result<()> {
        let archive = match opened.serving() {
            Some(serving) => Archive::served(opened.home.clone(), serving.current()),
            None => Archive::new(opened.home.clone(), Arc::clone(&opened.catalogue)),
        };
        let store = Store::open(archive.catalogue())?;
        let changed = match self.command {
            Command::Create(Create { name, selected, note }) => {
                model::check_name(&name)?;
                let strictness = selected.strictness();
                edit::create(&archive, &name, note, selected.asked()?, strictness)?
            }
            Command::Add(change) => change.run(&archive, Operation::Add)?,
            Command::Remove(change) => change.run(&archive, Operation::Remove)?,
            Command::Union(combine) => combine.run(&archive, Operation::Union)?,
            Command::Intersect(combine) => combine.run(&archive, Operation::Intersect)?,
            Command::Minus(combine) => combine.run(&archive, Operation::Minus)?,
            Command::Export(export) => return export.run(opened, &archive, &store),
            Command::Verify(Verify { name, image }) => {
                let verified = verify(&archive, &name, image.as_deref())?;
                match opened.json {
                    true => output::json(&verified)?,
                    false => told::verified(&verified)?,
                }
                return match verified.same {
                    true => Ok(()),
                    false => Err(Error::Differs(format!("the cohort '{name}' would come out otherwise today"))),
                };
            }
            Command::List => {
                let cohorts = store.list()?;
                return if opened.json { output::json(&told::brief(&cohorts)) } else { told::list(&cohorts) };
            }
            Command::Show(Show { name, members, patients }) => {
                let cohort = store.load(&name)?;
                if members {
                    return told::members(&store, &cohort, opened.json);
                }
                let counts = summary(archive.catalogue(), &cohort, patients)?;
                return if opened.json { told::show_json(&cohort, &counts) } else { told::show(&cohort, &counts) };
            }
            Command::Delete(Delete { name }) => store.delete(&name)?,
        };
        if opened.json { output::json(&changed) } else { told::changed(&changed) }
    }
}

impl Cohort {
    /// Makes it a command that another process can run: paths are whole, and what standard input says is in it.
    ///
    /// # Errors
    /// The ids cannot be read, or a table would have to go to standard output.
    pub(super) fn elsewhere(&mut self) -> Result<()> {
        match &mut self.command {
            Command::Create(Create { selected, .. }) => selected.elsewhere(),
            Command::Add(change) | Command::Remove(change) => change.selected.elsewhere(),
            Command::Export(export) => export.elsewhere(),
            Command::Verify(Verify { image, .. }) => image.iter_mut().try_for_each(make_absolute),
            Command::Union(_) | Command::Intersect(_) | Command::Minus(_) => Ok(()),
            Command::List | Command::Show(_) | Command::Delete(_) => Ok(()),
        }
    }
}

impl Change {
    fn run(self, archive: &Archive, operation: Operation) -> Result<model::Cohort> {
        let strictness = self.selected.strictness();
        edit::change(archive, &self.name, operation, self.selected.asked()?, strictness)
    }
}

impl Combine {
    fn run(self, archive: &Archive, operation: Operation) -> Result<model::Cohort> {
        edit::combination(archive, &self.name, self.note, operation, &self.of)
    }
}
