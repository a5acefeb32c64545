//! The one error shape: `{code, message, type}`. The caller's faults are 4xx, ours are 5xx without detail.

use std::time::Duration;

use actix_multipart::MultipartError;
use actix_web::error::{JsonPayloadError, PathError, PayloadError, QueryPayloadError};
use actix_web::http::header::{self, HeaderName};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use thorax_index::IndexError;
use utoipa::ToSchema;

use crate::error::Error;

/// An error on its way to the client.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    status: StatusCode,
    code: &'static str,
    message: String,
    header: Option<(HeaderName, String)>,
}

/// An error as it is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub struct Body<'a> {
    /// A word that a program can act on.
    code: &'a str,
    /// For people: what is wrong, and what to do.
    message: &'a str,
    /// `caller`: the request is wrong; `service`: the server failed.
    #[serde(rename = "type")]
    kind: &'a str,
}

impl Fault {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), header: None }
    }

    /// The caller can mend it.
    pub fn caller(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// There is no such thing.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// More bytes than the server takes.
    pub fn too_large() -> Self {
        let message = "the body is larger than this server takes (server.upload_mib)".to_owned();
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    /// The body is of another kind.
    pub fn other_kind(wanted: &str) -> Self {
        let message = format!("send {wanted}, and say so in the header content-type");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "other_kind", message)
    }

    /// It is there already.
    pub fn conflict(message: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// The server takes nothing on any more.
    pub fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the server is shutting down")
    }

    /// Nobody knows who asks.
    pub fn unauthenticated(message: &str) -> Self {
        let header = Some((header::WWW_AUTHENTICATE, "Bearer".to_owned()));
        Self { header, ..Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", message) }
    }

    /// Whoever asks may not.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// The route is there, with other methods.
    pub fn other_methods(methods: &[&Method]) -> Self {
        let allowed = methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
        let message = format!("this route takes {allowed}");
        let header = Some((header::ALLOW, allowed));
        Self { header, ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message) }
    }

    /// The caller asks too much; it may come again later.
    pub fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let header = Some((header::RETRY_AFTER, seconds.to_string()));
        let message = format!("too many requests: try again in {seconds} s");
        Self { header, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message) }
    }

    /// What is done here must be written down, and cannot be.
    pub fn no_audit() -> Self {
        let message = "the audit log cannot be written, so nothing is answered; the server's log says why";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_audit", message)
    }

    fn service(detail: &str) -> Self {
        // Details stay in the log: they can name files.
        tracing::error!("{detail}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "thorax failed; its log says why")
    }
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let kind = if self.status.is_client_error() { "caller" } else { "service" };
        let mut response = HttpResponse::build(self.status);
        if let Some((name, value)) = &self.header {
            response.insert_header((name.clone(), value.as_str()));
        }
        response.json(Body { code: self.code, message: &self.message, kind })
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        if error.is_caller_fault() {
            Fault::caller(code(&error), error.to_string())
        } else {
            Fault::service(&error.to_string())
        }
    }
}

impl From<actix_web::error::BlockingError> for Fault {
    fn from(error: actix_web::error::BlockingError) -> Self {
        Fault::service(&error.to_string())
    }
}

/// A word that a program can act on.
fn code(error: &Error) -> &'static str {
    match error {
        Error::Index(
            IndexError::BadFilter { .. } | IndexError::UnknownField { .. } | IndexError::WrongFieldType { .. },
        ) => "bad_filter",
        Error::Index(IndexError::Syntax(_)) => "bad_query",
        Error::Rejected(_) => "bad_film",
        _ => "bad_request",
    }
}

/// Answers a body that is not the JSON that is expected.
pub fn json(error: JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
    match error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => Fault::too_large(),
        JsonPayloadError::ContentType => Fault::other_kind("application/json"),
        error => Fault::caller("bad_json", error.to_string()),
    }
    .into()
}

/// Answers parameters that do not parse.
pub fn query(error: QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    Fault::caller("bad_parameter", error.to_string()).into()
}

/// Answers a part of the path that does not parse: nothing has that address.
pub fn path(_: PathError, _: &HttpRequest) -> actix_web::Error {
    Fault::not_found("route").into()
}

/// Answers a form that is none.
pub fn form(error: MultipartError, _: &HttpRequest) -> actix_web::Error {
    match error {
        MultipartError::Payload(PayloadError::Overflow) => Fault::too_large(),
        error => Fault::caller("bad_form", error.to_string()),
    }
    .into()
}

/// Answers a route that does not exist.
pub async fn no_route() -> Result<HttpResponse, Fault> {
    Err(Fault::not_found("route"))
}
