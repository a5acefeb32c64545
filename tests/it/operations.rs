//! What whoever runs the server sees of it: health, metrics, its log; compression; an end that finishes what runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::access::raw;
use crate::http::{Server, agent};
use crate::support::{Home, command};

#[test]
fn health_metrics_and_ids_say_nothing_of_what_was_asked() {
    let home = Home::ready(20);
    let mut child = command(&home.path(), &["serve", "--port", "0", "--log-format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut log = child.stderr.take().unwrap();
    let url = line.trim().strip_prefix("thorax is serving on ").unwrap().to_owned();
    let mut server = Server { child, url };

    assert_eq!((server.get("/healthz").0, server.get("/readyz").0), (200, 200));
    let (_, answer) = server.search(&json!({"text": "zebra effusion", "k": 3}));
    let key = answer["results"][0]["key"].as_str().unwrap().to_owned();
    server.get(&format!("/api/v1/studies/{key}"));
    server.get("/api/v1/anna-meier?zebra=1");
    server.get("/anna-meier");
    raw(&server, "ZEBRA / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let id = |given: &str| {
        let answer = agent().get(format!("{}/healthz", server.url)).header("x-request-id", given).call().unwrap();
        answer.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id("my-id-7"), "my-id-7");
    assert_ne!(id("not harmless: zebra"), "not harmless: zebra");

    let (status, text, headers) = server.get("/metrics");
    let text = String::from_utf8(text).unwrap();
    assert!(status == 200 && headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    for line in [
        "thorax_http_requests_total{method=\"POST\",pattern=\"/api/v1/search\",status=\"200\"} 1",
        "thorax_http_requests_total{method=\"GET\",pattern=\"/api/v1/studies/{key}\",status=\"200\"} 1",
        "thorax_http_requests_total{method=\"GET\",pattern=\"page\",status=\"404\"} 1",
        "thorax_http_requests_total{method=\"GET\",pattern=\"no route\",status=\"404\"} 1",
        "thorax_http_request_duration_seconds_bucket{le=\"0.001\",pattern=\"/api/v1/search\"}",
        "thorax_http_requests_in_flight 1",
        "thorax_jobs{state=\"running\"} 0",
        "thorax_studies 20",
        "thorax_generation 1",
        "thorax_resident_memory_bytes ",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    std::process::Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(server.child.wait().unwrap().success());
    let mut said = String::new();
    log.read_to_string(&mut said).unwrap();
    for secret in ["zebra", "ZEBRA", "anna", &key] {
        assert!(!said.contains(secret) && !text.contains(secret), "{secret}");
    }
    let lines: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let search = lines.iter().find(|line| line["pattern"] == "/api/v1/search").unwrap();
    assert_eq!((&search["method"], &search["status"]), (&json!("POST"), &json!(200)));
    assert!(search["ms"].as_f64().unwrap() > 0.0 && search["id"].as_str().unwrap().len() == 16);
    assert!(lines.iter().any(|line| line["id"] == "my-id-7"));
}

#[test]
fn text_is_compressed_and_films_are_not() {
    let home = Home::ready(20);
    let server = Server::start(&home);
    let (_, answer) = server.search(&json!({"text": "effusion", "k": 3}));
    let film = answer["results"][0]["image"]["key"].as_str().unwrap();
    let ask = |method: &str, path: &str, more: &str| {
        raw(
            &server,
            &format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n{more}"
            ),
        )
    };
    let body = json!({"text": "effusion", "k": 10}).to_string();
    let more = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (status, head, _) = ask("POST", "/api/v1/search", &more);
    assert!(
        status == 200 && head.contains("content-encoding: gzip") && head.contains("vary: accept-encoding"),
        "{head}"
    );
    let (status, head, _) = ask("GET", &format!("/api/v1/images/{film}"), "\r\n");
    assert!(status == 200 && !head.contains("content-encoding"), "{head}");

    // What a browser has already is not sent again.
    for path in ["/".to_owned(), format!("/api/v1/images/{film}"), format!("/api/v1/images/{film}/thumbnail")] {
        let (status, head, body) = ask("GET", &path, "\r\n");
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap_or_else(|| panic!("{path}: {head}"));
        assert!(status == 200 && !body.is_empty());
        let (status, head, body) = ask("GET", &path, &format!("If-None-Match: {}\r\n\r\n", tag.replace('w', "W")));
        assert_eq!((status, body.len()), (304, 0), "{path}");
        assert!(head.contains("etag: ") && head.contains("cache-control: "), "{path}: {head}");
        assert_eq!(ask("GET", &path, "If-None-Match: \"another\"\r\n\r\n").0, 200);
    }
}

#[test]
fn a_request_in_flight_is_answered_after_the_signal_to_stop() {
    let home = Home::ready(20);
    let mut server = Server::start(&home);
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let body = json!({"text": "left pleural effusion", "k": 3}).to_string();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST /api/v1/search HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // the request has begun, and its end comes only after the signal
    let (first, last) = body.split_at(body.len() / 2);
    stream.write_all(format!("{head}{first}").as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    std::process::Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    let refused = || TcpStream::connect(&address).is_err();
    let began = std::time::Instant::now();
    while !refused() {
        assert!(began.elapsed().as_secs() < 10, "it takes new connections for ever");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    stream.write_all(last.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"results\""), "{answer}");
    assert!(server.child.wait().unwrap().success());
}
