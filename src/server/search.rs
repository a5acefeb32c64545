//! `POST /api/v1/search` and `POST /api/v1/search/image`. What is looked for is in the body, or in a header beside a film:
//! URLs end up in logs.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Deserialize;

use super::fault::Fault;
use super::noted::{self, Asked, Counted};
use super::serving::Current;
use crate::error::{Error, Result};
use crate::search::body::Body;
use crate::search::{Response, Target};

/// The header that has the rest of a request whose body is a film: JSON, in ASCII.
pub const HEADER: &str = "x-thorax-search";

/// Parameters of an image search that say nothing of a patient.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSearch {
    to: Option<Target>,
    k: Option<usize>,
}

/// Search by text, films and studies: [`Body`].
#[post("/search")]
pub async fn text(engine: Current, body: web::Json<Body>) -> Result<HttpResponse, Fault> {
    run(engine, body.into_inner(), None).await
}

/// Search by a film: PNG or JPEG in the body, everything else in the header [`HEADER`].
#[post("/search/image")]
pub async fn image(
    engine: Current,
    request: HttpRequest,
    parameters: web::Query<ImageSearch>,
    film: web::Bytes,
) -> Result<HttpResponse, Fault> {
    let mut body = match request.headers().get(HEADER) {
        None => Body::default(),
        Some(header) => serde_json::from_slice(header.as_bytes())
            .map_err(|error| Error::Caller(format!("the header {HEADER}: {error}")))?,
    };
    body.to = parameters.to.unwrap_or(body.to);
    body.k = parameters.k.or(body.k);
    run(engine, body, Some(film)).await
}

async fn run(engine: Current, mut body: Body, film: Option<web::Bytes>) -> Result<HttpResponse, Fault> {
    body.most_pixels = Some(engine.most_pixels());
    let asked = body.text.clone().map(Asked);
    let answer = web::block(move || -> Result<Response> { engine.search(body.request(film.as_deref())?) }).await??;
    let counted = Counted(answer.results.len());
    Ok(noted::with(HttpResponse::Ok().json(without_paths(answer)), counted, asked))
}

/// The server's file names are nobody's business.
fn without_paths(mut answer: Response) -> Response {
    for film in answer.results.iter_mut().filter_map(|hit| hit.image.as_mut()) {
        film.path = None;
    }
    answer
}
