//! `thorax backup`: the catalogue into a file.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::output;
use super::through::Opened;
use crate::backup::{End, target, verify};
use crate::error::{Error, Result};

/// Save the whole catalogue as lines of JSON, each with its checksum. Works while the home is served.
///
/// The index is not saved: `thorax index` makes it from the catalogue and the films. Films stay where the archive has them.
#[derive(Args, Serialize, Deserialize)]
#[command(after_help = EXAMPLES)]
pub struct Backup {
    /// A file, which is replaced; or a folder, which gets a new folder for each backup.
    #[arg(value_name = "FILE|DIR")]
    pub(super) to: PathBuf,
    /// Save the models too; into a folder.
    #[arg(long)]
    models: bool,
    /// Read a backup and say whether it is whole.
    #[arg(long, conflicts_with = "models")]
    pub(super) verify: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax backup archive.jsonl
  thorax backup /backups/thorax/ --models
  thorax backup --verify archive.jsonl

A backup holds report text and ids of patients: it can be read by its owner only.";

#[derive(Serialize)]
struct Report {
    path: String,
    #[serde(flatten)]
    end: End,
}

impl Backup {
    /// Runs the command.
    ///
    /// # Errors
    /// A damaged record of the catalogue, or files that cannot be written.
    pub fn run_on(self, opened: &Opened) -> Result<()> {
        if self.verify {
            return self.check(opened.json);
        }
        let folder = self.models || self.to.is_dir() || self.to.as_os_str().to_string_lossy().ends_with('/');
        let (end, path) = match folder {
            true => target::to_folder(&opened.home, &opened.catalogue, &self.to, self.models)?,
            false => (target::to_file(&opened.catalogue, &self.to)?, self.to),
        };
        opened.counted.store(end.studies, Ordering::SeqCst);
        say("saved in", end, path, opened.json)
    }

    /// Reads a backup; needs no home.
    ///
    /// # Errors
    /// It is damaged: the line is named.
    pub fn check(self, json: bool) -> Result<()> {
        if !self.to.exists() {
            return Err(Error::Caller(format!("there is no backup {}", self.to.display())));
        }
        say("whole:", verify(&self.to)?, self.to, json)
    }
}

pub(super) fn say(what: &str, end: End, path: PathBuf, json: bool) -> Result<()> {
    if json {
        return output::json(&Report { path: path.display().to_string(), end });
    }
    let files = if end.files > 0 { format!(", {} files", end.files) } else { String::new() };
    let records = if end.records > 0 { format!(", {} other records", end.records) } else { String::new() };
    output::line(&format!("{} studies{records}{files} {what} {}", end.studies, path.display()))
}
