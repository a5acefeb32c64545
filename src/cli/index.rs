//! `thorax index`: embed what is new, and swap the index.

use clap::Args;

use super::{Context, output};
use crate::error::Result;
use crate::indexing::embed::{Options, index};

/// Embed what is new or changed, and put the new index in place of the old one. Resumes where it was killed.
#[derive(Args)]
#[command(name = "index")]
pub struct IndexCommand {
    /// The model [default: the one trained last].
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Embed everything anew.
    #[arg(long)]
    rebuild: bool,
}

impl IndexCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// There is no model, or the index cannot be written.
    pub fn run(self, context: &Context) -> Result<()> {
        let home = context.home()?;
        let model = home.model_name(self.model.as_deref())?;
        let catalogue = home.catalogue()?;
        let encoder = home.encoder(&model)?;
        let summary = index(&home, &catalogue, &encoder, Options { rebuild: self.rebuild })?;
        if context.json {
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
