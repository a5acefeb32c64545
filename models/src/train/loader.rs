//! Prepares the next batch on its own threads while the encoders work on this one.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::augment::{augment, mirror};
use super::frozen::{TrunkCache, View};
use super::learner::Batch;
use super::sampler::{self, Sampler, present};
use super::source::{ImageSource, TextSource};
use super::texts::{Drawn, Texts};
use crate::config::{Config, Objective};
use crate::error::ModelError;
use crate::preprocess::{Pixels, prepare};
use crate::tokenizer::Tokenizer;

/// Batches that wait at most.
pub(super) const AHEAD: usize = 2;

/// Films that are looked at to find one of a patient that the batch does not have yet.
const TRIES: usize = 64;

/// Marks the number of a variant that is flipped.
const FLIPPED: u32 = 1 << 30;

/// A batch and what went wrong on the way.
pub(super) struct Prepared {
    pub(super) batch: Batch,
    /// The films, where layers are frozen: the batch has none then.
    pub(super) views: Option<Vec<View>>,
    /// Images that failed for the first time, with the reason.
    pub(super) skipped: Vec<(usize, String)>,
}

/// Makes batches out of the sources.
pub(super) struct Loader<'a> {
    config: &'a Config,
    images: &'a dyn ImageSource,
    texts: Texts<'a>,
    /// Films that can be drawn; the sampler counts these.
    eligible: Vec<usize>,
    sampler: Sampler,
    cache: Mutex<Cache>,
    failed: HashSet<usize>,
    pool: rayon::ThreadPool,
    /// Where layers are frozen.
    frozen: Option<&'a TrunkCache>,
}

/// A film that was drawn, as it is shown in this step.
struct Shown {
    index: usize,
    image: Image,
    flipped: bool,
}

enum Image {
    Pixels(Pixels),
    View(View),
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
        frozen: Option<&'a TrunkCache>,
    ) -> Result<Self, ModelError> {
        let t = &config.training;
        let pool = rayon::ThreadPoolBuilder::new()
            .thread_name(|i| format!("loader-{i}"))
            .num_threads(t.loader_threads)
            .build()
            .map_err(|e| ModelError::Data(format!("loader threads do not start: {e}")))?;
        let film = config.vision.image_size().pow(2);
        // With frozen layers their outputs are kept, and a film is decoded once for each of its few variants.
        let room = if frozen.is_some() { 0 } else { t.cache_mb.saturating_mul(1 << 20) / film.max(1) };
        let paired = t.objective == Objective::InfoNce;
        let eligible: Vec<usize> = (0..images.len()).filter(|&i| !paired || !images.pairs(i).is_empty()).collect();
        let classes = |i: usize| eligible.get(i).map_or(Vec::new(), |&i| present(images.labels(i)));
        let sampler = Sampler::new("images", t.seed, t.image_batch, t.balance, eligible.len(), classes);
        Ok(Self {
            config,
            images,
            texts: Texts::new(t, texts, tokenizer),
            eligible,
            sampler,
            cache: Mutex::new(Cache { films: HashMap::new(), room }),
            failed: HashSet::new(),
            pool,
            frozen,
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
        let mut skipped = Vec::new();
        let films = self.films(step, &mut skipped)?;
        let mut image_labels = Vec::with_capacity(films.len());
        let mut own: Vec<&[usize]> = Vec::with_capacity(films.len());
        for film in &films {
            let labels = self.images.labels(film.index);
            let mirrored = if film.flipped { self.images.mirrored(labels) } else { None };
            image_labels.push(mirrored.unwrap_or_else(|| labels.to_vec()));
            // The report of a film doesn't fit its mirror image.
            own.push(if film.flipped { &[] } else { self.images.pairs(film.index) });
        }
        let Drawn { ids, labels, pairs } = self.texts.draw(step, &own)?;
        let (mut images, mut views) = (Vec::new(), Vec::new());
        for film in films {
            match film.image {
                Image::Pixels(pixels) => images.push(pixels),
                Image::View(view) => views.push(view),
            }
        }
        let batch = Batch { images, image_labels, texts: ids, text_labels: labels, pairs, ..Batch::default() };
        Ok(Prepared { batch, views: self.frozen.map(|_| views), skipped })
    }

    /// The films of a step. One that fails is replaced by another; the same ones fail again after a resume, so that is
    /// reproducible.
    fn films(&mut self, step: u64, skipped: &mut Vec<(usize, String)>) -> Result<Vec<Shown>, ModelError> {
        let (mut wanted, mut rng) = self.sampler.draw(step);
        let mut films: Vec<Shown> = Vec::with_capacity(wanted.len());
        let mut patients = HashSet::new();
        for _ in 0..100 {
            if self.config.training.patient_aware {
                self.one_per_patient(&mut wanted, &mut patients, &mut rng);
            }
            let indices: Vec<(usize, usize)> =
                wanted.iter().filter_map(|&i| self.eligible.get(i).copied()).enumerate().collect();
            let first = films.len();
            let shown: Vec<(usize, Result<Shown, String>)> = self.pool.install(|| {
                indices.par_iter().map(|&(place, index)| (index, self.show(index, first + place, step))).collect()
            });
            wanted.clear();
            for (index, film) in shown {
                match film {
                    Ok(film) => films.push(film),
                    Err(reason) => {
                        if self.failed.insert(index) {
                            skipped.push((index, reason));
                        }
                        wanted.push(self.sampler.balanced_item(&mut rng));
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
        Ok(films)
    }

    /// Film `index` at `place` of the batch of `step`, changed at random.
    fn show(&self, index: usize, place: usize, step: u64) -> Result<Shown, String> {
        let training = &self.config.training;
        let mut rng = sampler::rng(&format!("film {place}"), training.seed, step);
        let Some(cache) = self.frozen else {
            let film = self.film(index)?;
            let flipped = training.flip > 0.0 && rng.random_bool(training.flip);
            let changed = augment(&film, &training.augmentation, &mut rng);
            let pixels = if flipped { mirror(&changed) } else { changed };
            return Ok(Shown { index, image: Image::Pixels(pixels), flipped });
        };
        // One of its few variants, each of which is the same in every run; the first ones are flipped.
        let view = rng.random_range(0..training.frozen_views);
        let flipped = f64::from(view) < (f64::from(training.frozen_views) * training.flip).round();
        let key = (self.images.key(index), if flipped { view | FLIPPED } else { view });
        let view = match cache.get(key) {
            Some(output) => View::Known(output),
            None => {
                let mut rng = sampler::rng("variant", key.0, u64::from(view));
                let pixels = augment(&*self.film(index)?, &training.augmentation, &mut rng);
                View::New { key, pixels: if flipped { mirror(&pixels) } else { pixels } }
            }
        };
        Ok(Shown { index, image: Image::View(view), flipped })
    }

    /// Replaces films of patients that the batch has already; where there is nobody else, the batch gets smaller.
    fn one_per_patient(&self, wanted: &mut Vec<usize>, patients: &mut HashSet<u64>, rng: &mut ChaCha8Rng) {
        let group = |item: usize| self.eligible.get(item).and_then(|&i| self.images.group(i));
        wanted.retain_mut(|item| {
            for _ in 0..TRIES {
                match group(*item) {
                    Some(patient) if !patients.insert(patient) => *item = self.sampler.balanced_item(rng),
                    _ => return true,
                }
            }
            false
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Training;
    use crate::testing::{Films, Lines, tiny, tokenizer};

    fn batches(change: impl FnOnce(&mut Training), films: &Films, steps: u64) -> Vec<Batch> {
        let mut config = tiny();
        change(&mut config.training);
        let tokenizer = tokenizer();
        let mut loader = Loader::new(&config, films, &Lines, &tokenizer, None).unwrap();
        (0..steps).map(|step| loader.prepare(step).unwrap().batch).collect()
    }

    #[test]
    fn a_flipped_film_has_its_sides_swapped_and_no_report() {
        let films = Films::new(12, 1);
        let batch = |flip: f64| {
            let all = batches(
                |t| {
                    t.flip = flip;
                    t.pair_blending = 0.5;
                },
                &films,
                1,
            );
            all.into_iter().next().unwrap()
        };
        let (plain, flipped) = (batch(0.0), batch(1.0));
        assert_eq!((plain.pairs.len(), flipped.pairs.len()), (8, 0));
        for (a, b) in plain.images.iter().zip(&flipped.images) {
            assert_eq!(&mirror(a), b);
        }
        for (a, b) in plain.image_labels.iter().zip(&flipped.image_labels) {
            assert_eq!([a[0], a[1], a[3], a[2]], b[..]);
        }
    }

    #[test]
    fn variants_of_frozen_films_are_few_and_flipped_ones_have_their_sides_swapped() {
        let mut config = tiny();
        (config.training.frozen, config.training.frozen_views, config.training.flip) = (2, 4, 0.5);
        let (films, tokenizer, cache) = (Films::new(5, 1), tokenizer(), TrunkCache::default());
        let mut loader = Loader::new(&config, &films, &Lines, &tokenizer, Some(&cache)).unwrap();
        let mut seen: HashMap<(u64, u32), Pixels> = HashMap::new();
        for step in 0..40 {
            let prepared = loader.prepare(step).unwrap();
            assert!(prepared.batch.images.is_empty());
            for (view, labels) in prepared.views.unwrap().into_iter().zip(prepared.batch.image_labels) {
                let View::New { key, pixels } = view else { panic!("nothing was kept") };
                let [a, b, left, right] = films.films[key.0 as usize].1;
                let flipped = key.1 & FLIPPED != 0;
                assert_eq!(flipped, key.1 & !FLIPPED < 2, "half of four");
                assert_eq!(labels, if flipped { [a, b, right, left] } else { [a, b, left, right] });
                assert_eq!(seen.entry(key).or_insert_with(|| pixels.clone()), &pixels, "a variant is always the same");
            }
        }
        assert_eq!(seen.len(), 5 * 4);
    }

    #[test]
    fn at_most_one_film_of_a_patient_is_in_a_batch() {
        // Films are told apart by their pixels; three films in a row are one patient's.
        let films = Films::new(30, 4);
        let patient = |p: &Pixels| films.films.iter().position(|f| f.0.as_raw() == p.values()).unwrap() / 3;
        let repeats = |aware: bool| -> usize {
            let count = |batch: &Batch| {
                let mut patients: Vec<usize> = batch.images.iter().map(patient).collect();
                patients.sort_unstable();
                patients.dedup();
                batch.images.len() - patients.len()
            };
            batches(|t| t.patient_aware = aware, &films, 20).iter().map(count).sum()
        };
        assert!(repeats(false) > 20);
        assert_eq!(repeats(true), 0);
        // Two patients for a batch of eight.
        let few = Films::new(6, 4);
        assert!(batches(|t| t.patient_aware = true, &few, 5).iter().all(|b| b.images.len() == 2));
    }

    #[test]
    fn info_nce_draws_films_with_reports_only() {
        struct Half(Films);
        impl ImageSource for Half {
            fn len(&self) -> usize {
                self.0.len()
            }
            fn load(&self, index: usize) -> Result<image::DynamicImage, crate::train::SourceError> {
                self.0.load(index)
            }
            fn labels(&self, index: usize) -> &[f32] {
                self.0.labels(index)
            }
            fn pairs(&self, index: usize) -> &[usize] {
                if index < 5 { self.0.pairs(index) } else { &[] }
            }
        }
        let mut config = tiny();
        config.training.objective = Objective::InfoNce;
        let (films, tokenizer) = (Half(Films::new(12, 1)), tokenizer());
        let mut loader = Loader::new(&config, &films, &Lines, &tokenizer, None).unwrap();
        for step in 0..5 {
            let batch = loader.prepare(step).unwrap().batch;
            assert_eq!((batch.images.len(), batch.texts.len()), (8, 8));
            // The sentence of each film names its side.
            for (film, text) in batch.image_labels.iter().zip(&batch.text_labels) {
                assert_eq!((film[2] > 0.0, film[3] > 0.0), (text[2] > 0.0, text[3] > 0.0));
            }
        }
    }
}
