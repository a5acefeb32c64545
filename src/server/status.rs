//! `GET /api/v1/status`: what is served. `GET /api/v1/models`: what could be.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::fault::Fault;
use super::openapi::Faults;
use super::serving::{Current, Serving};
use crate::NOTICE;

/// What is served.
#[derive(Serialize, ToSchema)]
pub struct Status<'a> {
    version: &'a str,
    studies: usize,
    images: usize,
    sentences: usize,
    model: Model<'a>,
    generation: u64,
    notice: &'a str,
}

/// The model that is served.
#[derive(Serialize, ToSchema)]
#[schema(as = ServedModel)]
pub struct Model<'a> {
    name: &'a str,
    fingerprint: &'a str,
    dimension: usize,
}

/// What is served: counts, model, generation.
#[utoipa::path(context_path = "/api/v1", tag = "server", responses((status = 200, body = Status<'_>), Faults))]
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

/// The models of the home.
#[derive(Serialize, ToSchema)]
pub struct Models {
    models: Vec<Known>,
}

/// A model of the home.
#[derive(Serialize, ToSchema)]
#[schema(as = KnownModel)]
pub struct Known {
    name: String,
    /// It made the index that is served.
    serving: bool,
    /// `thorax index` takes it where none is named.
    default: bool,
    /// It is part of the program.
    built_in: bool,
}

/// The models of the home, and which of them serves.
#[utoipa::path(context_path = "/api/v1", tag = "server", responses((status = 200, body = Models), Faults))]
#[get("/models")]
pub async fn models(serving: web::Data<Serving>, engine: Current) -> Result<HttpResponse, Fault> {
    let models = web::block(move || -> Result<Models, Fault> {
        let home = serving.home();
        let default = home.model_name(None)?;
        let known = |name: String| Known {
            serving: engine.model().0 == name,
            default: name == default,
            built_in: home.is_built_in(&name),
            name,
        };
        Ok(Models { models: home.model_names().into_iter().map(known).collect() })
    })
    .await??;
    Ok(HttpResponse::Ok().json(models))
}
