//! The audit log of a real server: who did what, nothing of a patient, and no change unnoticed.

use std::fs;

use serde_json::{Value, json};

use crate::access::raw;
use crate::http::{Server, agent};
use crate::support::Home;

fn stop(mut server: Server) {
    std::process::Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(server.child.wait().unwrap().success());
}

fn events(home: &Home) -> Vec<Value> {
    home.json(&["audit", "show", "--last", "1000", "--json"]).as_array().unwrap().clone()
}

#[test]
fn what_is_done_is_written_down_and_every_change_is_found() {
    let home = Home::ready(20);
    let server = Server::start(&home);
    let (_, answer) = server.search(&json!({"text": "zebra left effusion", "k": 5}));
    let key = answer["results"][0]["key"].as_str().unwrap().to_owned();
    assert_eq!(server.get(&format!("/api/v1/studies/{key}")).0, 200);
    assert_eq!(server.get(&format!("/api/v1/images/{key}-0/thumbnail")).0, 200);
    assert_eq!(server.get("/api/v1/studies/anna-meier").0, 404);
    let token = home.token("reader");
    let bearer = |token: &str| {
        let ask =
            agent().get(format!("{}/api/v1/status", server.url)).header("authorization", format!("Bearer {token}"));
        ask.header("x-request-id", "mine-7").call().unwrap().status().as_u16()
    };
    assert_eq!(bearer(&token), 200);
    assert_eq!(bearer(&format!("{}{}", &token[..15], "0".repeat(64))), 401);
    let id = token.split('_').nth(1).unwrap();
    home.ok(&["token", "revoke", id]);
    home.ok(&["delete", "--source", "phantom", "--yes"]);
    stop(server);

    let said = events(&home);
    let kinds: Vec<&str> = said.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let expected = ["search", "study", "thumbnail", "study", "token created", "status", "token revoked", "delete"];
    let known: Vec<&str> = kinds.iter().copied().filter(|kind| expected.contains(kind)).collect();
    assert_eq!(known, expected, "{kinds:?}");
    let of = |kind: &str| said.iter().find(|event| event["kind"] == kind).unwrap();
    assert_eq!((&of("search")["count"], &of("search")["who"]), (&json!(5), &json!("loopback")));
    assert_eq!(of("search")["pattern"], "/api/v1/search");
    assert_eq!((&of("study")["key"], &of("study")["status"]), (&json!(key), &json!(200)));
    assert_eq!((&of("status")["status"], &of("status")["request"]), (&json!(401), &json!("mine-7")));
    assert_eq!(of("token revoked")["token"], id);
    assert_eq!((&of("delete")["who"], &of("delete")["count"]), (&json!("command_line"), &json!(20)));
    let log = home.path().join("audit/audit.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    for secret in ["zebra", "effusion", "anna", "phantom", token.rsplit('_').next().unwrap()] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(home.ok(&["audit", "verify"]).contains("all as they were written"));

    // Each change is found at its line.
    let lines: Vec<&str> = text.lines().collect();
    let found = |lines: &[String], line: usize, what: &str| {
        fs::write(&log, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let said = home.run(&["audit", "verify"]);
        assert_eq!(said.code, 1, "{what}");
        assert!(said.stderr.contains(&format!("line {line}")) && said.stderr.contains(what), "{what}: {}", said.stderr);
        let verdict: Value = serde_json::from_str(&home.run(&["audit", "verify", "--json"]).stdout).unwrap();
        assert_eq!((&verdict["whole"], &verdict["fault"]["line"]), (&json!(false), &json!(line)));
    };
    let own = || lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let mut edited = own();
    edited[1] = edited[1].replace("command_line", "loopback");
    found(&edited, 2, "edited");
    let mut removed = own();
    removed.remove(2);
    found(&removed, 3, "removed");
    let mut reordered = own();
    reordered.swap(1, 2);
    found(&reordered, 2, "reordered");
    found(&own()[..lines.len() - 1], lines.len(), "cut off");

    // A crash in the middle of a line: it is kept and noted, and the log goes on.
    fs::write(&log, format!("{text}{}", &lines[0][..50])).unwrap();
    fs::write(home.path().join("thorax.toml"), "[audit]\nquery_text = true\n").unwrap();
    fs::remove_file(home.path().join("tokens.json")).unwrap();
    let server = Server::start(&home);
    server.search(&json!({"text": "zebra"}));
    stop(server);
    let verdict = home.json(&["audit", "verify", "--json"]);
    assert_eq!((&verdict["whole"], &verdict["torn"]), (&json!(true), &json!(1)), "{verdict}");
    assert!(fs::read_to_string(&log).unwrap().contains(&lines[0][..50]));
    assert_eq!(events(&home).last().unwrap()["query"], "zebra", "only where it is configured");
}

#[test]
fn what_cannot_be_written_down_is_not_done() {
    let home = Home::ready(12);
    let server = Server::start(&home);
    let search = || server.search(&json!({"text": "effusion"}));
    assert_eq!(search().0, 200);
    let (folder, away) = (home.path().join("audit"), home.path().join("away"));
    fs::rename(&folder, &away).unwrap();
    let (status, said) = search();
    assert_eq!((status, &said["code"], &said["type"]), (503, &json!("no_audit"), &json!("service")));
    assert!(said.get("results").is_none());
    let host = server.url.strip_prefix("http://").unwrap();
    let foreign =
        "POST /api/v1/search HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert!([403, 503].contains(&raw(&server, foreign).0));
    assert_eq!(server.get("/api/v1/status").0, 200, "what shows nothing of a patient is answered: {host}");
    fs::rename(&away, &folder).unwrap();
    assert_eq!(search().0, 200, "once the log is there again, so is the server");
    stop(server);
    assert_eq!(home.json(&["audit", "verify", "--json"])["whole"], true);
}
