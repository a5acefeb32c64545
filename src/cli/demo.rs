//! `thorax demo`: import, train, measure before and after, index, serve.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use thorax_models::Config;

use super::serve::serve;
use super::{Context, output};
use crate::archive::import::import;
use crate::archive::phantom::Phantom;
use crate::archive::{Source, open};
use crate::error::{Error, Result};
use crate::evaluation::retrieval::{Report, retrieval};
use crate::home::Home;
use crate::indexing::embed::{self, index};
use crate::progress::{Progress, Watch};
use crate::training::split::Split;
use crate::training::{Budget, Options, train, untrained};

/// The whole path on a phantom archive, or on yours: import, train, measure before and after, index, serve.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Demo {
    /// An archive as SOURCE=PATH; may be given several times [default: phantoms].
    #[arg(long = "archive", value_name = "SOURCE=PATH")]
    archives: Vec<String>,
    /// Phantom studies to compute.
    #[arg(long, default_value_t = 600, value_name = "N")]
    studies: usize,
    /// Architecture and recipe [default: demo; small with --archive].
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
    /// Minutes of training [default: 1.5; 10 with --archive].
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<f64>,
    /// Stop after the figures.
    #[arg(long)]
    no_serve: bool,
    /// Port of the page; 0 = any free one.
    #[arg(long, env = "THORAX_PORT", value_name = "PORT")]
    port: Option<u16>,
}

const EXAMPLES: &str = "\
Examples:
  thorax demo
  thorax demo --archive nih=/data/nih --archive openi=/data/NLMCXR_reports.tgz

Without --home the demo makes its home in ./thorax-demo.";

#[derive(Serialize)]
struct Figures {
    precision_at_10_before: f64,
    precision_at_10_after: f64,
    prevalence: f64,
    macro_auc_before: f64,
    macro_auc_after: f64,
    held_out_films: usize,
    training_seconds: f64,
    images_per_second: f32,
}

impl Demo {
    /// Runs the command.
    ///
    /// # Errors
    /// Whatever one of its steps meets.
    pub fn run(self, context: &Context) -> Result<()> {
        let mut home = context.home_or(PathBuf::from("thorax-demo"))?;
        home.config.server.port = self.port.unwrap_or(home.config.server.port);
        let real = !self.archives.is_empty();
        let preset = self.preset.clone().unwrap_or_else(|| if real { "small" } else { "demo" }.to_owned());
        let minutes = self.minutes.unwrap_or(if real { 10.0 } else { 1.5 });
        let source = self.import(&home)?;
        self.measure(&home, &source, &preset, minutes)?;
        if self.no_serve {
            return Ok(());
        }
        eprintln!(
            "\nTry: \"left pleural effusion\", \"no pneumothorax\", \"enlarged heart\", or drop a film on the page."
        );
        serve(&home)
    }

    /// Imports what was asked for; answers the source whose films are scored.
    fn import(&self, home: &Home) -> Result<String> {
        let catalogue = home.catalogue()?;
        if self.archives.is_empty() {
            eprintln!("computing {} phantom studies in {}", self.studies, home.path().display());
            let phantom = Phantom { studies: self.studies, ..Phantom::default() };
            let progress = Progress::new("importing", Some(self.studies as u64));
            import(&catalogue, phantom.studies(&home.phantom_dir()), &progress)?;
            progress.finish();
            return Ok("phantom".to_owned());
        }
        let mut scored = None;
        for archive in &self.archives {
            let (name, path) = archive.split_once('=').ok_or_else(|| {
                Error::Caller(format!("--archive {archive}: wanted SOURCE=PATH, such as nih=/data/nih"))
            })?;
            let source: Source = name.parse()?;
            eprintln!("importing {source} from {path}");
            let progress = Progress::new("importing", None);
            let summary = import(&catalogue, open(source, path.as_ref())?, &progress)?;
            progress.finish();
            if summary.images > 0 && scored.is_none() {
                scored = Some(name.to_owned());
            }
        }
        scored.ok_or_else(|| Error::Caller("none of the archives has films".to_owned()))
    }

    fn measure(&self, home: &Home, source: &str, preset: &str, minutes: f64) -> Result<()> {
        let catalogue = home.catalogue()?;
        let before = {
            let encoder = untrained(&catalogue, &Config::resolve(preset)?)?;
            retrieval(&catalogue, &encoder, source, Split::Test)?
        };
        let options = Options::new(preset, Budget::Minutes(minutes));
        let trained = train(home, &catalogue, options)?;
        let encoder = home.encoder(&trained.name)?;
        let after = retrieval(&catalogue, &encoder, source, Split::Test)?;
        output::line(&format!("before training:\n{}\n\nafter training:\n{}\n", before.table(), after.table()))?;
        let summary = index(home, &catalogue, &encoder, embed::Options::default(), &Watch::terminal())?;
        eprintln!("index: {} films, {} sentences", summary.images, summary.sentences);
        output::json_line(&figures(&before, &after, &trained))
    }
}

fn figures(before: &Report, after: &Report, trained: &crate::training::Summary) -> Figures {
    Figures {
        precision_at_10_before: before.mean_precision_at_10,
        precision_at_10_after: after.mean_precision_at_10,
        prevalence: after.mean_prevalence,
        macro_auc_before: before.macro_auc,
        macro_auc_after: after.macro_auc,
        held_out_films: after.films,
        training_seconds: trained.seconds,
        images_per_second: trained.images_per_second,
    }
}
