//! The HTTP API of a real server: shapes, faults, headers, shutdown.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Home, command};

pub struct Server {
    pub child: Child,
    pub url: String,
}

impl Server {
    pub fn start(home: &Home) -> Self {
        Self::of(&home.path())
    }

    pub fn of(home: &Path) -> Self {
        Self::with(home, &[])
    }

    /// A server with more arguments. One that is bound to all addresses is asked on loopback.
    pub fn with(home: &Path, arguments: &[&str]) -> Self {
        let mut command = command(home, &[&["serve", "--port", "0"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("thorax is serving on ").expect("one line that says where");
        Self { child, url: url.replace("0.0.0.0", "127.0.0.1") }
    }

    pub fn get(&self, path: &str) -> (u16, Vec<u8>, ureq::http::HeaderMap) {
        let answer = agent().get(format!("{}{path}", self.url)).call().unwrap();
        let (parts, mut body) = answer.into_parts();
        (parts.status.as_u16(), body.read_to_vec().unwrap(), parts.headers)
    }

    pub fn post(&self, path: &str, kind: &str, body: &[u8]) -> (u16, Value) {
        let mut answer = agent().post(format!("{}{path}", self.url)).header("content-type", kind).send(body).unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.body_mut().read_to_vec().unwrap()).unwrap())
    }

    /// Searches with films, by a form.
    pub fn films(&self, query: &Value, films: &[&[u8]]) -> (u16, Value) {
        const BETWEEN: &str = "----between-the-parts";
        let mut form = Vec::new();
        let mut part = |head: &str, content: &[u8]| {
            form.extend(format!("--{BETWEEN}\r\ncontent-disposition: form-data; {head}\r\n\r\n").as_bytes());
            form.extend(content);
            form.extend(b"\r\n");
        };
        part("name=\"query\"", query.to_string().as_bytes());
        films.iter().for_each(|film| part("name=\"film\"; filename=\"film\"", film));
        form.extend(format!("--{BETWEEN}--\r\n").as_bytes());
        self.post("/api/v1/search/films", &format!("multipart/form-data; boundary={BETWEEN}"), &form)
    }

    pub fn json(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/json").body(body.to_string()).unwrap();
        let mut answer = agent().run(request).unwrap();
        let bytes = answer.body_mut().read_to_vec().unwrap();
        (answer.status().as_u16(), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub fn search(&self, body: &Value) -> (u16, Value) {
        self.post("/api/v1/search", "application/json", body.to_string().as_bytes())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::prelude::BASE64_STANDARD.encode(bytes)
}

pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(30))).build().into()
}

#[test]
fn search_study_film_and_faults_over_http() {
    let home = Home::ready(40);
    let mut server = Server::start(&home);

    let (status, body, headers) = server.get("/api/v1/status");
    let about: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &about["studies"]), (200, &json!(40)));
    assert!(about["notice"].as_str().unwrap().contains("Not for diagnosis"));
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));

    let (status, answer) = server.search(&json!({"text": "no pleural effusion", "k": 4}));
    assert_eq!((status, answer["results"].as_array().unwrap().len()), (200, 4));
    assert_eq!(answer["query"]["understood"][0]["polarity"], "absent");
    let first = &answer["results"][0];
    assert!(first["image"].get("path").is_none(), "the server's file names are nobody's business");

    let key = first["key"].as_str().unwrap();
    let (status, body, _) = server.get(&format!("/api/v1/studies/{key}"));
    let study: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &study["study"]), (200, &first["study"]));
    assert!(!study["reports"][0]["sections"].as_array().unwrap().is_empty());

    let film = first["image"]["key"].as_str().unwrap();
    let (status, bytes, headers) = server.get(&format!("/api/v1/images/{film}"));
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "image/png"));
    let (_, small, headers) = server.get(&format!("/api/v1/images/{film}/thumbnail"));
    assert_eq!(headers["content-type"].to_str().unwrap(), "image/jpeg");
    assert!(image::load_from_memory(&small).unwrap().width() <= 320);

    let asked = json!({"text": "left pleural effusion"}).to_string();
    let (status, mapped) = server.post(&format!("/api/v1/images/{film}/heatmap"), "application/json", asked.as_bytes());
    let map = &mapped["map"];
    let cells = map["rows"].as_u64().unwrap() * map["columns"].as_u64().unwrap();
    assert_eq!((status, map["values"].as_array().unwrap().len() as u64), (200, cells));
    assert!(mapped["peak"]["words"].as_str().unwrap().contains("part"));
    assert!(mapped["notice"].as_str().unwrap().contains("Not for diagnosis"));
    let (status, ranked, _) = server.get(&format!("/api/v1/images/{film}/findings"));
    let ranked: Value = serde_json::from_slice(&ranked).unwrap();
    assert_eq!((status, ranked["findings"].as_array().unwrap().len()), (200, 14));

    let (status, similar) = server.films(&json!({"k": 3}), &[&bytes]);
    assert_eq!((status, &similar["results"][0]["study"]), (200, &first["study"]), "a film finds itself");
    let (_, reports) = server.films(&json!({"to": "reports", "k": 3}), &[&bytes]);
    assert!(reports["results"].as_array().unwrap().iter().all(|r| r["snippet"]["text"].is_string()));

    // The same film in JSON, with words beside it; and a filter beside two films.
    let film_text = base64(&bytes);
    let (status, composed) = server.search(&json!({
        "text": "pleural effusion", "images": [film_text], "exclude": "study", "group": "patient", "explain": true, "k": 3
    }));
    assert_eq!((status, &composed["query"]["films"]), (200, &json!(1)), "{composed}");
    assert!(composed["results"].as_array().unwrap().iter().all(|r| r["study"] != first["study"]));
    assert!(composed["results"][0]["explain"]["rankings"].is_array());
    let (_, second) = server.search(&json!({"text": "no pleural effusion", "k": 4, "after": answer["page"]["next"]}));
    assert_eq!(second["results"][0]["rank"], 5);
    let (_, women) = server.films(&json!({"filter": "sex:F", "k": 40}), &[&bytes, &small]);
    assert!(women["results"].as_array().unwrap().iter().all(|r| r["sex"] == "F"), "{women}");
    assert_eq!(women["query"]["films"], 2);

    let faults = [
        server.post("/api/v1/search/films", "image/png", &bytes),
        server.films(&json!({"surprise": 1}), &[&bytes]),
        server.films(&json!({"k": 3}), &[]),
        server.films(&json!({"k": 3}), &[&small[..]; 21]),
        server.search(&json!({"images": ["no film"]})),
        server.search(&json!({"like": ["nobody"]})),
        server.search(&json!({"text": "edema", "after": "7-0-0"})),
        server.search(&json!({"text": ""})),
        server.search(&json!({"text": "x", "filter": "nothing:here"})),
        server.search(&json!({"text": "\"open quote"})),
        server.search(&json!({"text": "x", "k": 0})),
        server.search(&json!({"text": "x", "surprise": 1})),
        server.post("/api/v1/search", "application/json", b"{"),
        server.films(&json!({"k": 3}), &[b"no film at all"]),
        server.post(&format!("/api/v1/images/{film}/heatmap"), "application/json", b"{\"text\": \" \"}"),
    ];
    for (number, (status, fault)) in faults.iter().enumerate() {
        assert_eq!((*status, &fault["type"]), (400, &json!("caller")), "fault {number}: {fault}");
        assert!(!fault["message"].as_str().unwrap().is_empty() && fault["code"].is_string());
    }
    for path in [
        "/api/v1/studies/unknown",
        "/api/v1/images/unknown-0/findings",
        "/api/v1/images/unknown-0",
        "/api/v1/images/../../etc/passwd",
        "/nope",
    ] {
        assert_eq!(server.get(path).0, 404, "{path}");
    }

    // One owner: what goes through the server does, and the rest says so instead of waiting or breaking something.
    home.ok(&["search", "effusion"]);
    let refused = home.run(&["train", "--preset", "demo", "--steps", "1"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("in use") && refused.stderr.contains("index, search"), "{}", refused.stderr);

    Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(server.child.wait().unwrap().success(), "SIGTERM is a clean end");
    home.ok(&["search", "effusion"]);
}
