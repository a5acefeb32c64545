//! Too much, too large, too slow, and what is no request at all.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::access::raw;
use crate::http::{Server, agent};
use crate::support::Home;

fn configured(lines: &str) -> (Home, Server) {
    let home = Home::ready(12);
    fs::write(home.path().join("thorax.toml"), lines).unwrap();
    let server = Server::start(&home);
    (home, server)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// What comes until the server ends the connection.
fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn an_allowance_that_is_used_up_says_when_to_come_again() {
    let (home, server) = configured("[server]\nrequests_per_minute = 20\n");
    let (one, two) = (home.token("reader"), home.token("reader"));
    let ask = |token: &str, path: &str| {
        let request = agent().get(format!("{}{path}", server.url)).header("authorization", format!("Bearer {token}"));
        let mut answer = request.call().unwrap();
        let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().parse::<u32>().unwrap());
        (answer.status().as_u16(), wait, answer.body_mut().read_to_string().unwrap())
    };
    let answers: Vec<_> = (0..24).map(|_| ask(&one, "/api/v1/status")).collect();
    assert!(answers[..20].iter().all(|(status, ..)| *status == 200));
    let (status, wait, said) = answers.last().unwrap();
    let said: Value = serde_json::from_str(said).unwrap();
    assert_eq!((*status, &said["code"]), (429, &json!("too_many_requests")));
    assert!((1..=61).contains(&wait.unwrap()), "{wait:?}");
    assert_eq!(ask(&two, "/api/v1/status").0, 200, "another token has an allowance of its own");
    // a film costs more than a word
    let film = |token: &str| {
        let request = agent().post(format!("{}/api/v1/images/none-0/heatmap", server.url));
        let request = request.header("authorization", format!("Bearer {token}")).content_type("application/json");
        request.send(r#"{"text": "effusion"}"#).unwrap().status().as_u16()
    };
    assert_eq!((film(&two), film(&two)), (404, 429));
}

#[test]
fn slow_and_endless_requests_are_ended() {
    let (_home, server) = configured("[server]\nhead_seconds = 1\nbody_seconds = 1\nupload_mib = 1\n");
    let began = Instant::now();
    let mut half = connect(&server);
    half.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nX-Half: ").unwrap();
    let mut body = connect(&server);
    body.write_all(b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{")
        .unwrap();
    let said = rest(&mut half);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    let said = rest(&mut body);
    assert!(said.starts_with("HTTP/1.1 400") || said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());

    // headers without end, and bodies that are too large
    let mut endless = connect(&server);
    let _ = endless.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n");
    for _ in 0..400 {
        if endless.write_all(format!("X-More: {}\r\n", "x".repeat(1000)).as_bytes()).is_err() {
            break;
        }
    }
    let said = rest(&mut endless);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{}", &said[..said.len().min(100)]);
    let large = json!({"text": "x".repeat(3 << 20)}).to_string();
    let (status, said) = server.post("/api/v1/search", "application/json", large.as_bytes());
    assert_eq!((status, &said["code"]), (413, &json!("too_large")));
    assert_eq!(server.get("/api/v1/status").0, 200);
}

#[test]
fn nothing_on_disk_and_no_header_can_be_reached_by_an_address() {
    let (home, server) = configured("");
    let secret = fs::read_to_string(home.path().join("server.json")).unwrap();
    for path in [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/assets/../../server.json",
        "/assets/..%5c..%5cserver.json",
        "/server.json",
        "/api/v1/images/../../../server.json",
        "/api/v1/images/..%2f..%2fserver.json-0",
        "/api/v1/studies/%2e%2e%2fserver.json",
        "/api/v1/images/%00-0",
        "/a%0d%0aX-Injected:%20yes",
        "/api/v1/studies/a%0d%0aX-Injected:%20yes",
    ] {
        let (status, head, body) =
            raw(&server, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert!([400, 404].contains(&status), "{path}: {status}");
        assert!(
            !head.contains("x-injected") && !body.contains("root:") && !body.contains(&secret[10..40]),
            "{path}: {body}"
        );
    }
    let (status, head, _) = raw(
        &server,
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a%0d%0aX-Injected: yes\r\nConnection: close\r\n\r\n",
    );
    assert!(status == 200 && !head.contains("x-injected"), "{head}");
    for garbage in [
        "",
        "\r\n\r\n",
        "GET\r\n\r\n",
        "\0\0\0\0",
        "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x",
    ] {
        let mut stream = connect(&server);
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        stream.write_all(garbage.as_bytes()).unwrap();
        let said = rest(&mut stream);
        assert!(!said.starts_with("HTTP/1.1 2"), "{garbage:?}: {said}");
    }
    assert_eq!(server.get("/api/v1/status").0, 200);
}

/// A PNG whose header claims `width` x `height` pixels.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    image::DynamicImage::new_luma8(16, 16).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let mut png = png.into_inner();
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let mut check = flate2::Crc::new();
    check.update(&png[12..29]);
    png[29..33].copy_from_slice(&check.sum().to_be_bytes());
    png
}

#[test]
fn a_film_of_too_many_pixels_is_refused_by_its_header() {
    use base64::Engine as _;
    let (_home, server) = configured("[server]\nupload_megapixels = 2\n");
    for (width, height) in [(60_000, 60_000), (2_000, 1_001), (u32::MAX >> 1, 1)] {
        let film = base64::prelude::BASE64_STANDARD.encode(claiming(width, height));
        let (status, said) = server.search(&json!({"images": [film]}));
        assert_eq!((status, &said["code"]), (400, &json!("bad_film")), "{said}");
        assert!(
            said["message"].as_str().unwrap().contains("pixels")
                || said["message"].as_str().unwrap().contains("damaged"),
            "{said}"
        );
    }
    let memory = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let peak = memory.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB");
    assert!(peak.parse::<u64>().unwrap() < 2 << 20, "{peak} kB");
}
