//! `thorax eval`: figures, ending with one line of JSON.
//!
//! - [`Eval`] the subcommand; one variant for each protocol of [`crate::evaluation`]
//! - [`shared`] what the protocols have in common: model, films, seed, report

pub mod shared;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Context, output};
use crate::error::Result;
use crate::evaluation::{labeler, prompt_bank, retrieval, zero_shot};
use shared::{Outcome, Sampling, Which, finish};

/// Measure the model or the labeler. The last line is JSON with the figures.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Eval {
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "\
Examples:
  thorax eval zero-shot --source nih --report zero-shot.html
  thorax eval zero-shot --source nih --prompts 5 --seeds 10
  thorax eval retrieval --source nih --sentences openi
  thorax eval labeler NLMCXR_reports.tgz gold.csv

Figures are of patients that were never trained on (--split test). An interval in brackets is 95%, by resampling
patients. The source is an easy shortcut for a model, so score inside one.";

#[derive(Subcommand)]
enum What {
    /// Zero-shot classification with prompts, per finding and one of n, as in the MedCLIP paper.
    ZeroShot {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        sampling: Sampling,
        /// What a score is.
        #[arg(long, value_enum, default_value_t = Score::Contrast)]
        score: Score,
        /// How several prompts become one score.
        #[arg(long, value_enum, default_value_t = Pool::Mean)]
        pool: Pool,
        /// Prompts of each kind in a random draw.
        #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        prompts: u32,
        /// Random draws, for mean and standard deviation; 0 = none.
        #[arg(long, default_value_t = 5, value_name = "K")]
        seeds: usize,
    },
    /// Text to film, film to sentence and sentence to film, by the encoder alone, beside the share of chance.
    Retrieval {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        sampling: Sampling,
        /// Search the sentences of this source's reports too, for example openi; 'all' = of all sources.
        #[arg(long, value_name = "SOURCE")]
        sentences: Option<String>,
    },
    /// The labeler against human annotations of Open-I reports.
    Labeler {
        /// The reports: the .tgz or a folder of XML.
        reports: PathBuf,
        /// CSV of annotations: report, then one column per observation with 1, 0 or -1 (leave out).
        gold: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Score {
    /// Cosine to prompts that state the finding, less cosine to those that deny it.
    Contrast,
    /// Cosine to prompts that state the finding.
    Present,
}

#[derive(Clone, Copy, ValueEnum)]
enum Pool {
    /// Mean over the prompts.
    Mean,
    /// Nearest prompt.
    Max,
}

impl Eval {
    /// Runs the command.
    ///
    /// # Errors
    /// There is nothing to score, or something cannot be read.
    pub fn run(self, context: &Context) -> Result<()> {
        match self.what {
            What::ZeroShot { which, sampling, score, pool, prompts, seeds } => {
                let home = context.home()?;
                let (name, encoder) = which.encoder(&home)?;
                let options = zero_shot::Options {
                    scope: which.scope(),
                    score: score.into(),
                    pool: pool.into(),
                    prompts: prompts as usize,
                    seeds,
                    seed: sampling.seed,
                    resamples: sampling.resamples(),
                };
                let report = zero_shot::zero_shot(&home.catalogue()?, &encoder, &options)?;
                let data = which.data(report.films, report.patients);
                let outcome = Outcome { model: Some((&name, &encoder)), data, sheet: report.sheet() };
                finish(context, &sampling, outcome, &report)
            }
            What::Retrieval { which, sampling, sentences } => {
                let home = context.home()?;
                let (name, encoder) = which.encoder(&home)?;
                let options = retrieval::Options {
                    scope: which.scope(),
                    sentences: sentences.map(|s| if s == "all" { String::new() } else { s }),
                    seed: sampling.seed,
                    resamples: sampling.resamples(),
                };
                let report = retrieval::run(&home.catalogue()?, &encoder, &options)?;
                let data = which.data(report.films, report.patients);
                let outcome = Outcome { model: Some((&name, &encoder)), data, sheet: report.sheet() };
                finish(context, &sampling, outcome, &report)
            }
            What::Labeler { reports, gold } => {
                let report = labeler::labeler(&reports, &gold)?;
                if !context.json {
                    output::line(&report.table())?;
                }
                output::json_line(&report)
            }
        }
    }
}

impl From<Score> for prompt_bank::Score {
    fn from(score: Score) -> Self {
        match score {
            Score::Contrast => Self::Contrast,
            Score::Present => Self::Present,
        }
    }
}

impl From<Pool> for prompt_bank::Pool {
    fn from(pool: Pool) -> Self {
        match pool {
            Pool::Mean => Self::Mean,
            Pool::Max => Self::Max,
        }
    }
}
