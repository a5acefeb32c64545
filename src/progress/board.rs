//! The figures and lines of a job, written by the job and read by its client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Lines kept; what an archive rejects can be long, and the result holds it all.
const NOTES: usize = 10_000;

/// A job's board.
#[derive(Debug, Default)]
pub struct Board {
    state: Mutex<State>,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    stage: Option<Stage>,
    notes: Vec<String>,
}

/// The stage that a job is in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stage {
    /// From 1.
    pub number: u64,
    /// What is done in it.
    pub what: String,
    /// Pieces, where that is known.
    pub total: Option<u64>,
    /// Pieces done.
    pub done: u64,
    /// Such as the loss.
    pub note: String,
}

/// What a board shows.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = JobBoard)]
pub struct View {
    /// The stage it is in; none before the first.
    pub stage: Option<Stage>,
    /// Lines that the asker has not seen.
    pub notes: Vec<String>,
}

impl Board {
    /// Starts the next stage.
    pub fn begin(&self, what: &str, total: Option<u64>) {
        let mut state = self.lock();
        let number = state.stage.as_ref().map_or(0, |stage| stage.number) + 1;
        state.stage = Some(Stage { number, what: what.to_owned(), total, ..Stage::default() });
    }

    /// Sets how far the stage is.
    pub fn set(&self, done: u64, note: &str) {
        if let Some(stage) = &mut self.lock().stage {
            stage.done = done;
            note.clone_into(&mut stage.note);
        }
    }

    /// Adds a line.
    pub fn note(&self, line: &str) {
        let notes = &mut self.lock().notes;
        if notes.len() < NOTES {
            notes.push(line.to_owned());
        }
    }

    /// What it shows to somebody who has seen the first `seen` lines.
    pub fn view(&self, seen: usize) -> View {
        let state = self.lock();
        View { stage: state.stage.clone(), notes: state.notes.get(seen..).unwrap_or_default().to_vec() }
    }

    /// Asks the job to stop after its current piece.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// True once it was asked to stop.
    pub fn asked_to_stop(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // figures of a job that panicked are still figures
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
