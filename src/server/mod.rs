//! The server: one file per resource.
//!
//! - [`run`] binds what it is given and serves until it is asked to stop
//! - [`fault`] the one error shape
//! - [`status`] `GET /api/v1/status`
//! - [`search`] `POST /api/v1/search`, `POST /api/v1/search/image`
//! - [`studies`] `GET /api/v1/studies/{key}`
//! - [`images`] `GET /api/v1/images/{key}`, `GET /api/v1/images/{key}/thumbnail`
//! - [`heatmap`] `POST /api/v1/images/{key}/heatmap`, `GET /api/v1/images/{key}/findings`
//! - [`page`] the page, embedded
//! - [`serving`] the engine that answers, and how the next one takes its place
//! - [`jobs`] long commands, one after another
//! - [`internal`] `/internal/v1`: commands of the command line on the home that this server owns
//!
//! Loopback only: there is no authentication yet. Neither queries nor report text are logged.

pub mod fault;
pub mod heatmap;
pub mod images;
pub mod internal;
pub mod jobs;
pub mod page;
pub mod search;
pub mod serving;
pub mod status;
pub mod studies;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{App, HttpServer, web};

use crate::cli::through::wire::SCOPE;
use crate::error::Result;
use crate::interrupt;
use crate::owner::Owner;

pub use serving::{Current, Serving};

/// What the page may load: its own files, and films as blobs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How often the server looks whether another generation was made current.
const TEND_EVERY: Duration = Duration::from_millis(500);

/// Largest body of a command: a list of files.
const COMMAND_LIMIT: usize = 4 << 20;

/// Serves a home on `listener` until Ctrl-C or SIGTERM; requests that run are finished, a job stops after its current piece.
///
/// # Errors
/// The listener cannot be used.
pub fn run(listener: TcpListener, serving: Serving, owner: Owner) -> Result<()> {
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
        answer(listener, &serving, owner)
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

fn answer(listener: TcpListener, serving: &Arc<Serving>, owner: Owner) -> Result<()> {
    let config = &serving.home().config;
    let upload_limit = config.server.upload_mib << 20;
    let workers = match config.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    let serving = web::Data::from(Arc::clone(serving));
    let owner = web::Data::new(owner);
    // Films travel in JSON as base64: four characters for three bytes.
    let json_limit = upload_limit.saturating_mul(4) / 3 + 64 * 1024;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(serving.clone())
            .app_data(owner.clone())
            .app_data(web::PayloadConfig::new(upload_limit))
            .app_data(web::JsonConfig::default().limit(json_limit).error_handler(fault::json))
            .app_data(web::QueryConfig::default().error_handler(fault::query))
            .wrap(
                DefaultHeaders::new()
                    .add(("Content-Security-Policy", POLICY))
                    .add(("X-Content-Type-Options", "nosniff"))
                    .add(("Referrer-Policy", "no-referrer"))
                    .add(("Cache-Control", "no-store")),
            )
            .service(
                web::scope(SCOPE)
                    .app_data(web::JsonConfig::default().limit(COMMAND_LIMIT).error_handler(fault::json))
                    .wrap(from_fn(internal::guard))
                    .service(internal::health)
                    .service(internal::accept)
                    .service(internal::all_jobs)
                    .service(internal::one_job)
                    .service(internal::stop_job)
                    .default_service(web::to(fault::no_route)),
            )
            .service(
                web::scope("/api/v1")
                    .service(status::status)
                    .service(search::image)
                    .service(search::text)
                    .service(studies::study)
                    .service(images::thumbnail)
                    .service(heatmap::heatmap)
                    .service(heatmap::findings)
                    .service(images::original)
                    .default_service(web::to(fault::no_route)),
            )
            .default_service(web::get().to(page::page))
    })
    .workers(workers)
    .disable_signals()
    .shutdown_timeout(10)
    .listen(listener)?;
    actix_web::rt::System::new().block_on(async move {
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(async move {
            while !interrupt::asked() {
                actix_web::rt::time::sleep(Duration::from_millis(100)).await;
            }
            handle.stop(true).await;
        });
        server.await
    })?;
    Ok(())
}
