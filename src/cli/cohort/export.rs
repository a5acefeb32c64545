//! `thorax cohort export`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use thorax_index::Space;

use crate::audit::{Event, Log};
use crate::cli::output;
use crate::cli::through::{Opened, make_absolute};
use crate::cohort::export::columns::{Allowed, chosen};
use crate::cohort::export::pseudonyms::Pseudonyms;
use crate::cohort::export::target::Target;
use crate::cohort::export::{embeddings, export, table};
use crate::cohort::model::Cohort;
use crate::cohort::{Archive, Store};
use crate::error::{Error, Result};

#[derive(Args, Serialize, Deserialize)]
#[command(after_help = EXAMPLES)]
pub(super) struct Export {
    /// The cohort.
    name: String,
    /// The file; its ending says the format. Without it, the table goes to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// csv, jsonl or parquet [default: by the ending of --out, else csv].
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Columns, with commas between them [default: all but those that need an option].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Write the vectors instead: films or sentences, as .npy or .safetensors, and FILE.rows.csv that names the rows.
    #[arg(long, value_name = "KIND", requires = "out", conflicts_with_all = ["columns", "reports", "patients", "format"])]
    embeddings: Option<String>,
    /// Write the text of the reports too.
    #[arg(long)]
    reports: bool,
    /// Write the patients' ids too. This is health data.
    #[arg(long)]
    patients: bool,
    /// Replace the ids of studies and patients by names made with the key in this file, and leave out what leads back to them.
    #[arg(long, value_name = "KEYFILE")]
    pseudonyms: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax cohort export trial --out trial.csv
  thorax cohort export trial --out trial.parquet --pseudonyms key --columns study,patient,age,sex,'Pleural Effusion'
  thorax cohort export trial --format jsonl --reports | jq .report
  thorax cohort export trial --embeddings films --out trial.npy

Columns: study patient source date offset age sex view films paths, the 14 observations (1 present, 0 absent, -1 uncertain),
left right other score rank hash changed report. patient needs --patients or --pseudonyms, report needs --reports; with
--pseudonyms date and other are written only when they are named, paths and hash never.
Dates, rare findings and the text of reports can identify a patient: pseudonyms alone do not make data anonymous.";

impl Export {
    /// Makes it an export that another process can write.
    pub(super) fn elsewhere(&mut self) -> Result<()> {
        let Some(out) = &mut self.out else {
            let message = "a server owns this home, and it cannot write to your terminal: name a file with --out";
            return Err(Error::Caller(message.to_owned()));
        };
        make_absolute(out)?;
        self.pseudonyms.iter_mut().try_for_each(make_absolute)
    }

    pub(super) fn run(self, opened: &Opened, archive: &Archive, store: &Store<'_>) -> Result<()> {
        let cohort = store.load(&self.name)?;
        let pseudonyms = self.pseudonyms.as_deref().map(Pseudonyms::read).transpose()?;
        if let Some(kind) = &self.embeddings {
            return self.vectors(opened, archive, store, &cohort, kind, pseudonyms.as_ref());
        }
        let allowed = Allowed { patients: self.patients, reports: self.reports, pseudonyms: pseudonyms.is_some() };
        let columns = chosen(&self.columns, allowed)?;
        if allowed.reports && allowed.pseudonyms {
            output::note("warning: the text of a report can name the patient; pseudonyms do not change it");
        }
        let format = self.table_format()?;
        let target = match &self.out {
            Some(path) => Target::file(path, self.force)?,
            None => Target::stdout(),
        };
        let mut table = table::table(format, target, &columns, &cohort)?;
        let done = export(archive.catalogue(), &cohort, &columns, pseudonyms.as_ref(), table.as_mut())?;
        table.finish()?;
        noted(opened, done.rows)?;
        if done.gone > 0 {
            output::note(&format!("{} studies are gone from the archive, and left out", done.gone));
        }
        if done.changed > 0 {
            output::note(&format!(
                "{} studies have changed since they became members; they are written as they are now",
                done.changed
            ));
        }
        match &self.out {
            None => Ok(()),
            Some(_) if opened.json => output::json(&done),
            Some(path) => output::line(&format!("{}: {} studies", path.display(), done.rows)),
        }
    }

    fn table_format(&self) -> Result<table::Format> {
        let ending = self.out.as_deref().and_then(Path::extension).map(|e| e.to_string_lossy().into_owned());
        let wrong = |what: &str| Error::Caller(format!("{what}: the formats are csv, jsonl and parquet"));
        match (&self.format, ending) {
            (Some(name), _) => table::Format::of(name).ok_or_else(|| wrong(&format!("--format {name}"))),
            (None, Some(ending)) => table::Format::of(&ending)
                .ok_or_else(|| wrong(&format!("the ending '.{ending}' says no format, and there is no --format"))),
            (None, None) => Ok(table::Format::Csv),
        }
    }

    fn vectors(
        &self,
        opened: &Opened,
        archive: &Archive,
        store: &Store<'_>,
        cohort: &Cohort,
        kind: &str,
        pseudonyms: Option<&Pseudonyms>,
    ) -> Result<()> {
        let space = match kind {
            "films" => Space::Images,
            "sentences" => Space::Sentences,
            other => return Err(Error::Caller(format!("'{other}' is neither 'films' nor 'sentences'"))),
        };
        // clap has seen to it that there is one
        let out = self.out.as_deref().unwrap_or(Path::new("embeddings.npy"));
        let format = out.extension().and_then(|ending| embeddings::Format::of(&ending.to_string_lossy()));
        let format = format
            .ok_or_else(|| Error::Caller(format!("{}: vectors are written as .npy or .safetensors", out.display())))?;
        let mut rows = out.as_os_str().to_owned();
        rows.push(".rows.csv");
        let rows = PathBuf::from(rows);
        let targets = (Target::file(out, self.force)?, Target::file(&rows, self.force)?);
        let done = embeddings::export(store, cohort, archive.index()?, space, format, pseudonyms, targets)?;
        noted(opened, done.rows)?;
        if done.without > 0 {
            output::note(&format!("{} studies have no vector: without {kind}, not indexed yet, or gone", done.without));
        }
        if opened.json {
            return output::json(&done);
        }
        output::line(&format!(
            "{}: {} vectors of {} numbers; {} names them",
            out.display(),
            done.rows,
            done.dimension,
            rows.display()
        ))
    }
}

/// A line in the audit log.
fn noted(opened: &Opened, rows: u64) -> Result<()> {
    let event = Event { count: Some(rows), ..Event::new(opened.who.clone(), "export") };
    Log::open(opened.home.path())?.append(event)
}
