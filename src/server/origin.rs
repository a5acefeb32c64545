//! Requests that a foreign page makes a browser send.
//!
//! Without tokens everybody on this machine is let in, so the address that the browser asked for must be this machine's: a foreign
//! name that was pointed at it is refused (DNS rebinding). And what changes something is taken from our own page only: where a browser
//! says which page asks, it must be the page of the same host (cross-site request forgery).

use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use actix_web::http::header;

use super::fault::Fault;

/// Refuses foreign pages; `local` where nobody needs a token.
pub fn check(request: &ServiceRequest, local: bool) -> Result<(), Fault> {
    let host = host(request);
    if local && !host.is_some_and(is_loopback) {
        return Err(Fault::forbidden(
            "without tokens this server answers to a loopback address or localhost only; make a token with \
             `thorax token create` to use another name",
        ));
    }
    let origin = request.headers().get(header::ORIGIN);
    if let Some(origin) = origin.filter(|_| !request.method().is_safe()) {
        let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
        if origin.is_none() || origin != host {
            return Err(Fault::forbidden("the request comes from a page of another site"));
        }
    }
    Ok(())
}

/// The host that was asked for; a request with two of them names none.
fn host(request: &ServiceRequest) -> Option<&str> {
    let mut named = request.headers().get_all(header::HOST);
    match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok(),
        // HTTP/2 has it in the address
        (None, None) => request.uri().authority().map(|authority| authority.as_str()),
        _ => None,
    }
}

/// `localhost`, `127.0.0.1`, `[::1]`, with a port or without.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use actix_web::http::Method;
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["localhost", "LOCALHOST:8750", "127.0.0.1", "127.8.9.1:80", "[::1]", "[::1]:8750"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]:1", ":80"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn foreign_hosts_and_origins_are_refused() {
        let asked = |method: Method, host: &str, origin: Option<&str>, local| {
            let mut request = TestRequest::default().method(method).insert_header((header::HOST, host));
            if let Some(origin) = origin {
                request = request.insert_header((header::ORIGIN, origin));
            }
            check(&request.to_srv_request(), local).is_ok()
        };
        let here = "127.0.0.1:8750";
        assert!(asked(Method::GET, here, None, true) && asked(Method::POST, here, None, true));
        assert!(asked(Method::POST, here, Some("http://127.0.0.1:8750"), true));
        assert!(!asked(Method::GET, "evil.example", None, true));
        assert!(asked(Method::GET, "thorax.example", None, false));
        for origin in ["http://evil.example", "null", "http://127.0.0.1:8751", "http://localhost:8750", ""] {
            assert!(!asked(Method::POST, here, Some(origin), true), "{origin}");
            assert!(
                asked(Method::GET, here, Some(origin), true),
                "{origin}: the browser keeps the answer from that page"
            );
        }
        assert!(asked(Method::DELETE, "thorax.example", Some("https://thorax.example"), false));
        assert!(!asked(Method::DELETE, "thorax.example", Some("https://evil.example"), false));
        let twice =
            TestRequest::default().append_header((header::HOST, here)).append_header((header::HOST, "evil.example"));
        assert!(check(&twice.to_srv_request(), true).is_err());
    }
}
