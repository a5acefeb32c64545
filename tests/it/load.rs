//! Many clients at once, and what is no request at all: no error to those who ask well, no panic, no growth.
//!
//! `make load` asks for a minute and sends ten thousand malformed requests: `THORAX_LOAD_SECONDS`, `THORAX_LOAD_MALFORMED`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::http::Server;
use crate::support::{self, Home, command};

const CLIENTS: usize = 64;
/// Megabytes that the process may have more after malformed requests than before: allocators keep what they once had.
const GROWTH_MB: u64 = 64;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |value| value.parse().unwrap())
}

/// A server whose log goes into a file.
fn logged(home: &Home) -> (Server, PathBuf) {
    let log = home.scratch().join("server.log");
    let mut command = command(&home.path(), &["serve", "--port", "0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("thorax is serving on ").unwrap().to_owned();
    (Server { child, url }, log)
}

/// Resident memory of the server, in megabytes.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn many_clients_are_all_answered() {
    let home = Home::ready(100);
    let (server, log) = logged(&home);
    let film = home.json(&["search", "effusion", "-k", "1", "--json"])["results"][0]["image"]["path"].clone();
    let film = std::fs::read(film.as_str().unwrap()).unwrap();
    let until = Instant::now() + Duration::from_secs(number("THORAX_LOAD_SECONDS", 3));
    let texts = ["no pleural effusion", "enlarged heart", "left pneumothorax", "small right effusion", "normal chest"];
    let (took, errors) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let before = memory(&server);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (server, took, errors, film) = (&server, &took, &errors, &film);
            scope.spawn(move || {
                for turn in client.. {
                    if Instant::now() >= until {
                        return;
                    }
                    let began = Instant::now();
                    // one in eight asks with a film
                    let by_film = turn % 8 == 0;
                    let (status, answer) = match by_film {
                        true => server.films(&json!({"k": 10}), &[film]),
                        false => server.search(&json!({"text": texts[turn % texts.len()], "k": 10})),
                    };
                    took.lock().unwrap().push((by_film, began.elapsed().as_secs_f64() * 1e3));
                    if status != 200 || answer["results"].as_array().is_none_or(|results| results.len() != 10) {
                        errors.lock().unwrap().push(format!("{status} {answer}"));
                    }
                }
            });
        }
    });
    let took = took.into_inner().unwrap();
    let percentile = |film: bool, p: f64| {
        let of: Vec<f64> = took.iter().filter(|(by_film, _)| *by_film == film).map(|(_, ms)| *ms).collect();
        support::percentile(&of, p)
    };
    let errors = errors.into_inner().unwrap();
    println!(
        "{}",
        json!({"bench": "load", "clients": CLIENTS, "requests": took.len(), "errors": errors.len(),
               "text_ms": {"p50": percentile(false, 0.5), "p99": percentile(false, 0.99)},
               "film_ms": {"p50": percentile(true, 0.5), "p99": percentile(true, 0.99)},
               "memory_mb": {"before": before, "after": memory(&server)}})
    );
    assert!(errors.is_empty(), "{} of {}: {:?}", errors.len(), took.len(), errors.first());
    assert!(took.len() >= CLIENTS);
    no_panic(&log);
}

/// Requests that are no requests, bodies that are no bodies, films that are no films.
#[test]
fn malformed_requests_and_films_break_nothing() {
    let home = Home::ready(30);
    let (server, log) = logged(&home);
    let hit = home.json(&["search", "effusion", "-k", "1", "--json"])["results"][0].clone();
    let (key, film) = (hit["key"].as_str().unwrap(), std::fs::read(hit["image"]["path"].as_str().unwrap()).unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(number("THORAX_LOAD_SEED", 11));
    let address = server.url.strip_prefix("http://").unwrap();
    let count = number("THORAX_LOAD_MALFORMED", 400);
    let mut statuses = std::collections::BTreeMap::<u16, u64>::new();
    let mut settled = 0;
    for turn in 0..count {
        let request = malformed(&mut random, address, key, &film);
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // a server that hangs up on half a request does well
        let _ = stream.write_all(&request);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        *statuses.entry(status).or_default() += 1;
        assert!(
            status < 500,
            "request {turn}: {status} {:?}",
            String::from_utf8_lossy(&request[..request.len().min(300)])
        );
        if turn == count / 4 {
            settled = memory(&server);
        }
    }
    let after = memory(&server);
    println!(
        "{}",
        json!({"bench": "malformed", "requests": count, "statuses": statuses, "memory_mb": {"settled": settled, "after": after}})
    );
    assert!(after <= settled + GROWTH_MB, "{settled} MB, then {after} MB");
    assert!(statuses.contains_key(&400) && statuses.contains_key(&200), "some are well formed by chance: {statuses:?}");
    assert_eq!(server.search(&json!({"text": "effusion", "k": 3})).0, 200);
    no_panic(&log);
}

/// A request that began well and was cut, changed or mixed up.
fn malformed(random: &mut ChaCha8Rng, host: &str, key: &str, film: &[u8]) -> Vec<u8> {
    let mut bytes = film.to_vec();
    match random.random_range(0..4) {
        0 => bytes.truncate(random.random_range(0..bytes.len())),
        1 => (0..random.random_range(1..40)).for_each(|_| {
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
        }),
        // the header claims other measures
        2 => (16..24).for_each(|at| bytes[at] = random.random()),
        _ => {}
    }
    let form = |bytes: &[u8]| {
        let mut form = b"--x\r\ncontent-disposition: form-data; name=\"film\"\r\n\r\n".to_vec();
        form.extend(bytes);
        form.extend(b"\r\n--x--\r\n");
        form
    };
    let json = [
        r#"{"text":"effusion","k":3}"#.to_owned(),
        r#"{"text":"(((\"effusion -","filter":"age:..:..","k":3}"#.to_owned(),
        format!(r#"{{"text":"{}"}}"#, "\\u0000é(".repeat(random.random_range(0..500))),
        format!("{}1{}", "[".repeat(3000), "]".repeat(3000)),
        r#"{"k":1e99,"offset":-1,"like":[null],"weights":{"text":"NaN"}}"#.to_owned(),
        r#"{"name":"../../etc","select":{"filter":"sex:F","take":{"first":0}}}"#.to_owned(),
    ];
    let json = json[random.random_range(0..json.len())].clone().into_bytes();
    let paths = [
        "/api/v1/search",
        "/api/v1/search/films",
        "/api/v1/facets",
        "/api/v1/cohorts",
        "/api/v1/jobs",
        "/api/v1/studies/delete",
        "/api/v1/map?limit=-1",
        "/api/v1/images/%2e%2e%2f%2e%2e",
        "/%00",
        "/api/v1/cohorts/%F0%28/export?format=x",
    ];
    let own = [
        format!("/api/v1/images/{key}-0/heatmap"),
        format!("/api/v1/studies/{key}/similar"),
        format!("/api/v1/images/{key}-99999999999999999999"),
    ];
    let path = match random.random_range(0..4) {
        0 => own[random.random_range(0..own.len())].as_str(),
        _ => paths[random.random_range(0..paths.len())],
    };
    let (kind, body) = match random.random_range(0..3) {
        0 => ("multipart/form-data; boundary=x", form(&bytes)),
        1 => ("application/json", json),
        _ => ("application/json", bytes),
    };
    let method = ["POST", "POST", "POST", "GET", "DELETE", "BREW", ""][random.random_range(0..7)];
    let length = if random.random_bool(0.9) { body.len() } else { random.random_range(0..1 << 40) };
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n")
            .into_bytes();
    request.extend(body);
    if random.random_bool(0.2) {
        let at = random.random_range(0..request.len());
        request[at] = random.random();
    }
    if random.random_bool(0.1) {
        request.truncate(random.random_range(1..request.len()));
    }
    request
}

fn no_panic(log: &std::path::Path) {
    let said = std::fs::read_to_string(log).unwrap();
    assert!(!said.contains("panicked"), "{}", said.lines().find(|line| line.contains("panicked")).unwrap_or_default());
}
