//! `thorax train`: MedCLIP on the archive in the catalogue.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use thorax_models::device::Choice;
use thorax_models::train::Precision;

use super::{Context, output};
use crate::error::{Error, Result};
use crate::home::Home;
use crate::training::{Budget, Options, train};

/// Train a MedCLIP model on the archive. Ctrl-C keeps a checkpoint, and the same command goes on from it.
///
/// The weights that score best on the validation patients are kept. Losses, speed and validation are written to
/// curves.jsonl in the model's folder as the run goes; what the model was trained on is in MODEL_CARD.md.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Train {
    /// Architecture and recipe: a preset or a TOML file [default: that of --from; small without].
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
    /// Start from the tokenizer and weights of this model: a name in the home, or a folder.
    #[arg(long, value_name = "MODEL")]
    from: Option<PathBuf>,
    /// The paper's recipe: targets at temperature 1 from 0/1 labels, even sampling, nothing added.
    #[arg(long)]
    faithful: bool,
    /// Another value in place of the preset's; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Name of the model [default: the preset's].
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Train for this long.
    #[arg(long, value_name = "MINUTES", conflicts_with = "steps")]
    minutes: Option<f64>,
    /// Train for this many steps.
    #[arg(long, value_name = "STEPS")]
    steps: Option<u64>,
    /// Where to compute: auto, cpu or cuda [default: `device` of thorax.toml, which is auto].
    #[arg(long, env = "THORAX_DEVICE", value_name = "DEVICE")]
    device: Option<Choice>,
    /// Numbers to compute with: f32, or bf16 on a GPU.
    #[arg(long, default_value = "f32", value_name = "TYPE")]
    dtype: Precision,
    /// Seconds from one checkpoint to the next.
    #[arg(long, default_value_t = 120.0, value_name = "SECONDS")]
    checkpoint_every: f64,
    /// Forget an unfinished run of this name.
    #[arg(long)]
    fresh: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax train --preset small --minutes 10
  thorax train --preset my.toml --name ward3 --steps 2000
  thorax train --preset small --faithful --name paper --steps 2000
  thorax train --set training.label_temperature=0.1 --set training.flip=0.5
  thorax train --from ./imagenet-minilm --set training.frozen=17 --steps 3000
  thorax train --preset medclip --device cuda --dtype bf16 --minutes 240";

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
        let checkpoint_every = Duration::try_from_secs_f64(self.checkpoint_every)
            .map_err(|e| Error::Caller(format!("--checkpoint-every {}: {e}", self.checkpoint_every)))?;
        let options = Options {
            preset: self.preset,
            set: self.set,
            faithful: self.faithful,
            from: self.from.map(|from| folder(&home, from)).transpose()?,
            name: self.name,
            budget,
            fresh: self.fresh,
            device: self.device.unwrap_or(home.config.device),
            precision: self.dtype,
            checkpoint_every,
        };
        let summary = train(&home, &home.catalogue()?, options)?;
        if context.json {
            return output::json(&summary);
        }
        let validation = summary.validation.map_or(String::new(), |v| {
            format!(", macro AUC {v:.3} on validation patients after step {}", summary.best_step)
        });
        output::line(&format!(
            "model {}: {} steps in {:.0} s on {} films and {} texts, loss {:.3} -> {:.3}{validation}; \
             now run `thorax index`",
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

/// The folder of a model that is named by its folder or by its name in the home.
///
/// # Errors
/// It is neither.
pub fn folder(home: &Home, model: PathBuf) -> Result<PathBuf> {
    let is_model = |dir: &Path| dir.join("model.safetensors").is_file();
    if is_model(&model) {
        return Ok(model);
    }
    let named = model.to_str().map(|name| home.model_dir(name));
    match named {
        Some(Ok(dir)) if is_model(&dir) => Ok(dir),
        _ => Err(Error::Caller(format!(
            "--from {}: neither a folder with model.safetensors nor a model of this home",
            model.display()
        ))),
    }
}
