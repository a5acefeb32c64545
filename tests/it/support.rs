//! A home in a temporary folder, and the binary run on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A home that goes when the test ends.
pub struct Home {
    dir: TempDir,
}

/// What a command said.
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub fn scratch(&self) -> &Path {
        self.dir.path()
    }

    /// A home with a phantom archive, a model of a few steps, and an index.
    pub fn ready(studies: usize) -> Self {
        let home = Self::with_model(studies);
        home.ok(&["index"]);
        home
    }

    /// A home with a phantom archive and a model of a few steps.
    pub fn with_model(studies: usize) -> Self {
        let home = Self::new();
        home.ok(&["import", "phantom", "--studies", &studies.to_string(), "--seed", "7", "--size", "128"]);
        home.ok(&["train", "--preset", "demo", "--steps", "3"]);
        home
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        command(&self.path(), arguments)
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs a command that must succeed; answers stdout.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "thorax {arguments:?}\n{}", said.stderr);
        said.stdout
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// A new token of a role.
    pub fn token(&self, role: &str) -> String {
        self.ok(&["token", "create", &format!("a {role}"), "--role", role]).trim().to_owned()
    }

    pub fn search(&self, text: &str, k: usize) -> Vec<Value> {
        let answer = self.json(&["search", text, "-k", &k.to_string(), "--json"]);
        answer["results"].as_array().unwrap().clone()
    }
}

pub fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thorax"));
    command.arg("--home").arg(home).args(arguments).stdin(Stdio::null());
    command.env_remove("THORAX_HOME").env_remove("THORAX_PORT").env_remove("THORAX_HOST");
    command
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Real data beside the checkout, or `None` with a loud word.
pub fn real_data(part: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(part);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {part} of the real data is not beside the checkout");
    None
}

/// The `p`-th part of some figures, in order; `None` of none.
pub fn percentile(of: &[f64], p: f64) -> Option<f64> {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len().saturating_sub(1) as f64 * p).round() as usize).copied()
}

/// What a result's findings say of an observation: (polarity, side).
pub fn stated(result: &Value, observation: &str) -> Vec<(String, Option<String>)> {
    result["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["observation"] == observation)
        .map(|f| (f["polarity"].as_str().unwrap().to_owned(), f["side"].as_str().map(str::to_owned)))
        .collect()
}
