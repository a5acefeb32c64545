//! Who is let in: every rule and every role, tokens that are missing, wrong, expired or revoked, sessions, foreign pages.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use thorax::access::{Permission, Role};
use thorax::server::access::RULES;

use crate::http::{Server, agent};
use crate::support::{Home, command};

/// An answer to a request that is written by hand: status, headers in lower case, body.
pub fn raw(server: &Server, request: &str) -> (u16, String, String) {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (status, head.to_lowercase(), body.to_owned())
}

/// A request with a token, an empty JSON body where the method has one.
fn ask(server: &Server, method: &str, path: &str, token: Option<&str>) -> (u16, Value) {
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let body = if method == "POST" { "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" } else { "\r\n" };
    let host = server.url.strip_prefix("http://").unwrap();
    let (status, _, body) =
        raw(server, &format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{bearer}{body}"));
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

/// A path that fits a pattern.
fn path(pattern: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "7".to_owned() } else { part.to_owned() };
    pattern.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn every_rule_lets_in_the_roles_of_the_table_and_no_other() {
    let home = Home::ready(12);
    let tokens: Vec<(Role, String)> = Role::ALL.into_iter().map(|role| (role, home.token(role.name()))).collect();
    let server = Server::with(&home.path(), &["--host", "0.0.0.0", "--insecure-http"]);
    let wrong = format!("{}{}", &tokens[0].1[..20], "0".repeat(60));
    for rule in RULES {
        let (method, path) = (rule.method.as_str(), path(rule.pattern));
        let (status, said) = ask(&server, method, &path, None);
        match rule.permission {
            None => assert!(status != 403 && (status != 401 || rule.kind == "session"), "{method} {path} {status}"),
            Some(_) => assert_eq!((status, &said["code"]), (401, &json!("unauthenticated")), "{method} {path}"),
        }
        for (role, token) in &tokens {
            let (status, said) = ask(&server, method, &path, Some(token));
            match rule.permission.is_none_or(|permission| role.may(permission)) {
                true => assert!(
                    ![401, 403, 405, 500].contains(&status) || rule.kind == "sign-in",
                    "{role} {method} {path}: {status}"
                ),
                false => {
                    assert_eq!((status, &said["code"]), (403, &json!("forbidden")), "{role} {method} {path}");
                    assert_eq!(said["type"], "caller");
                    assert!(said["message"].as_str().unwrap().contains("admin"), "it names the roles: {said}");
                }
            }
        }
    }
    let (status, said) = ask(&server, "GET", "/api/v1/status", Some(&wrong));
    assert_eq!((status, &said["code"]), (401, &json!("unauthenticated")));
    let (status, _) = ask(&server, "PUT", "/api/v1/status", None);
    assert_eq!(status, 405);
    for path in ["/api/v1/nothing", "/internal/v1/health", "/api/v1/status/", "/api/v1//status"] {
        assert_eq!(ask(&server, "GET", path, Some(&tokens[3].1)).0, 404, "{path}");
    }
    assert!(Role::Admin.may(Permission::Admin));
}

#[test]
fn revoked_and_expired_tokens_and_their_sessions_are_refused() {
    let home = Home::ready(12);
    let server = Server::start(&home);
    assert_eq!(server.get("/api/v1/status").0, 200, "on loopback without tokens everybody is let in");
    let (_, body, _) = server.get("/api/v1/session");
    let session: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&session["signed_in"], &session["role"]), (&json!(false), &json!("admin")));

    // A running server asks for a token from the first one on.
    let token = home.token("researcher");
    assert!(token.starts_with("thx_"));
    assert_eq!(server.get("/api/v1/status").0, 401);
    assert_eq!(ask(&server, "GET", "/api/v1/status", Some(&token)).0, 200);
    assert_eq!(server.get("/").0, 200, "the page loads, so that one can sign in");
    home.ok(&["search", "effusion", "-k", "1"]);

    let sign_in = |token: &str| {
        let body = json!({"token": token}).to_string();
        agent().post(format!("{}/api/v1/session", server.url)).content_type("application/json").send(&body).unwrap()
    };
    assert_eq!(sign_in("thx_nothing").status(), 401);
    let answer = sign_in(&token);
    assert_eq!(answer.status(), 204);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(&token), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with_cookie = |method: &str, path: &str, more: &str| {
        let host = server.url.strip_prefix("http://").unwrap();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n{more}\r\n");
        raw(&server, &request)
    };
    let (status, _, body) = with_cookie("GET", "/api/v1/session", "");
    let session: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &session["name"], &session["role"]), (200, &json!("a researcher"), &json!("researcher")));
    assert_eq!(session["permissions"], json!(["search", "cohort"]));
    assert_eq!(with_cookie("DELETE", "/api/v1/session", "Origin: http://evil.example\r\n").0, 403, "no foreign page");
    assert_eq!(with_cookie("GET", "/api/v1/status", "").0, 200);
    assert_eq!(with_cookie("DELETE", "/api/v1/session", "").0, 204);
    assert_eq!(with_cookie("GET", "/api/v1/status", "").0, 401, "signed out");

    // Expired, then revoked: within the next request.
    let list: Value = home.json(&["token", "list", "--json"]);
    let id = list[0]["id"].as_str().unwrap().to_owned();
    let file = home.path().join("tokens.json");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("$argon2id$") && !text.contains(token.rsplit('_').next().unwrap()));
    std::fs::write(&file, text.replace("\"created\"", "\"expires\": 1000, \"created\"")).unwrap();
    assert_eq!(ask(&server, "GET", "/api/v1/status", Some(&token)).0, 401, "expired");
    std::fs::write(&file, &text).unwrap();
    assert_eq!(ask(&server, "GET", "/api/v1/status", Some(&token)).0, 200);
    home.ok(&["token", "revoke", &id]);
    assert_eq!(ask(&server, "GET", "/api/v1/status", Some(&token)).0, 401, "revoked");
    assert_eq!(home.json(&["token", "list", "--json"])[0]["state"], "revoked");
    assert_eq!(server.get("/api/v1/status").0, 401, "revoking the last token does not open the server");

    // Guessing is slowed down.
    let guess = format!("thx_{id}_{}", "0".repeat(64));
    let guesses: Vec<u16> = (0..30).map(|_| ask(&server, "GET", "/api/v1/status", Some(&guess)).0).collect();
    assert!(guesses.contains(&429) && guesses.iter().all(|status| [401, 429].contains(status)), "{guesses:?}");
}

#[test]
fn foreign_names_and_pages_are_refused_where_no_token_is_needed() {
    let home = Home::ready(12);
    let server = Server::start(&home);
    let host = server.url.strip_prefix("http://").unwrap();
    let ask = |method: &str, host: &str, more: &str| {
        let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
        raw(
            &server,
            &format!("{method} /api/v1/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{length}{more}\r\n"),
        )
        .0
    };
    assert_eq!(ask("GET", host, ""), 200);
    assert_eq!(ask("GET", "localhost:1", ""), 200);
    assert_eq!(ask("GET", "evil.example", ""), 403);
    assert_eq!(ask("GET", "127.0.0.1.evil.example", ""), 403);
    assert_eq!(ask("POST", host, ""), 405);
    assert_eq!(ask("POST", host, "Origin: http://evil.example\r\n"), 403);
    assert_eq!(ask("POST", host, "Origin: null\r\n"), 403);
    assert_eq!(ask("POST", host, &format!("Origin: http://{host}\r\n")), 405);
    let (status, head, _) = raw(&server, &format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
    assert_eq!(status, 200);
    for header in [
        "content-security-policy: default-src 'none'",
        "permissions-policy: camera=()",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-resource-policy: same-origin",
        "x-content-type-options: nosniff",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
}

#[test]
fn an_open_address_without_tokens_or_tls_is_refused_and_says_how_to_mend_it() {
    let home = Home::ready(12);
    let refused = |arguments: &[&str]| {
        let said = command(&home.path(), &[&["serve", "--port", "0"], arguments].concat()).output().unwrap();
        assert_eq!(said.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(said.stderr).unwrap()
    };
    let said = refused(&["--host", "0.0.0.0", "--insecure-http"]);
    assert!(said.contains("thorax token create"), "{said}");
    assert!(refused(&["--require-tokens"]).contains("thorax token create"));
    home.token("admin");
    let said = refused(&["--host", "0.0.0.0"]);
    assert!(said.contains("--tls-certificate") && said.contains("--insecure-http"), "{said}");
    let said = refused(&["--tls-certificate", "none.pem"]);
    assert!(said.contains("tls_key"), "{said}");
    let said = refused(&["--tls-certificate", "none.pem", "--tls-key", "none.pem"]);
    assert!(said.contains("none.pem"), "{said}");
}
