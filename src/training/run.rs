//! A run: from the catalogue to a model in the home.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use thorax_index::Catalogue;
use thorax_models::device::{Choice, device};
use thorax_models::train::{Card, Outcome, Precision, Sources, TrunkCache, Validator};
use thorax_models::{Config, Encoder, Tokenizer};

pub use thorax_models::train::Budget;

use super::card;
use super::dataset::{self, Dataset};
use super::sources::{Films, Texts};
use super::validation::Validation;
use super::watch::Watch;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::interrupt;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Preset, or a TOML file; `None` takes that of the model to start from, else the preset `small`.
    pub preset: Option<String>,
    /// Single values in place of the preset's: `training.label_temperature=0.1`.
    pub set: Vec<String>,
    /// The paper's recipe in place of the preset's.
    pub faithful: bool,
    /// Folder of a model to start from: tokenizer and weights.
    pub from: Option<PathBuf>,
    /// Name of the model; the preset's where there is none.
    pub name: Option<String>,
    /// How long.
    pub budget: Budget,
    /// Forget an unfinished run of this name.
    pub fresh: bool,
    /// Where to compute.
    pub device: Choice,
    /// In which numbers.
    pub precision: Precision,
    /// How often a checkpoint is written.
    pub checkpoint_every: Duration,
}

impl Options {
    /// A run of a preset, with nothing else said.
    pub fn new(preset: &str, budget: Budget) -> Self {
        Self {
            preset: Some(preset.to_owned()),
            set: Vec::new(),
            faithful: false,
            from: None,
            name: None,
            budget,
            fresh: false,
            device: Choice::Auto,
            precision: Precision::F32,
            checkpoint_every: Duration::from_secs(120),
        }
    }

    /// The configuration that comes of preset, `faithful` and `set`, in this order.
    ///
    /// # Errors
    /// There is no such preset, or a value does not fit.
    pub fn config(&self) -> Result<Config> {
        let mut config = match (&self.preset, &self.from) {
            (Some(preset), _) => Config::resolve(preset)?,
            (None, Some(dir)) => Config::load(&dir.join("config.toml"))?,
            (None, None) => Config::preset("small")?,
        };
        if self.faithful {
            config.training = config.training.faithful();
        }
        Ok(config.with(&self.set)?)
    }
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Name of the model in the home.
    pub name: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Films trained on.
    pub films: usize,
    /// Texts trained on.
    pub texts: usize,
    /// Steps.
    pub steps: u64,
    /// Step whose weights were kept.
    pub best_step: u64,
    /// Macro AUC on the validation patients, where there are enough.
    pub validation: Option<f64>,
    /// Seconds of training.
    pub seconds: f64,
    /// Films per second, at the end.
    pub images_per_second: f32,
    /// Average loss at the start of this run.
    pub first_loss: f32,
    /// Average loss at its end.
    pub last_loss: f32,
}

/// Trains on what the catalogue has, and makes the model the home's default.
///
/// The run lies in `models/.<name>.training` until it is done, so that a model that serves stays until it is replaced.
///
/// # Errors
/// The archive has no labelled films or no labelled sentences, the preset is wrong, a file cannot be written, or
/// Ctrl-C was pressed: then a checkpoint is kept and the same call goes on from it.
pub fn train(home: &Home, catalogue: &Catalogue, options: Options) -> Result<Summary> {
    let config = options.config()?;
    let name = options.name.clone().unwrap_or_else(|| config.name.clone());
    let data = dataset::gather(catalogue)?;
    refuse_too_little(&data)?;
    eprintln!("training on {} films {:?}", data.films.len(), data.films_by_source);
    eprintln!("        and {} texts {:?}", data.texts.len(), data.texts_by_source);

    let target = home.model_dir(&name)?;
    let work = target.with_file_name(format!(".{name}.training"));
    if options.fresh && work.exists() {
        fs_err::remove_dir_all(&work)?;
    }
    let validation = Validation::gather(catalogue)?;
    let trained = run(&config, &options, &data, Some(&validation), &work, None)?;
    put_in_place(&work, &target)?;
    home.set_default_model(&name)?;
    Ok(Summary { name, ..trained })
}

/// Trains in the folder `work`. Without a `validator` the last weights are kept.
///
/// # Errors
/// See [`train`].
pub fn run(
    config: &Config,
    options: &Options,
    data: &Dataset,
    validator: Option<&dyn Validator>,
    work: &Path,
    trunk_cache: Option<Arc<TrunkCache>>,
) -> Result<Summary> {
    let mut run = thorax_models::train::Options::new(config.clone(), work, device(options.device)?, options.budget);
    run.precision = options.precision;
    run.from = options.from.clone();
    run.checkpoint_every = options.checkpoint_every;
    run.trunk_cache = trunk_cache;
    run.notes = card::notes(data, options);

    let mut watch = Watch::new(&data.films);
    let (films, texts) = (Films(&data.films), Texts::new(&data.texts));
    let sources = Sources { images: &films, texts: &texts, validator: validator.filter(|v| v.films() > 0) };
    let outcome = thorax_models::train::train(&run, sources, interrupt::flag(), &mut |event| watch.observe(event))?;
    watch.progress.finish();
    let model = match outcome {
        Outcome::Finished(card) => card,
        Outcome::Stopped { step } => {
            eprintln!("stopped after step {step}; the checkpoint is kept");
            return Err(Error::Interrupted);
        }
    };
    card::write(work, &model, config)?;
    Ok(summary(&model, &watch))
}

fn summary(card: &Card, watch: &Watch<'_>) -> Summary {
    Summary {
        name: String::new(),
        fingerprint: card.fingerprint.clone(),
        films: card.images,
        texts: card.texts,
        steps: card.steps,
        best_step: card.best_step,
        validation: card.validation,
        seconds: card.seconds,
        images_per_second: watch.last.map_or(0.0, |p| p.images_per_second),
        first_loss: watch.first.unwrap_or(0.0),
        last_loss: card.loss,
    }
}

/// An encoder with random weights and a tokenizer made from the archive: the figure before training.
///
/// # Errors
/// There is no text to make a tokenizer from, or the temporary folder cannot be written.
pub fn untrained(catalogue: &Catalogue, config: &Config) -> Result<Encoder> {
    let data = dataset::gather(catalogue)?;
    let sentences = data.texts.iter().map(|text| text.text.as_str());
    let tokenizer = Tokenizer::train(sentences, config.text.vocab_size, config.text.max_tokens)?;
    let dir = tempfile::tempdir()?;
    thorax_models::encoder::random(config, &tokenizer, config.training.seed, dir.path())?;
    Ok(Encoder::load(dir.path(), &device(Choice::Auto)?)?)
}

fn refuse_too_little(data: &Dataset) -> Result<()> {
    if data.films.is_empty() {
        return Err(Error::Caller(
            "no labelled film to train on: import an archive with labels or reports, such as nih or phantom".to_owned(),
        ));
    }
    Ok(())
}

/// Replaces the model of that name by the new one.
fn put_in_place(work: &Path, target: &Path) -> Result<()> {
    let old = work.with_extension("old");
    if target.exists() {
        fs_err::rename(target, &old)?;
    }
    fs_err::rename(work, target)?;
    if old.exists() {
        fs_err::remove_dir_all(&old)?;
    }
    Ok(())
}
