//! `thorax audit`: what the audit log says, and whether it is what was written.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Context, output};
use crate::audit::log::{FILE, FOLDER};
use crate::audit::verify::verify;
use crate::error::{Error, Result};

/// Read the audit log of the server, and find out whether it was changed.
///
/// Also while a server runs. Exit status 1: the log is not what was written.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Audit {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  thorax audit verify
  thorax audit show --last 20
  thorax audit show --last 1000 --json

Note the number and hash that `verify` prints somewhere else: then also who has the log's key cannot write it anew unnoticed.";

#[derive(Subcommand)]
enum Action {
    /// Find the first line that was edited, removed, moved or cut off.
    Verify,
    /// Show the last events.
    Show {
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
    },
}

impl Audit {
    /// Runs the command.
    ///
    /// # Errors
    /// There is no log, or [`Error::Differs`] where it is not what was written.
    pub fn run(self, context: &Context) -> Result<()> {
        let home = context.home()?;
        match self.action {
            Action::Verify => {
                let verdict = verify(home.path())?;
                if context.json {
                    output::json(&verdict)?;
                } else if verdict.whole {
                    let torn = match verdict.torn {
                        0 => String::new(),
                        n => format!("; {n} that a crash left unfinished are noted"),
                    };
                    output::line(&format!(
                        "{} lines, all as they were written{torn}\nlast: {} {}",
                        verdict.lines, verdict.last.seq, verdict.last.hash
                    ))?;
                }
                match verdict.fault {
                    None => Ok(()),
                    Some(fault) => Err(Error::Differs(format!(
                        "{}: {fault}; the {} lines before it are as they were written",
                        home.path().join(FOLDER).join(FILE).display(),
                        verdict.lines
                    ))),
                }
            }
            Action::Show { last } => {
                let path = home.path().join(FOLDER).join(FILE);
                if !path.exists() {
                    return Err(Error::Caller("this home has no audit log: `thorax serve` begins one".to_owned()));
                }
                let mut kept = VecDeque::new();
                for line in BufReader::new(fs_err::File::open(path)?).split(b'\n') {
                    if kept.len() == last {
                        kept.pop_front();
                    }
                    if last > 0 {
                        kept.push_back(line?);
                    }
                }
                let events: Vec<Value> =
                    kept.iter().map(|line| serde_json::from_slice(line).unwrap_or(Value::Null)).collect();
                if context.json {
                    return output::json(&events);
                }
                events.iter().try_for_each(|event| output::line(&told(event)))
            }
        }
    }
}

/// One event for people.
fn told(event: &Value) -> String {
    let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| event.get(key).and_then(Value::as_u64);
    if event.is_null() {
        return "(a line that is no event: see `thorax audit verify`)".to_owned();
    }
    let who = match event.get("who") {
        Some(Value::String(who)) => who.replace('_', " "),
        Some(who) => who.pointer("/token/name").and_then(Value::as_str).unwrap_or("?").to_owned(),
        None => "?".to_owned(),
    };
    let mut line = format!("{:>6}  {}  {who}: {}", number("seq").unwrap_or(0), text("time"), text("kind"));
    for (name, value) in [
        ("key", text("key").to_owned()),
        ("token", text("token").to_owned()),
        ("count", number("count").map(|n| n.to_string()).unwrap_or_default()),
        ("status", number("status").map(|n| n.to_string()).unwrap_or_default()),
    ] {
        if !value.is_empty() {
            line.push_str(&format!("  {name} {value}"));
        }
    }
    line
}
