//! What every request passes before it is answered: foreign pages, who asks, how much, may they; and what is written down of it.
//!
//! The rule is found by method and path. The route that answered is compared with it afterwards, so that a route that is
//! shadowed by another's rule shows nothing either.

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, ResponseError, web};

use super::access::{Found, METRICS, Rule, find};
use super::callers::{Caller, Callers, address};
use super::fault::Fault;
use super::{noted, origin, patience};
use crate::audit::Log;

/// What is written down, and how long a body may take.
pub struct Terms {
    /// The audit log.
    pub audit: std::sync::Arc<Log>,
    /// With what was looked for.
    pub query_text: bool,
    /// How long a body may take to arrive.
    pub upload: Duration,
}

/// Lets a request through, or answers why not.
pub async fn gate(
    callers: web::Data<Callers>,
    terms: web::Data<Terms>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let found = find(request.method(), request.path());
    let rule = if let Found::Rule(rule) = &found { Some(*rule) } else { None };
    let mut caller = Caller::Nobody;
    let mut passed = pass(&callers, &request, &found, &mut caller).await;
    if passed.is_ok() && rule.is_some_and(|rule| rule.audited) {
        // what cannot be written down is not begun
        passed = terms.audit.ready().map_err(|_| Fault::no_audit());
    }
    request.extensions_mut().insert(caller.clone());
    let mut answer = match passed {
        Err(fault) => request.into_response(fault.error_response()),
        Ok(()) => {
            patience::limit(&mut request, terms.upload);
            routed(next.call(request).await?.map_into_boxed_body(), rule)
        }
    };
    let refused = matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if let Some(event) = noted::event(&answer, &caller, rule, terms.query_text)
        && (!refused || callers.limits.refusal(address(answer.request().peer_addr())))
        && terms.audit.append(event).is_err()
    {
        answer = instead(answer, Fault::no_audit());
    }
    if !is_text(answer.response()) {
        // `observe` takes the mark away again
        answer.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("identity"));
    }
    Ok(answer)
}

/// The answer, unless another route gave it than that of the rule.
fn routed(answer: ServiceResponse<BoxBody>, rule: Option<&Rule>) -> ServiceResponse<BoxBody> {
    let (Some(rule), Some(pattern)) = (rule, answer.request().match_pattern()) else { return answer };
    // what has no route at all is not there
    if pattern == rule.pattern || answer.status() == StatusCode::NOT_FOUND {
        return answer;
    }
    tracing::error!("{pattern} was answered under the rule of {}: it needs one of its own", rule.pattern);
    instead(answer, Fault::forbidden("this route has no rule"))
}

fn instead(answer: ServiceResponse<BoxBody>, fault: Fault) -> ServiceResponse<BoxBody> {
    answer.into_response(fault.error_response())
}

/// Whether compressing an answer is worth it. A stream of events must not wait for more of it.
fn is_text(answer: &HttpResponse<BoxBody>) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let known = ["text/html", "text/css", "text/csv", "text/javascript", "text/plain", "image/svg+xml"];
    known.contains(&kind) || kind.ends_with("json") || kind == "application/x-ndjson" || kind == "application/jsonl"
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
