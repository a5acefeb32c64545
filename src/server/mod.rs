//! The server: one file per resource.
//!
//! - [`run`] binds what it is given and serves until it is asked to stop
//! - [`fault`] the one error shape
//! - [`openapi`] the description of all that is under `/api/v1`
//! - [`status`] what is served, and the models
//! - [`search`], [`facets`] by text, films and studies; counts
//! - [`studies`] one study, its patient's time line, studies like it, deleting
//! - [`images`], [`heatmap`], [`map`] films: files and windows; where a query lies on one; all as points
//! - [`cohorts`] sets of studies; as tables and vectors
//! - [`stream`] answers that are written while they are sent
//! - [`session`] `/api/v1/session`: signing in
//! - [`page`] the page, embedded
//!
//! What every request passes:
//! - [`gate`] foreign pages, who asks, how much, may they: [`origin`], [`callers`], [`limits`], and the table of [`access`]
//! - [`patience`] how long a body may take; [`noted`] what the audit log is told
//! - [`observe`] an id, a line in the log, [`metrics`]; [`health`]
//! - [`headers`] of every answer; [`tls`]; [`etag`] for what a browser has already
//!
//! Beside them:
//! - [`serving`] the engine that answers, and how the next one takes its place
//! - [`jobs`] long commands, one after another, and how to follow them
//! - [`internal`] `/internal/v1`: commands of the command line on the home that this server owns
//!
//! Neither queries nor report text are logged.

pub mod access;
pub mod callers;
pub mod cohorts;
pub mod etag;
pub mod facets;
pub mod fault;
pub mod gate;
pub mod headers;
pub mod health;
pub mod heatmap;
pub mod images;
pub mod internal;
pub mod jobs;
pub mod limits;
pub mod map;
pub mod metrics;
pub mod noted;
pub mod observe;
pub mod openapi;
pub mod origin;
pub mod page;
pub mod patience;
pub mod search;
pub mod serving;
pub mod session;
pub mod status;
pub mod stream;
pub mod studies;
pub mod tls;

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use actix_multipart::form::MultipartFormConfig;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use rustls::ServerConfig;

use crate::access::Keyring;
use crate::audit::Log;
use crate::error::Result;
use crate::interrupt;
use crate::owner::Owner;

use callers::Callers;
use gate::Terms;
use metrics::Metrics;
pub use serving::{Current, Serving};

/// How often the server looks whether another generation was made current.
const TEND_EVERY: Duration = Duration::from_millis(500);

/// Where a server listens.
pub struct Listeners {
    /// For everybody.
    pub public: TcpListener,
    /// TLS on it.
    pub tls: Option<ServerConfig>,
    /// For commands of this home's user, on loopback: `/internal/v1`.
    pub commands: TcpListener,
}

/// Serves a home until Ctrl-C or SIGTERM; requests that run are finished, a job stops after its current piece.
///
/// # Errors
/// A listener cannot be used.
pub fn run(listeners: Listeners, serving: Serving, owner: Owner) -> Result<()> {
    let serving = Arc::new(serving);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| serving.jobs().work());
        let tending = scope.spawn(|| {
            while !ended.load(Ordering::SeqCst) {
                serving.tend();
                std::thread::park_timeout(TEND_EVERY);
            }
        });
        // also where the server panics: the scope waits for both threads
        let _ending = Ending(&serving, &ended, tending.thread());
        answer(listeners, &serving, owner)
    })
}

/// Ends the threads beside the server when it goes.
struct Ending<'a>(&'a Serving, &'a AtomicBool, &'a Thread);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.jobs().close();
        self.1.store(true, Ordering::SeqCst);
        self.2.unpark();
    }
}

/// The API. What [`openapi`] describes is what is here; a test compares them.
fn routes(api: &mut web::ServiceConfig) {
    api.service(openapi::document)
        .service(session::sign_in)
        .service(session::session)
        .service(session::sign_out)
        .service(status::status)
        .service(status::models)
        .service(search::by_films)
        .service(search::by_words)
        .service(facets::facets)
        .service(studies::delete)
        .service(studies::timeline)
        .service(studies::similar)
        .service(studies::one)
        .service(images::thumbnail)
        .service(images::windowed)
        .service(heatmap::heatmap)
        .service(heatmap::findings)
        .service(images::original)
        .service(map::map)
        .service(cohorts::list)
        .service(cohorts::create)
        .service(cohorts::members)
        .service(cohorts::add)
        .service(cohorts::remove)
        .service(cohorts::combine)
        .service(cohorts::check)
        .service(cohorts::files::table_file)
        .service(cohorts::files::vectors)
        .service(cohorts::one)
        .service(cohorts::forget)
        .service(jobs::resource::list)
        .service(jobs::resource::start)
        .service(jobs::resource::events)
        .service(jobs::resource::one)
        .service(jobs::resource::stop);
}

fn answer(listeners: Listeners, serving: &Arc<Serving>, owner: Owner) -> Result<()> {
    let config = &serving.home().config;
    let upload_limit = config.server.upload_mib << 20;
    let workers = match config.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    let keyring = Arc::new(Keyring::new(serving.home().path()));
    let address = listeners.public.local_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    let callers = web::Data::new(Callers::new(keyring, address, &config.server));
    let audit = Arc::new(Log::open(serving.home().path())?);
    audit.keep_durable();
    let upload = Duration::from_secs(config.server.body_seconds);
    let terms = web::Data::new(Terms { audit, query_text: config.audit.query_text, upload });
    let metrics = web::Data::new(Metrics::default());
    let config = config.server.clone();
    let with_tls = listeners.tls.is_some();
    let serving = web::Data::from(Arc::clone(serving));
    let beside = serving.clone();
    // Films travel in JSON as base64: four characters for three bytes.
    let json_limit = upload_limit.saturating_mul(4) / 3 + 64 * 1024;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(serving.clone())
            .app_data(callers.clone())
            .app_data(terms.clone())
            .app_data(metrics.clone())
            .app_data(web::PayloadConfig::new(upload_limit))
            .app_data(web::JsonConfig::default().limit(json_limit).error_handler(fault::json))
            .app_data(web::QueryConfig::default().error_handler(fault::query))
            .app_data(web::PathConfig::default().error_handler(fault::path))
            .app_data(
                MultipartFormConfig::default()
                    .total_limit(upload_limit)
                    .memory_limit(upload_limit)
                    .error_handler(fault::form),
            )
            // the last one is the first that sees a request
            .wrap(from_fn(gate::gate))
            .wrap(Compress::default())
            .wrap(headers::headers(with_tls))
            .wrap(from_fn(observe::observe))
            .service(health::healthz)
            .service(health::readyz)
            .service(metrics::metrics)
            .service(web::scope("/api/v1").configure(routes).default_service(web::to(fault::no_route)))
            .default_service(web::to(page::page))
    })
    .workers(workers)
    .max_connections(config.connections.div_ceil(workers))
    .client_request_timeout(Duration::from_secs(config.head_seconds))
    .client_disconnect_timeout(Duration::from_secs(5))
    .tls_handshake_timeout(Duration::from_secs(config.head_seconds))
    .keep_alive(Duration::from_secs(config.idle_seconds))
    .disable_signals()
    .shutdown_timeout(10);
    let server = match listeners.tls {
        Some(tls) => server.listen_rustls_0_23(listeners.public, tls)?,
        None => server.listen(listeners.public)?,
    };
    actix_web::rt::System::new().block_on(async move {
        let (server, commands) = (server.run(), internal::serve(listeners.commands, beside, owner)?);
        let handles = [server.handle(), commands.handle()];
        actix_web::rt::spawn(async move {
            while !interrupt::asked() {
                actix_web::rt::time::sleep(Duration::from_millis(100)).await;
            }
            for handle in handles {
                handle.stop(true).await;
            }
        });
        let commands = actix_web::rt::spawn(commands);
        server.await?;
        commands.await.map_err(std::io::Error::other)?
    })?;
    Ok(())
}
