//! A disk that is full and a home that cannot be written: a clear error, and nothing is lost.
//!
//! The full disk is a small tmpfs in a mount namespace of its own; the read-only home is a read-only mount there, or the home of another
//! user. Machines that allow neither skip it loudly.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{Home, Said};

/// A process that keeps a mount namespace, in which `dir` is mounted as `mount` says.
struct Namespace {
    keeper: Child,
}

impl Namespace {
    fn new(mount: &str) -> Option<Self> {
        for flags in ["-m", "-Urm"] {
            let script = format!("{mount} && echo ready && exec sleep 600");
            let mut keeper = Command::new("unshare")
                .args([flags, "sh", "-c", &script])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .ok()?;
            let mut line = String::new();
            BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
            if line.trim() == "ready" {
                return Some(Self { keeper });
            }
            keeper.kill().unwrap();
            keeper.wait().unwrap();
        }
        eprintln!("SKIPPED: this machine lets nobody mount a small disk");
        None
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Said {
        let pid = self.keeper.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid, "-m", "--preserve-credentials"]);
        if !is_root() {
            command.arg("-U");
        }
        command.arg(program).args(arguments).env_remove("THORAX_HOME").stdin(Stdio::null()).output().unwrap().into()
    }

    fn thorax(&self, home: &Path, arguments: &[&str]) -> Said {
        let home = home.display().to_string();
        self.run(env!("CARGO_BIN_EXE_thorax"), &[&["--home", &home], arguments].concat())
    }

    fn resize(&self, dir: &Path, kib: usize) {
        let said = self.run("mount", &["-o", &format!("remount,size={kib}k"), &dir.display().to_string()]);
        assert_eq!(said.code, 0, "{}", said.stderr);
    }

    /// Kilobytes that are used.
    fn used(&self, dir: &Path) -> usize {
        let said = self.run("df", &["-k", "--output=used", &dir.display().to_string()]);
        said.stdout.lines().last().unwrap().trim().parse().unwrap()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

fn is_root() -> bool {
    let said = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&said.stdout).trim() == "0"
}

fn reports(path: &Path, studies: std::ops::Range<usize>) {
    let mut csv = "study,patient,report\n".to_owned();
    for number in studies {
        let remark = "The film is rotated. ".repeat(12);
        csv.push_str(&format!(
            "{number:06},p{number},\"FINDINGS: Small left effusion. {remark}Case {}.\"\n",
            number % 30
        ));
    }
    fs::write(path, csv).unwrap();
}

fn assert_full(said: &Said, what: &str) {
    assert_eq!(said.code, 1, "{what}: {}{}", said.stdout, said.stderr);
    let stderr = said.stderr.to_lowercase();
    assert!(stderr.contains(" is full") || stderr.contains("no space left"), "{what}: {stderr}");
    assert!(!stderr.contains("panicked") && !stderr.contains("effusion"), "{what}: {stderr}");
}

#[test]
fn a_full_disk_is_a_clear_error_and_loses_nothing() {
    let scratch = Home::new();
    let disk = scratch.scratch().join("disk");
    fs::create_dir(&disk).unwrap();
    let Some(space) = Namespace::new(&format!("mount -t tmpfs -o size=2500k tmpfs {}", disk.display())) else { return };
    let home = disk.join("home");
    let csv = scratch.scratch().join("many.csv").display().to_string();
    reports(Path::new(&csv), 0..4000);

    // import until nothing more fits
    assert_full(&space.thorax(&home, &["import", "manifest", &csv]), "import");
    let noted = space.run("cat", &[&home.join("catalogue/acknowledged.json").display().to_string()]).stdout;
    let noted: serde_json::Value = serde_json::from_str(&noted).unwrap();
    let acknowledged = noted["sequence"].as_u64().unwrap();
    assert!(acknowledged > 0);
    space.resize(&disk, 60_000);
    let count = || -> u64 {
        let said = space.thorax(&home, &["status", "--json"]);
        serde_json::from_str::<serde_json::Value>(&said.stdout).unwrap()["studies"].as_u64().unwrap()
    };
    let studies = count();
    assert!(studies >= acknowledged && studies < 4000 && studies.is_multiple_of(64), "{studies} of {acknowledged}");
    let sound = |what: &str| {
        let said = space.thorax(&home, &["doctor"]);
        assert_eq!(said.code, 0, "{what}: {}{}", said.stdout, said.stderr);
    };
    sound("after the import");
    assert_eq!(space.thorax(&home, &["index"]).code, 0);

    // a deletion, an index run and a backup that do not fit
    assert_eq!(space.thorax(&home, &["delete", "manifest/000003", "--yes"]).code, 0);
    space.resize(&disk, space.used(&disk) + 16);
    assert_full(&space.thorax(&home, &["index"]), "index");
    let saved = disk.join("saved.jsonl");
    assert_full(&space.thorax(&home, &["backup", &saved.display().to_string()]), "backup");
    let left = space.run("ls", &["-A", &disk.display().to_string()]).stdout;
    assert_eq!(left.trim(), "home", "the unfinished backup is gone");
    space.resize(&disk, 60_000);
    sound("after index and backup");
    assert_eq!(count(), studies - 1);
    let said = space.thorax(&home, &["search", "effusion", "--to", "reports", "-k", "1", "--json"]);
    assert_eq!(said.code, 0, "the index before still serves: {}", said.stderr);
    assert_eq!(space.thorax(&home, &["index"]).code, 0);
    assert_eq!(space.thorax(&home, &["backup", &saved.display().to_string()]).code, 0);
    sound("in the end");
}

#[test]
fn a_home_that_cannot_be_written_is_a_clear_error_and_stays_as_it_is() {
    let home = Home::new();
    let csv = home.scratch().join("few.csv").display().to_string();
    reports(Path::new(&csv), 0..20);
    home.ok(&["import", "manifest", &csv]);
    home.ok(&["index"]);
    reports(Path::new(&csv), 0..40);
    let path = home.path().display().to_string();
    let before = content(&home.path());
    let check = |said: Said, what: &str| {
        assert!(said.code == 1 || said.code == 2, "{what}: {}", said.stdout);
        let stderr = said.stderr.to_lowercase();
        assert!(stderr.contains(&path.to_lowercase()), "{what} names the folder: {stderr}");
        let clear = ["cannot be written", "read-only", "permission denied"].iter().any(|words| stderr.contains(words));
        assert!(clear && !stderr.contains("panicked"), "{what}: {stderr}");
    };
    let tasks: [&[&str]; 5] = [
        &["import", "manifest", &csv],
        &["delete", "--source", "manifest", "--yes"],
        &["index"],
        &["search", "effusion"],
        &["doctor"],
    ];
    let mut ways = 0;
    let mount = format!("mount --bind {path} {path} && mount -o remount,ro,bind {path}");
    if let Some(space) = Namespace::new(&mount) {
        ways += 1;
        for task in tasks {
            check(space.thorax(&home.path(), task), &format!("read-only mount: {task:?}"));
        }
    }
    let writable = |yes: bool| {
        let mode = if yes { "u+w" } else { "a-w,a+rX" };
        assert!(Command::new("chmod").args(["-R", mode, &path]).status().unwrap().success());
    };
    writable(false);
    assert!(Command::new("chmod").args(["a+rx", &home.scratch().display().to_string()]).status().unwrap().success());
    let as_nobody = |task: &[&str]| -> Option<Said> {
        let mut command = match is_root() {
            true => Command::new("setpriv"),
            false => Command::new("env"),
        };
        if is_root() {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        command.arg(env!("CARGO_BIN_EXE_thorax")).args(["--home", &path]).args(task);
        let said: Said = command.env_remove("THORAX_HOME").stdin(Stdio::null()).output().ok()?.into();
        // the program itself may lie where that user cannot go
        (said.code != 127 && said.code != 126).then_some(said)
    };
    for task in tasks {
        match as_nobody(task) {
            Some(said) => {
                ways += 1;
                check(said, &format!("another user: {task:?}"));
            }
            None => eprintln!("SKIPPED: another user cannot run the program here"),
        }
    }
    writable(true);
    assert!(content(&home.path()) == before, "something was changed");
    if ways == 0 {
        eprintln!("SKIPPED: no way to a home that cannot be written");
    }
    home.ok(&["doctor"]);
}

fn content(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(content(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            files.insert(path, bytes);
        }
    }
    files
}
