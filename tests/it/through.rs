//! Commands on a home that a server owns: they go through it, and say and do what they would without it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::http::Server;
use crate::support::{Home, Said};

#[test]
fn import_index_search_and_status_work_on_a_served_home() {
    let home = Home::ready(30);
    let arguments = ["search", "no pleural effusion", "-k", "5"];
    let unserved = home.ok(&arguments);
    let mut server = Server::start(&home);

    let file = home.path().join("server.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(home.ok(&arguments), unserved, "the same words as without a server");
    let film = home.json(&["search", "effusion", "-k", "1", "--json"])["results"][0]["image"]["path"].clone();
    let relative = std::path::Path::new(film.as_str().unwrap());
    let said: Said = home
        .command(&["search", "--image", relative.file_name().unwrap().to_str().unwrap(), "--json"])
        .current_dir(relative.parent().unwrap())
        .output()
        .unwrap()
        .into();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let found: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(found["results"][0]["image"]["path"], film, "the client's folder counts, not the server's");

    let csv = home.scratch().join("one.csv");
    fs::write(&csv, "study,patient,report\nx,x,FINDINGS: Quite another sentence altogether.\nbad,,\n").unwrap();
    let imported = home.run(&["import", "manifest", &csv.display().to_string(), "--json"]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let report: Value = serde_json::from_str(&imported.stdout).unwrap();
    assert_eq!((&report["added"], &report["catalogue"]), (&json!(1), &json!(31)));
    assert!(imported.stderr.contains("rejected: ") && imported.stderr.contains("importing: "), "{}", imported.stderr);
    let said = home.run(&["search", "effusion", "--to", "reports"]);
    assert!(said.stderr.contains("newer than the index"), "{}", said.stderr);

    let indexed = home.json(&["index", "--json"]);
    assert_eq!((&indexed["generation"], &indexed["embedded"]), (&json!(2), &json!(1)));
    let (status, answer) = server.search(&json!({"text": "\"quite another sentence\"", "to": "reports"}));
    assert_eq!((status, &answer["warning"]), (200, &Value::Null), "once the command ends, the new index answers");
    assert!(answer["results"].as_array().unwrap().iter().any(|hit| hit["study"] == "manifest/x"));
    let (again, said) = (home.run(&["index"]), home.ok(&["status"]));
    assert!(again.stderr.contains("nothing is new"), "{}", again.stderr);
    assert!(said.contains("answers from generation 2"), "{said}");

    // Cohorts: ids that the client reads, a file that the server writes where the client stands.
    let made = home.json(&["cohort", "create", "effusions", "pleural effusion", "--all-matching", "--json"]);
    let ids = home.scratch().join("ids.txt");
    fs::write(&ids, "manifest/x\n").unwrap();
    home.ok(&["cohort", "add", "effusions", "--ids", &ids.display().to_string()]);
    let said: Said = home
        .command(&["cohort", "export", "effusions", "--out", "effusions.csv", "--columns", "study"])
        .current_dir(home.scratch())
        .output()
        .unwrap()
        .into();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let written = fs::read_to_string(home.scratch().join("effusions.csv")).unwrap();
    assert_eq!(written.lines().count() as u64, made["studies"].as_u64().unwrap() + 2);
    assert!(written.contains("manifest/x"));
    assert_eq!(home.run(&["cohort", "export", "effusions"]).code, 2, "there is no terminal to write to");
    home.ok(&["cohort", "verify", "effusions"]);
    let counted = home.json(&["facets", "--filter", "source:manifest", "--json"]);
    assert_eq!(counted["total"], 1);

    // Faults have the words and the exit status that they have without a server.
    let wrong = home.run(&["search", "x", "--filter", "nothing:here"]);
    assert_eq!((wrong.code, wrong.stderr.contains("there is no field 'nothing'")), (2, true), "{}", wrong.stderr);
    let nothing = home.run(&["index", "--model", "nobody"]);
    assert_eq!((nothing.code, nothing.stderr.contains("no model 'nobody'")), (2, true), "{}", nothing.stderr);
    fs::write(&csv, "study,patient,report\nbad,,\n").unwrap();
    let said = home.run(&["import", "manifest", &csv.display().to_string()]);
    assert_eq!((said.code, said.stdout.contains("1 rejected")), (2, true), "{}", said.stderr);

    // Nobody else gets in.
    let (status, body, _) = server.get("/internal/v1/health");
    assert_eq!((status, serde_json::from_slice::<Value>(&body).unwrap()["code"].clone()), (404, json!("not_found")));
    let (status, _) = server.post("/internal/v1/commands", "application/json", b"{}");
    assert_eq!(status, 404);

    signal(&server, "-TERM");
    assert!(server.child.wait().unwrap().success());
    assert!(!file.exists(), "the file goes with the server");
    home.ok(&arguments);
}

#[test]
fn a_dead_servers_file_is_no_obstacle() {
    let home = Home::ready(12);
    let mut server = Server::start(&home);
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert!(home.path().join("server.json").exists(), "kill -9 leaves it behind");
    home.ok(&["search", "effusion", "-k", "1"]);
    let mut next = Server::start(&home);
    assert!(home.ok(&["status"]).contains("answers from generation 1"));
    signal(&next, "-TERM");
    assert!(next.child.wait().unwrap().success());
}

#[test]
fn ctrl_c_stops_the_job_and_detaching_leaves_it_running() {
    let home = Home::ready(20);
    let server = Server::start(&home);
    let mut client = home
        .command(&["import", "phantom", "--studies", "3000", "--seed", "9", "--size", "64"])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let studies = || home.json(&["status", "--json"])["studies"].as_u64().unwrap();
    while studies() < 60 {
        assert!(client.try_wait().unwrap().is_none(), "it ended before it could be stopped");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    std::process::Command::new("kill").args(["-INT", &client.id().to_string()]).status().unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(1));
    let kept = studies();
    assert!((60..3000).contains(&kept), "{kept}");

    let said = home.json(&["index", "--detach", "--json"]);
    assert_eq!(said["job"], 2);
    let generation = || home.json(&["status", "--json"])["server"]["generation"].as_u64().unwrap();
    let started = std::time::Instant::now();
    while generation() < 2 {
        assert!(started.elapsed().as_secs() < 60, "the job never ends");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(studies(), kept);
    drop(server);
}

fn signal(server: &Server, which: &str) {
    std::process::Command::new("kill").args([which, &server.child.id().to_string()]).status().unwrap();
}
