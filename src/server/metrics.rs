//! `GET /metrics`: what Prometheus reads, in OpenMetrics text. No label comes from a request.

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::fault::Fault;
use super::serving::Serving;
use crate::cli::through::wire::State;

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Labels {
    /// A method, or `other`.
    pub method: &'static str,
    /// A pattern of the table of rules, or a word for the rest.
    pub pattern: &'static str,
    /// The status.
    pub status: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pattern {
    pattern: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobState {
    state: &'static str,
}

type Latencies = Family<Pattern, Histogram, fn() -> Histogram>;

/// What is counted.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    latencies: Latencies,
    in_flight: Gauge,
    jobs: Family<JobState, Gauge>,
    studies: Gauge,
    generation: Gauge,
    memory: Gauge,
}

/// A request that is being answered.
pub struct Flight<'a>(&'a Gauge<i64, AtomicI64>);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("thorax");
        // 1 ms to 16 s
        let latencies: Latencies = Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 2.0, 15)));
        let (requests, jobs) = (Family::default(), Family::default());
        let (in_flight, studies, generation, memory) =
            (Gauge::default(), Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("http_requests", "Requests that were answered", requests.clone());
        let about = "Time to the beginning of the answer";
        registry.register_with_unit("http_request_duration", about, Unit::Seconds, latencies.clone());
        registry.register("http_requests_in_flight", "Requests that are being answered", in_flight.clone());
        registry.register("jobs", "Jobs that wait, run, or ended not long ago", jobs.clone());
        registry.register("studies", "Studies in the catalogue", studies.clone());
        registry.register("generation", "Generation of the index that answers", generation.clone());
        registry.register_with_unit("resident_memory", "Memory in use", Unit::Bytes, memory.clone());
        Self { registry, requests, latencies, in_flight, jobs, studies, generation, memory }
    }
}

impl Metrics {
    /// A request begins.
    pub fn begin(&self) -> Flight<'_> {
        self.in_flight.inc();
        Flight(&self.in_flight)
    }

    /// A request was answered.
    pub fn request(&self, labels: Labels, took: Duration) {
        self.latencies.get_or_create(&Pattern { pattern: labels.pattern }).observe(took.as_secs_f64());
        self.requests.get_or_create(&labels).inc();
    }

    fn text(&self, serving: &Serving) -> Result<String, std::fmt::Error> {
        let jobs = serving.jobs().list();
        for (state, name) in [(State::Waiting, "waiting"), (State::Running, "running"), (State::Done, "done")] {
            let count = jobs.iter().filter(|job| job.state == state).count();
            self.jobs.get_or_create(&JobState { state: name }).set(number(count));
        }
        self.studies.set(number(serving.catalogue().len()));
        self.generation.set(i64::try_from(serving.current().index().manifest().generation).unwrap_or(i64::MAX));
        self.memory.set(resident().unwrap_or(0));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Bytes of memory that the process has, where the system says so.
fn resident() -> Option<i64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok()?.checked_mul(1024)
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// All of it.
#[get("/metrics")]
pub async fn metrics(metrics: web::Data<Metrics>, serving: web::Data<Serving>) -> Result<HttpResponse, Fault> {
    let text = web::block(move || metrics.text(&serving)).await?.map_err(|_| Fault::stopping())?;
    Ok(HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text))
}
