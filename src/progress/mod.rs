//! How far a long task is, and whether it should stop.
//!
//! - [`Progress`] one stage of a task: a bar on a terminal, a line every ten seconds elsewhere, or a board's figures
//! - [`Watch`] where a task's stages go: standard error, or the board of a job in a server
//! - [`board`] the board: figures and lines of a job, which its client asks for

pub mod board;

use std::borrow::Cow;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub use board::Board;

use crate::interrupt;

const LINE_EVERY: Duration = Duration::from_secs(10);

/// Where a task says how far it is, and hears whether it should stop.
#[derive(Clone, Debug, Default)]
pub struct Watch(Option<Arc<Board>>);

impl Watch {
    /// Standard error, and Ctrl-C.
    pub fn terminal() -> Self {
        Self(None)
    }

    /// The board of a job.
    pub fn board(board: Arc<Board>) -> Self {
        Self(Some(board))
    }

    /// Starts a stage, of `total` pieces where that is known.
    pub fn stage(&self, what: impl Into<Cow<'static, str>>, total: Option<u64>) -> Progress {
        match &self.0 {
            None => Progress::new(what, total),
            Some(board) => Progress::on(Arc::clone(board), what.into(), total),
        }
    }

    /// Says a line beside the result.
    pub fn say(&self, line: &str) {
        match &self.0 {
            None => eprintln!("{line}"),
            Some(board) => board.note(line),
        }
    }

    /// True once the task should stop after its current piece.
    pub fn asked_to_stop(&self) -> bool {
        interrupt::asked() || self.0.as_ref().is_some_and(|board| board.asked_to_stop())
    }
}

/// Progress of one stage of a long task.
pub struct Progress {
    what: Cow<'static, str>,
    total: Option<u64>,
    shown: Shown,
    started: Instant,
    state: Mutex<State>,
}

enum Shown {
    Bar(ProgressBar),
    Lines,
    Board(Arc<Board>),
}

struct State {
    done: u64,
    said: Instant,
}

impl Progress {
    /// Starts progress of `what` on standard error, out of `total` where it is known.
    pub fn new(what: impl Into<Cow<'static, str>>, total: Option<u64>) -> Self {
        let what = what.into();
        let shown = match std::io::stderr().is_terminal() {
            true => Shown::Bar(bar(&what, total)),
            false => Shown::Lines,
        };
        Self::start(what, total, shown)
    }

    fn on(board: Arc<Board>, what: Cow<'static, str>, total: Option<u64>) -> Self {
        board.begin(&what, total);
        Self::start(what, total, Shown::Board(board))
    }

    fn start(what: Cow<'static, str>, total: Option<u64>, shown: Shown) -> Self {
        let now = Instant::now();
        Self { what, total, shown, started: now, state: Mutex::new(State { done: 0, said: now }) }
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
        match &self.shown {
            Shown::Bar(bar) => {
                bar.set_position(done);
                bar.set_message(note.to_owned());
            }
            Shown::Board(board) => board.set(done, note),
            Shown::Lines if state.said.elapsed() >= LINE_EVERY => {
                state.said = Instant::now();
                eprintln!("{}", line(&self.what, done, self.total, self.started.elapsed(), note));
            }
            Shown::Lines => {}
        }
    }

    /// Prints a line above the bar.
    pub fn note(&self, line: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| eprintln!("{line}")),
            Shown::Lines => eprintln!("{line}"),
            Shown::Board(board) => board.note(line),
        }
    }

    /// True once the task should stop after its current piece.
    pub fn asked_to_stop(&self) -> bool {
        interrupt::asked() || matches!(&self.shown, Shown::Board(board) if board.asked_to_stop())
    }

    /// Ends it with a line that says how much and how fast.
    pub fn finish(&self) {
        let done = self.lock().done;
        let seconds = self.started.elapsed().as_secs_f64();
        match &self.shown {
            Shown::Bar(bar) => bar.finish_and_clear(),
            Shown::Lines => {}
            // Whoever watches the board says it.
            Shown::Board(_) => return,
        }
        eprintln!("{}: {done} in {seconds:.1} s", self.what);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic elsewhere must not silence the progress: the numbers are still good.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn bar(what: &str, total: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(5));
    let template = match total {
        Some(_) => "{prefix} {wide_bar} {pos}/{len} {per_sec} eta {eta} {msg}",
        None => "{prefix} {spinner} {pos} {per_sec} {msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    bar
}

/// Done, rate, time, and time to go where the total is known.
fn line(what: &str, done: u64, total: Option<u64>, elapsed: Duration, note: &str) -> String {
    let seconds = elapsed.as_secs_f64();
    let rate = done as f64 / seconds.max(1e-9);
    let of = total.map(|t| format!("/{t}")).unwrap_or_default();
    let left = total.filter(|total| done > 0 && *total > done).map(|total| (total - done) as f64 / rate);
    let left = left.map(|left| format!(", {left:.0} s to go")).unwrap_or_default();
    format!("{what}: {done}{of}, {rate:.1}/s, {seconds:.0} s{left} {note}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_says_rate_and_time_to_go() {
        let said = line("embedding films", 50, Some(200), Duration::from_secs(10), "");
        assert_eq!(said, "embedding films: 50/200, 5.0/s, 10 s, 30 s to go");
        assert_eq!(line("importing", 50, None, Duration::from_secs(10), ""), "importing: 50, 5.0/s, 10 s");
    }

    #[test]
    fn a_job_writes_on_its_board_and_stops_when_that_says_so() {
        let board = Arc::new(Board::default());
        let watch = Watch::board(Arc::clone(&board));
        let stage = watch.stage("importing", Some(10));
        stage.add(3);
        stage.note("rejected: one");
        let second = watch.stage("embedding films", None);
        second.add(1);
        let view = board.view(0);
        let now = view.stage.unwrap();
        assert_eq!((now.number, now.what.as_str(), now.done, now.total), (2, "embedding films", 1, None));
        assert_eq!(view.notes, ["rejected: one"]);
        assert!(board.view(1).notes.is_empty());
        assert!(!stage.asked_to_stop() && !watch.asked_to_stop());
        board.stop();
        assert!(stage.asked_to_stop() && watch.asked_to_stop());
    }
}
