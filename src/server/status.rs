//! `GET /api/v1/status`: what is served.

use actix_web::{HttpResponse, get};
use serde::Serialize;

use super::serving::Current;
use crate::NOTICE;

#[derive(Serialize)]
struct Status<'a> {
    version: &'a str,
    studies: usize,
    images: usize,
    sentences: usize,
    model: Model<'a>,
    generation: u64,
    notice: &'a str,
}

#[derive(Serialize)]
struct Model<'a> {
    name: &'a str,
    fingerprint: &'a str,
    dimension: usize,
}

/// What is served: counts, model, generation.
#[get("/status")]
pub async fn status(engine: Current) -> HttpResponse {
    let manifest = engine.index().manifest();
    let (name, encoder) = engine.model();
    HttpResponse::Ok().json(Status {
        version: env!("CARGO_PKG_VERSION"),
        studies: manifest.studies,
        images: manifest.images,
        sentences: manifest.sentences,
        model: Model { name, fingerprint: encoder.fingerprint(), dimension: encoder.dimension() },
        generation: manifest.generation,
        notice: NOTICE,
    })
}
