//! Bad files are named, counted and left out; the rest is imported.

use std::fs;
use std::path::Path;

use image::{GrayImage, ImageFormat, Luma};

use crate::support::Home;

fn film(path: &Path, format: ImageFormat) {
    let film = GrayImage::from_fn(96, 96, |x, y| Luma([(x * 2 + y / 3 + (x * y) % 17) as u8]));
    film.save_with_format(path, format).unwrap();
}

#[test]
fn each_bad_record_is_named_and_counted_and_the_rest_is_imported() {
    let home = Home::new();
    let dir = home.scratch();
    film(&dir.join("good.png"), ImageFormat::Png);
    film(&dir.join("whole.jpg"), ImageFormat::Jpeg);
    let whole = fs::read(dir.join("whole.jpg")).unwrap();
    fs::write(dir.join("truncated.jpg"), &whole[..whole.len() / 2]).unwrap();
    fs::write(dir.join("text.jpg"), "This is a letter, and no film.\n").unwrap();
    fs::write(dir.join("zero.png"), "").unwrap();
    fs::write(
        dir.join("archive.csv"),
        "study,patient,image,report\n\
         a,1,good.png,FINDINGS: The heart is enlarged.\n\
         b,2,truncated.jpg,\n\
         c,3,text.jpg,\n\
         d,4,zero.png,\n\
         e,5,missing.png,\n\
         f,6,whole.jpg,\"  \"\n\
         g,7,,IMPRESSION: No effusion.\n\
         h,8,only-three\n",
    )
    .unwrap();
    // The silent report of study i: a JSONL record with a report that has no text.
    fs::write(
        dir.join("more.jsonl"),
        "{\"study\":\"i\",\"patient\":\"9\",\"image\":\"good.png\",\"report\":\" \"}\n{\"study\": oops}\n",
    )
    .unwrap();
    fs::write(dir.join("columns.csv"), "patient,age\n1,50\n").unwrap();

    let csv = |name: &str| dir.join(name).display().to_string();
    let said =
        home.run(&["import", "manifest", &csv("archive.csv"), &csv("columns.csv"), &csv("more.jsonl"), "--json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let rejected = answer["rejected"].as_array().unwrap();
    let names: Vec<String> = rejected.iter().map(|r| r.to_string()).collect();
    for name in ["truncated.jpg", "text.jpg", "zero.png", "missing.png", "columns.csv", "line 9", "more.jsonl"] {
        assert_eq!(names.iter().filter(|n| n.contains(name)).count(), 1, "{name} in {names:#?}");
        assert!(said.stderr.contains(name), "{name} is not named on stderr");
    }
    let of = |name: &str| names.iter().find(|n| n.contains(name)).unwrap().to_lowercase();
    assert!(of("zero.png").contains("zero bytes"));
    assert!(of("text.jpg").contains("text"));
    assert!(of("columns.csv").contains("image") && of("columns.csv").contains("report"), "{}", of("columns.csv"));
    // Nothing of the report's text is in a message.
    assert!(!said.stderr.contains("enlarged"));

    assert_eq!(answer["added"], 4, "studies a, f, g and i: {answer}");
    assert_eq!(answer["images"], 3);
    assert_eq!(answer["reports"], 2);
    let again = home.json(&["import", "manifest", &csv("archive.csv"), "--json"]);
    assert_eq!((&again["added"], &again["updated"], &again["unchanged"]), (&0.into(), &0.into(), &3.into()));
}

#[test]
fn a_changed_record_is_updated() {
    let home = Home::new();
    let csv = home.scratch().join("a.csv");
    let path = csv.display().to_string();
    fs::write(&csv, "study,patient,report\n1,1,FINDINGS: Small effusion.\n2,2,FINDINGS: Normal chest.\n").unwrap();
    home.ok(&["import", "manifest", &path]);
    fs::write(&csv, "study,patient,report\n1,1,FINDINGS: Large effusion.\n2,2,FINDINGS: Normal chest.\n").unwrap();
    let answer = home.json(&["import", "manifest", &path, "--json"]);
    assert_eq!((&answer["updated"], &answer["unchanged"], &answer["catalogue"]), (&1.into(), &1.into(), &2.into()));
}

#[test]
fn an_archive_that_is_not_there_is_the_callers_fault() {
    let home = Home::new();
    for arguments in [
        &["import", "nih", "/nowhere/at/all"][..],
        &["import", "nowhere", "/tmp"],
        &["import", "nih"],
        &["search", "effusion"],
        &["train"],
        &["serve", "--host", "0.0.0.0"],
    ] {
        let said = home.run(arguments);
        assert_eq!(said.code, 2, "thorax {arguments:?}: {}", said.stderr);
        assert!(said.stderr.contains("error"), "{}", said.stderr);
        assert!(said.stdout.is_empty());
    }
}
