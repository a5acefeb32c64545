//! `thorax index`: embed what is new, and swap the index.

use clap::Args;

use serde::{Deserialize, Serialize};

use super::output;
use super::through::Opened;
use crate::error::{Error, Result};
use crate::indexing::embed::{Options, index};
use crate::nice;

/// Embed what is new or changed, and put the new index in place of the old one. Resumes where it was killed.
///
/// On a home that a server owns, the server does it and goes on answering; it serves the new index when this ends.
#[derive(Args, Serialize, Deserialize)]
#[command(name = "index", after_help = EXAMPLES)]
pub struct IndexCommand {
    /// The model [default: the one trained last].
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Embed everything anew.
    #[arg(long)]
    rebuild: bool,
    /// Give way to other work: 0 is the usual priority, 19 the lowest [default: 0; 10 in a server].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=nice::MAX as i64))]
    pub(super) nice: Option<i32>,
    /// In a server: start the job and don't wait for it. Without it, Ctrl-C stops the job; what is embedded is kept.
    #[arg(long)]
    pub(super) detach: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax index                        what is new or changed since the last time
  thorax index --model film2          embed everything with another model, beside the index that serves
  thorax index --threads 4 --nice 10  leave room for others
  thorax index --rebuild              embed everything anew";

impl IndexCommand {
    /// As without flags, but for these.
    pub fn new(model: Option<String>, rebuild: bool) -> Self {
        Self { model, rebuild, nice: None, detach: false }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// There is no model, or the index cannot be written.
    pub fn run_on(self, opened: &Opened) -> Result<()> {
        let model = opened.home.model_name(self.model.as_deref())?;
        let encoder = opened.encoder(&model)?;
        let options = Options { rebuild: self.rebuild };
        let summary = index(&opened.home, &opened.catalogue, &encoder, options, &opened.watch)?;
        if let Some(serving) = opened.serving() {
            serving.refresh().map_err(|error| {
                let generation = summary.generation;
                Error::Server(format!("generation {generation} is written, but the server cannot open it: {error}"))
            })?;
        }
        if opened.json {
            return output::json(&summary);
        }
        output::line(&format!(
            "generation {} of model {model}: {} studies, {} films, {} sentences; {} embedded, {} carried over, {} failed",
            summary.generation,
            summary.studies,
            summary.images,
            summary.sentences,
            summary.embedded,
            summary.carried,
            summary.failed
        ))
    }
}
