//! `thorax eval`: figures, ending with one line of JSON.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Context, output};
use crate::error::Result;
use crate::evaluation::{labeler, retrieval};
use crate::training::split::Split;

/// Measure the model or the labeler. The last line is JSON with the figures.
#[derive(Args)]
pub struct Eval {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Text-to-film retrieval on held-out patients, by the encoder alone, beside the prevalence.
    Retrieval {
        /// The model [default: the one trained last].
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// Films of this source only, for example nih; the source is an easy shortcut, so score inside one.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "SOURCE")]
        source: String,
        /// Which patients.
        #[arg(long, value_enum, default_value_t = Part::Test)]
        split: Part,
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
enum Part {
    /// Trained on.
    Train,
    /// The checkpoint is chosen on it.
    Validation,
    /// Held out.
    Test,
}

impl Eval {
    /// Runs the command.
    ///
    /// # Errors
    /// There is nothing to score, or something cannot be read.
    pub fn run(self, context: &Context) -> Result<()> {
        match self.what {
            What::Retrieval { model, source, split } => {
                let home = context.home()?;
                let encoder = home.encoder(&home.model_name(model.as_deref())?)?;
                let split = match split {
                    Part::Train => Split::Train,
                    Part::Validation => Split::Validation,
                    Part::Test => Split::Test,
                };
                let report = retrieval::retrieval(&home.catalogue()?, &encoder, &source, split)?;
                if !context.json {
                    output::line(&report.table())?;
                }
                output::json_line(&report)
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
