//! `kill -9` at random moments of import, delete, index, compaction, swap, backup and restore, by commands and by a server. After
//! each: nothing acknowledged is lost, the stores agree, `thorax doctor` is clean.
//!
//! `THORAX_CRASH_KILLS` kills (16), `THORAX_CRASH_SEED` the seed, which is printed. `make crash` kills 200 times.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::http::Server;
use crate::support::{Home, Said, command};

/// Studies acknowledged together.
const BATCH: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Import,
    Delete,
    Index,
    /// An index run after deletions, killed towards its end, where it writes, swaps and tidies up.
    Compact,
    Backup,
    Restore,
    /// An import that a server runs: the server is killed.
    ServedImport,
    /// Re-indexing under a server, and its swap.
    ServedIndex,
}

const TASKS: [Task; 8] = [
    Task::Import,
    Task::Delete,
    Task::Index,
    Task::Compact,
    Task::ServedImport,
    Task::ServedIndex,
    Task::Backup,
    Task::Restore,
];

/// What the catalogue must hold: id -> text of the report.
type Truth = BTreeMap<String, String>;

struct Suite {
    home: PathBuf,
    dir: PathBuf,
    random: ChaCha8Rng,
    truth: Truth,
    next: usize,
    /// How long each task takes when it is let go.
    usual: BTreeMap<Task, Duration>,
    landed: BTreeMap<Task, usize>,
}

#[test]
fn killed_at_random_moments_nothing_acknowledged_is_lost_and_the_stores_agree() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (kills, seed) = (number("THORAX_CRASH_KILLS", 16), number("THORAX_CRASH_SEED", 20));
    eprintln!("{kills} kills, THORAX_CRASH_SEED={seed}");
    let home = Home::new();
    home.ok(&["import", "phantom", "--studies", "10", "--size", "96"]);
    home.ok(&["train", "--preset", "demo", "--steps", "1"]);
    let mut suite = Suite {
        home: home.path(),
        dir: home.scratch().to_owned(),
        random: ChaCha8Rng::seed_from_u64(seed),
        truth: Truth::new(),
        next: 0,
        usual: BTreeMap::new(),
        landed: BTreeMap::new(),
    };
    home.ok(&["index"]);
    home.ok(&["backup", &suite.path("restored.jsonl")]);
    suite.truth = suite.stored();
    let mut round = 0;
    while suite.landed.values().sum::<usize>() < kills as usize {
        assert!(round < 4 * kills + 20, "the kills come too late: {:?}", suite.landed);
        let task = TASKS[round as usize % TASKS.len()];
        round += 1;
        suite.round(round, task);
    }
    eprintln!("killed {:?} in {round} rounds", suite.landed);
    // and it all still works
    home.ok(&["index"]);
    let status = home.json(&["status", "--json"]);
    assert_eq!(status["studies"], suite.truth.len());
    assert_eq!(status["index"]["studies"], suite.truth.len());
    let found = home.json(&["search", "effusion", "-k", "1000", "--to", "reports", "--json"]);
    assert!(
        found["results"].as_array().unwrap().iter().all(|r| suite.truth.contains_key(r["study"].as_str().unwrap()))
    );
    suite.doctor("at the end");
}

impl Suite {
    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    fn round(&mut self, round: u64, task: Task) {
        let before = self.acknowledged();
        let (arguments, after) = self.prepare(task);
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let usual = self.usual.get(&task).copied().unwrap_or(Duration::from_millis(400));
        let share = if task == Task::Compact { 0.6..1.0 } else { 0.02..1.0 };
        let wait = usual.mul_f64(self.random.random_range(share));
        let mut server = self.serve(task);
        let began = Instant::now();
        let mut child = command(&self.home, &words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while began.elapsed() < wait && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let ended = child.try_wait().unwrap();
        server.as_mut().map_or(&mut child, |server| &mut server.child).kill().unwrap();
        // a client of a server that is gone ends by itself
        let said: Said = child.wait_with_output().unwrap().into();
        let what = format!("round {round}: {task:?} killed after {wait:?}");
        match ended {
            None => *self.landed.entry(task).or_default() += 1,
            Some(status) => {
                assert!(status.success(), "{what}: it failed by itself: {}", said.stderr);
                self.usual.insert(task, began.elapsed());
            }
        }
        if ended.is_none() {
            // a little more next time, should all of them come too early
            self.usual.insert(task, usual.mul_f64(1.05));
        }
        self.check(&what, task, before, ended.is_some(), &after);
    }

    /// The server of a task that one runs. What came or went since the last index is indexed first, so that there is one to serve.
    fn serve(&mut self, task: Task) -> Option<Server> {
        if !matches!(task, Task::ServedImport | Task::ServedIndex) {
            return None;
        }
        if task == Task::ServedImport {
            let said: Said = command(&self.home, &["index"]).output().unwrap().into();
            assert_eq!(said.code, 0, "{}", said.stderr);
        }
        Some(Server::of(&self.home))
    }

    /// The command, and the studies that it stores in order, or removes (`None`).
    fn prepare(&mut self, task: Task) -> (Vec<String>, Vec<(String, Option<String>)>) {
        let strings = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        match task {
            Task::Import | Task::ServedImport => {
                let mut csv = "study,patient,report\n".to_owned();
                let mut rows = Vec::new();
                for _ in 0..self.random.random_range(100..400) {
                    // now and then a study that is there, with another report
                    let number = match self.random.random_bool(0.2) && self.next > 0 {
                        true => self.random.random_range(0..self.next),
                        false => {
                            self.next += 1;
                            self.next - 1
                        }
                    };
                    if rows.iter().any(|(id, _)| *id == format!("manifest/{number:06}")) {
                        continue;
                    }
                    let text =
                        format!("Small left effusion number {}. No pneumothorax.", self.random.random_range(0..40));
                    csv.push_str(&format!("{number:06},p{},FINDINGS: {text}\n", number / 3));
                    rows.push((format!("manifest/{number:06}"), Some(text)));
                }
                fs::write(self.dir.join("batch.csv"), csv).unwrap();
                (strings(&["import", "manifest", &self.path("batch.csv")]), rows)
            }
            Task::Delete => {
                let share = self.random.random_range(0.05..0.4);
                let chosen: Vec<String> =
                    self.truth.keys().filter(|id| id.starts_with("manifest/")).cloned().collect::<Vec<_>>();
                let chosen: Vec<String> = chosen.into_iter().filter(|_| self.random.random_bool(share)).collect();
                if chosen.is_empty() {
                    return (strings(&["status"]), Vec::new());
                }
                let mut words = strings(&["delete", "--yes"]);
                words.extend(chosen.iter().cloned());
                (words, chosen.into_iter().map(|id| (id, None)).collect())
            }
            Task::Index | Task::Compact | Task::ServedIndex => (strings(&["index"]), Vec::new()),
            Task::Backup => (strings(&["backup", &self.path("saved.jsonl")]), Vec::new()),
            Task::Restore => (strings(&["restore", "--force", &self.path("restored.jsonl")]), Vec::new()),
        }
    }

    fn check(
        &mut self,
        what: &str,
        task: Task,
        before: (String, u64),
        finished: bool,
        changes: &[(String, Option<String>)],
    ) {
        let noted = self.acknowledged();
        self.doctor(what);
        let found = self.stored();
        match task {
            Task::Restore => {
                let restored = lines(&self.dir.join("restored.jsonl"));
                let wanted = if found == restored { &restored } else { &self.truth };
                assert_eq!(&found, wanted, "{what}: neither the old nor the restored one");
                assert!(!finished || found == restored, "{what}: it ended, and is not there");
            }
            Task::Backup | Task::Index | Task::Compact | Task::ServedIndex => {
                assert_eq!(found, self.truth, "{what}");
                let saved = self.dir.join("saved.jsonl");
                if saved.exists() {
                    let said =
                        command(&self.home, &["backup", "--verify", &self.path("saved.jsonl")]).output().unwrap();
                    assert!(said.status.success(), "{what}: the backup that is there is whole");
                }
            }
            Task::Import | Task::ServedImport | Task::Delete => {
                // whole batches in order, or the one transaction of a deletion
                let size = if task == Task::Delete { changes.len().max(1) } else { BATCH };
                let mut truth = self.truth.clone();
                let mut stages = vec![truth.clone()];
                for batch in changes.chunks(size) {
                    for (id, text) in batch {
                        match text {
                            Some(text) => truth.insert(id.clone(), text.clone()),
                            None => truth.remove(id),
                        };
                    }
                    stages.push(truth.clone());
                }
                let reached = stages.iter().rposition(|stage| *stage == found);
                let reached = reached.unwrap_or_else(|| panic!("{what}: a part of a batch is there"));
                assert!(!finished || reached + 1 == stages.len(), "{what}: it ended, and stage {reached} is there");
                // at least what the ledger says was acknowledged
                if before.0 == noted.0 {
                    let changed = |stage: &Truth| {
                        let touched = changes.iter().filter(|(id, _)| stage.get(id) != self.truth.get(id));
                        touched.count() as u64
                    };
                    let promised = noted.1 - before.1;
                    assert!(changed(&stages[reached]) >= promised, "{what}: {promised} changes were acknowledged");
                }
            }
        }
        self.truth = found;
    }

    /// Identity and sequence number of what was acknowledged.
    fn acknowledged(&self) -> (String, u64) {
        let Ok(text) = fs::read_to_string(self.home.join("catalogue/acknowledged.json")) else {
            return (String::new(), 0);
        };
        let noted: Value = serde_json::from_str(&text).unwrap();
        (noted["identity"].as_str().unwrap().to_owned(), noted["sequence"].as_u64().unwrap())
    }

    fn doctor(&self, what: &str) {
        let said: Said = command(&self.home, &["doctor", "--json"]).output().unwrap().into();
        assert_eq!(said.code, 0, "{what}: {}\n{}", said.stdout, said.stderr);
        let report: Value = serde_json::from_str(&said.stdout).unwrap();
        assert!(report["clean"] == true && report["films"].as_u64().unwrap() >= 10, "{what}: {report}");
    }

    /// What the catalogue holds, by a backup of it.
    fn stored(&self) -> Truth {
        let file = self.dir.join("look.jsonl");
        let said: Said = command(&self.home, &["backup", &file.display().to_string()]).output().unwrap().into();
        assert_eq!(said.code, 0, "{}", said.stderr);
        lines(&file)
    }
}

fn lines(backup: &Path) -> Truth {
    let text = fs::read_to_string(backup).unwrap();
    let studies = text.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let document = line.get("study")?.get("document")?.clone();
        Some((document["id"].as_str().unwrap().to_owned(), document["text"].as_str().unwrap().to_owned()))
    });
    studies.collect()
}
