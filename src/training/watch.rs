//! A run on standard error.

use std::path::PathBuf;

use thorax_models::train::{Event, Progress as At};

use super::dataset::LabelledFilm;
use crate::progress::Progress;

/// The bar counts thousandths of the budget: it can be in steps or in minutes.
const BAR: u64 = 1000;

/// Names of tensors that are listed; the rest is counted.
const NAMES: usize = 4;

/// Shows a run, and remembers how it went.
pub struct Watch<'a> {
    films: &'a [LabelledFilm],
    /// The bar.
    pub progress: Progress,
    /// Average loss after the first step of this run.
    pub first: Option<f32>,
    /// The last step.
    pub last: Option<At>,
}

impl<'a> Watch<'a> {
    /// Of a run on `films`.
    pub fn new(films: &'a [LabelledFilm]) -> Self {
        Self { films, progress: Progress::new("training", Some(BAR)), first: None, last: None }
    }

    /// Shows what happened.
    pub fn observe(&mut self, event: Event<'_>) {
        match event {
            Event::Started { parameters, vocabulary, step } => {
                let resumed = if step > 0 { format!(", going on from step {step}") } else { String::new() };
                self.progress.note(&format!("{parameters} parameters, {vocabulary} tokens{resumed}"));
            }
            Event::Initial(initial) => {
                self.progress.note(&format!("{} tensors taken over", initial.copied));
                for (what, names) in [("start at random", &initial.missing), ("are not used", &initial.unused)] {
                    if !names.is_empty() {
                        let more = if names.len() > NAMES { ", ..." } else { "" };
                        let named: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
                        self.progress.note(&format!("{} {what}: {}{more}", names.len(), named.join(", ")));
                    }
                }
            }
            Event::Step(at) => {
                self.first.get_or_insert(at.average_loss);
                let note = format!(
                    "step {}, loss {:.3}, {:.0} images/s, rate {:.1e}",
                    at.step, at.average_loss, at.images_per_second, at.learning_rate
                );
                self.progress.set((at.fraction * BAR as f64) as u64, &note);
                self.last = Some(at);
            }
            Event::Validated { step, value, best } => {
                let kept = if best { ", the best so far" } else { "" };
                self.progress.note(&format!("step {step}: {value:.3} on the validation patients{kept}"));
            }
            Event::CacheFull => self
                .progress
                .note("training.cache_mb is full: outputs of frozen layers that have no room are computed each time"),
            Event::ImageSkipped { index, reason } => {
                let path = self.films.get(index).map_or(PathBuf::new(), |film| film.path.clone());
                self.progress.note(&format!("left out: {}: {reason}", path.display()));
            }
            Event::Checkpoint { step, .. } => tracing::info!("checkpoint after step {step}"),
        }
    }
}
