//! `thorax ablate`: what each option of training is worth.

use std::path::PathBuf;

use clap::Args;
use thorax_models::device::Choice;
use thorax_models::train::Precision;

use super::{Context, output};
use crate::ablation::{Options, Plan, ablate};
use crate::error::Result;

/// Train variants of a recipe on the same data and compare them on held-out patients. The last line is JSON.
///
/// The file names a preset, the steps, and variants as lists of settings; the first is the base. Every variant is trained with
/// every seed. Finished runs are kept in --out and not run again; Ctrl-C loses nothing.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Ablate {
    /// The plan, a TOML file.
    file: PathBuf,
    /// Architecture and recipe, a preset or a TOML file [default: the plan's].
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
    /// Seeds of each variant [default: the plan's].
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Train each variant that many times, without one fold of the patients each time, and score every film [default: the plan's]
    #[arg(long, value_name = "N")]
    folds: Option<u64>,
    /// Steps of each run [default: the plan's].
    #[arg(long, value_name = "STEPS")]
    steps: Option<u64>,
    /// Held-out films of this source are scored [default: the plan's].
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Only variants whose name contains this, and the base; may be given several times.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Another setting of every variant; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Start every run from the tokenizer and weights of this model: a name in the home, or a folder.
    #[arg(long, value_name = "MODEL")]
    from: Option<PathBuf>,
    /// Folder of the runs [default: ablations/<name of the file> in the home].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep the models too, not only their scores.
    #[arg(long)]
    keep_models: bool,
    /// Where to compute: auto, cpu or cuda [default: `device` of thorax.toml, which is auto].
    #[arg(long, env = "THORAX_DEVICE", value_name = "DEVICE")]
    device: Option<Choice>,
    /// Numbers to compute with: f32, or bf16 on a GPU.
    #[arg(long, default_value = "f32", value_name = "TYPE")]
    dtype: Precision,
}

const EXAMPLES: &str = "\
Examples:
  thorax ablate models/configs/ablations.toml
  thorax ablate models/configs/claims.toml --seeds 5
  thorax ablate models/configs/film-claims.toml --from target/film/start --folds 5
  thorax ablate mine.toml --source nih --only temperature --out /tmp/temperature

A plan:
  preset = \"small\"
  steps = 400
  [[variant]]
  name = \"base\"
  [[variant]]
  name = \"sharper targets\"
  set = [\"training.label_temperature=0.1\"]
  [[variant]]
  name = \"half of the data\"
  data = { share = 0.5 }";

impl Ablate {
    /// Runs the command.
    ///
    /// # Errors
    /// The plan does not fit, there is nothing to train on or to score, or a run fails.
    pub fn run(self, context: &Context) -> Result<()> {
        let mut plan = Plan::load(&self.file)?;
        plan.preset = self.preset.unwrap_or(plan.preset);
        plan.seeds = self.seeds.unwrap_or(plan.seeds);
        plan.folds = self.folds.unwrap_or(plan.folds);
        plan.steps = self.steps.unwrap_or(plan.steps);
        plan.source = self.source.unwrap_or(plan.source);
        plan.set.extend(self.set);
        if !self.only.is_empty() {
            let mut first = true;
            plan.variants.retain(|variant| {
                std::mem::take(&mut first) || self.only.iter().any(|part| variant.name.contains(part.as_str()))
            });
        }
        plan.check()?;
        let home = context.home()?;
        let name = self.file.file_stem().unwrap_or_default();
        let options = Options {
            out: self.out.unwrap_or_else(|| home.path().join("ablations").join(name)),
            from: self.from.map(|from| super::train::folder(&home, from)).transpose()?,
            device: self.device.unwrap_or(home.config.device),
            precision: self.dtype,
            keep_models: self.keep_models,
        };
        fs_err::create_dir_all(&options.out)?;
        let report = ablate(&home.catalogue()?, &plan, &options)?;
        if !context.json {
            output::line(&report.table())?;
        }
        output::json_line(&report)
    }
}
