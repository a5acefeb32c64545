//! `/api/v1/jobs`: import and index in the server, followed by server-sent events (WHATWG HTML, section 9.2).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use actix_web::{HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::channel;
use utoipa::ToSchema;

use crate::cli::import::Import;
use crate::cli::index::IndexCommand;
use crate::cli::through::Remote;
use crate::cli::through::wire::{Envelope, JobView, State};
use crate::server::callers::Caller;
use crate::server::fault::Fault;
use crate::server::openapi::{Faults, NotFound, Unfit};
use crate::server::serving::Serving;
use crate::server::stream::Body;
use crate::server::{internal, noted};

/// How often a job is looked at for somebody who follows it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Said when nothing changes, so that no proxy takes the silence for an end.
const BEAT_EVERY: u32 = 60;

/// A job to be started.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum NewJob {
    /// Embed what is new, and serve it.
    Index {
        /// The model; the one trained last where it is left out.
        model: Option<String>,
        /// Embed everything anew.
        #[serde(default)]
        rebuild: bool,
    },
    /// Import an archive that the server can read.
    Import {
        /// `nih`, `openi`, `covid-chestxray`, `hannover`, `folder` or `manifest`.
        source: String,
        /// A folder or file on the server.
        #[schema(value_type = String)]
        path: PathBuf,
    },
}

/// A job that was accepted.
#[derive(Serialize, ToSchema)]
pub struct AcceptedJob {
    /// Its number.
    job: u64,
}

/// The jobs.
#[derive(Serialize, ToSchema)]
pub struct JobList {
    jobs: Vec<JobView>,
}

/// All jobs that wait, run, or ended not long ago.
#[utoipa::path(context_path = "/api/v1", tag = "jobs", responses((status = 200, body = JobList), Faults))]
#[get("/jobs")]
pub async fn list(serving: web::Data<Serving>) -> HttpResponse {
    HttpResponse::Ok().json(JobList { jobs: serving.jobs().list() })
}

/// Start a job. It waits for those before it.
#[utoipa::path(context_path = "/api/v1", tag = "jobs", request_body = NewJob,
    responses((status = 202, body = AcceptedJob), Unfit, Faults))]
#[post("/jobs")]
pub async fn start(
    serving: web::Data<Serving>,
    caller: Caller,
    body: web::Json<NewJob>,
) -> Result<HttpResponse, Fault> {
    let command = match body.into_inner() {
        NewJob::Index { model, rebuild } => Remote::Index(IndexCommand::new(model, rebuild)),
        NewJob::Import { source, path } => {
            if !path.is_absolute() {
                return Err(Fault::caller("bad_parameter", "path: an absolute path on the server"));
            }
            Remote::Import(Import::new(source, path))
        }
    };
    let job =
        internal::submit(serving.into_inner(), Envelope { command, json: true, threads: None }, noted::who(&caller))?;
    Ok(HttpResponse::Accepted().json(AcceptedJob { job }))
}

fn view(serving: &Serving, id: u64) -> Result<JobView, Fault> {
    serving.jobs().view(id, 0).ok_or_else(|| Fault::not_found("job"))
}

/// A job: how far it is, what it says, and what came of it.
#[utoipa::path(context_path = "/api/v1", tag = "jobs", params(("id" = u64, Path)),
    responses((status = 200, body = JobView), NotFound, Faults))]
#[get("/jobs/{id}")]
pub async fn one(serving: web::Data<Serving>, id: web::Path<u64>) -> Result<HttpResponse, Fault> {
    Ok(HttpResponse::Ok().json(view(&serving, *id)?))
}

/// Ask a job to stop after its current piece; what is done is kept.
#[utoipa::path(context_path = "/api/v1", tag = "jobs", params(("id" = u64, Path)),
    responses((status = 202), NotFound, Faults))]
#[delete("/jobs/{id}")]
pub async fn stop(serving: web::Data<Serving>, id: web::Path<u64>) -> Result<HttpResponse, Fault> {
    if serving.jobs().cancel(*id) { Ok(HttpResponse::Accepted().finish()) } else { Err(Fault::not_found("job")) }
}

/// Follow a job: an event `progress` whenever it has moved, and `done` at the end; the data are the job.
#[utoipa::path(context_path = "/api/v1", tag = "jobs", params(("id" = u64, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream"), NotFound, Faults))]
#[get("/jobs/{id}/events")]
pub async fn events(serving: web::Data<Serving>, id: web::Path<u64>) -> Result<HttpResponse, Fault> {
    view(&serving, *id)?;
    let (sender, receiver) = channel(4);
    actix_web::rt::spawn(async move {
        let serving = Arc::clone(&serving);
        let (mut last, mut silent) = (String::new(), 0);
        while let Some(job) = serving.jobs().view(*id, 0) {
            let done = job.state == State::Done;
            let Ok(data) = serde_json::to_string(&job) else { return };
            silent += 1;
            let event = match (data == last, done) {
                (false, false) => format!("event: progress\ndata: {data}\n\n"),
                (_, true) => format!("event: done\ndata: {data}\n\n"),
                (true, false) if silent % BEAT_EVERY == 0 => ": still running\n\n".to_owned(),
                (true, false) => String::new(),
            };
            last = data;
            // the client is gone
            if !event.is_empty() && sender.send(Ok(Bytes::from(event))).await.is_err() || done || sender.is_closed() {
                return;
            }
            actix_web::rt::time::sleep(LOOK_EVERY).await;
        }
    });
    Ok(HttpResponse::Ok().content_type("text/event-stream").body(Body(receiver)))
}
