//! Prepares the next batch on its own threads while the encoders work on this one.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use rand::Rng;
use rayon::prelude::*;

use super::augment::augment;
use super::learner::Batch;
use super::sampler::{self, Sampler, present, signed};
use super::source::{ImageSource, TextSource};
use crate::config::Config;
use crate::error::ModelError;
use crate::preprocess::{Pixels, prepare};
use crate::tokenizer::Tokenizer;

/// Batches that wait at most.
pub(super) const AHEAD: usize = 2;

/// A batch and what went wrong on the way.
pub(super) struct Prepared {
    pub(super) batch: Batch,
    /// Images that failed for the first time, with the reason.
    pub(super) skipped: Vec<(usize, String)>,
}

/// Makes batches out of the sources.
pub(super) struct Loader<'a> {
    config: &'a Config,
    images: &'a dyn ImageSource,
    texts: &'a dyn TextSource,
    tokenizer: &'a Tokenizer,
    image_sampler: Sampler,
    text_sampler: Sampler,
    cache: Mutex<Cache>,
    failed: HashSet<usize>,
    pool: rayon::ThreadPool,
}

/// Decoded films at the training resolution, as long as there is room.
struct Cache {
    films: HashMap<usize, Arc<Pixels>>,
    room: usize,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        config: &'a Config,
        images: &'a dyn ImageSource,
        texts: &'a dyn TextSource,
        tokenizer: &'a Tokenizer,
    ) -> Result<Self, ModelError> {
        let t = &config.training;
        let pool = rayon::ThreadPoolBuilder::new()
            .thread_name(|i| format!("loader-{i}"))
            .build()
            .map_err(|e| ModelError::Data(format!("loader threads do not start: {e}")))?;
        let film = config.vision.image_size().pow(2);
        let room = t.cache_mb.saturating_mul(1 << 20) / film.max(1);
        Ok(Self {
            config,
            images,
            texts,
            tokenizer,
            image_sampler: Sampler::new("images", t.seed, t.image_batch, t.balance, images.len(), |i| {
                present(images.labels(i))
            }),
            text_sampler: Sampler::new("texts", t.seed, t.text_batch, t.balance, texts.len(), |i| {
                signed(texts.labels(i))
            }),
            cache: Mutex::new(Cache { films: HashMap::new(), room }),
            failed: HashSet::new(),
            pool,
        })
    }

    /// Sends the batches from `step` on until nobody listens any more. An error is sent as the last thing.
    pub(super) fn run(mut self, step: u64, to: &SyncSender<Result<Prepared, ModelError>>) {
        for step in step.. {
            let prepared = self.prepare(step);
            let last = prepared.is_err();
            if to.send(prepared).is_err() || last {
                return;
            }
        }
    }

    fn film(&self, index: usize) -> Result<Arc<Pixels>, String> {
        let lock = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(film) = lock().films.get(&index) {
            return Ok(film.clone());
        }
        let image = self.images.load(index).map_err(|e| e.to_string())?;
        let film = Arc::new(prepare(&image, self.config).map_err(|e| e.to_string())?);
        let mut cache = lock();
        if cache.films.len() < cache.room {
            cache.films.insert(index, film.clone());
        }
        Ok(film)
    }

    fn prepare(&mut self, step: u64) -> Result<Prepared, ModelError> {
        let (mut wanted, mut rng) = self.image_sampler.draw(step);
        let mut films: Vec<(usize, Arc<Pixels>)> = Vec::with_capacity(wanted.len());
        let mut skipped = Vec::new();
        // A film that fails is replaced by another one; the same ones fail again after a resume, so that is reproducible.
        for _ in 0..100 {
            let loaded: Vec<(usize, Result<Arc<Pixels>, String>)> =
                self.pool.install(|| wanted.par_iter().map(|&i| (i, self.film(i))).collect());
            wanted.clear();
            for (index, film) in loaded {
                match film {
                    Ok(film) => films.push((index, film)),
                    Err(reason) => {
                        if self.failed.insert(index) {
                            skipped.push((index, reason));
                        }
                        wanted.push(self.image_sampler.balanced_item(&mut rng));
                    }
                }
            }
            if wanted.is_empty() {
                break;
            }
        }
        if films.is_empty() {
            let reason = skipped.pop().map(|(index, reason)| format!("; image {index}: {reason}")).unwrap_or_default();
            return Err(ModelError::Data(format!("no image could be loaded{reason}")));
        }
        let (seed, how) = (self.config.training.seed, &self.config.training.augmentation);
        let images = self.pool.install(|| {
            let change = |(place, (_, film)): (usize, &(usize, Arc<Pixels>))| {
                augment(film, how, &mut sampler::rng(&format!("film {place}"), seed, step))
            };
            films.par_iter().enumerate().map(change).collect()
        });
        let (text_indices, mut rng) = self.text_sampler.draw(step);
        let texts = text_indices
            .iter()
            .map(|&i| {
                let mut ids = self.tokenizer.ids(&self.texts.text(i))?;
                self.drop_tokens(&mut ids, &mut rng);
                Ok(ids)
            })
            .collect::<Result<_, ModelError>>()?;
        let batch = Batch {
            images,
            image_labels: films.iter().map(|(i, _)| self.images.labels(*i).to_vec()).collect(),
            texts,
            text_labels: text_indices.iter().map(|&i| self.texts.labels(i).to_vec()).collect(),
        };
        Ok(Prepared { batch, skipped })
    }

    /// Replaces some tokens between [CLS] and [SEP] by [UNK].
    fn drop_tokens(&self, ids: &mut [u32], rng: &mut impl Rng) {
        let rate = self.config.training.token_dropout;
        if rate <= 0.0 || ids.len() < 3 {
            return;
        }
        let last = ids.len() - 1;
        for id in &mut ids[1..last] {
            if rng.random_bool(rate) {
                *id = self.tokenizer.unknown();
            }
        }
    }
}
