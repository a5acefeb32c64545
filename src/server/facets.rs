//! `POST /api/v1/facets`: exact counts of what passes.

use actix_web::{HttpResponse, post, web};

use super::fault::Fault;
use super::noted;
use super::openapi::{Faults, Unfit};
use super::serving::Current;
use crate::search::facets::{Asked, Counted};

/// Count studies or patients by the values of fields. Exact: of all that pass, not of the first hits.
#[utoipa::path(context_path = "/api/v1", tag = "search", request_body = Asked,
    responses((status = 200, body = Counted), Unfit, Faults))]
#[post("/facets")]
pub async fn facets(engine: Current, body: web::Json<Asked>) -> Result<HttpResponse, Fault> {
    let counted = web::block(move || engine.facets(&body)).await??;
    let studies = noted::Counted(counted.total as usize);
    Ok(noted::with(HttpResponse::Ok().json(counted), studies, None))
}
