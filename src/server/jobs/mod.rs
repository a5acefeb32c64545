//! Long commands, one after another: the catalogue has one writer. A job reports on its board and is asked to stop there.
//!
//! - [`Jobs`] the queue
//! - [`resource`] `/api/v1/jobs`

pub mod resource;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::cli::through::wire::{Fault, JobView, Kind, Outcome, State};
use crate::progress::Board;

/// Jobs that are done and can still be asked after.
const REMEMBERED: usize = 64;

/// What a job does; it reports on the board.
pub type Work = Box<dyn FnOnce(Arc<Board>) -> Outcome + Send>;

/// The jobs of a server.
#[derive(Default)]
pub struct Jobs {
    queue: Mutex<Queue>,
    came: Condvar,
}

#[derive(Default)]
struct Queue {
    last: u64,
    waiting: VecDeque<(u64, Work)>,
    jobs: BTreeMap<u64, Job>,
    closed: bool,
}

struct Job {
    command: String,
    board: Arc<Board>,
    state: State,
    outcome: Option<Outcome>,
}

impl Jobs {
    /// Puts a job at the end of the queue; `None` where the server is shutting down.
    pub fn submit(&self, command: &str, work: Work) -> Option<u64> {
        let mut queue = self.lock();
        if queue.closed {
            return None;
        }
        queue.last += 1;
        let id = queue.last;
        let job = Job { command: command.to_owned(), board: Arc::default(), state: State::Waiting, outcome: None };
        queue.jobs.insert(id, job);
        queue.waiting.push_back((id, work));
        let old = queue.jobs.iter().filter(|(_, job)| job.state == State::Done).map(|(id, _)| *id);
        let old: Vec<u64> = old.rev().skip(REMEMBERED).collect();
        for id in old {
            queue.jobs.remove(&id);
        }
        self.came.notify_one();
        Some(id)
    }

    /// A job, to somebody who has seen the first `seen` of its lines.
    pub fn view(&self, id: u64, seen: usize) -> Option<JobView> {
        self.lock().jobs.get(&id).map(|job| job.view(id, seen))
    }

    /// All jobs that wait, run, or ended not long ago; without their lines and results.
    pub fn list(&self) -> Vec<JobView> {
        let queue = self.lock();
        queue.jobs.iter().map(|(id, job)| JobView { outcome: None, ..job.view(*id, usize::MAX) }).collect()
    }

    /// Asks a job to stop after its current piece; false where there is no such job.
    pub fn cancel(&self, id: u64) -> bool {
        self.lock().jobs.get(&id).map(|job| job.board.stop()).is_some()
    }

    /// Takes no more jobs, and asks those that are there to stop.
    pub fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.jobs.values().for_each(|job| job.board.stop());
        self.came.notify_all();
    }

    /// Runs jobs until the queue is closed and empty. For one thread.
    pub fn work(&self) {
        while let Some((id, board, work)) = self.next() {
            let outcome = match board.asked_to_stop() {
                true => failed(Kind::Interrupted, "stopped before it began"),
                // A panic of one job must not end the others; sled and the tensor library panic on what they don't expect.
                false => catch_unwind(AssertUnwindSafe(|| work(board)))
                    .unwrap_or_else(|_| failed(Kind::Service, "the job broke off; the server's log says why")),
            };
            if let Some(job) = self.lock().jobs.get_mut(&id) {
                job.state = State::Done;
                job.outcome = Some(outcome);
            }
        }
    }

    fn next(&self) -> Option<(u64, Arc<Board>, Work)> {
        let mut queue = self.lock();
        loop {
            if let Some((id, work)) = queue.waiting.pop_front()
                && let Some(job) = queue.jobs.get_mut(&id)
            {
                job.state = State::Running;
                return Some((id, Arc::clone(&job.board), work));
            }
            if queue.closed {
                return None;
            }
            queue = self.came.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // nothing is left half done while the lock is held
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    fn view(&self, id: u64, seen: usize) -> JobView {
        JobView {
            job: id,
            command: self.command.clone(),
            state: self.state,
            board: self.board.view(seen),
            outcome: self.outcome.clone(),
        }
    }
}

fn failed(kind: Kind, message: &str) -> Outcome {
    Outcome { fault: Some(Fault { message: message.to_owned(), kind }), ..Outcome::default() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(result: &str) -> Outcome {
        Outcome { result: result.to_owned(), ..Outcome::default() }
    }

    #[test]
    fn jobs_run_in_order_and_a_panic_ends_only_its_own() {
        let jobs = Jobs::default();
        let first = jobs.submit(
            "index",
            Box::new(|board| {
                board.note("a line");
                said("one")
            }),
        );
        let second = jobs.submit("import", Box::new(|_| std::panic::resume_unwind(Box::new("on purpose"))));
        let third = jobs.submit("index", Box::new(|_| said("three")));
        let stopped = jobs.submit("index", Box::new(|_| said("never"))).unwrap();
        assert!(jobs.cancel(stopped) && !jobs.cancel(99));
        std::thread::scope(|scope| {
            scope.spawn(|| jobs.work());
            while jobs.view(stopped, 0).unwrap().outcome.is_none() {
                std::thread::yield_now();
            }
            jobs.close();
        });
        let outcome = |id: Option<u64>| jobs.view(id.unwrap(), 0).unwrap().outcome.unwrap();
        assert_eq!(outcome(first).result, "one");
        assert_eq!(outcome(second).fault.unwrap().kind, Kind::Service);
        assert_eq!(outcome(third).result, "three");
        assert_eq!(outcome(Some(stopped)).fault.unwrap().kind, Kind::Interrupted);
        assert_eq!(jobs.view(first.unwrap(), 0).unwrap().board.notes, ["a line"]);
        assert!(jobs.submit("index", Box::new(|_| said("late"))).is_none());
    }

    #[test]
    fn the_oldest_that_are_done_are_forgotten() {
        let jobs = Jobs::default();
        for _ in 0..REMEMBERED + 10 {
            jobs.submit("status", Box::new(|_| said("")));
        }
        std::thread::scope(|scope| {
            scope.spawn(|| jobs.work());
            while jobs.list().iter().any(|job| job.state != State::Done) {
                std::thread::yield_now();
            }
            jobs.submit("status", Box::new(|_| said("")));
            jobs.close();
        });
        assert!(jobs.list().len() <= REMEMBERED + 1);
        assert!(jobs.view(1, 0).is_none());
    }
}
