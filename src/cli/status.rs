//! `thorax status`: what is in a home.

use clap::Args;
use serde::{Deserialize, Serialize};
use thorax_index::Manifest;

use super::output;
use super::through::Opened;
use super::through::wire::{JobView, State};
use crate::error::Result;

/// Say what is in the home: studies, model, index, and whether the index is up to date.
#[derive(Args, Serialize, Deserialize)]
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
    /// The server that owns the home, where one does.
    server: Option<Serving>,
}

#[derive(Serialize)]
struct Serving {
    /// The generation that it answers from.
    generation: u64,
    /// Its jobs that wait or run, and the last that ended.
    jobs: Vec<JobView>,
}

impl Status {
    /// Runs the command.
    ///
    /// # Errors
    /// The home cannot be read.
    pub fn run_on(self, opened: &Opened) -> Result<()> {
        let Opened { home, catalogue, .. } = opened;
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
            server: opened.serving().map(|serving| Serving {
                generation: serving.current().index().manifest().generation,
                jobs: serving.jobs().list(),
            }),
        };
        if opened.json {
            return output::json(&report);
        }
        output::line(&format!("home     {}", report.home))?;
        output::line(&format!("studies  {}", report.studies))?;
        let model = report.model.as_deref().unwrap_or("none: run `thorax train`");
        let built_in =
            if report.built_in { " (part of the program; `thorax train` makes one of your own)" } else { "" };
        output::line(&format!("model    {model}{built_in}"))?;
        match &report.index {
            None => output::line("index    none: run `thorax index`")?,
            Some(m) => output::line(&format!(
                "index    generation {}: {} films, {} sentences, {} failed; {}",
                m.generation,
                m.images,
                m.sentences,
                m.failed,
                if report.up_to_date { "up to date" } else { "the catalogue is newer: run `thorax index`" }
            ))?,
        }
        if let Some(server) = &report.server {
            output::line(&format!("server   answers from generation {}", server.generation))?;
            for job in server.jobs.iter().filter(|job| job.state != State::Done) {
                output::line(&format!("job {:<4} {}", job.job, describe(job)))?;
            }
        }
        Ok(())
    }
}

/// `index, running: embedding films, 40 of 120`
fn describe(job: &JobView) -> String {
    let state = if job.state == State::Waiting { "waiting" } else { "running" };
    let stage = job.board.stage.as_ref().map(|stage| {
        let of = stage.total.map(|total| format!(" of {total}")).unwrap_or_default();
        format!(": {}, {}{of}", stage.what, stage.done)
    });
    format!("{}, {state}{}", job.command, stage.unwrap_or_default())
}
