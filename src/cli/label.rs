//! `thorax label`: the 14 observations out of report text.

use std::io::{BufRead, Read};
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::{Context, output};
use crate::archive::{Report, split_sections};
use crate::error::{Error, Result};
use crate::findings::{self, LabeledReport};

/// Read the 14 observations out of a report: 1 present, 0 absent as stated, -1 uncertain, null not mentioned.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Label {
    /// The report; standard input where none is given.
    file: Option<PathBuf>,
    /// The input is lines of {"id": ..., "text": ...}.
    #[arg(long)]
    jsonl: bool,
    /// Show phrase, cue and scope of each mention.
    #[arg(long)]
    explain: bool,
}

const EXAMPLES: &str = "\
Examples:
  echo 'Small left effusion. No pneumothorax.' | thorax label
  thorax label --explain report.txt
  thorax label --jsonl reports.jsonl > labels.jsonl";

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
        let (report, labeled) = read(&text);
        if self.explain {
            explain(&report, &labeled)?;
        }
        let answer = Answer { id: None, labels: labeled.labels.codes() };
        if context.json || !self.explain { output::json_line(&answer) } else { Ok(()) }
    }

    fn lines(&self, input: Box<dyn BufRead>) -> Result<()> {
        let mut bad = 0;
        for (number, line) in input.lines().enumerate() {
            let line = line.map_err(|e| Error::Caller(format!("line {}: {e}", number + 1)))?;
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str::<Line>(&line) {
                Ok(Line { id, text }) => {
                    let (report, labeled) = read(&text);
                    if self.explain {
                        explain(&report, &labeled)?;
                    }
                    output::json_line(&Answer { id: Some(id), labels: labeled.labels.codes() })?;
                }
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

fn read(text: &str) -> (Report, LabeledReport) {
    let report = split_sections(text);
    let sections: Vec<(&str, &str)> = report.sections.iter().map(|s| (s.name.as_str(), s.text.as_str())).collect();
    let labeled = findings::label_report(&sections);
    (report, labeled)
}

fn explain(report: &Report, labeled: &LabeledReport) -> Result<()> {
    for section in &labeled.sections {
        let Some(text) = report.sections.get(section.section).map(|s| s.text.as_str()) else { continue };
        for mention in &section.labeled.mentions {
            output::line(&findings::explain(text, mention))?;
        }
    }
    Ok(())
}
