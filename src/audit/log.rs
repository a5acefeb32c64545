//! Writing the log. Lines are written at once and made durable every [`FLUSH_EVERY`]; then the head says how far.
//!
//! A server and a command may both write: whoever writes holds the lock of `HOME/audit/lock`, and first reads what the other has
//! added.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use fs_err as fs;

use super::chain::{Key, Link};
use super::event::{Event, Noted, Torn, Who};
use super::head::Head;
use crate::error::Result;
use crate::private;

/// Name of the folder in a home.
pub const FOLDER: &str = "audit";
/// Name of the log in it.
pub const FILE: &str = "audit.jsonl";
/// How long a line may wait to be durable.
pub const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// Kind of the event that the head was found missing, or edited.
pub(super) const NO_HEAD: &str = "head missing";

/// The log of a home.
pub struct Log {
    folder: PathBuf,
    key: Key,
    state: Mutex<State>,
}

struct State {
    file: fs::File,
    /// The last line that was read or written.
    link: Link,
    /// Length up to its end.
    bytes: u64,
    /// What the head has.
    durable: u64,
    /// The last attempt to write failed.
    failing: bool,
}

impl Log {
    /// Opens the log of a home, or begins one. What a crash left unfinished is kept and noted.
    ///
    /// # Errors
    /// The folder cannot be written, or the key is missing.
    pub fn open(home: &Path) -> Result<Self> {
        let folder = home.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let _lock = private::lock(&folder.join("lock"))?;
        let path = folder.join(FILE);
        let begun = fs::metadata(&path).is_ok_and(|about| about.len() > 0);
        let key = Key::of(&folder, !begun)?;
        let file = private::append(&path)?;
        let head = Head::read(&folder, &key).unwrap_or_else(|error| {
            tracing::error!("audit: {error}");
            None
        });
        let without = head.is_none();
        let head = head.unwrap_or(Head { link: Link::first(), bytes: 0 });
        let mut state = State { file, bytes: head.bytes, durable: head.link.seq, link: head.link, failing: false };
        state.catch_up(&key)?;
        if without {
            if begun {
                // it is made anew, and stays a fault of the log: lines may have gone with it
                state.append(Event::new(Who::Log, NO_HEAD), &key)?;
            }
            state.file.sync_data()?;
            Head { link: state.link.clone(), bytes: state.bytes }.write(&folder, &key)?;
            state.durable = state.link.seq;
        }
        Ok(Self { folder, key, state: Mutex::new(state) })
    }

    /// Adds an event. It is durable after [`FLUSH_EVERY`], or [`flush`](Self::flush).
    ///
    /// # Errors
    /// It cannot be written.
    pub fn append(&self, event: Event) -> Result<()> {
        let mut state = self.lock();
        let written = private::lock(&self.folder.join("lock")).and_then(|_lock| {
            state.catch_up(&self.key)?;
            state.append(event, &self.key)
        });
        if let Err(error) = &written {
            tracing::error!("the audit log cannot be written: {error}");
        }
        state.failing = written.is_err();
        written
    }

    /// Whether an event could be written now; after a failure it is tried.
    ///
    /// # Errors
    /// It still fails.
    pub fn ready(&self) -> Result<()> {
        let failing = self.lock().failing;
        if failing { self.append(Event::new(Who::Log, "written again")) } else { Ok(()) }
    }

    /// Makes what was written durable.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn flush(&self) -> Result<()> {
        let mut state = self.lock();
        if state.link.seq == state.durable {
            return Ok(());
        }
        let file = state.file.try_clone()?;
        let head = Head { link: state.link.clone(), bytes: state.bytes };
        state.durable = head.link.seq;
        // who writes a line need not wait for the disk
        drop(state);
        let flushed = file.sync_data().map_err(Into::into).and_then(|()| self.write_head(&head));
        if let Err(error) = &flushed {
            tracing::error!("the audit log cannot be made durable: {error}");
            let mut state = self.lock();
            (state.failing, state.durable) = (true, 0);
        }
        flushed
    }

    /// Writes the head, unless another process has come further.
    fn write_head(&self, head: &Head) -> Result<()> {
        let _lock = private::lock(&self.folder.join("lock"))?;
        match Head::read(&self.folder, &self.key) {
            Ok(Some(written)) if written.link.seq > head.link.seq => Ok(()),
            _ => head.write(&self.folder, &self.key),
        }
    }

    /// Makes lines durable from a thread of its own, as long as the log is in use.
    pub fn keep_durable(self: &Arc<Self>) {
        let log = Arc::downgrade(self);
        std::thread::spawn(move || {
            while let Some(log) = log.upgrade() {
                // said in the log of the server
                let _ = log.flush();
                drop(log);
                std::thread::sleep(FLUSH_EVERY);
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

impl State {
    fn append(&mut self, event: Event, key: &Key) -> Result<()> {
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let noted = Noted { seq: self.link.seq + 1, time, event, prev: self.link.hash.clone() };
        let (line, link) = key.line(&noted)?;
        self.file.write_all(line.as_bytes())?;
        self.link = link;
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Reads what was added since; completes what was torn.
    fn catch_up(&mut self, key: &Key) -> Result<()> {
        let length = self.file.metadata()?.len();
        if length == self.bytes {
            return Ok(());
        }
        if length < self.bytes {
            // the chain goes on from the head: `thorax audit verify` finds the gap
            tracing::error!("the audit log was cut off: {} bytes of {} are left", length, self.bytes);
            self.bytes = length;
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(self.bytes))?;
        let mut added = Vec::new();
        (&self.file).take(length - self.bytes).read_to_end(&mut added)?;
        self.bytes = length;
        let complete = added.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (lines, torn) = added.split_at(complete);
        for line in lines.split(|byte| *byte == b'\n') {
            // what fits not is left to `thorax audit verify`
            if let Some((_, link)) = key.read(line) {
                self.link = link;
            }
        }
        if !torn.is_empty() {
            self.file.write_all(b"\n")?;
            self.bytes += 1;
            match key.read(torn) {
                // only its end was missing
                Some((_, link)) => self.link = link,
                None => {
                    let torn = Torn { bytes: torn.len() as u64, hash: key.hash(torn).to_hex().to_string() };
                    self.append(Event { torn: Some(torn), ..Event::new(Who::Log, "torn line") }, key)?;
                }
            }
        }
        Ok(())
    }
}
