//! `POST /api/v1/search` and `POST /api/v1/search/films`. What is looked for is in the body: URLs end up in logs.

use actix_multipart::form::MultipartForm;
use actix_multipart::form::bytes::Bytes;
use actix_multipart::form::text::Text;
use actix_web::{HttpResponse, post, web};
use utoipa::ToSchema;

use super::fault::Fault;
use super::noted::{self, Asked, Counted};
use super::openapi::{Faults, Unfit};
use super::serving::Current;
use crate::error::Result;
use crate::search::Response;
use crate::search::body::Body;

/// Films to search with, and everything else that a search takes.
#[derive(MultipartForm)]
pub struct Films {
    /// The body of `POST /search`, as JSON.
    query: Option<Text<String>>,
    /// Files of films, PNG or JPEG.
    film: Vec<Bytes>,
}

/// [`Films`] as the document describes it.
#[derive(ToSchema)]
#[allow(dead_code)]
#[schema(as = FilmsForm)]
pub struct Form {
    /// The body of `POST /search`, as JSON; its `images` are further films.
    query: Option<String>,
    /// Files of films, PNG or JPEG; 1 to 20.
    #[schema(value_type = Vec<String>, format = Binary)]
    film: Vec<Vec<u8>>,
}

/// Search by text, films and studies. A score orders the results of one search; it is not a probability.
#[utoipa::path(context_path = "/api/v1", tag = "search", request_body = Body,
    responses((status = 200, body = Response), Unfit, Faults))]
#[post("/search")]
pub async fn by_words(engine: Current, body: web::Json<Body>) -> Result<HttpResponse, Fault> {
    run(engine, body.into_inner(), Vec::new()).await
}

/// Search with films that are uploaded.
#[utoipa::path(context_path = "/api/v1", tag = "search", request_body(content = Form, content_type = "multipart/form-data"),
    responses((status = 200, body = Response), Unfit, Faults))]
#[post("/search/films")]
pub async fn by_films(
    engine: Current,
    form: Result<MultipartForm<Films>, actix_web::Error>,
) -> Result<HttpResponse, actix_web::Error> {
    // what is no form at all does not come by the form's error handler
    let form = form.map_err(|error| match error.as_error::<Fault>() {
        Some(_) => error,
        None => Fault::caller("bad_form", "send a form: content-type: multipart/form-data").into(),
    })?;
    let Films { query, film } = form.into_inner();
    let body = match query {
        None => Body::default(),
        Some(text) => serde_json::from_str(&text)
            .map_err(|error| Fault::caller("bad_json", format!("the part 'query': {error}")))?,
    };
    if film.is_empty() {
        return Err(Fault::caller("bad_form", "the form has no part 'film'").into());
    }
    Ok(run(engine, body, film).await?)
}

pub(super) async fn run(engine: Current, mut body: Body, films: Vec<Bytes>) -> Result<HttpResponse, Fault> {
    body.most_pixels = Some(engine.most_pixels());
    let asked = body.text.clone().map(Asked);
    let answer = web::block(move || -> Result<Response> {
        let films: Vec<&[u8]> = films.iter().map(|film| film.data.as_ref()).collect();
        engine.search(body.request(&films)?)
    })
    .await??;
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
