//! The command-line contract: results on stdout, one JSON document, exit status 0, 1, 2.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Home, Said};

#[test]
fn label_answers_one_line_for_each_line() {
    let home = Home::new();
    let mut child = home
        .command(&["label", "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = "{\"id\":\"a\",\"text\":\"Small left pleural effusion. No pneumothorax.\"}\n\
                 not json, and a secret of the patient\n\
                 {\"id\":7,\"text\":\"Possible pneumonia.\"}\n";
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("line 2") && !said.stderr.contains("secret"), "{}", said.stderr);
    let answers: Vec<Value> = said.stdout.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["id"], "a");
    assert_eq!(answers[0]["labels"]["Pleural Effusion"], 1);
    assert_eq!(answers[0]["labels"]["Pneumothorax"], 0);
    assert_eq!(answers[0]["labels"]["Fracture"], Value::Null);
    assert_eq!((&answers[1]["id"], &answers[1]["labels"]["Pneumonia"]), (&json!(7), &json!(-1)));
    assert_eq!(answers[0]["labels"].as_object().unwrap().len(), 14);
}

#[test]
fn search_and_embed_answer_what_is_documented() {
    let home = Home::ready(40);
    let answer = home.json(&["search", "left pleural effusion", "-k", "5", "--json"]);
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 5);
    for (place, result) in results.iter().enumerate() {
        assert_eq!(result["rank"], place + 1);
        assert!(result["study"].as_str().unwrap().starts_with("phantom/"));
        assert!(fs::metadata(result["image"]["path"].as_str().unwrap()).unwrap().len() > 0);
        assert!(result["score"].is_f64() && result["findings"].is_array());
    }
    let scores: Vec<f64> = results.iter().map(|r| r["score"].as_f64().unwrap()).collect();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "{scores:?}");

    // A film finds itself first; its nearest reports are reports.
    let film = results[0]["image"]["path"].as_str().unwrap();
    let similar = home.json(&["search", "--image", film, "-k", "3", "--json"]);
    assert_eq!(similar["results"][0]["image"]["path"], film);
    let reports = home.json(&["search", "--image", film, "--to", "reports", "-k", "3", "--json"]);
    assert!(reports["results"].as_array().unwrap().iter().all(|r| r["snippet"]["text"].is_string()));

    // Filters hold for every result.
    let women = home.json(&["search", "effusion", "--filter", "sex:F age:30..", "-k", "40", "--json"]);
    let women = women["results"].as_array().unwrap();
    assert!(!women.is_empty() && women.iter().all(|r| r["sex"] == "F" && r["age"].as_f64().unwrap() >= 30.0));
    assert_eq!(home.run(&["search", "effusion", "--filter", "sex:"]).code, 2);
    assert_eq!(home.run(&["search", "effusion", "--filter", "color:red"]).code, 2);
    assert_eq!(home.run(&["search", "effusion", "-k", "0"]).code, 2);
    assert_eq!(home.run(&["search"]).code, 2);

    let embedded = home.ok(&["embed", "--images", film]);
    let line: Value = serde_json::from_str(embedded.trim()).unwrap();
    assert_eq!(line["id"], film);
    let norm: f64 = line["embedding"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap().powi(2)).sum();
    assert!((norm - 1.0).abs() < 1e-4);

    let texts = home.scratch().join("texts");
    fs::write(&texts, "enlarged heart\nno effusion\n").unwrap();
    let out = home.scratch().join("out.safetensors");
    home.ok(&["embed", "--texts", &texts.display().to_string(), "--out", &out.display().to_string()]);
    let bytes = fs::read(&out).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.tensor("embeddings").unwrap().shape()[0], 2);

    let missing = home.run(&["embed", "--images", film, "/nowhere.png"]);
    assert_eq!(missing.code, 2);
    assert_eq!(missing.stdout.lines().count(), 1, "the other film is embedded all the same");
}

#[test]
fn help_has_examples_and_version_answers() {
    let home = Home::new();
    for command in ["import", "label", "train", "embed", "search", "demo"] {
        assert!(home.ok(&[command, "--help"]).contains("Examples:"), "{command}");
    }
    assert!(home.ok(&["--version"]).starts_with("thorax "));
    assert!(home.ok(&["--help"]).contains("Not for diagnosis"));
    assert_eq!(home.run(&["frobnicate"]).code, 2);
}
