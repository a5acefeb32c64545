//! `thorax label`: the 14 observations out of report text.
//!
//! - [`Label`] the subcommand
//! - `given` a report with the places of what is read in it

mod given;

use std::io::{BufRead, Read};
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::{Context, output};
use crate::error::{Error, Result};
use given::{Explained, Given};

/// Read the 14 observations out of a report: 1 present, 0 absent as stated, -1 uncertain, null not mentioned.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Label {
    /// The report; standard input where none is given.
    file: Option<PathBuf>,
    /// The input is lines of {"id": ..., "text": ...}.
    #[arg(long)]
    jsonl: bool,
    /// Show phrase, cue and scope of each mention, and the sentence that it stands in.
    #[arg(long)]
    explain: bool,
}

const EXAMPLES: &str = "\
Examples:
  echo 'Small left effusion. No pneumothorax.' | thorax label
  thorax label --explain report.txt
  thorax label --explain --json report.txt
  thorax label --jsonl reports.jsonl > labels.jsonl

--explain writes one line for each mention, then the labels that come of them:
  findings: Pleural Effusion absent, left \u{b7} \"effusion\" \u{b7} cue \"no\" \u{b7} scope \"left effusion\" \u{b7} There is {no} <left [effusion]>.
The phrase names the observation [ ], the cue negates or hedges it { }, the scope is what the cue reaches < >. A
mention without a cue states its phrase. With --json or --jsonl the same is the list \"mentions\": start and end count
characters of the text as it was given, from 0, the end not included.

Mentions combine: present over uncertain over absent; but what the findings only doubt and the impression denies is
absent. Indication, history, comparison and technique are not read. The same text always gives the same answer.";

#[derive(Deserialize)]
struct Line {
    id: serde_json::Value,
    text: String,
}

#[derive(Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<serde_json::Value>,
    labels: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mentions: Option<Vec<Explained>>,
}

impl Label {
    /// Runs the command.
    ///
    /// # Errors
    /// The input cannot be read, or a line is not the JSON that is expected: named by its number; the others are
    /// answered all the same.
    pub fn run(self, context: &Context) -> Result<()> {
        let mut input: Box<dyn BufRead> = match &self.file {
            Some(path) => {
                Box::new(std::io::BufReader::new(fs_err::File::open(path).map_err(|e| Error::Caller(e.to_string()))?))
            }
            None => Box::new(std::io::stdin().lock()),
        };
        if self.jsonl {
            return self.lines(input);
        }
        let mut text = String::new();
        input.read_to_string(&mut text).map_err(|e| Error::Caller(format!("the report is not UTF-8 text: {e}")))?;
        let given = Given::new(&text);
        if self.explain && !context.json {
            for line in given.lines() {
                output::line(&line)?;
            }
            return output::line(&format!("= {}", given.summary()));
        }
        output::json_line(&self.answer(None, &given))
    }

    fn answer(&self, id: Option<serde_json::Value>, given: &Given) -> Answer {
        Answer { id, labels: given.labeled.labels.codes(), mentions: self.explain.then(|| given.explained()) }
    }

    fn lines(&self, input: Box<dyn BufRead>) -> Result<()> {
        let mut bad = 0;
        for (number, line) in input.lines().enumerate() {
            let line = line.map_err(|e| Error::Caller(format!("line {}: {e}", number + 1)))?;
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str::<Line>(&line) {
                Ok(Line { id, text }) => output::json_line(&self.answer(Some(id), &Given::new(&text)))?,
                Err(error) => {
                    bad += 1;
                    // The parser's own message can quote the line, and the line is a report.
                    eprintln!("rejected: line {}, column {}: wanted {{\"id\", \"text\"}}", number + 1, error.column());
                }
            }
        }
        if bad > 0 {
            return Err(Error::Caller(format!("{bad} lines were not {{\"id\", \"text\"}}; the others were answered")));
        }
        Ok(())
    }
}
