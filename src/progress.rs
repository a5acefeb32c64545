//! Progress on standard error: a bar on a terminal, a line every ten seconds elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const LINE_EVERY: Duration = Duration::from_secs(10);

/// Progress of one long task.
pub struct Progress {
    what: &'static str,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    started: Instant,
    state: Mutex<State>,
}

struct State {
    done: u64,
    said: Instant,
}

impl Progress {
    /// Starts progress of `what`, out of `total` where it is known.
    pub fn new(what: &'static str, total: Option<u64>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(5));
            let template = if total.is_some() {
                "{prefix} {wide_bar} {pos}/{len} {per_sec} eta {eta} {msg}"
            } else {
                "{prefix} {spinner} {pos} {per_sec} {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_prefix(what);
            bar
        });
        let now = Instant::now();
        Self { what, total, bar, started: now, state: Mutex::new(State { done: 0, said: now }) }
    }

    /// Moves on by `n`.
    pub fn add(&self, n: u64) {
        let done = self.lock().done + n;
        self.set(done, "");
    }

    /// Sets how much is done, with a note such as the loss.
    pub fn set(&self, done: u64, note: &str) {
        let mut state = self.lock();
        state.done = done;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(note.to_owned());
        } else if state.said.elapsed() >= LINE_EVERY {
            state.said = Instant::now();
            let seconds = self.started.elapsed().as_secs_f64();
            let of = self.total.map(|t| format!("/{t}")).unwrap_or_default();
            eprintln!("{}: {done}{of}, {:.1}/s, {seconds:.0} s {note}", self.what, done as f64 / seconds);
        }
    }

    /// Prints a line above the bar.
    pub fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// Ends it with a line that says how much and how fast.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let done = self.lock().done;
        let seconds = self.started.elapsed().as_secs_f64();
        eprintln!("{}: {done} in {seconds:.1} s", self.what);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic elsewhere must not silence the progress: the numbers are still good.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
