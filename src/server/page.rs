//! The page, built by Vite into `web/dist` and embedded in the binary.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

use super::etag::{self, Known};
use super::fault::Fault;
use crate::access::token::hex;

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// A file of the page; `/` is `index.html`.
pub async fn page(request: HttpRequest, known: Known) -> Result<HttpResponse, Fault> {
    if request.method() != Method::GET {
        return Err(Fault::not_found("route"));
    }
    let path = match request.path() {
        "/" => "index.html",
        path => path.trim_start_matches('/'),
    };
    let Some(file) = Files::get(path) else {
        if path == "index.html" {
            return Err(Fault::not_found("page in this build: build it with `make web`, then thorax again"));
        }
        return Err(Fault::not_found("page"));
    };
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    // Vite names its assets by content.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = etag::tag(&hex(&file.metadata.sha256_hash()), "");
    let known = known.has(&tag);
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((header::CACHE_CONTROL, cache)).insert_header(tag);
    Ok(if known { answer.finish() } else { answer.content_type(kind).body(file.data.into_owned()) })
}
