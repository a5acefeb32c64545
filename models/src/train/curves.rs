//! `curves.jsonl`: losses, rate, speed and validation as the run goes, one JSON object a line.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::options::Progress;
use crate::error::ModelError;
use crate::weights;

/// Steps between two lines.
const EVERY: u64 = 10;

/// The file. A line is on disk as soon as it is written, so that another program can plot along.
pub(super) struct Curves {
    file: fs_err::File,
    path: PathBuf,
}

impl Curves {
    /// Goes on with the file after `step`; what was written after that belongs to steps that were lost.
    pub(super) fn open(path: &Path, step: u64) -> Result<Self, ModelError> {
        let old =
            if step > 0 && path.exists() { fs_err::read(path).map_err(ModelError::io(path))? } else { Vec::new() };
        let kept: String = String::from_utf8_lossy(&old).lines().filter(|line| within(line, step)).fold(
            String::new(),
            |mut kept, line| {
                kept.push_str(line);
                kept.push('\n');
                kept
            },
        );
        weights::write_atomically(path, kept.as_bytes())?;
        let file = fs_err::OpenOptions::new().append(true).open(path).map_err(ModelError::io(path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Notes a step; not each one.
    pub(super) fn step(&mut self, at: &Progress) -> Result<(), ModelError> {
        if !at.step.is_multiple_of(EVERY) && at.step != 1 && at.fraction < 1.0 {
            return Ok(());
        }
        self.line(&serde_json::json!({
            "step": at.step,
            "loss": at.loss,
            "average_loss": at.average_loss,
            "matching": at.matching,
            "auxiliary": at.auxiliary,
            "questions": at.questions,
            "learning_rate": at.learning_rate,
            "images_per_second": at.images_per_second,
            "seconds": at.seconds,
        }))
    }

    /// Notes a validation.
    pub(super) fn validation(&mut self, step: u64, value: f64, best: bool, details: &Value) -> Result<(), ModelError> {
        self.line(&serde_json::json!({ "step": step, "validation": value, "best": best, "details": details }))
    }

    fn line(&mut self, value: &Value) -> Result<(), ModelError> {
        let line = format!("{value}\n");
        self.file.write_all(line.as_bytes()).and_then(|()| self.file.flush()).map_err(ModelError::io(&self.path))
    }
}

/// True for a whole line of `step` or before. A line that a crash cut short has no step.
fn within(line: &str, step: u64) -> bool {
    let value: Option<Value> = serde_json::from_str(line).ok();
    value.and_then(|v| v.get("step")?.as_u64()).is_some_and(|s| s <= step)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lines_of_lost_steps_and_torn_lines_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("curves.jsonl");
        let mut curves = Curves::open(&path, 0).unwrap();
        for step in [10, 20, 30] {
            curves.validation(step, 0.5, false, &Value::Null).unwrap();
        }
        fs_err::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"step\":15,\"lo").unwrap();
        let mut curves = Curves::open(&path, 20).unwrap();
        curves.validation(21, 0.6, true, &Value::Null).unwrap();
        let steps: Vec<u64> = fs_err::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["step"].as_u64().unwrap())
            .collect();
        assert_eq!(steps, [10, 20, 21]);
        drop(Curves::open(&path, 0).unwrap());
        assert_eq!(fs_err::read_to_string(&path).unwrap(), "", "a new run starts a new file");
    }
}
