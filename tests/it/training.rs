//! Ctrl-C keeps a checkpoint, and the same command goes on from it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Home, Said};

#[test]
fn ctrl_c_keeps_a_checkpoint_and_the_next_run_goes_on_from_it() {
    let home = Home::new();
    home.ok(&["import", "phantom", "--studies", "40", "--seed", "3", "--size", "128"]);
    let steps = ["train", "--preset", "demo", "--steps", "2000"];
    let child = home.command(&steps).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(6));
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let asked = Instant::now();
    let said: Said = child.wait_with_output().unwrap().into();
    assert!(asked.elapsed() < Duration::from_secs(20), "it took too long to stop");
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(said.stderr.contains("run the same command again"), "{}", said.stderr);
    assert!(!home.path().join("models/demo/model.safetensors").exists());

    // The budget is part of the run, so the same command goes on; here it is not waited for to the end.
    let child = home.command(&steps).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(4));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let said: Said = child.wait_with_output().unwrap().into();
    assert!(said.stderr.contains("going on from step"), "{}", said.stderr);
}
