//! Cohorts from end to end: created, combined, exported, and checked after the archive has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Home, Said};

/// Two of the manifest's studies have what CSV has to quote.
const MANIFEST: &str = "study,patient,age,sex,Edema,report\n\
    m1,p1,61,F,1,\"FINDINGS: She said \"\"no pain\"\", twice. Größe normal; 胸部.\"\n\
    m2,p1,62,F,0,FINDINGS: The lungs are clear.\n\
    m3,p2,35,M,1,FINDINGS: Pulmonary edema.\n";

fn import(home: &Home, manifest: &str) {
    let file = home.scratch().join("manifest.csv");
    fs::write(&file, manifest).unwrap();
    home.ok(&["import", "manifest", &file.display().to_string()]);
}

fn members(home: &Home, name: &str) -> BTreeSet<String> {
    let lines = home.ok(&["cohort", "show", name, "--members"]);
    lines.lines().map(str::to_owned).collect()
}

/// Every study of the archive by id, as the export writes it.
fn everything(home: &Home) -> BTreeMap<String, Value> {
    home.ok(&["cohort", "create", "everything", "--filter", "source:*"]);
    let lines = home.ok(&["cohort", "export", "everything", "--format", "jsonl"]);
    home.ok(&["cohort", "delete", "everything"]);
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        (row["study"].as_str().unwrap().to_owned(), row)
    };
    lines.lines().map(row).collect()
}

fn those(all: &BTreeMap<String, Value>, passes: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    all.iter().filter(|(_, row)| passes(row)).map(|(id, _)| id.clone()).collect()
}

#[test]
fn a_cohort_is_created_combined_exported_and_checked_against_a_changed_archive() {
    let home = Home::with_model(60);
    import(&home, MANIFEST);
    home.ok(&["index"]);
    let all = everything(&home);
    assert_eq!(all.len(), 63);

    // by filter, by what is stated, by rank, by name: each beside what the export says of every study
    let women = home.json(&["cohort", "create", "women", "--filter", "sex:F", "--note", "of any age", "--json"]);
    assert_eq!(members(&home, "women"), those(&all, |row| row["sex"] == "F"));
    assert_eq!((&women["revision"], &women["note"]), (&json!(1), &json!("of any age")));
    home.ok(&["cohort", "create", "effusions", "pleural effusion", "--all-matching"]);
    assert_eq!(members(&home, "effusions"), those(&all, |row| row["Pleural Effusion"] == 1));
    home.ok(&["cohort", "create", "left", "left pleural effusion", "--all-matching"]);
    let on_the_left = |row: &Value| row["left"].as_str().is_some_and(|left| left.contains("Pleural Effusion"));
    assert_eq!(members(&home, "left"), those(&all, on_the_left));
    let best = home.json(&["cohort", "create", "best", "left pleural effusion", "-k", "7", "--json"]);
    let found: BTreeSet<String> =
        home.search("left pleural effusion", 7).iter().map(|hit| hit["study"].as_str().unwrap().to_owned()).collect();
    assert_eq!(members(&home, "best"), found);
    let pinned = &best["steps"][0]["pinned"];
    assert!(pinned["model"]["fingerprint"].as_str().unwrap().len() >= 32 && pinned["generation"]["number"] == 1);
    let film = all.keys().next().unwrap().clone();
    let path = home.json(&["search", "effusion", "-k", "1", "--json"])["results"][0]["image"]["path"].clone();
    home.ok(&["cohort", "create", "alike", "--image", path.as_str().unwrap(), "-k", "5", "--filter", "source:phantom"]);
    assert_eq!(members(&home, "alike").len(), 5);
    let mut child = home
        .command(&["cohort", "create", "list", "--ids", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("manifest/m1\n\n{film}\nmanifest/m3\n").as_bytes()).unwrap();
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!(said.code, 0, "{}", said.stderr);

    // set operations
    let of = |a: &str, b: &str| (members(&home, a), members(&home, b));
    let (a, b) = of("women", "effusions");
    home.ok(&["cohort", "union", "u", "women", "effusions"]);
    home.ok(&["cohort", "intersect", "i", "women", "effusions"]);
    home.ok(&["cohort", "minus", "m", "women", "effusions"]);
    assert_eq!(members(&home, "u"), &a | &b);
    assert_eq!(members(&home, "i"), &a & &b);
    assert_eq!(members(&home, "m"), &a - &b);
    home.ok(&["cohort", "add", "list", "--cohort", "i"]);
    home.ok(&["cohort", "remove", "list", "--filter", "source:manifest sex:M"]);
    let mut list = &a & &b;
    list.extend(["manifest/m1".to_owned(), film]);
    list.remove("manifest/m3");
    assert_eq!(members(&home, "list"), list);

    // counts
    let shown = home.json(&["cohort", "show", "women", "--json"]);
    let counts = &shown["counts"];
    assert_eq!(counts["studies"], json!(a.len()));
    assert_eq!(counts["sex"], json!({ "F": a.len() }));
    assert_eq!(counts["findings"]["Pleural Effusion"]["present"], json!((&a & &b).len()));
    let patients: BTreeMap<String, u64> = serde_json::from_value(counts["studies_per_patient"].clone()).unwrap();
    let studies: u64 = patients.iter().map(|(studies, patients)| studies.parse::<u64>().unwrap() * patients).sum();
    assert_eq!((studies, patients.values().sum::<u64>()), (a.len() as u64, counts["patients"].as_u64().unwrap()));
    assert!(counts.get("by_patient").is_none());
    assert_eq!(
        home.json(&["cohort", "show", "women", "--patients", "--json"])["counts"]["by_patient"]["manifest/p1"],
        2
    );
    assert!(!home.ok(&["cohort", "show", "women"]).contains("manifest/p1"));

    // nothing has changed: each of them would come out as it is
    let names = ["women", "effusions", "left", "best", "alike", "list", "u", "i", "m"];
    let listed = home.json(&["cohort", "list", "--json"]);
    assert_eq!(listed.as_array().unwrap().len(), names.len());
    for name in names {
        let verified = home.json(&["cohort", "verify", name, "--json"]);
        assert_eq!((&verified["same"], &verified["rescored"]), (&json!(true), &json!(0)), "{name}: {verified}");
    }

    // the archive changes: a label, a sex, a study deleted, a study added; first without a new index
    import(
        &home,
        &MANIFEST
            .replace("m2,p1,62,F,0", "m2,p1,62,M,0")
            .replace("m3,p2,35,M,1", "m3,p2,35,F,0")
            .replace("m1,p1,61,F,1", "m4,p3,70,F,1"),
    );
    home.ok(&["delete", "manifest/m1", "--yes"]);
    let ids = |verified: &Value, what: &str| -> Vec<String> { serde_json::from_value(verified[what].clone()).unwrap() };
    let verify = |name: &str| {
        let said = home.run(&["cohort", "verify", name, "--json"]);
        let verified: Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(said.code == 0, verified["same"] == true, "{name}: {}", said.stderr);
        (said.code, verified)
    };
    let (code, verified) = verify("women");
    assert_eq!((code, ids(&verified, "gone")), (1, vec!["manifest/m1".to_owned()]));
    assert_eq!(ids(&verified, "changed"), ["manifest/m2"]);
    assert!(verified["index_behind"].as_u64().is_some_and(|n| n > 0));
    let refused = home.run(&["cohort", "create", "late", "--filter", "sex:F"]);
    assert!(refused.code == 2 && refused.stderr.contains("thorax index"), "{}", refused.stderr);
    home.ok(&["index"]);
    let (code, verified) = verify("women");
    assert_eq!((code, ids(&verified, "gone")), (1, vec!["manifest/m1".to_owned()]));
    assert_eq!(ids(&verified, "changed"), ["manifest/m2"]);
    assert_eq!(ids(&verified, "newly_matching"), ["manifest/m3", "manifest/m4"]);
    assert_eq!(ids(&verified, "no_longer_matching"), ["manifest/m2"]);
    assert_eq!(verified["other_generation"]["now"]["number"], 2);
    assert_eq!(verify("effusions").0, 0);
    assert_eq!(ids(&verify("list").1, "gone"), ["manifest/m1"]);

    // another model: what was ranked is another matter, what was filtered is not
    home.ok(&["train", "--preset", "demo", "--steps", "2", "--name", "second"]);
    home.ok(&["index"]);
    let (code, verified) = verify("best");
    assert_eq!(code, 1);
    assert_ne!(verified["other_model"]["pinned"]["fingerprint"], verified["other_model"]["now"]["fingerprint"]);
    assert_eq!(verify("effusions").0, 0);
    assert_eq!(home.run(&["cohort", "verify", "nobody"]).code, 2);
}

#[test]
fn exports_lie_beside_each_other_row_by_row() {
    let home = Home::with_model(20);
    import(&home, MANIFEST);
    home.ok(&["index"]);
    home.ok(&["cohort", "create", "all", "--filter", "source:*"]);
    let file = |name: &str| home.scratch().join(name);
    let export = |name: &str, more: &[&str]| -> Said {
        let out = file(name).display().to_string();
        let mut arguments = vec!["cohort", "export", "all", "--out", &out];
        arguments.extend(more);
        home.run(&arguments)
    };
    let ok = |name: &str, more: &[&str]| {
        let said = export(name, more);
        assert_eq!(said.code, 0, "{name}: {}", said.stderr);
    };

    // health data only where it is asked for
    ok("plain.csv", &[]);
    let plain = fs::read_to_string(file("plain.csv")).unwrap();
    assert!(!plain.contains("manifest/p1") && !plain.contains("no pain"));
    let refused = export("plain.csv", &[]);
    assert!(refused.code == 2 && refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(file("plain.csv")).unwrap(), plain);
    ok("plain.csv", &["--force", "--patients", "--reports"]);
    let mut reader = csv::Reader::from_path(file("plain.csv")).unwrap();
    let heads: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let place = |name: &str| heads.iter().position(|head| head == name).unwrap();
    assert_eq!(rows.len(), 23);
    assert_eq!(&rows[0][place("report")], "FINDINGS: She said \"no pain\", twice. Größe normal; 胸部.");
    assert_eq!((&rows[0][place("patient")], &rows[0][place("Edema")]), ("manifest/p1", "1"));
    assert_eq!(export("x.csv", &["--columns", "patient"]).code, 2);
    assert_eq!(export("x.csv", &["--columns", "weight"]).code, 2);
    assert_eq!(export("x.xlsx", &[]).code, 2);

    // the same rows in the other formats
    ok("t.jsonl", &["--columns", "study,age,films,report", "--reports"]);
    let lines = fs::read_to_string(file("t.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (line, row) in lines.iter().zip(&rows) {
        assert_eq!(line["study"], row[place("study")]);
        assert_eq!(line["report"], row[place("report")]);
        assert_eq!(line["age"].as_f64(), row[place("age")].parse().ok());
    }
    ok("t.parquet", &["--patients"]);
    let bytes = fs::read(file("t.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));

    // pseudonyms: the same key gives the same names in every export, and nothing of the ids is left
    fs::write(file("key"), [7u8; 32]).unwrap();
    let key = file("key").display().to_string();
    ok("p.csv", &["--pseudonyms", &key]);
    ok("e.npy", &["--embeddings", "films", "--pseudonyms", &key]);
    let hidden = fs::read_to_string(file("p.csv")).unwrap() + &fs::read_to_string(file("e.npy.rows.csv")).unwrap();
    for id in rows.iter().flat_map(|row| [&row[place("study")], &row[place("patient")]]) {
        assert!(!hidden.contains(id), "{id}");
    }
    let named: BTreeSet<String> = column(file("p.csv"), "study").into_iter().collect();
    assert!(column(file("e.npy.rows.csv"), "study").iter().all(|name| named.contains(name)));
    let patients: BTreeSet<String> = column(file("p.csv"), "patient").into_iter().collect();
    let real: BTreeSet<&str> = rows.iter().map(|row| &row[place("patient")]).collect();
    assert_eq!(patients.len(), real.len());

    // each vector stands in the row that the file of names says
    let index = thorax_index::Index::open(&home.path()).unwrap().unwrap();
    for (kind, space) in [("films", thorax_index::Space::Images), ("sentences", thorax_index::Space::Sentences)] {
        ok(&format!("{kind}.npy"), &["--embeddings", kind]);
        ok(&format!("{kind}.safetensors"), &["--embeddings", kind]);
        let items = column(file(&format!("{kind}.npy.rows.csv")), "item");
        let studies = column(file(&format!("{kind}.npy.rows.csv")), "study");
        assert_eq!(items.len(), index.item_count(space));
        let numbers = |bytes: &[u8]| -> Vec<f32> {
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
        };
        let npy = fs::read(file(&format!("{kind}.npy"))).unwrap();
        let head = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
        let matrix = numbers(&npy[head..]);
        let bytes = fs::read(file(&format!("{kind}.safetensors"))).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let tensor = tensors.tensor("embeddings").unwrap();
        let dimension = index.manifest().dimension;
        assert_eq!(tensor.shape(), [items.len(), dimension]);
        assert_eq!(numbers(tensor.data()), matrix);
        for (row, (item, study)) in matrix.chunks_exact(dimension).zip(items.iter().zip(&studies)) {
            let place = index.item_row(space, item).unwrap();
            assert_eq!(index.vector(space, place).unwrap(), row, "{item}");
            assert_eq!(index.study(index.study_of(space, place).unwrap()).unwrap().id, study);
        }
    }
    let left: Vec<String> =
        fs::read_dir(home.scratch()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
}

fn column(file: PathBuf, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let place = reader.headers().unwrap().iter().position(|head| head == name).unwrap();
    reader.records().map(|row| row.unwrap()[place].to_owned()).collect()
}
