//! `POST /api/v1/search` and `POST /api/v1/search/image`. The query is in the body: URLs end up in logs.

use std::path::Path;

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;

use super::fault::Fault;
use super::serving::Current;
use crate::archive::decode_image;
use crate::error::Result;
use crate::search::{Query, Request, Response, Target};

/// Body of a text search.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSearch {
    text: String,
    #[serde(default)]
    to: Target,
    k: Option<usize>,
    filter: Option<String>,
}

/// Parameters of an image search; the body is the film.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSearch {
    #[serde(default)]
    to: Target,
    k: Option<usize>,
    filter: Option<String>,
}

const K: usize = 24;

/// Search by text.
#[post("/search")]
pub async fn text(engine: Current, body: web::Json<TextSearch>) -> Result<HttpResponse, Fault> {
    let TextSearch { text, to, k, filter } = body.into_inner();
    run(engine, to, k, filter, move || Ok(Query::Text(text))).await
}

/// Search by a film: PNG or JPEG in the body.
#[post("/search/image")]
pub async fn image(
    engine: Current,
    parameters: web::Query<ImageSearch>,
    body: web::Bytes,
) -> Result<HttpResponse, Fault> {
    let ImageSearch { to, k, filter } = parameters.into_inner();
    run(engine, to, k, filter, move || {
        let film = decode_image(&body, Path::new("the uploaded film"))?;
        Ok(Query::Image(Box::new(film)))
    })
    .await
}

async fn run(
    engine: Current,
    to: Target,
    k: Option<usize>,
    filter: Option<String>,
    query: impl FnOnce() -> Result<Query> + Send + 'static,
) -> Result<HttpResponse, Fault> {
    let answer = web::block(move || -> Result<Response> {
        let request = Request { query: query()?, to, k: k.unwrap_or(K), filter, encoder_only: false };
        engine.search(request)
    })
    .await??;
    Ok(HttpResponse::Ok().json(without_paths(answer)))
}

/// The server's file names are nobody's business.
fn without_paths(mut answer: Response) -> Response {
    for film in answer.results.iter_mut().filter_map(|hit| hit.image.as_mut()) {
        film.path = None;
    }
    answer
}
