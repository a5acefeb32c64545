//! `thorax eval` and `thorax explain` on a small phantom archive with a model that has learned next to nothing: shapes,
//! honesty and faults, not quality.

use std::fs;

use serde_json::Value;

use crate::support::Home;

/// Every interval of a document contains its value.
fn intervals(value: &Value, seen: &mut usize) {
    match value {
        Value::Object(fields) => {
            if let (Some(value), Some(low), Some(high)) = (fields.get("value"), fields.get("low"), fields.get("high")) {
                let [value, low, high] = [value, low, high].map(|v| v.as_f64().unwrap());
                assert!(low <= high && (0.0..=1.0).contains(&value.abs()), "{fields:?}");
                *seen += 1;
            }
            fields.values().for_each(|v| intervals(v, seen));
        }
        Value::Array(items) => items.iter().for_each(|v| intervals(v, seen)),
        _ => {}
    }
}

#[test]
fn every_protocol_answers_with_figures_their_origin_and_a_report() {
    let home = Home::ready(160);
    for protocol in ["zero-shot", "retrieval", "linear-probe", "fine-tuning", "prompt-tuning", "negation"] {
        let report = home.scratch().join(format!("{protocol}.html"));
        let mut arguments =
            vec!["eval", protocol, "--source", "phantom", "--resamples", "50", "--seed", "3", "--report"];
        arguments.push(report.to_str().unwrap());
        if protocol == "fine-tuning" {
            arguments.extend(["--steps", "3", "--frozen", "2"]);
        }
        if protocol == "retrieval" {
            arguments.extend(["--sentences", "phantom"]);
        }
        let shown = home.ok(&arguments);
        let last = shown.lines().last().unwrap();
        assert!(shown.lines().count() > 5, "a table for people: {shown}");
        let figures: Value = serde_json::from_str(last).unwrap();
        assert_eq!((&figures["about"]["seed"], &figures["about"]["resamples"]), (&3.into(), &50.into()));
        assert_eq!(figures["about"]["fingerprint"].as_str().unwrap().len(), 64);
        assert!(figures["about"]["command"].as_str().unwrap().contains(protocol));
        let mut seen = 0;
        intervals(&figures, &mut seen);
        assert!(seen > 3, "{protocol} has {seen} intervals");
        let page = fs::read_to_string(&report).unwrap();
        for wanted in ["<svg", "<table>", "Not for diagnosis", figures["about"]["fingerprint"].as_str().unwrap()] {
            assert!(page.contains(wanted), "{protocol}: {wanted}");
        }
        match protocol {
            "negation" => nothing_denied_is_returned(&figures),
            // One document with --json, and the same figures for the same seed.
            "zero-shot" => {
                arguments.push("--json");
                let without = |mut document: Value| {
                    document["about"]["command"] = Value::Null;
                    document
                };
                assert_eq!(without(home.json(&arguments)), without(figures));
            }
            _ => {}
        }
    }
}

/// The engine knows what the archive states: nothing that is denied slips through, and nothing is claimed to be certain.
fn nothing_denied_is_returned(figures: &Value) {
    for kind in ["films", "sentences"] {
        let engine = &figures[kind]["engine"];
        assert_eq!(engine["shown"], 0, "{kind}");
        assert!(engine["results"].as_u64().unwrap() > 50 && engine["share"]["high"].as_f64().unwrap() > 0.0);
        let rows = figures[kind]["findings"].as_array().unwrap();
        assert!(rows.iter().all(|row| row["prevalence"].as_f64().unwrap() > 0.0), "something there to be found");
    }
    let origins: Vec<&str> =
        figures["pairs"].as_array().unwrap().iter().map(|p| p["origin"].as_str().unwrap()).collect();
    assert_eq!(origins, ["phantom", "prompts"]);
}

#[test]
fn the_pointing_game_is_played_on_films_of_the_catalogue() {
    let home = Home::new();
    let archive = home.scratch().join("nih");
    fs::create_dir_all(archive.join("images")).unwrap();
    let mut entries =
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n".to_owned();
    let mut boxes = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n".to_owned();
    for patient in 1..=6 {
        let name = format!("{patient:08}_000.png");
        entries += &format!("{name},Cardiomegaly,0,{patient},60,F,PA\n");
        // The left half of the original, on a film of a quarter of its size.
        boxes += &format!("{name},Cardiomegaly,0,0,512,1024,,,\n");
        image::GrayImage::from_fn(256, 256, |x, y| image::Luma([(x * patient + y) as u8]))
            .save(archive.join("images").join(&name))
            .unwrap();
    }
    boxes += "99999999_000.png,Mass,1,2,3,4,,,\n";
    fs::write(archive.join("Data_Entry_2017.csv"), entries).unwrap();
    let list = archive.join("BBox_List_2017.csv");
    fs::write(&list, boxes).unwrap();
    home.ok(&["import", "phantom", "--studies", "40", "--size", "64"]);
    home.ok(&["train", "--preset", "demo", "--steps", "2"]);
    let list = list.to_str().unwrap();
    let missing = home.run(&["eval", "grounding", "--boxes", list]);
    assert!(missing.code == 2 && missing.stderr.contains("thorax import nih"), "{}", missing.stderr);
    home.ok(&["import", "nih", archive.to_str().unwrap()]);
    let figures = home.json(&["eval", "grounding", "--boxes", list, "--json"]);
    assert_eq!((&figures["all"]["boxes"], &figures["missing"]), (&6.into(), &1.into()));
    assert_eq!((&figures["all"]["area"], &figures["all"]["others"]), (&0.5.into(), &1.0.into()));
    // A box that is the image's left half: a hit is a peak on the right side of the midline, and the other way round.
    assert_eq!(figures["all"]["hits"]["value"], figures["all"]["side"]["value"]);
    assert_eq!(figures["variants"].as_array().unwrap().len(), 7);
}

#[test]
fn a_film_is_explained_with_a_map_and_with_ranks() {
    let home = Home::ready(40);
    let film = home.search("effusion", 1)[0]["image"]["path"].as_str().unwrap().to_owned();
    let map = home.scratch().join("map.png");
    let said = home.ok(&["explain", &film, "left pleural effusion", "--out", map.to_str().unwrap()]);
    assert!(said.starts_with("peak in the ") && said.contains("Not for diagnosis"), "{said}");
    let drawn = image::open(&map).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (128, 128));
    let mapped = home.json(&["explain", &film, "left pleural effusion", "--json"]);
    let (rows, columns) = (mapped["map"]["rows"].as_u64().unwrap(), mapped["map"]["columns"].as_u64().unwrap());
    assert_eq!(mapped["map"]["values"].as_array().unwrap().len() as u64, rows * columns);
    assert!((0.0..128.0).contains(&mapped["peak"]["x"].as_f64().unwrap()));

    let ranked = home.json(&["explain", &film, "--json"]);
    let findings = ranked["findings"].as_array().unwrap();
    let above: Vec<f64> = findings.iter().map(|f| f["above"].as_f64().unwrap()).collect();
    assert_eq!(findings.len(), 14);
    assert!(above.windows(2).all(|w| w[0] >= w[1]) && above.iter().all(|a| (0.0..=1.0).contains(a)), "{above:?}");
    assert!(home.ok(&["explain", &film]).contains("not a probability"));

    assert_eq!(home.run(&["explain", &film, " "]).code, 2);
    assert_eq!(home.run(&["explain", "nowhere.png", "edema"]).code, 2);
    assert_eq!(home.run(&["explain", &film, "--out", "map.png"]).code, 2, "a map needs a query");
}
