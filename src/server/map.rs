//! `GET /api/v1/map`: the archive's films as points.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::fault::Fault;
use super::noted::{self, Counted};
use super::openapi::Faults;
use super::serving::Current;
use crate::search::map::{LIMIT, MAX_LIMIT, Map};

/// How many.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// At most so many films, up to 50,000.
    limit: Option<usize>,
}

/// The films of the archive in two dimensions.
#[utoipa::path(context_path = "/api/v1", tag = "films", params(Asked), responses((status = 200, body = Map), Faults))]
#[get("/map")]
pub async fn map(engine: Current, asked: web::Query<Asked>) -> Result<HttpResponse, Fault> {
    let limit = asked.limit.unwrap_or(LIMIT);
    if limit == 0 || limit > MAX_LIMIT {
        return Err(Fault::caller("bad_parameter", format!("limit is a number from 1 to {MAX_LIMIT}")));
    }
    let map = web::block(move || engine.map(limit)).await?;
    let films = Counted(map.keys.len());
    Ok(noted::with(HttpResponse::Ok().json(map), films, None))
}
