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
//!
//! Loopback only: there is no authentication yet. Neither queries nor report text are logged.

pub mod fault;
pub mod heatmap;
pub mod images;
pub mod page;
pub mod search;
pub mod status;
pub mod studies;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::DefaultHeaders;
use actix_web::{App, HttpServer, web};

use crate::error::Result;
use crate::interrupt;
use crate::search::Engine;

/// What the page may load: its own files, and films as blobs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves `engine` on `listener` until Ctrl-C or SIGTERM; requests that run are finished.
/// `workers` 0 is one for each core.
///
/// # Errors
/// The listener cannot be used.
pub fn run(listener: TcpListener, engine: Arc<Engine>, upload_limit: usize, workers: usize) -> Result<()> {
    let workers = match workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    let scores = web::Data::new(heatmap::Scores::default());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(engine.clone()))
            .app_data(scores.clone())
            .app_data(web::PayloadConfig::new(upload_limit))
            .app_data(web::JsonConfig::default().limit(64 * 1024).error_handler(fault::json))
            .app_data(web::QueryConfig::default().error_handler(fault::query))
            .wrap(
                DefaultHeaders::new()
                    .add(("Content-Security-Policy", POLICY))
                    .add(("X-Content-Type-Options", "nosniff"))
                    .add(("Referrer-Policy", "no-referrer"))
                    .add(("Cache-Control", "no-store")),
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
