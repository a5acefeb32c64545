//! `/internal/v1`: commands on the home that this server owns, for the command line of the same user.
//!
//! On a listener of its own on loopback, and only with the token of `HOME/server.json`, which that user alone can read.
//! [`wire`](crate::cli::through::wire) has the shapes.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{self, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpResponse, HttpServer, delete, get, post, web};
use serde::Deserialize;

use super::fault::{self, Fault};
use super::serving::Serving;
use crate::audit::Who;
use crate::cli::through::Opened;
use crate::cli::through::wire::{Accepted, Envelope, Health, Outcome, SCOPE};
use crate::owner::Owner;
use crate::progress::{Board, Watch};

/// Largest body of a command: a list of files.
const COMMAND_LIMIT: usize = 4 << 20;

/// Answers commands on `listener`.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(listener: TcpListener, serving: web::Data<Serving>, owner: Owner) -> std::io::Result<dev::Server> {
    let owner = web::Data::new(owner);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(serving.clone())
            .app_data(owner.clone())
            .app_data(web::QueryConfig::default().error_handler(fault::query))
            .service(
                web::scope(SCOPE)
                    .app_data(web::JsonConfig::default().limit(COMMAND_LIMIT).error_handler(fault::json))
                    .wrap(from_fn(guard))
                    .service(health)
                    .service(accept)
                    .service(all_jobs)
                    .service(one_job)
                    .service(stop_job)
                    .default_service(web::to(fault::no_route)),
            )
            .default_service(web::to(fault::no_route))
    });
    Ok(server.workers(1).disable_signals().shutdown_timeout(10).listen(listener)?.run())
}

/// Lets nobody in without the token.
async fn guard(
    owner: web::Data<Owner>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let local = request.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    // hashes compare in constant time
    if !local || blake3::hash(shown.as_bytes()) != blake3::hash(owner.token.as_bytes()) {
        return Err(Fault::not_found("route").into());
    }
    next.call(request).await
}

/// Who answers.
#[get("/health")]
pub async fn health() -> HttpResponse {
    HttpResponse::Ok().json(Health { pid: std::process::id(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Runs a command: at once, or as a job.
#[post("/commands")]
pub async fn accept(serving: web::Data<Serving>, body: web::Json<Envelope>) -> Result<HttpResponse, Fault> {
    let envelope = body.into_inner();
    let serving = serving.into_inner();
    if envelope.command.is_job() {
        return Ok(HttpResponse::Accepted().json(Accepted { job: submit(serving, envelope, Who::CommandLine)? }));
    }
    let outcome = web::block(move || run(serving, envelope, Who::CommandLine, Arc::default())).await?;
    Ok(HttpResponse::Ok().json(outcome))
}

/// Puts a long command at the end of the queue; answers its number.
///
/// # Errors
/// The server is shutting down.
pub(super) fn submit(serving: Arc<Serving>, envelope: Envelope, who: Who) -> Result<u64, Fault> {
    let (name, jobs) = (envelope.command.name(), Arc::clone(&serving));
    let work = move |board: Arc<Board>| run(serving, envelope, who, board);
    jobs.jobs().submit(name, Box::new(work)).ok_or_else(Fault::stopping)
}

fn run(serving: Arc<Serving>, envelope: Envelope, who: Who, board: Arc<Board>) -> Outcome {
    let Envelope { command, json, threads } = envelope;
    let mut opened = Opened::served(serving, Watch::board(board), json);
    opened.who = who;
    let (outcome, said) = command.run_served(&opened, threads);
    if let Err(error) = &outcome
        && !error.is_caller_fault()
    {
        tracing::error!("{error}");
    }
    Outcome::new(&outcome, said)
}

/// All jobs.
#[get("/jobs")]
pub async fn all_jobs(serving: web::Data<Serving>) -> HttpResponse {
    HttpResponse::Ok().json(serving.jobs().list())
}

/// What the asker has seen.
#[derive(Deserialize)]
pub struct Seen {
    #[serde(default)]
    seen: usize,
}

/// One job.
#[get("/jobs/{id}")]
pub async fn one_job(
    serving: web::Data<Serving>,
    id: web::Path<u64>,
    seen: web::Query<Seen>,
) -> Result<HttpResponse, Fault> {
    let view = serving.jobs().view(*id, seen.seen).ok_or_else(|| Fault::not_found("job"))?;
    Ok(HttpResponse::Ok().json(view))
}

/// Asks a job to stop.
#[delete("/jobs/{id}")]
pub async fn stop_job(serving: web::Data<Serving>, id: web::Path<u64>) -> Result<HttpResponse, Fault> {
    if serving.jobs().cancel(*id) { Ok(HttpResponse::NoContent().finish()) } else { Err(Fault::not_found("job")) }
}
