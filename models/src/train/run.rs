//! The training loop.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use candle_core::{DType, Tensor};

use super::card::Card;
use super::checkpoint::{self, Best, Kept, State};
use super::curves::Curves;
use super::ema::Ema;
use super::frozen::TrunkCache;
use super::learner::{AUXILIARY, Batch, Learner, Losses};
use super::loader::{AHEAD, Loader, Prepared};
use super::optimizer::AdamW;
use super::options::{Budget, Event, Options, Outcome, Progress, default_shards};
use super::source::{self, Sources};
use super::validate::Validation;
use super::{schedule, start};
use crate::config::Config;
use crate::encoder::{self, CARD_FILE, CHECKPOINT_FILE, CURVES_FILE, Encoder, WEIGHTS_FILE};
use crate::error::ModelError;
use crate::medclip::LOGIT_SCALE;
use crate::tokenizer::Tokenizer;
use crate::weights;

/// Trains a model into `options.out`, or goes on with the checkpoint of the same run that lies there.
///
/// `observe` is called on this thread. When `stop` becomes true, the step at hand is finished, a checkpoint is written and
/// [`Outcome::Stopped`] returned; the same call goes on from there. With a budget in steps and the same number of shards a
/// resumed run gives the same weights as an uninterrupted one, to the bit. With a budget in minutes it can't, as the
/// learning rate follows the clock.
pub fn train(
    options: &Options,
    sources: Sources<'_>,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, ModelError> {
    options.config.validate()?;
    let labels = source::check(&options.config.training, sources)?;
    let compute = options.precision.dtype(&options.device)?;
    let out = &options.out;
    if out.join(WEIGHTS_FILE).exists() {
        return Err(ModelError::AlreadyTrained { dir: out.clone() });
    }
    fs_err::create_dir_all(out).map_err(ModelError::io(out))?;
    let path = out.join(CHECKPOINT_FILE);
    let resumed = path.exists();
    let (config, tokenizer) =
        if resumed { start::reopen(options, &path)? } else { start::prepare(options, sources.texts)? };

    let shards = options.shards.unwrap_or_else(default_shards);
    let learner = Learner::new(&config, &tokenizer, labels, DType::F32, &options.device, shards)?.computing_in(compute);
    let parameters = learner.parameters().iter().map(|(_, v)| v.elem_count()).sum();
    if let Some(dir) = options.from.as_ref().filter(|_| !resumed) {
        observe(Event::Initial(&weights::load_into(dir, learner.parameters(), &[])?));
    }
    let training = &config.training;
    let adam = AdamW::new(learner.parameters(), training.weight_decay, training.clip_norm)?;
    let ema = if training.ema_decay > 0.0 { Some(Ema::new(learner.parameters(), training.ema_decay)?) } else { None };
    let fresh = State::new(sources.images.len(), sources.texts.len(), labels, options.from.clone());
    let (state, best) = if resumed {
        checkpoint::resume(&path, &adam, ema.as_ref(), &fresh, &options.device)?
    } else {
        (fresh, BTreeMap::new())
    };
    observe(Event::Started { parameters, vocabulary: config.text.vocab_size, step: state.step });

    let cache = options.trunk_cache.clone().unwrap_or_else(|| Arc::new(TrunkCache::default()));
    let frozen = (training.frozen > 0).then_some(&*cache);
    let room = training.cache_mb.saturating_mul(1 << 20);
    if frozen.is_some() {
        cache.begin(&learner.trunk_identity()?, room);
    }
    if learner.texts_are_frozen() {
        cache.begin_texts(&learner.text_identity()?, room);
    }
    let loader = Loader::new(&config, sources.images, sources.texts, &tokenizer, frozen)?;
    let mut run = Run {
        options,
        config: &config,
        tokenizer: &tokenizer,
        learner: &learner,
        adam,
        ema,
        best,
        validation: sources.validator.map(|validator| Validation::new(validator, &learner, &cache)),
        curves: Curves::open(&out.join(CURVES_FILE), state.step)?,
        state,
        path: &path,
        cache: &cache,
        skipped: 0,
        full: false,
    };
    let finished = std::thread::scope(|scope| {
        let (sender, batches) = sync_channel(AHEAD);
        let first = run.state.step;
        scope.spawn(move || loader.run(first, &sender));
        // `batches` is dropped at the end of this closure, before the scope waits, and that ends the loader.
        run.steps(batches.iter(), stop, observe)
    })?;
    if !finished {
        return Ok(Outcome::Stopped { step: run.state.step });
    }
    run.finish(parameters, observe).map(Outcome::Finished)
}

struct Run<'a> {
    options: &'a Options,
    config: &'a Config,
    tokenizer: &'a Tokenizer,
    learner: &'a Learner,
    adam: AdamW,
    ema: Option<Ema>,
    /// The best weights of the model so far.
    best: BTreeMap<String, Tensor>,
    validation: Option<Validation<'a>>,
    curves: Curves,
    state: State,
    path: &'a Path,
    cache: &'a TrunkCache,
    skipped: usize,
    full: bool,
}

impl Run<'_> {
    /// Share of the budget that is spent after `steps` steps and `seconds`.
    fn spent(&self, steps: f64, seconds: f64) -> f64 {
        match self.options.budget {
            Budget::Steps(total) => steps / total.max(1) as f64,
            Budget::Minutes(minutes) => seconds / (minutes * 60.0).max(1e-3),
        }
    }

    /// Goes on until the budget is spent (true) or the stop flag is raised (false).
    fn steps(
        &mut self,
        mut batches: impl Iterator<Item = Result<Prepared, ModelError>>,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> Result<bool, ModelError> {
        let before = self.state.seconds;
        let start = Instant::now();
        let (mut last_saved, mut last_step) = (start, start);
        let mut speed: Option<f32> = None;
        loop {
            if self.spent(self.state.step as f64, self.state.seconds) >= 1.0 {
                return Ok(true);
            }
            if stop.load(Ordering::Relaxed) {
                self.save(observe)?;
                return Ok(false);
            }
            let Some(prepared) = batches.next().transpose()? else {
                return Err(ModelError::Data("the loader stopped".to_owned()));
            };
            for (index, reason) in &prepared.skipped {
                self.skipped += 1;
                observe(Event::ImageSkipped { index: *index, reason: reason.clone() });
            }
            // The middle of the step, so that neither the first nor the last one has a rate of zero.
            let rate = self.config.training.learning_rate
                * schedule::factor(
                    self.spent(self.state.step as f64 + 0.5, self.state.seconds),
                    self.config.training.warmup,
                );
            let films = prepared.batch.image_labels.len();
            // Within the thread pool, so that the many small parallel sections don't each have to wake it.
            let losses = rayon::scope(|_| self.learn(prepared, rate))?;
            self.state.step += 1;
            self.state.seconds = before + start.elapsed().as_secs_f64();
            let now = films as f32 / last_step.elapsed().as_secs_f32().max(1e-6);
            let smooth = |old: Option<f32>, new: f32, share: f32| old.map_or(new, |old| old + share * (new - old));
            speed = Some(smooth(speed, now, 0.1));
            self.state.average_loss = Some(smooth(self.state.average_loss, losses.total, 0.02));
            let progress = self.progress(losses, speed.unwrap_or(0.0), rate);
            self.curves.step(&progress)?;
            observe(Event::Step(progress));
            if !self.full && self.cache.is_full() {
                self.full = true;
                observe(Event::CacheFull);
            }
            let every = self.config.training.validate_every;
            if every > 0 && self.state.step.is_multiple_of(every) {
                self.validate(observe)?;
                self.state.seconds = before + start.elapsed().as_secs_f64();
            }
            last_step = Instant::now();
            if last_saved.elapsed() >= self.options.checkpoint_every {
                self.save(observe)?;
                last_saved = Instant::now();
            }
        }
    }

    /// One step of the optimiser.
    fn learn(&mut self, prepared: Prepared, rate: f64) -> Result<Losses, ModelError> {
        let trunk = prepared.views.map(|views| self.learner.trunk(&views, self.cache)).transpose()?;
        let mut batch = Batch { trunk, ..prepared.batch };
        if self.learner.texts_are_frozen() {
            batch.text_features = Some(self.learner.text_features(&batch.texts, self.cache)?);
        }
        let (losses, gradients) = self.learner.gradients(&batch, self.state.step)?;
        if !losses.total.is_finite() {
            return Err(ModelError::Diverged { step: self.state.step, loss: losses.total });
        }
        self.adam.step(&gradients, self.state.step + 1, rate)?;
        self.clamp_logit_scale()?;
        if let Some(ema) = &self.ema {
            ema.update(self.state.step + 1, &gradients)?;
        }
        Ok(losses)
    }

    fn progress(&self, losses: Losses, images_per_second: f32, learning_rate: f64) -> Progress {
        Progress {
            step: self.state.step,
            total: match self.options.budget {
                Budget::Steps(total) => Some(total),
                Budget::Minutes(_) => None,
            },
            fraction: self.spent(self.state.step as f64, self.state.seconds).min(1.0),
            loss: losses.total,
            average_loss: self.state.average_loss.unwrap_or(losses.total),
            matching: losses.matching,
            auxiliary: losses.auxiliary,
            questions: losses.questions,
            images_per_second,
            learning_rate,
            seconds: self.state.seconds,
        }
    }

    fn clamp_logit_scale(&self) -> Result<(), ModelError> {
        let max = self.config.projection.logit_scale_max;
        if let Some((_, scale)) = self.learner.parameters().iter().find(|(name, _)| name == LOGIT_SCALE) {
            scale.set(&scale.clamp(0.0, max)?)?;
        }
        Ok(())
    }

    /// The model's weights as they would be saved now: the averages where there are any.
    fn weights(&self) -> BTreeMap<String, Tensor> {
        let all: BTreeMap<String, Tensor> = match &self.ema {
            Some(ema) => ema.tensors(),
            None => self.learner.parameters().iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect(),
        };
        all.into_iter().filter(|(name, _)| !name.starts_with(AUXILIARY)).map(|(n, t)| (n, t.detach())).collect()
    }

    /// Scores the weights on the validation patients, and keeps them if they are the best so far.
    fn validate(&mut self, observe: &mut dyn FnMut(Event<'_>)) -> Result<(), ModelError> {
        let weights = self.weights();
        let Some(validation) = &mut self.validation else { return Ok(()) };
        self.state.validated = self.state.step;
        let encoder = Encoder::of_tensors(self.config, self.tokenizer, &weights, &self.options.device)?;
        let Some(score) = rayon::scope(|_| validation.score(&encoder))? else { return Ok(()) };
        let best = self.state.best.as_ref().is_none_or(|best| score.value > best.value);
        self.curves.validation(self.state.step, score.value, best, &score.details)?;
        observe(Event::Validated { step: self.state.step, value: score.value, best });
        if best {
            // The optimiser changes tensors in place, so the best ones are copies.
            let copies = weights.into_iter().map(|(name, tensor)| Ok((name, tensor.copy()?)));
            self.best = copies.collect::<Result<_, ModelError>>()?;
            self.state.best = Some(Best { step: self.state.step, value: score.value, details: score.details });
        }
        Ok(())
    }

    fn save(&self, observe: &mut dyn FnMut(Event<'_>)) -> Result<(), ModelError> {
        let kept = Kept { adam: &self.adam, ema: self.ema.as_ref(), best: &self.best };
        checkpoint::save(self.path, &kept, &self.state)?;
        observe(Event::Checkpoint { step: self.state.step, path: self.path });
        Ok(())
    }

    /// Writes the best weights, then the card, and removes the checkpoint.
    fn finish(mut self, parameters: usize, observe: &mut dyn FnMut(Event<'_>)) -> Result<Card, ModelError> {
        if self.state.validated < self.state.step {
            self.validate(observe)?;
        }
        let out = &self.options.out;
        let tensors = if self.best.is_empty() { self.weights() } else { std::mem::take(&mut self.best) };
        let fingerprint = encoder::write_model(out, self.config, self.tokenizer, &tensors)?;
        let best = self.state.best;
        let card = Card {
            preset: self.config.name.clone(),
            fingerprint,
            dimension: self.config.projection.dimension,
            parameters,
            images: self.state.images,
            images_skipped: self.skipped,
            texts: self.state.texts,
            labels: self.state.labels,
            steps: self.state.step,
            best_step: best.as_ref().map_or(self.state.step, |best| best.step),
            validation: best.as_ref().map(|best| best.value),
            validation_details: best.map_or(serde_json::Value::Null, |best| best.details),
            seconds: self.state.seconds,
            loss: self.state.average_loss.unwrap_or(f32::NAN),
            notes: self.options.notes.clone(),
        };
        let json = serde_json::to_string_pretty(&card).map_err(|e| ModelError::Data(e.to_string()))?;
        weights::write_atomically(&out.join(CARD_FILE), json.as_bytes())?;
        if self.path.exists() {
            fs_err::remove_file(self.path).map_err(ModelError::io(self.path))?;
        }
        Ok(card)
    }
}
