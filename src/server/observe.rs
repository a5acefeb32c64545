//! What is seen of each request: an id, one line in the server's log, the metrics. Never its path, query, or body.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};

use super::access::{Found, find};
use super::metrics::{Labels, Metrics};
use crate::access::token::{hex, random};

/// Where the id travels.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a client.
const LONGEST: usize = 64;

/// The id of a request, in its extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Gives a request an id, and says how it ended.
pub async fn observe(
    metrics: web::Data<Metrics>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let id = given(&request).unwrap_or_else(|| random::<8>().map(|bytes| hex(&bytes)).unwrap_or_default());
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, pattern) = names(request.method(), request.path());
    let flight = metrics.begin();
    let began = Instant::now();
    let mut answer = next.call(request).await;
    let took = began.elapsed();
    drop(flight);
    let status = match &mut answer {
        Ok(answer) => {
            if let Ok(value) = HeaderValue::from_str(&id) {
                answer.headers_mut().insert(HEADER, value);
            }
            // our own mark that an answer is not to be compressed; it is no coding that is announced
            if answer.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
                answer.headers_mut().remove(header::CONTENT_ENCODING);
            }
            answer.status()
        }
        Err(error) => error.as_response_error().status_code(),
    };
    metrics.request(Labels { method, pattern, status: u32::from(status.as_u16()) }, took);
    let (status, ms) = (status.as_u16(), took.as_secs_f64() * 1e3);
    if status >= StatusCode::INTERNAL_SERVER_ERROR.as_u16() {
        tracing::warn!(target: "thorax::request", id, method, pattern, status, ms, "request failed");
    } else {
        tracing::info!(target: "thorax::request", id, method, pattern, status, ms, "request");
    }
    answer
}

/// Names that no caller can choose.
fn names(method: &Method, path: &str) -> (&'static str, &'static str) {
    match find(method, path) {
        Found::Rule(rule) => (known(method), rule.pattern),
        Found::OtherMethods(_) => (known(method), "other method"),
        Found::Nothing if path.starts_with("/api/") => (known(method), "no route"),
        Found::Nothing => (known(method), "page"),
    }
}

fn known(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PUT, Method::PATCH];
    const NAMES: [&str; 7] = ["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"];
    KNOWN.iter().zip(NAMES).find(|(known, _)| *known == method).map_or("other", |(_, name)| name)
}

/// An id that the client gives, where it is harmless.
fn given(request: &ServiceRequest) -> Option<String> {
    let id = request.headers().get(HEADER)?.to_str().ok()?;
    let harmless = !id.is_empty() && id.len() <= LONGEST && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    harmless.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn names_are_ours_whatever_is_asked() {
        assert_eq!(names(&Method::GET, "/api/v1/studies/anna-meier"), ("GET", "/api/v1/studies/{key}"));
        assert_eq!(names(&Method::PUT, "/api/v1/status"), ("PUT", "other method"));
        assert_eq!(names(&Method::GET, "/api/v1/anna-meier"), ("GET", "no route"));
        assert_eq!(names(&Method::GET, "/anna-meier"), ("GET", "page"));
        assert_eq!(Method::from_bytes(b"MEIER").map(|method| names(&method, "/")).ok(), Some(("other", "page")));
    }

    #[test]
    fn a_clients_id_is_taken_only_where_it_is_harmless() {
        let id = |id: &str| given(&TestRequest::default().insert_header((HEADER, id)).to_srv_request());
        assert_eq!(id("Ab-9").as_deref(), Some("Ab-9"));
        for bad in ["", "a b", "a/b", "ä", "a=b", &"x".repeat(65)] {
            assert_eq!(id(bad), None, "{bad}");
        }
    }
}
