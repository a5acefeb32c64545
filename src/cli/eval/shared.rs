//! What the protocols have in common.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use thorax_models::Encoder;

use super::super::{Context, output};
use crate::error::Result;
use crate::evaluation::bootstrap::RESAMPLES;
use crate::evaluation::cohort::Scope;
use crate::evaluation::report::{About, Sheet, html, text};
use crate::home::Home;
use crate::training::split::Split;

/// Which model, which films.
#[derive(Args)]
pub struct Which {
    /// The model [default: the one trained last].
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Films of this source only, for example nih; the source is an easy shortcut, so score inside one.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "SOURCE")]
    pub source: String,
    /// Which patients.
    #[arg(long, value_enum, default_value_t = Part::Test)]
    pub split: Part,
}

/// A part of the patients, by hash of their id.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Trained on.
    Train,
    /// The checkpoint is chosen on it.
    Validation,
    /// Held out.
    Test,
}

/// Seed, resamples, report.
#[derive(Args)]
pub struct Sampling {
    /// Seed of draws and resamples: the same seed gives the same figures.
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub seed: u64,
    /// Resamples of patients behind an interval.
    #[arg(long, default_value_t = RESAMPLES as u32, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub resamples: u32,
    /// Write a report with plots: one HTML file that needs nothing else.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// What a protocol came to.
pub struct Outcome<'a> {
    /// The model that was measured.
    pub model: Option<(&'a str, &'a Encoder)>,
    /// Films, sentences and patients, in words.
    pub data: String,
    /// The figures for people.
    pub sheet: Sheet,
}

impl From<Part> for Split {
    fn from(part: Part) -> Self {
        match part {
            Part::Train => Split::Train,
            Part::Validation => Split::Validation,
            Part::Test => Split::Test,
        }
    }
}

impl Which {
    /// The films.
    pub fn scope(&self) -> Scope {
        Scope { source: self.source.clone(), split: self.split.into() }
    }

    /// The model and its name.
    ///
    /// # Errors
    /// There is none.
    pub fn encoder(&self, home: &Home) -> Result<(String, Encoder)> {
        let name = home.model_name(self.model.as_deref())?;
        let encoder = home.encoder(&name)?;
        Ok((name, encoder))
    }

    /// The films in words.
    pub fn data(&self, films: usize, patients: usize) -> String {
        let source = if self.source.is_empty() { "all sources".to_owned() } else { format!("source {}", self.source) };
        format!("{films} films of {patients} patients, {source}, {:?} patients", Split::from(self.split)).to_lowercase()
    }
}

impl Sampling {
    /// Resamples behind an interval.
    pub fn resamples(&self) -> usize {
        self.resamples as usize
    }
}

#[derive(Serialize)]
struct Document<'a, T> {
    about: &'a About,
    #[serde(flatten)]
    figures: &'a T,
}

/// Shows the figures: a table and a line of JSON, or JSON alone; and a report where one is wanted.
///
/// # Errors
/// The report cannot be written.
pub fn finish(context: &Context, sampling: &Sampling, outcome: Outcome<'_>, figures: &impl Serialize) -> Result<()> {
    let (model, fingerprint) = outcome.model.map_or(("", ""), |(name, encoder)| (name, encoder.fingerprint()));
    let about = About {
        command: command_line(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: model.to_owned(),
        fingerprint: fingerprint.to_owned(),
        data: outcome.data,
        // without a model nothing was trained, and nothing is split
        split: outcome.model.map_or("", |_| "by hash of the patient: 70% train, 10% validation, 20% test").to_owned(),
        seed: sampling.seed,
        resamples: sampling.resamples(),
    };
    if let Some(path) = &sampling.report {
        html::write(path, &outcome.sheet, &about)?;
        eprintln!("report: {}", path.display());
    }
    if !context.json {
        output::line(&text::sheet(&outcome.sheet))?;
    }
    output::json_line(&Document { about: &about, figures })
}

/// The command as it was given, quoted where a shell needs it.
fn command_line() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    let quoted = |word: String| match !word.is_empty() && word.chars().all(plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    let words = std::env::args_os().skip(1).map(|word| quoted(word.to_string_lossy().into_owned()));
    std::iter::once("thorax".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
