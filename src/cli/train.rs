//! `thorax train`: MedCLIP on the archive in the catalogue.

use clap::Args;

use super::{Context, output};
use crate::error::Result;
use crate::training::{Budget, Options, train};

/// Train a MedCLIP model on the archive. Ctrl-C keeps a checkpoint, and the same command goes on from it.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Train {
    /// Architecture and recipe: demo, small, medclip, or a TOML file.
    #[arg(long, default_value = "small", value_name = "PRESET")]
    preset: String,
    /// Name of the model [default: the preset's].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Train for this long.
    #[arg(long, value_name = "MINUTES", conflicts_with = "steps")]
    minutes: Option<f64>,
    /// Train for this many steps.
    #[arg(long, value_name = "STEPS")]
    steps: Option<u64>,
    /// Forget an unfinished run of this name.
    #[arg(long)]
    fresh: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax train --preset small --minutes 10
  thorax train --preset my.toml --name ward3 --steps 2000";

/// How long a run takes when nobody says.
const MINUTES: f64 = 10.0;

impl Train {
    /// Runs the command.
    ///
    /// # Errors
    /// There is nothing to train on, the preset is wrong, or the model cannot be written.
    pub fn run(self, context: &Context) -> Result<()> {
        let home = context.home()?;
        let budget = match (self.steps, self.minutes) {
            (Some(steps), _) => Budget::Steps(steps),
            (None, minutes) => Budget::Minutes(minutes.unwrap_or(MINUTES)),
        };
        let options = Options { preset: self.preset, name: self.name, budget, fresh: self.fresh };
        let summary = train(&home, &home.catalogue()?, options)?;
        if context.json {
            return output::json(&summary);
        }
        output::line(&format!(
            "model {}: {} steps in {:.0} s on {} films and {} texts, loss {:.3} -> {:.3}; now run `thorax index`",
            summary.name,
            summary.steps,
            summary.seconds,
            summary.films,
            summary.texts,
            summary.first_loss,
            summary.last_loss
        ))
    }
}
