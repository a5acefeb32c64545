//! The training loop.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use candle_core::DType;

use super::card::Card;
use super::checkpoint::{self, State};
use super::learner::{AUXILIARY, Batch, Learner, Losses};
use super::loader::{AHEAD, Loader};
use super::optimizer::AdamW;
use super::options::{Budget, Event, Options, Outcome, Progress, default_shards};
use super::schedule;
use super::source::{self, ImageSource, TextSource};
use crate::config::Config;
use crate::encoder::{self, CARD_FILE, CHECKPOINT_FILE, CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE};
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
    images: &dyn ImageSource,
    texts: &dyn TextSource,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, ModelError> {
    options.config.validate()?;
    let labels = source::check(images, texts)?;
    let out = &options.out;
    if out.join(WEIGHTS_FILE).exists() {
        return Err(ModelError::AlreadyTrained { dir: out.clone() });
    }
    fs_err::create_dir_all(out).map_err(ModelError::io(out))?;
    let path = out.join(CHECKPOINT_FILE);
    let resumed = path.exists();
    let (config, tokenizer) = if resumed { reopen(options, &path)? } else { prepare(options, texts)? };

    let shards = options.shards.unwrap_or_else(default_shards);
    let learner = Learner::new(&config, &tokenizer, labels, DType::F32, &options.device, shards)?;
    let adam = AdamW::new(learner.parameters(), config.training.weight_decay, config.training.clip_norm)?;
    let fresh = State { step: 0, seconds: 0.0, average_loss: None, images: images.len(), texts: texts.len(), labels };
    let state = if resumed { checkpoint::resume(&path, &adam, &fresh, &options.device)? } else { fresh };
    let parameters = learner.parameters().iter().map(|(_, v)| v.elem_count()).sum();
    observe(Event::Started { parameters, vocabulary: config.text.vocab_size, step: state.step });

    let loader = Loader::new(&config, images, texts, &tokenizer)?;
    let mut run = Run { options, config: &config, learner: &learner, adam, state, path: &path, skipped: 0 };
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
    run.finish(&tokenizer, parameters).map(Outcome::Finished)
}

/// Trains the tokenizer and writes what a resume needs.
fn prepare(options: &Options, texts: &dyn TextSource) -> Result<(Config, Tokenizer), ModelError> {
    let mut config = options.config.clone();
    let sentences = (0..texts.len()).map(|i| texts.text(i));
    let tokenizer = Tokenizer::train(sentences, config.text.vocab_size, config.text.max_tokens)?;
    config.text.vocab_size = tokenizer.vocab_size().max(8);
    config.validate()?;
    weights::write_atomically(&options.out.join(TOKENIZER_FILE), tokenizer.to_json().as_bytes())?;
    weights::write_atomically(&options.out.join(CONFIG_FILE), config.to_toml()?.as_bytes())?;
    Ok((config, tokenizer))
}

/// Reads them again; the configuration must be the same.
fn reopen(options: &Options, checkpoint: &Path) -> Result<(Config, Tokenizer), ModelError> {
    let stored = Config::load(&options.out.join(CONFIG_FILE))?;
    let mut wanted = options.config.clone();
    wanted.text.vocab_size = stored.text.vocab_size;
    if wanted != stored {
        return Err(ModelError::CheckpointMismatch {
            path: checkpoint.to_owned(),
            what: "the configuration",
            then: format!("as in {CONFIG_FILE} beside it"),
            now: "another".to_owned(),
        });
    }
    let tokenizer = Tokenizer::load(&options.out.join(TOKENIZER_FILE), stored.text.max_tokens)?;
    Ok((stored, tokenizer))
}

struct Run<'a> {
    options: &'a Options,
    config: &'a Config,
    learner: &'a Learner,
    adam: AdamW,
    state: State,
    path: &'a Path,
    skipped: usize,
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
        batches: impl Iterator<Item = Result<super::loader::Prepared, ModelError>>,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> Result<bool, ModelError> {
        let before = self.state.seconds;
        let start = Instant::now();
        let (mut last_saved, mut last_step) = (start, start);
        let mut speed: Option<f32> = None;
        let mut batches = batches;
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
            for (index, reason) in prepared.skipped {
                self.skipped += 1;
                observe(Event::ImageSkipped { index, reason });
            }
            // The middle of the step, so that neither the first nor the last one has a rate of zero.
            let rate = self.config.training.learning_rate
                * schedule::factor(
                    self.spent(self.state.step as f64 + 0.5, self.state.seconds),
                    self.config.training.warmup,
                );
            let films = prepared.batch.images.len();
            // Within the thread pool, so that the many small parallel sections don't each have to wake it.
            let losses = rayon::scope(|_| self.learn(&prepared.batch, rate))?;
            self.state.step += 1;
            self.state.seconds = before + start.elapsed().as_secs_f64();
            let now = films as f32 / last_step.elapsed().as_secs_f32().max(1e-6);
            last_step = Instant::now();
            let smooth = |old: Option<f32>, new: f32, share: f32| old.map_or(new, |old| old + share * (new - old));
            speed = Some(smooth(speed, now, 0.1));
            self.state.average_loss = Some(smooth(self.state.average_loss, losses.total, 0.02));
            observe(Event::Step(self.progress(losses, speed.unwrap_or(0.0), rate)));
            if last_saved.elapsed() >= self.options.checkpoint_every {
                self.save(observe)?;
                last_saved = Instant::now();
            }
        }
    }

    /// One step of the optimiser.
    fn learn(&mut self, batch: &Batch, rate: f64) -> Result<Losses, ModelError> {
        let (losses, gradients) = self.learner.gradients(batch, self.state.step)?;
        if !losses.total.is_finite() {
            return Err(ModelError::Diverged { step: self.state.step, loss: losses.total });
        }
        self.adam.step(&gradients, self.state.step + 1, rate)?;
        self.clamp_logit_scale()?;
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

    fn save(&self, observe: &mut dyn FnMut(Event<'_>)) -> Result<(), ModelError> {
        checkpoint::save(self.path, &self.adam, &self.state)?;
        observe(Event::Checkpoint { step: self.state.step, path: self.path });
        Ok(())
    }

    /// Writes the model, then its card, and removes the checkpoint.
    fn finish(self, tokenizer: &Tokenizer, parameters: usize) -> Result<Card, ModelError> {
        let out = &self.options.out;
        let tensors = self
            .learner
            .parameters()
            .iter()
            .filter(|(name, _)| !name.starts_with(AUXILIARY))
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect();
        let fingerprint = encoder::write_model(out, self.config, tokenizer, &tensors)?;
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
