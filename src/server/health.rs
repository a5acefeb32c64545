//! `GET /healthz` and `GET /readyz`: for whoever watches the process.

use actix_web::{HttpResponse, get};

use super::fault::Fault;
use crate::interrupt;

/// The process lives.
#[get("/healthz")]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// It takes requests: not any more once it was asked to stop.
#[get("/readyz")]
pub async fn readyz() -> Result<HttpResponse, Fault> {
    if interrupt::asked() {
        return Err(Fault::stopping());
    }
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
}
