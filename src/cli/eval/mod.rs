//! `thorax eval`: figures, ending with one line of JSON.
//!
//! - [`Eval`] the subcommand; one variant for each protocol of [`crate::evaluation`]
//! - [`shared`] what the protocols have in common: model, films, seed, report

pub mod shared;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Context;
use super::model::existing;
use crate::error::Result;
use crate::evaluation::fine_tuning::{self, Tuning};
use crate::evaluation::{boxes, grounding, labeler, negation, prompt_bank, queries, retrieval, supervised, zero_shot};
use crate::search::Engine;
use shared::{Outcome, Part, Sampling, Which, finish};

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
  thorax eval linear-probe --source nih
  thorax eval fine-tuning --source nih --steps 300 --frozen 11
  thorax eval negation --source phantom
  thorax eval queries --source phantom
  thorax eval grounding --boxes BBox_List_2017.csv
  thorax eval labeler NLMCXR_reports.tgz gold.csv --detail

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
    /// Logistic regression on the image encoder's features, beside zero-shot on the same films.
    LinearProbe {
        #[command(flatten)]
        learned: Learned,
    },
    /// The image encoder trained further on the labels, then a classifier, beside zero-shot before it. Takes minutes.
    FineTuning {
        #[command(flatten)]
        learned: Learned,
        /// Steps, of 32 films each.
        #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        steps: u64,
        /// Layers of the image encoder that stay as they are, from the first on.
        #[arg(long, default_value_t = 0, value_name = "LAYERS")]
        frozen: usize,
        /// Peak learning rate.
        #[arg(long, default_value_t = 1e-4, value_name = "RATE")]
        learning_rate: f64,
    },
    /// A learned correction to each class's prompt ensemble, towers frozen, beside zero-shot on the same films.
    PromptTuning {
        #[command(flatten)]
        learned: Learned,
    },
    /// What "no X" returns, by the encoder and by the engine; and "X" told apart from "no X".
    Negation {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        sampling: Sampling,
        /// Sentences of this source's reports; 'all' = of all sources.
        #[arg(long, default_value = "all", value_name = "SOURCE")]
        sentences: String,
    },
    /// What typed queries return that shows what they exclude, or the other side; and what the cut-off keeps.
    Queries {
        /// Studies of this source only.
        #[arg(long, default_value = "phantom", value_name = "SOURCE")]
        source: String,
        #[command(flatten)]
        sampling: Sampling,
    },
    /// The heat map's pointing game on boxes that radiologists drew, beside chance and blind baselines.
    Grounding {
        /// The model [default: the one trained last].
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// The boxes of NIH ChestX-ray14.
        #[arg(long, value_name = "BBox_List_2017.csv")]
        boxes: PathBuf,
        #[command(flatten)]
        sampling: Sampling,
    },
    /// The labeler against human annotations of Open-I reports.
    Labeler {
        /// The reports: the .tgz or a folder of XML.
        reports: PathBuf,
        /// CSV of annotations: report, then one column per observation with 1, 0 or -1 (leave out).
        gold: PathBuf,
        /// List report and finding wherever labeler and annotation differ; no text.
        #[arg(long)]
        detail: bool,
        #[command(flatten)]
        sampling: Sampling,
    },
}

/// What a supervised protocol needs. Learned on training patients, chosen on validation patients, scored on test patients.
#[derive(Args)]
struct Learned {
    /// The model [default: the one trained last].
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Films of this source only, for example nih.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "SOURCE")]
    source: String,
    /// What a zero-shot score is.
    #[arg(long, value_enum, default_value_t = Score::Contrast)]
    score: Score,
    #[command(flatten)]
    sampling: Sampling,
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
            What::LinearProbe { learned } => learned.run(context, supervised::Method::LinearProbe, None),
            What::PromptTuning { learned } => learned.run(context, supervised::Method::PromptTuning, None),
            What::FineTuning { learned, steps, frozen, learning_rate } => {
                let (seed, device) = (learned.sampling.seed, context.home()?.config.device);
                let tuning = Tuning { steps, frozen, learning_rate, seed, device };
                learned.run(context, supervised::Method::FineTuning, Some(tuning))
            }
            What::Negation { which, sampling, sentences } => {
                let home = context.home()?;
                let (name, encoder) = which.encoder(&home)?;
                let sentences = if sentences == "all" { String::new() } else { sentences };
                let options = negation::Options {
                    scope: which.scope(),
                    sentences: sentences.clone(),
                    seed: sampling.seed,
                    resamples: sampling.resamples(),
                };
                // The engine opens the catalogue itself, and a home has one owner: this one is closed before.
                let mut report = {
                    let catalogue = home.catalogue()?;
                    negation::negation(&catalogue, &encoder, &options)?
                };
                match Engine::open(&home) {
                    Ok(engine) if engine.model().1.fingerprint() == encoder.fingerprint() => {
                        negation::ask_engine(&mut report, &engine, &sentences)?;
                    }
                    Ok(_) => {
                        report.engine_left_out = Some("the index is of another model; run `thorax index`".to_owned())
                    }
                    Err(error) if error.is_caller_fault() => report.engine_left_out = Some(error.to_string()),
                    Err(error) => return Err(error),
                }
                let count = |of: &Option<negation::Searched>| of.as_ref().map_or((0, 0), |s| (s.items, s.patients));
                let ((films, of_films), (said, of_said)) = (count(&report.films), count(&report.sentences));
                let data = format!("{}; {said} sentences of {of_said} patients", which.data(films, of_films));
                let outcome = Outcome { model: Some((&name, &encoder)), data, sheet: report.sheet() };
                finish(context, &sampling, outcome, &report)
            }
            What::Queries { source, sampling } => {
                let home = context.home()?;
                let mut engine = Engine::open(&home)?;
                let report = queries::queries(&mut engine, &source)?;
                let (name, encoder) = engine.model();
                let data = format!("{} studies of source {source}", report.studies);
                let outcome = Outcome { model: Some((name, encoder)), data, sheet: report.sheet() };
                finish(context, &sampling, outcome, &report)
            }
            What::Grounding { model, boxes: list, sampling } => {
                let home = context.home()?;
                let name = home.model_name(model.as_deref())?;
                let encoder = home.encoder(&name)?;
                let boxes = boxes::boxes(&list)?;
                let report =
                    grounding::grounding(&home.catalogue()?, &encoder, &boxes, sampling.seed, sampling.resamples())?;
                let data = format!("{} boxes of films of source nih", report.all.boxes);
                let outcome = Outcome { model: Some((&name, &encoder)), data, sheet: report.sheet() };
                finish(context, &sampling, outcome, &report)
            }
            What::Labeler { reports, gold, detail, sampling } => {
                let options = labeler::Options { seed: sampling.seed, resamples: sampling.resamples(), detail };
                let report = labeler::labeler(&reports, &gold, options)?;
                let data = format!("{} annotated reports", report.reports);
                finish(context, &sampling, Outcome { model: None, data, sheet: report.sheet() }, &report)
            }
        }
    }
}

impl Learned {
    fn run(self, context: &Context, method: supervised::Method, tuning: Option<Tuning>) -> Result<()> {
        let home = context.home()?;
        let which = Which { model: self.model, source: self.source, split: Part::Test };
        let (name, encoder) = which.encoder(&home)?;
        let options = supervised::Options {
            method,
            source: which.source.clone(),
            score: self.score.into(),
            seed: self.sampling.seed,
            resamples: self.sampling.resamples(),
        };
        let catalogue = home.catalogue()?;
        let tuned = tuning.map(|tuning| {
            let from = existing(&home, &name)?;
            fine_tuning::fine_tuned(&catalogue, from.path(), &options.source, &tuning)
        });
        let report = supervised::supervised(&catalogue, &encoder, tuned.transpose()?.as_ref(), &options)?;
        let learned =
            format!("learned on {}, penalty chosen on {} films", report.training_films, report.validation_films);
        let data = format!("{}; {learned}", which.data(report.films, report.patients));
        let outcome = Outcome { model: Some((&name, &encoder)), data, sheet: report.sheet() };
        finish(context, &self.sampling, outcome, &report)
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
