//! TLS with a real certificate, made for the test.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::access::raw;
use crate::http::Server;
use crate::support::{Home, command};

fn ask(server: &Server, root: &CertificateDer<'static>, request: &str) -> Result<String, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let address = server.url.strip_prefix("https://").unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(client, TcpStream::connect(address)?);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if answer.is_empty() => Err(error),
        _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
    }
}

#[test]
fn a_server_with_a_certificate_speaks_tls_only_and_commands_still_reach_it() {
    let home = Home::ready(12);
    let made = |names: &[&str]| {
        rcgen::generate_simple_self_signed(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
    };
    let (own, other) = (made(&["localhost"]), made(&["localhost"]));
    let file = |name: &str, text: &str| {
        let path = home.scratch().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let certificate = file("cert.pem", &own.cert.pem());
    let key = file("key.pem", &own.signing_key.serialize_pem());
    let wrong = file("other.pem", &other.signing_key.serialize_pem());
    let token = home.token("reader");
    let said = command(&home.path(), &["serve", "--port", "0", "--tls-certificate", &certificate, "--tls-key", &wrong])
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("other.pem"));

    let arguments = ["--host", "0.0.0.0", "--tls-certificate", &certificate, "--tls-key", &key];
    let server = Server::with(&home.path(), &arguments);
    let root = own.cert.der().clone();
    let request =
        |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n");
    let answer = ask(&server, &root, &request("/api/v1/status", "")).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let answer =
        ask(&server, &root, &request("/api/v1/status", &format!("Authorization: Bearer {token}\r\n"))).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.to_lowercase().contains("strict-transport-security: max-age=31536000"), "{answer}");
    let body = format!("{{\"token\":\"{token}\"}}");
    let sign_in = format!(
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = ask(&server, &root, &sign_in).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204") && answer.contains("Secure"), "{answer}");

    assert!(ask(&server, other.cert.der(), &request("/", "")).is_err(), "another certificate is not trusted");
    let plain =
        Server { child: std::process::Command::new("true").spawn().unwrap(), url: server.url.replace("https", "http") };
    assert!(!raw(&plain, &request("/api/v1/status", "")).2.contains("version"), "nothing without TLS");
    assert!(home.ok(&["status"]).contains("answers from generation 1"), "commands go by a listener of their own");
}
