//! `thorax doctor`: is the home sound?

use clap::Args;
use serde::Serialize;
use thorax_index::doctor::Severity;

use super::{Context, output};
use crate::doctor::{self, Options, Report};
use crate::error::{Error, Result};

/// Check that everything in the home is what was written, and that it fits together.
///
/// Reads every record of the catalogue, every file of the index with its checksum, every model, and the films that lie in the home.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// Make anew what is derived, and set damaged records of the catalogue aside.
    #[arg(long)]
    repair: bool,
    /// Read also the films that lie outside the home.
    #[arg(long)]
    films: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax doctor
  thorax doctor --films --json
  thorax doctor --repair

Exit status: 0 sound, 1 something is wrong. Notes (an unfinished build, an index that is behind) are no faults.
Damaged records go to HOME/quarantine; they hold report text.";

#[derive(Serialize)]
struct Answer<'a> {
    home: String,
    #[serde(flatten)]
    report: &'a Report,
    repaired: &'a [String],
}

impl Doctor {
    /// Runs the command.
    ///
    /// # Errors
    /// Faults are there, or another process owns the home.
    pub fn run(self, context: &Context) -> Result<()> {
        let home = context.home()?;
        let options = Options { all_films: self.films };
        let (repaired, report) = match self.repair {
            true => doctor::repair::repair(&home, options)?,
            false => (Vec::new(), doctor::examine(&home, options)?),
        };
        if context.json {
            output::json(&Answer { home: home.path().display().to_string(), report: &report, repaired: &repaired })?;
        } else {
            say(&report, &repaired)?;
        }
        match report.faults().count() {
            0 => Ok(()),
            faults => Err(Error::Faults(faults)),
        }
    }
}

fn say(report: &Report, repaired: &[String]) -> Result<()> {
    for line in repaired {
        output::line(&format!("repaired  {line}"))?;
    }
    match &report.catalogue {
        Some(counts) => output::line(&format!("catalogue {} studies, {} changes", counts.records, counts.sequence))?,
        None => output::line("catalogue none that can be read")?,
    }
    let index = &report.index;
    match index.generation {
        Some(number) => output::line(&format!(
            "index     generation {number}: {} studies, {} vectors, {} files",
            index.studies, index.vectors, index.files
        ))?,
        None => output::line("index     none")?,
    }
    output::line(&format!("models    {}", report.models.len()))?;
    output::line(&format!("films     {} compared", report.films))?;
    for finding in &report.findings {
        let kind = match finding.severity {
            Severity::Fault => "FAULT",
            Severity::Note => "note ",
        };
        output::line(&format!("{kind}     {}: {}; {}", finding.place, finding.problem, finding.remedy))?;
    }
    output::line(if report.clean { "sound" } else { "not sound" })
}
