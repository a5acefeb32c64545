//! Manifests as people write them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use super::super::study::{Sex, View};
use super::super::{Rejected, Source, Study, source};
use super::*;
use crate::findings::{Observation, Polarity};

type Item = Result<Study, Rejected>;

fn read_as(name: &str, content: &[u8]) -> (PathBuf, Vec<Item>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs_err::write(&path, content).unwrap();
    let items = source::open(Source::Manifest, &path).unwrap().collect();
    (folder.path().to_owned(), items)
}

fn faults(items: &[Item]) -> Vec<String> {
    items
        .iter()
        .filter_map(|item| item.as_ref().err())
        .map(|f| format!("{} {}", f.record.clone().unwrap_or_default(), f.reason))
        .collect()
}

fn studies(items: Vec<Item>) -> Vec<Study> {
    items.into_iter().collect::<Result<_, _>>().unwrap()
}

const ROWS: &str = "Study,Patient,Date,Age,Sex,View,Image,Report,Pleural Effusion,pneumonia,Extra\n\
    s1,p1,2021-04-01,61,f,PA,films/1.png,\"FINDINGS: Small effusion.\nIMPRESSION: Effusion.\",1,-1,x\n\
    s2,p2,,,,,films/2.png,,,,\n\
    s1,,,,,LATERAL,films/1l.png,,0,0.0,\n\
    ,,,,,,/elsewhere/three.jpg,Ünïcode.,,,\n";

fn check_rows(folder: &Path, items: Vec<Item>) {
    let studies = studies(items);
    let ids: Vec<&str> = studies.iter().map(|study| study.id.as_str()).collect();
    assert_eq!(ids, ["manifest/s1", "manifest/s2", "manifest/three"]);
    let [first, second, third] = studies.as_slice() else { panic!() };
    assert_eq!((first.patient.as_str(), first.date.as_deref()), ("manifest/p1", Some("2021-04-01")));
    assert_eq!((first.age, first.sex), (Some(61.0), Some(Sex::Female)));
    assert_eq!(first.images.iter().map(|i| i.view).collect::<Vec<_>>(), [Some(View::Pa), Some(View::Lateral)]);
    assert_eq!(first.images[1].id, "manifest/s1#1");
    assert_eq!(first.images[1].path, folder.join("films/1l.png"));
    let sections: Vec<&str> = first.reports[0].sections.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(sections, ["findings", "impression"]);
    assert_eq!(first.labels.len(), 1);
    assert_eq!(first.labels[0].labels.get(Observation::PleuralEffusion), Some(Polarity::Present));
    assert_eq!(first.labels[0].labels.get(Observation::Pneumonia), Some(Polarity::Uncertain));
    assert_eq!(second.patient, "manifest/p2");
    assert!(second.labels.is_empty() && second.reports.is_empty());
    assert_eq!(third.patient, "manifest/three");
    assert_eq!(third.images[0].path, PathBuf::from("/elsewhere/three.jpg"));
    assert_eq!(third.reports[0].sections[0].text, "Ünïcode.");
}

#[test]
fn rows_of_a_study_meet_whatever_the_dialect() {
    let semicolons = ROWS.replace(',', ";");
    for content in
        [ROWS.to_owned(), ROWS.replace('\n', "\r\n"), format!("\u{feff}{ROWS}"), format!("\u{feff}{semicolons}")]
    {
        let (folder, items) = read_as("m.csv", content.as_bytes());
        check_rows(&folder, items);
    }
    let (folder, items) = read_as("m.tsv", ROWS.replace(',', "\t").as_bytes());
    check_rows(&folder, items);
}

#[test]
fn jsonl_with_the_same_keys_gives_the_same_studies() {
    let lines = [
        r#"{"study":"s1","patient":"p1","date":"2021-04-01","age":61,"sex":"F","view":"PA","image":"films/1.png","report":"FINDINGS: Small effusion.\nIMPRESSION: Effusion.","Pleural Effusion":1,"Pneumonia":-1,"extra":[1]}"#,
        r#"{"study":"s2","patient":"p2","image":"films/2.png","report":null}"#,
        "",
        r#"{"study":"s1","view":"lateral","image":"films/1l.png","pleural_effusion":0,"Pneumonia":0.0}"#,
        r#"{"image":"/elsewhere/three.jpg","report":"Ünïcode."}"#,
    ];
    let bad = lines.join("\n");
    let (_, items) = read_as("m.jsonl", bad.as_bytes());
    assert_eq!(faults(&items), ["line 1 key 'extra' must be text or a number"]);
    let (folder, items) = read_as("m.ndjson", bad.replace("[1]", "1").as_bytes());
    check_rows(&folder, items);
}

#[test]
fn whole_studies_in_jsonl() {
    let lines = concat!(
        r#"{"id":"nih/7","source":"nih","patient":"nih/p","images":[{"id":"x","path":"7.png","view":"AP"}],"reports":[{"sections":[{"name":"findings","text":"Clear."}]}],"labels":[{"origin":"truth","labels":{"Edema":"absent"}}]}"#,
        "\n",
        r#"{"study":"8","images":["8.png"],"reports":["IMPRESSION: Clear."]}"#,
        "\n",
        r#"{"study":"8","images":["again.png"]}"#,
        "\n",
        r#"{"images":"Secretword"}"#,
    );
    let (folder, items) = read_as("m.jsonl", lines.as_bytes());
    let faults = faults(&items);
    assert_eq!(faults.len(), 2);
    assert_eq!(faults[0], "line 3 is a second record of the study of line 2");
    assert!(faults[1].starts_with("line 4 is not a study") && !faults[1].contains("Secretword"), "{}", faults[1]);
    let studies: Vec<Study> = items.into_iter().filter_map(Result::ok).collect();
    assert_eq!((studies[0].id.as_str(), studies[0].patient.as_str()), ("nih/7", "nih/p"));
    assert_eq!(studies[0].images[0].id, "nih/7#0");
    assert_eq!(studies[0].images[0].path, folder.join("7.png"));
    assert_eq!(studies[0].labels[0].labels.get(Observation::Edema), Some(Polarity::Absent));
    assert_eq!((studies[1].id.as_str(), studies[1].patient.as_str()), ("manifest/8", "manifest/8"));
    assert_eq!(studies[1].reports[0].sections[0].name, "impression");
}

#[test]
fn what_thorax_writes_it_reads_back() {
    let (_, items) = read_as("m.csv", ROWS.as_bytes());
    let written = studies(items);
    let lines: Vec<String> = written.iter().map(|study| serde_json::to_string(study).unwrap()).collect();
    // A study with reports but no films has no `images` in JSON, and the other way round.
    let (_, items) = read_as("m.jsonl", lines.join("\n").as_bytes());
    assert_eq!(studies(items), written);
}

#[test]
fn bad_rows_are_named_and_the_rest_is_read() {
    let mut rows = b"study,patient,date,age,image,report,Edema\n\
        a,1,soon,,a.png,,\n\
        b,1,,500,b.png,,\n\
        c,1,,,c.png,,2\n\
        d,1,,,,,1\n\
        ,1,,,,Report alone.,\n\
        e,1,,,e.png,,\n\
        e,2,,,e2.png,,\n\
        ,,,,x/f.png,,\n\
        ,,,,y/f.png,,\n\
        g,1\n\
        h,1,,,h.png,Caf\xe9,\n\
        i,1,,,i.png,\"never closed,\n\
        j,1,,,j.png,,\n"
        .to_vec();
    rows.extend_from_slice("k,ä,,,k.png,,\n".as_bytes());
    let (_, items) = read_as("m.csv", &rows);
    let faults = faults(&items);
    let expected = [
        "line 2 column 'date' is not a date",
        "line 3 column 'age' is not an age",
        "line 4 column 'Edema' must be 1",
        "line 5 has neither an image nor a report",
        "line 6 has no image to name the study by",
        "line 8 is of another patient than line 7",
        "line 10 has an image of the same name as line 9",
        "line 11 has 2 fields where the header has 7",
        "line 12 column 'report' is not UTF-8",
        "line 13 a quote opens here",
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.starts_with(expected), "{fault}");
    }
    let ids: Vec<String> = items.into_iter().filter_map(Result::ok).map(|study| study.id).collect();
    assert_eq!(ids, ["manifest/e", "manifest/f", "manifest/j", "manifest/k"]);
}

#[test]
fn file_without_the_columns_is_one_rejection() {
    let (_, items) = read_as("m.csv", b"file;notes\n1;2\n3;4\n");
    let faults = faults(&items);
    assert_eq!(items.len(), 1);
    assert!(faults[0].contains("needs a column 'image' or 'report'"), "{}", faults[0]);
    assert!(faults[0].contains("its header is: file, notes. Columns that are read: study, patient"), "{}", faults[0]);
    let (_, items) = read_as("m.csv", b"");
    assert_eq!(items.len(), 1);
}

#[test]
fn ignored_columns_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.csv");
    fs_err::write(&path, "image,patinet,Lung_Opacity,\n").unwrap();
    assert_eq!(row::ignored_columns(&Table::open(&path).unwrap()), ["patinet"]);
}

#[test]
fn what_is_no_manifest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path| source::open(Source::Manifest, path).err().expect("refused").to_string();
    assert!(refused(folder.path()).contains("is not a file"));
    let path = folder.path().join("m.xlsx");
    fs_err::write(&path, b"x").unwrap();
    assert!(refused(&path).contains("neither CSV nor JSONL; 'manifest' expects a file .csv"));
    let several = source::open_all(Source::Manifest, &[path, folder.path().join("none.csv")]);
    assert!(several.is_err());
    assert!(source::open_all(Source::Manifest, &[]).err().expect("refused").to_string().contains("needs a path"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_to_the_end(content in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let mut csv = b"image,report,age\n".to_vec();
        csv.extend_from_slice(&content);
        for (name, bytes) in [("m.csv", &csv), ("n.csv", &content), ("m.jsonl", &content)] {
            let (_, items) = read_as(name, bytes);
            proptest::prop_assert!(items.len() <= content.len() + 1);
        }
    }
}
