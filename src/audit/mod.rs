//! The audit log: `HOME/audit/audit.jsonl`, one line of JSON for each event, and lines are only ever added.
//!
//! - [`event`] what happened: who, what kind, when, how many; never what was looked for, unless that is configured
//! - [`chain`] each line names the hash of the one before it, and has one of its own, keyed with `HOME/audit/key`
//! - [`log`] writes: also a command while a server runs, one process at a time
//! - [`head`] `HOME/audit/head.json`: how far the log reached, so that an end that was cut off is missed
//! - [`verify`] finds the first line that is not what was written
//!
//! What it proves: without the key no line can be changed, made, taken out or moved unnoticed. Somebody who has the key (the user
//! that the server runs as, and root) can write the log anew; against them only a copy of `seq` and `hash` elsewhere helps, which
//! `thorax audit verify` prints. The last moment before a crash (a fifth of a second) is not in the head yet.

pub mod chain;
pub mod event;
pub mod head;
pub mod log;
pub mod verify;

pub use event::{Event, Who};
pub use log::Log;
