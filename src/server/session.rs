//! `POST`, `GET` and `DELETE /api/v1/session`: signing in with a token, for browsers. The answer is a cookie that no script can
//! read, so that the page need not keep the token.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::{COOKIE, Caller, Callers, address};
use super::fault::Fault;
use super::openapi::{Faults, Unfit};
use crate::access::Permission;

/// Body of a sign-in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    token: String,
}

/// Who asks, and what they may do.
#[derive(Serialize, ToSchema)]
pub struct Session {
    name: String,
    role: Option<&'static str>,
    permissions: &'static [Permission],
    /// False where no token is needed, and for nobody.
    signed_in: bool,
}

/// Sign in: the answer is a cookie.
#[utoipa::path(context_path = "/api/v1", tag = "server", request_body = SignIn, responses((status = 204), Unfit, Faults))]
#[post("/session")]
pub async fn sign_in(
    callers: web::Data<Callers>,
    request: HttpRequest,
    body: web::Json<SignIn>,
) -> Result<HttpResponse, Fault> {
    if callers.open() {
        return Ok(HttpResponse::NoContent().finish());
    }
    let token = body.token.trim();
    callers.holder(token, address(request.peer_addr())).await?;
    let secret = callers.keyring.begin(token)?.ok_or_else(|| Fault::unauthenticated("this token was just revoked"))?;
    Ok(HttpResponse::NoContent().cookie(callers.cookie(&secret, &request)).finish())
}

/// Who is signed in, and what they may do.
#[utoipa::path(context_path = "/api/v1", tag = "server", responses((status = 200, body = Session), Faults))]
#[get("/session")]
pub async fn session(caller: Caller) -> Result<HttpResponse, Fault> {
    let name = match &caller {
        Caller::Holder(holder) => holder.name.clone(),
        Caller::Local => "this machine".to_owned(),
        Caller::Nobody => return Err(Fault::unauthenticated("nobody is signed in")),
    };
    let role = caller.role();
    Ok(HttpResponse::Ok().json(Session {
        name,
        role: role.map(|role| role.name()),
        permissions: role.map_or(&[], |role| role.permissions()),
        signed_in: matches!(caller, Caller::Holder(_)),
    }))
}

/// Sign out; also who is not signed in.
#[utoipa::path(context_path = "/api/v1", tag = "server", responses((status = 204), Faults))]
#[delete("/session")]
pub async fn sign_out(callers: web::Data<Callers>, request: HttpRequest) -> HttpResponse {
    if let Some(cookie) = request.cookie(COOKIE) {
        callers.keyring.end(cookie.value());
    }
    HttpResponse::NoContent().cookie(callers.cookie("", &request)).finish()
}
