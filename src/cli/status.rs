//! `thorax status`: what is in a home.

use clap::Args;
use serde::Serialize;
use thorax_index::Manifest;

use super::{Context, output};
use crate::error::Result;

/// Say what is in the home: studies, model, index, and whether the index is up to date.
#[derive(Args)]
pub struct Status {}

#[derive(Serialize)]
struct Report {
    home: String,
    studies: usize,
    sequence: u64,
    model: Option<String>,
    /// The model is the one that is part of the program.
    built_in: bool,
    index: Option<Manifest>,
    up_to_date: bool,
}

impl Status {
    /// Runs the command.
    ///
    /// # Errors
    /// The home cannot be read.
    pub fn run(self, context: &Context) -> Result<()> {
        let home = context.home()?;
        let catalogue = home.catalogue()?;
        let index = Manifest::current(home.path())?;
        let sequence = catalogue.sequence()?;
        let model = home.model_name(None).ok();
        let report = Report {
            home: home.path().display().to_string(),
            studies: catalogue.len(),
            sequence,
            built_in: model.as_deref().is_some_and(|name| home.is_built_in(name)),
            model,
            up_to_date: index.as_ref().is_some_and(|m| m.sequence == sequence),
            index,
        };
        if context.json {
            return output::json(&report);
        }
        output::line(&format!("home     {}", report.home))?;
        output::line(&format!("studies  {}", report.studies))?;
        let model = report.model.as_deref().unwrap_or("none: run `thorax train`");
        let built_in =
            if report.built_in { " (part of the program; `thorax train` makes one of your own)" } else { "" };
        output::line(&format!("model    {model}{built_in}"))?;
        match &report.index {
            None => output::line("index    none: run `thorax index`"),
            Some(m) => output::line(&format!(
                "index    generation {}: {} films, {} sentences, {} failed; {}",
                m.generation,
                m.images,
                m.sentences,
                m.failed,
                if report.up_to_date { "up to date" } else { "the catalogue is newer: run `thorax index`" }
            )),
        }
    }
}
