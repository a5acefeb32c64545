//! The one error shape: `{code, message, type}`. The caller's faults are 4xx, ours are 5xx without detail.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use thorax_index::IndexError;

use crate::error::Error;

/// An error on its way to the client.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    status: StatusCode,
    code: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

impl Fault {
    /// The caller can mend it.
    pub fn caller(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    /// There is no such thing.
    pub fn not_found(what: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "not_found", message: format!("there is no such {what}") }
    }

    /// The server takes nothing on any more.
    pub fn stopping() -> Self {
        let message = "the server is shutting down".to_owned();
        Self { status: StatusCode::SERVICE_UNAVAILABLE, code: "stopping", message }
    }

    fn service(detail: &str) -> Self {
        // Details stay in the log: they can name files.
        tracing::error!("{detail}");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "internal",
            message: "thorax failed; its log says why".to_owned(),
        }
    }
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let kind = if self.status.is_client_error() { "caller" } else { "service" };
        HttpResponse::build(self.status).json(Body { code: self.code, message: &self.message, kind })
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
pub fn json(error: actix_web::error::JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
    Fault::caller("bad_json", error.to_string()).into()
}

/// Answers parameters that do not parse.
pub fn query(error: actix_web::error::QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    Fault::caller("bad_parameter", error.to_string()).into()
}

/// Answers a route that does not exist.
pub async fn no_route() -> Result<HttpResponse, Fault> {
    Err(Fault::not_found("route"))
}
