//! Ctrl-C and `kill -9` lose nothing: the same command goes on, and comes out the same. Variants are compared.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kill::copy;
use crate::support::{Home, Said, command};

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

/// Everything that has a state: averaged weights, frozen layers with their few variants, validation, and the best of it.
const RUN: [&str; 19] = [
    "train",
    "--preset",
    "demo",
    "--steps",
    "24",
    "--checkpoint-every",
    "0",
    "--set",
    "training.image_batch=8",
    "--set",
    "training.text_batch=12",
    "--set",
    "training.validate_every=5",
    "--set",
    "training.ema_decay=0.8",
    "--set",
    "training.frozen=2",
    "--set",
    "training.hard_negatives=0.25",
];

#[test]
fn a_killed_training_run_resumes_and_gives_the_same_weights() {
    let home = Home::new();
    home.ok(&["import", "phantom", "--studies", "480", "--seed", "3", "--size", "64"]);
    let killed = home.scratch().join("killed");
    copy(&home.path(), &killed);
    home.ok(&RUN);
    let mut kills = 0;
    for attempt in 0.. {
        assert!(attempt < 200, "it never finishes");
        let mut child = command(&killed, &RUN).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(400 + 150 * attempt));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 3, "only {kills} kills landed: the test shows nothing");
    let file = |home: &Path, name: &str| fs::read(home.join("models/demo").join(name)).unwrap();
    assert!(file(&killed, "model.safetensors") == file(&home.path(), "model.safetensors"), "after {kills} kills");
    let looks = |home: &Path| -> Vec<(Value, Value)> {
        let text = String::from_utf8(file(home, "curves.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|l| l["validation"].is_f64()).map(|l| (l["step"].clone(), l["validation"].clone())).collect()
    };
    assert_eq!(looks(&killed), looks(&home.path()));
    assert_eq!(looks(&killed).len(), 5, "after 5, 10, 15, 20 and 24 steps");
    let card: Value = serde_json::from_slice(&file(&killed, "card.json")).unwrap();
    assert!(card["validation"].as_f64().unwrap() > 0.0);
    assert!(String::from_utf8(file(&killed, "MODEL_CARD.md")).unwrap().contains("Not for diagnosis"));
}

#[test]
fn variants_are_compared_and_finished_runs_are_kept() {
    let home = Home::new();
    home.ok(&["import", "phantom", "--studies", "150", "--seed", "3", "--size", "64"]);
    let plan = home.scratch().join("plan.toml");
    let text = "preset = 'demo'\nsteps = 2\nseeds = 2\nsource = 'phantom'\nset = ['training.image_batch=8']\n\
                [[variant]]\nname = 'base'\n[[variant]]\nname = 'a quarter'\ndata = { share = 0.25 }\n\
                [[variant]]\nname = 'the same again'\n";
    fs::write(&plan, text).unwrap();
    let plan = plan.display().to_string();
    let first = home.ok(&["ablate", &plan]);
    let figures: Value = serde_json::from_str(first.lines().last().unwrap()).unwrap();
    let variants = figures["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 3);
    assert!(variants[1]["films"].as_u64() < variants[0]["films"].as_u64());
    assert_eq!(variants[0]["macro_auc"].as_array().unwrap().len(), 2);
    assert_ne!(variants[0]["macro_auc"][0], variants[0]["macro_auc"][1], "another seed, another model");
    // The same recipe gives the same model, so the difference is nothing, surely.
    assert_eq!(variants[2]["macro_auc"], variants[0]["macro_auc"]);
    let none = &variants[2]["macro_auc_difference"];
    assert!(["value", "low", "high"].iter().all(|part| none[part] == 0.0), "{none}");

    let said = home.run(&["ablate", &plan]);
    assert_eq!((said.code, said.stdout), (0, first));
    assert!(!said.stderr.contains("seed 0"), "nothing is trained again:\n{}", said.stderr);
    let said = home.run(&["ablate", &plan, "--steps", "3"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("another plan") && said.stderr.contains("--out"), "{}", said.stderr);

    // In folds every film is scored, not only those of the held-out fifth.
    let folds = home.ok(&["ablate", &plan, "--folds", "2", "--seeds", "1", "--only", "again"]);
    let folded: Value = serde_json::from_str(folds.lines().last().unwrap()).unwrap();
    assert!(folded["films"].as_u64().unwrap() > 3 * figures["films"].as_u64().unwrap());
    assert_eq!(folded["variants"][1]["macro_auc"], folded["variants"][0]["macro_auc"]);
    assert!(folds.contains("in 2 folds"));
}
