//! `POST /api/v1/images/{key}/heatmap`: where the words of a query lie on a film. The query is in the body: URLs end up in
//! logs.
//!
//! `GET /api/v1/images/{key}/findings`: how the film stands among the archive's films.

use std::sync::OnceLock;

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use thorax_index::Space;
use utoipa::ToSchema;

use super::fault::Fault;
use super::images::film;
use super::openapi::{Faults, NotFound, Unfit};
use super::serving::Current;
use crate::NOTICE;
use crate::archive::load_image;
use crate::error::Result;
use crate::explain::{Explanation, Reference, Standing, explain};
use crate::search::Engine;
use crate::search::engine::first;

/// Body of a request for a heat map.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HeatMapQuery)]
pub struct Asked {
    text: String,
}

/// A heat map and how to read it.
#[derive(Serialize, ToSchema)]
#[schema(as = HeatMapAnswer)]
pub struct Mapped {
    #[serde(flatten)]
    explanation: Explanation,
    /// Smallest and largest value on the film, for the colours.
    range: (f32, f32),
    notice: &'static str,
}

/// How a film stands among the archive's films, finding by finding.
#[derive(Serialize, ToSchema)]
#[schema(as = FilmFindings)]
pub struct Ranked {
    films: usize,
    findings: Vec<Standing>,
    notice: &'static str,
}

/// The archive's scores: made at the first request, and kept as long as the engine.
#[derive(Default)]
pub struct Scores(OnceLock<Reference>);

impl Scores {
    /// True once they were asked for.
    pub fn is_made(&self) -> bool {
        self.0.get().is_some()
    }

    /// The scores, made where nobody asked before.
    ///
    /// # Errors
    /// See [`Reference::of`].
    pub fn of(&self, engine: &Engine) -> Result<&Reference> {
        if let Some(reference) = self.0.get() {
            return Ok(reference);
        }
        // Two first requests at once make it twice, and one is kept.
        let made = Reference::of(engine)?;
        Ok(self.0.get_or_init(|| made))
    }
}

/// Where a query lies on a film of the archive.
#[utoipa::path(context_path = "/api/v1", tag = "films", params(("key" = String, Path)), request_body = Asked,
    responses((status = 200, body = Mapped), NotFound, Unfit, Faults))]
#[post("/images/{key}/heatmap")]
pub async fn heatmap(engine: Current, key: web::Path<String>, body: web::Json<Asked>) -> Result<HttpResponse, Fault> {
    let mapped = web::block(move || -> Result<Option<Mapped>> {
        let Some(image) = film(&engine, &key)? else { return Ok(None) };
        let explanation = explain(engine.model().1, &load_image(&image.path)?, &body.text)?;
        Ok(Some(Mapped { range: explanation.map.range(), explanation, notice: NOTICE }))
    })
    .await??
    .ok_or_else(|| Fault::not_found("film"))?;
    Ok(HttpResponse::Ok().json(mapped))
}

/// How a film of the archive stands among the others.
#[utoipa::path(context_path = "/api/v1", tag = "films", params(("key" = String, Path)),
    responses((status = 200, body = Ranked), NotFound, Faults))]
#[get("/images/{key}/findings")]
pub async fn findings(engine: Current, key: web::Path<String>) -> Result<HttpResponse, Fault> {
    let ranked = web::block(move || -> Result<Option<Ranked>> {
        let Some(image) = film(&engine, &key)? else { return Ok(None) };
        let index = engine.index();
        let kept = index.item_row(Space::Images, &image.id).and_then(|item| index.vector(Space::Images, item));
        let vector = match kept {
            Some(vector) => vector.to_vec(),
            // Imported since the index was made.
            None => {
                let encoder = engine.model().1;
                first(encoder.embed_images(&[encoder.preprocess(&load_image(&image.path)?)?])?)?
            }
        };
        let reference = engine.scores().of(&engine)?;
        Ok(Some(Ranked { films: reference.films(), findings: reference.standings(&vector), notice: NOTICE }))
    })
    .await??
    .ok_or_else(|| Fault::not_found("film"))?;
    Ok(HttpResponse::Ok().json(ranked))
}
