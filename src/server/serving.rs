//! What the server answers from: an engine that is replaced while requests run.
//!
//! The next engine is opened and warmed beside the one that serves, then swapped in by one atomic store. A request keeps the
//! engine that it began with; the last one that lets go of it closes it.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use arc_swap::ArcSwap;
use thorax_index::{Catalogue, Manifest, generation};
use thorax_models::Encoder;

use super::fault::Fault;
use super::heatmap::Scores;
use super::jobs::Jobs;
use crate::error::Result;
use crate::home::Home;
use crate::search::{Engine, Query, Request, Target};

/// The home that is served, and the engine that answers now.
pub struct Serving {
    home: Home,
    catalogue: Arc<Catalogue>,
    now: ArcSwap<Snapshot>,
    swap: Mutex<Swap>,
    jobs: Jobs,
}

/// One engine, and what is derived from it.
pub struct Snapshot {
    engine: Engine,
    scores: Scores,
}

#[derive(Default)]
struct Swap {
    /// Engines that were replaced and may still answer.
    replaced: Vec<Weak<Snapshot>>,
    /// A generation that could not be opened: it is not tried again and again.
    refused: Option<Manifest>,
}

impl Serving {
    /// Opens a home.
    ///
    /// # Errors
    /// See [`Engine::open`].
    pub fn open(home: Home) -> Result<Self> {
        let engine = Engine::open(&home)?;
        let catalogue = Arc::clone(engine.catalogue());
        let now = ArcSwap::from_pointee(Snapshot { engine, scores: Scores::default() });
        Ok(Self { home, catalogue, now, swap: Mutex::default(), jobs: Jobs::default() })
    }

    /// The home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The catalogue.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The long commands on it.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// The engine that answers now; it stays open as long as it is held.
    pub fn current(&self) -> Current {
        Current(self.now.load_full())
    }

    /// Swaps to the generation that `CURRENT` names, if it is another one than that which serves; tells whether it did.
    ///
    /// # Errors
    /// The next generation cannot be opened: the one before goes on serving.
    pub fn refresh(&self) -> Result<bool> {
        // one at a time: two engines beside the serving one would be one too many in memory
        let mut swap = self.swap.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = Manifest::current(self.home.path())?;
        let serving = self.current();
        if wanted.is_none() || wanted.as_ref() == Some(serving.index().manifest()) {
            return Ok(false);
        }
        let next = match self.open_next(&serving) {
            Ok(next) => next,
            Err(error) => {
                swap.refused = wanted;
                return Err(error);
            }
        };
        swap.refused = None;
        swap.replaced.push(Arc::downgrade(&serving.0));
        self.now.store(Arc::new(next));
        Ok(true)
    }

    fn open_next(&self, serving: &Current) -> Result<Snapshot> {
        let engine = Engine::open_beside(&self.home, Arc::clone(&self.catalogue), Some(serving))?;
        let scores = Scores::default();
        if serving.scores().is_made() {
            scores.of(&engine)?;
        }
        warm(&engine)?;
        Ok(Snapshot { engine, scores })
    }

    /// What the watching thread does again and again: picks up a generation that somebody else made current, and removes the
    /// files of generations that nobody reads any more.
    pub fn tend(&self) {
        let refused = || self.swap.lock().unwrap_or_else(PoisonError::into_inner).refused.clone();
        let looked = match Manifest::current(self.home.path()) {
            Ok(wanted) if wanted.is_some() && wanted == refused() => Ok(false),
            Ok(_) => self.refresh(),
            Err(error) => Err(error.into()),
        };
        match looked {
            Ok(true) => tracing::info!("serving generation {}", self.current().index().manifest().generation),
            Ok(false) => {}
            Err(error) => tracing::error!("the next generation cannot be served: {error}"),
        }
        let mut swap = self.swap.lock().unwrap_or_else(PoisonError::into_inner);
        let before = swap.replaced.len();
        swap.replaced.retain(|engine| engine.strong_count() > 0);
        let gone = before > swap.replaced.len();
        drop(swap);
        if gone && let Err(error) = generation::remove_unread(self.home.path()) {
            tracing::warn!("old generations stay: {error}");
        }
    }

    /// The encoder of a model: the one in use, where that is its name and its files are as they were; else loaded.
    ///
    /// # Errors
    /// See [`Home::encoder`].
    pub fn encoder(&self, name: &str) -> Result<Arc<Encoder>> {
        let serving = self.current();
        let loaded = self.home.encoder(name)?;
        // Loading is the only way to know that a model was not trained anew under its name; what is equal is shared.
        Ok(match serving.encoder().fingerprint() == loaded.fingerprint() {
            true => Arc::clone(serving.encoder()),
            false => Arc::new(loaded),
        })
    }
}

/// Searches that nobody asked for: they fault in what the first real ones would wait for.
fn warm(engine: &Engine) -> Result<()> {
    for to in [Target::Images, Target::Reports] {
        // "Normal chest" asks for every finding: their readers are made.
        for text in ["small left pleural effusion, no pneumothorax", "normal chest"] {
            engine.search(Request { to, ..Request::new(Query::text(text), 10) })?;
        }
    }
    Ok(())
}

/// The engine that a request works with from its beginning to its end.
pub struct Current(Arc<Snapshot>);

impl Current {
    /// The archive's scores on this engine.
    pub fn scores(&self) -> &Scores {
        &self.0.scores
    }

    /// Most pixels of a film that is sent to be searched with.
    pub fn most_pixels(&self) -> u64 {
        u64::from(self.config().server.upload_megapixels) * 1_000_000
    }
}

impl Deref for Current {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.0.engine
    }
}

impl FromRequest for Current {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let serving = request.app_data::<web::Data<Serving>>();
        ready(serving.map(|serving| serving.current()).ok_or_else(|| Fault::not_found("engine")))
    }
}
