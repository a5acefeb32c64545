//! What every request passes before it is answered: foreign pages, who asks, how much, may they.
//!
//! The rule is found by method and path. The route that answered is compared with it afterwards, so that a route that is
//! shadowed by another's rule shows nothing either.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, ResponseError, web};

use super::access::{Found, METRICS, Rule, find};
use super::callers::{Caller, Callers, address};
use super::fault::Fault;
use super::origin;

/// Lets a request through, or answers why not.
pub async fn gate(
    callers: web::Data<Callers>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let found = find(request.method(), request.path());
    let mut caller = Caller::Nobody;
    let passed = pass(&callers, &request, &found, &mut caller).await;
    request.extensions_mut().insert(caller);
    if let Err(fault) = passed {
        return Ok(request.into_response(fault.error_response()));
    }
    let answer = next.call(request).await?.map_into_boxed_body();
    let answered = answer.request().match_pattern();
    match found {
        // what has no route at all is not there
        Found::Rule(rule)
            if answered.as_deref().is_some_and(|pattern| pattern != rule.pattern)
                && answer.status() != StatusCode::NOT_FOUND =>
        {
            tracing::error!("{:?} was answered under the rule of {}: it needs one of its own", answered, rule.pattern);
            let fault = Fault::forbidden("this route has no rule");
            Ok(answer.into_response(fault.error_response()))
        }
        _ => Ok(answer),
    }
}

async fn pass(callers: &Callers, request: &ServiceRequest, found: &Found, caller: &mut Caller) -> Result<(), Fault> {
    origin::check(request, callers.open())?;
    *caller = callers.of(request).await?;
    let cost = match found {
        Found::Rule(rule) => rule.cost,
        _ => 1,
    };
    if let Some(client) = Callers::client(caller, address(request.peer_addr())) {
        callers.limits.request(client, cost)?;
    }
    match found {
        Found::Rule(rule) => may(callers, caller, rule),
        Found::OtherMethods(methods) => Err(Fault::other_methods(methods)),
        // a route that nobody wrote a rule for; what is no route at all is the page's, or not there
        Found::Nothing if request.match_pattern().is_some() => Err(Fault::forbidden("this route has no rule")),
        Found::Nothing => Ok(()),
    }
}

fn may(callers: &Callers, caller: &Caller, rule: &Rule) -> Result<(), Fault> {
    let Some(permission) = rule.permission else { return Ok(()) };
    if rule.pattern == METRICS && callers.loopback {
        return Ok(());
    }
    match caller.role() {
        None => Err(Fault::unauthenticated("this needs a token: `thorax token create` on the server makes one")),
        Some(role) if role.may(permission) => Ok(()),
        Some(role) => {
            Err(Fault::forbidden(format!("this needs the role {}; this token is a {role}'s", permission.holders())))
        }
    }
}
