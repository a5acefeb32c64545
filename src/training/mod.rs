//! Binds an archive to the trainer of `thorax-models`.
//!
//! - [`split`] who is trained on, validated on, held out: by patient
//! - [`labels`] the signed label vector
//! - [`dataset`] films and sentences of the training patients
//! - [`train`] a run, from the catalogue to a model in the home

pub mod dataset;
pub mod labels;
pub mod split;

use std::borrow::Cow;
use std::path::PathBuf;

use image::DynamicImage;
use serde::Serialize;
use serde_json::json;
use thorax_index::Catalogue;
use thorax_models::device::{Choice, device};
use thorax_models::train::{Event, ImageSource, Outcome, SourceError, TextSource};
use thorax_models::{Config, Encoder, Tokenizer};

pub use thorax_models::train::Budget;

use crate::archive::load_image;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::interrupt;
use crate::progress::Progress;
use dataset::{Dataset, LabelledFilm, LabelledText};

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Preset, or a TOML file.
    pub preset: String,
    /// Name of the model; the preset's where there is none.
    pub name: Option<String>,
    /// How long.
    pub budget: Budget,
    /// Forget an unfinished run of this name.
    pub fresh: bool,
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
    let config = Config::resolve(&options.preset)?;
    let name = options.name.unwrap_or_else(|| config.name.clone());
    let data = dataset::gather(catalogue)?;
    refuse_too_little(&data)?;
    eprintln!("training on {} films {:?}", data.films.len(), data.films_by_source);
    eprintln!("        and {} texts {:?}", data.texts.len(), data.texts_by_source);

    let target = home.model_dir(&name)?;
    let work = target.with_file_name(format!(".{name}.training"));
    if options.fresh && work.exists() {
        fs_err::remove_dir_all(&work)?;
    }
    let device = device(Choice::Auto)?;
    let mut run = thorax_models::train::Options::new(config, &work, device, options.budget);
    run.notes = notes(&data);

    let mut watch = Watch::new(&data.films);
    let (films, texts) = (Films(&data.films), Texts(&data.texts));
    let outcome =
        thorax_models::train::train(&run, &films, &texts, interrupt::flag(), &mut |event| watch.observe(event))?;
    watch.progress.finish();
    let card = match outcome {
        Outcome::Finished(card) => card,
        Outcome::Stopped { step } => {
            eprintln!("stopped after step {step}; the checkpoint is kept");
            return Err(Error::Interrupted);
        }
    };
    put_in_place(&work, &target)?;
    home.set_default_model(&name)?;
    Ok(Summary {
        name,
        fingerprint: card.fingerprint,
        films: data.films.len(),
        texts: data.texts.len(),
        steps: watch.last.map_or(0, |p| p.step),
        seconds: watch.last.map_or(0.0, |p| p.seconds),
        images_per_second: watch.last.map_or(0.0, |p| p.images_per_second),
        first_loss: watch.first.unwrap_or(0.0),
        last_loss: watch.last.map_or(0.0, |p| p.average_loss),
    })
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

fn notes(data: &Dataset) -> serde_json::Map<String, serde_json::Value> {
    let mut notes = serde_json::Map::new();
    notes.insert("films_by_source".to_owned(), json!(data.films_by_source));
    notes.insert("texts_by_source".to_owned(), json!(data.texts_by_source));
    notes.insert("labels".to_owned(), json!(labels::names()));
    notes.insert("split".to_owned(), json!("by hash of the patient: 70% train, 10% validation, 20% test"));
    notes.insert("use".to_owned(), json!("search for similar studies; not for diagnosis"));
    notes
}

/// Replaces the model of that name by the new one.
fn put_in_place(work: &std::path::Path, target: &std::path::Path) -> Result<()> {
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

/// Shows a run on stderr.
struct Watch<'a> {
    films: &'a [LabelledFilm],
    progress: Progress,
    first: Option<f32>,
    last: Option<thorax_models::train::Progress>,
}

/// The bar counts thousandths of the budget: it can be in steps or in minutes.
const BAR: u64 = 1000;

impl<'a> Watch<'a> {
    fn new(films: &'a [LabelledFilm]) -> Self {
        Self { films, progress: Progress::new("training", Some(BAR)), first: None, last: None }
    }

    fn observe(&mut self, event: Event<'_>) {
        match event {
            Event::Started { parameters, vocabulary, step } => {
                let resumed = if step > 0 { format!(", going on from step {step}") } else { String::new() };
                self.progress.note(&format!("{parameters} parameters, {vocabulary} tokens{resumed}"));
            }
            Event::Step(at) => {
                self.first.get_or_insert(at.average_loss);
                let note = format!(
                    "step {}, loss {:.3}, {:.0} images/s, rate {:.1e}",
                    at.step, at.average_loss, at.images_per_second, at.learning_rate
                );
                self.progress.set((at.fraction * BAR as f64) as u64, &note);
                self.last = Some(at);
            }
            Event::ImageSkipped { index, reason } => {
                let path = self.films.get(index).map_or(PathBuf::new(), |film| film.path.clone());
                self.progress.note(&format!("left out: {}: {reason}", path.display()));
            }
            Event::Checkpoint { step, .. } => tracing::info!("checkpoint after step {step}"),
        }
    }
}

struct Films<'a>(&'a [LabelledFilm]);

impl ImageSource for Films<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn load(&self, index: usize) -> std::result::Result<DynamicImage, SourceError> {
        let film = self.0.get(index).ok_or("there is no such film")?;
        Ok(load_image(&film.path)?)
    }

    fn labels(&self, index: usize) -> &[f32] {
        self.0.get(index).map_or(&[], |film| film.labels.as_slice())
    }
}

struct Texts<'a>(&'a [LabelledText]);

impl TextSource for Texts<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn text(&self, index: usize) -> Cow<'_, str> {
        self.0.get(index).map_or(Cow::Borrowed(""), |text| Cow::Borrowed(text.text.as_str()))
    }

    fn labels(&self, index: usize) -> &[f32] {
        self.0.get(index).map_or(&[], |text| text.labels.as_slice())
    }
}
