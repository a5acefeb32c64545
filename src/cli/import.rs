//! `thorax import SOURCE PATH...`: an archive into the catalogue.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::output;
use super::through::Opened;
use crate::archive::import::{Summary, import};
use crate::archive::phantom::Phantom;
use crate::archive::{Source, Studies, open_all};
use crate::error::{Error, Result};

/// Import an archive. Importing twice changes nothing; a changed record is updated.
///
/// On a home that a server owns, the server does it.
#[derive(Args, Serialize, Deserialize)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// nih, openi, covid-chestxray, hannover, folder, manifest or phantom.
    source: String,
    /// Folders or files of the source; none for phantom.
    pub(super) paths: Vec<PathBuf>,
    /// phantom: how many studies to compute.
    #[arg(long, default_value_t = STUDIES, value_name = "N")]
    studies: usize,
    /// phantom: the seed; the same seed gives the same films.
    #[arg(long, default_value_t = SEED, value_name = "S")]
    seed: u64,
    /// phantom: width and height of a film in pixels.
    #[arg(long, default_value_t = SIZE, value_name = "PIXELS")]
    size: u32,
    /// In a server: start the job and don't wait for it. Without it, Ctrl-C stops the job; what is acknowledged is kept.
    #[arg(long)]
    pub(super) detach: bool,
}

/// A phantom archive where nothing else is said.
const STUDIES: usize = 500;
const SEED: u64 = 1;
const SIZE: u32 = 256;

const EXAMPLES: &str = "\
Sources:
  nih              NIH ChestX-ray14: folder with Data_Entry_2017.csv and images/
  openi            Open-I (Indiana University): the reports' .tgz, or a folder of XML; images/ beside it is optional
  covid-chestxray  folder with metadata.csv and images/
  hannover         folder with data.csv and images/
  folder           class folders: PATH/CLASS/film.jpg
  manifest         our CSV or JSONL, see README
  phantom          computed films with exact truth

Examples:
  thorax import nih /data/nih
  thorax import openi /data/NLMCXR_reports.tgz
  thorax import manifest 2023.csv 2024.csv --json
  thorax import phantom --studies 1000 --seed 7";

#[derive(Serialize)]
struct Report<'a> {
    source: &'a str,
    catalogue: usize,
    #[serde(flatten)]
    summary: &'a Summary,
}

impl Import {
    /// Of a source at one place.
    pub fn new(source: String, path: PathBuf) -> Self {
        Self { source, paths: vec![path], studies: STUDIES, seed: SEED, size: SIZE, detach: false }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// The archive cannot be opened, nothing of it could be imported, or the catalogue cannot be written.
    pub fn run_on(self, opened: &Opened) -> Result<()> {
        let catalogue = &opened.catalogue;
        let (studies, total) = self.open(&opened.home)?;
        let progress = opened.watch.stage("importing", total);
        let summary = import(catalogue, studies, &progress)?;
        opened.counted.store((summary.added + summary.updated) as u64, Ordering::SeqCst);
        progress.finish();
        if opened.json {
            output::json(&Report { source: &self.source, catalogue: catalogue.len(), summary: &summary })?;
        } else {
            output::line(&format!(
                "{}: {} studies ({} added, {} updated, {} unchanged), {} films, {} reports; {} rejected; \
                 the catalogue has {} studies",
                self.source,
                summary.studies(),
                summary.added,
                summary.updated,
                summary.unchanged,
                summary.images,
                summary.reports,
                summary.rejected.len(),
                catalogue.len()
            ))?;
        }
        if summary.studies() == 0 {
            return Err(Error::Caller(format!("{}: nothing could be imported", self.source)));
        }
        Ok(())
    }

    fn open(&self, home: &crate::home::Home) -> Result<(Studies, Option<u64>)> {
        if self.source == "phantom" {
            if !self.paths.is_empty() {
                return Err(Error::Caller("phantom takes no path: its films go into the home".to_owned()));
            }
            let phantom = Phantom { studies: self.studies, seed: self.seed, size: self.size };
            return Ok((phantom.studies(&home.phantom_dir()), Some(self.studies as u64)));
        }
        let source: Source = self.source.parse()?;
        Ok((open_all(source, &self.paths)?, None))
    }
}
