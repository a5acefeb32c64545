//! `GET /api/v1/openapi.json`: the API described by its own code (OpenAPI 3.1).

use actix_web::http::Method;
use actix_web::{HttpResponse, get};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::{IntoResponses, Modify, OpenApi, openapi};

use super::callers::COOKIE;

use super::{access, cohorts, facets, heatmap, images, jobs, map, search, session, status, studies};
use crate::server::fault::Body;

/// What any route may answer instead.
#[derive(IntoResponses)]
#[allow(dead_code)]
pub enum Faults {
    /// The request is wrong: the message says what and what to do.
    #[response(status = 400)]
    Bad(#[to_schema] Body<'static>),
    /// Nobody is signed in.
    #[response(status = 401)]
    Unauthenticated(#[to_schema] Body<'static>),
    /// The role does not allow it.
    #[response(status = 403)]
    Forbidden(#[to_schema] Body<'static>),
    /// Too many requests: the header Retry-After says when to come again.
    #[response(status = 429)]
    TooMany(#[to_schema] Body<'static>),
    /// The server failed: its log says why.
    #[response(status = 500)]
    Failed(#[to_schema] Body<'static>),
    /// The server is shutting down, or cannot write its audit log.
    #[response(status = 503)]
    Unavailable(#[to_schema] Body<'static>),
}

/// There is no such thing.
#[derive(IntoResponses)]
#[response(status = 404)]
#[allow(dead_code)]
pub struct NotFound(#[to_schema] Body<'static>);

/// There is one of this name already.
#[derive(IntoResponses)]
#[response(status = 409)]
#[allow(dead_code)]
pub struct Conflict(#[to_schema] Body<'static>);

/// What any route with a body may answer instead.
#[derive(IntoResponses)]
#[allow(dead_code)]
pub enum Unfit {
    /// The body is larger than the server takes.
    #[response(status = 413)]
    TooLarge(#[to_schema] Body<'static>),
    /// The body is of another kind.
    #[response(status = 415)]
    OtherKind(#[to_schema] Body<'static>),
}

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "thorax",
        description = "Search your own archive of chest X-rays by text or by image. Not for diagnosis. What is looked for is always in \
                       a body, never in a URL; keys are opaque."
    ),
    paths(
        status::status,
        status::models,
        search::by_words,
        search::by_films,
        facets::facets,
        studies::one,
        studies::timeline,
        studies::similar,
        studies::delete,
        images::original,
        images::thumbnail,
        images::windowed,
        heatmap::heatmap,
        heatmap::findings,
        map::map,
        cohorts::list,
        cohorts::create,
        cohorts::one,
        cohorts::members,
        cohorts::add,
        cohorts::remove,
        cohorts::combine,
        cohorts::check,
        cohorts::forget,
        cohorts::files::table_file,
        cohorts::files::vectors,
        jobs::resource::list,
        jobs::resource::start,
        jobs::resource::one,
        jobs::resource::stop,
        jobs::resource::events,
        session::sign_in,
        session::session,
        session::sign_out,
        document,
    ),
    components(schemas(cohorts::files::Format, cohorts::files::Which)),
    modifiers(&Named, &Guarded)
)]
pub struct Api;

/// Gives every operation a name of its own: `get_cohorts_name_export`.
struct Named;

impl Modify for Named {
    fn modify(&self, api: &mut openapi::OpenApi) {
        for (path, item) in &mut api.paths.paths {
            let words: Vec<&str> =
                path.split(['/', '{', '}', '.']).filter(|word| !matches!(*word, "" | "api" | "v1")).collect();
            let name = words.join("_");
            let operations = [("get", &mut item.get), ("post", &mut item.post), ("delete", &mut item.delete)];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    operation.operation_id = Some(format!("{method}_{name}"));
                }
            }
        }
    }
}

/// Says of every operation whose roles it takes, by the table of [`access`]: a token as bearer, or the cookie of a sign-in.
struct Guarded;

impl Modify for Guarded {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let schemes = &mut api.components.get_or_insert_default().security_schemes;
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        schemes.insert("token".to_owned(), SecurityScheme::Http(bearer).into());
        let cookie = ApiKey::Cookie(ApiKeyValue::new(COOKIE));
        schemes.insert("cookie".to_owned(), SecurityScheme::ApiKey(cookie).into());
        for rule in access::RULES {
            let Some(item) = api.paths.paths.get_mut(rule.pattern) else { continue };
            let operation = match rule.method {
                Method::GET => &mut item.get,
                Method::POST => &mut item.post,
                _ => &mut item.delete,
            };
            let (Some(operation), Some(permission)) = (operation, rule.permission) else { continue };
            let asked = ["token", "cookie"].map(|scheme| SecurityRequirement::new(scheme, Vec::<String>::new()));
            operation.security = Some(asked.to_vec());
            let said = operation.description.take().map(|text| format!("{text}\n\n")).unwrap_or_default();
            operation.description = Some(format!("{said}Roles: {}.", permission.holders()));
        }
    }
}

/// This document.
#[utoipa::path(context_path = "/api/v1", tag = "server", responses((status = 200, body = Object, content_type = "application/json")))]
#[get("/openapi.json")]
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(Api::openapi())
}
