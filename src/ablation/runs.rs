//! Trains and scores each variant with each seed. A finished run leaves a small file of scores and is not run again; one that
//! was interrupted goes on from its checkpoint. The last weights are scored: choosing among them is another question.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thorax_index::Catalogue;
use thorax_models::Config;
use thorax_models::config::{Augmentation, Vision};
use thorax_models::device::{Choice, device};
use thorax_models::train::{Budget, Card, Precision, TrunkCache};

use super::compare::{Report, Scored, compare, joined};
use super::held_out::{HeldOut, UNREADABLE};
use super::plan::{Plan, Variant};
use crate::archive::Study;
use crate::error::{Error, Result};
use crate::evaluation::cohort;
use crate::evaluation::per_finding::scorable;
use crate::training::dataset::{Dataset, gather_some};
use crate::training::run::{self, Options as Training};
use crate::training::selection::Selection;
use crate::training::split::Part;

/// What is wanted beside the plan.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the runs.
    pub out: PathBuf,
    /// Folder of a model that every run starts from.
    pub from: Option<PathBuf>,
    /// Where to compute.
    pub device: Choice,
    /// In which numbers.
    pub precision: Precision,
    /// Keep the models; else only their scores stay.
    pub keep_models: bool,
}

/// The scores of one run on the held-out films, as they lie on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Finished {
    /// What the run was: another plan is not mistaken for it.
    identity: String,
    /// For each finding a score for each film.
    scores: Vec<Vec<f32>>,
    /// Seconds of training.
    seconds: f64,
}

/// Runs a plan, or what is left of it, and compares.
///
/// # Errors
/// There is nothing to train on or to score, a run fails, or Ctrl-C was pressed: then the same call goes on.
pub fn ablate(catalogue: &Catalogue, plan: &Plan, options: &Options) -> Result<Report> {
    let parts = Part::all(plan.folds);
    let of_source = |study: &Study| plan.source.is_empty() || study.source == plan.source;
    let mut films = Vec::new();
    for part in &parts {
        films.push(cohort::films_where(catalogue, |s| of_source(s) && part.scores(&s.patient))?);
    }
    let all = films.concat();
    let findings = scorable(&all);
    if findings.is_empty() {
        return Err(Error::Caller("no finding has enough held-out films to score".to_owned()));
    }
    let held_out: Vec<HeldOut> = films.into_iter().map(|films| HeldOut::new(films, findings.clone())).collect();
    // One for each image encoder and way to change films: variants take turns, and a cache forgets what was before.
    // Each takes up to `training.cache_mb`.
    let mut caches: Vec<((Vision, Augmentation), Arc<TrunkCache>)> = Vec::new();
    let mut data: Vec<(Part, Selection, Dataset)> = Vec::new();
    let mut scored: BTreeMap<String, Vec<Scored>> = BTreeMap::new();
    for seed in 0..plan.seeds {
        for variant in &plan.variants {
            let selection = plan.data_of(variant);
            let config = plan.config(variant, seed)?;
            let shown = (config.vision, config.training.augmentation);
            if !caches.iter().any(|(of, _)| *of == shown) {
                caches.push((shown.clone(), Arc::default()));
            }
            let Some((_, cache)) = caches.iter().find(|(of, _)| *of == shown) else { continue };
            let mut folds = Vec::new();
            for (part, held_out) in parts.iter().zip(&held_out) {
                if !data.iter().any(|(of, s, _)| of == part && s == selection) {
                    data.push((*part, selection.clone(), gather_some(catalogue, selection, *part)?));
                }
                let Some((_, _, data)) = data.iter().find(|(of, s, _)| of == part && s == selection) else { continue };
                let run = Run { plan, variant, seed, options, data, held_out, part: *part };
                let Finished { scores, seconds, .. } = run.finished(cache)?;
                folds.push(Scored { scores, seconds, films: data.films.len(), texts: data.texts.len() });
            }
            scored.entry(variant.folder()).or_default().push(joined(folds));
        }
    }
    let runs = |variant: &Variant| (variant.name.clone(), scored.remove(&variant.folder()).unwrap_or_default());
    compare(plan, &all, &findings, plan.variants.iter().map(runs).collect())
}

struct Run<'a> {
    plan: &'a Plan,
    variant: &'a Variant,
    seed: u64,
    options: &'a Options,
    data: &'a Dataset,
    held_out: &'a HeldOut,
    part: Part,
}

impl Run<'_> {
    /// The scores of this run: those that lie there, or those of a run that is done now.
    fn finished(&self, cache: &Arc<TrunkCache>) -> Result<Finished> {
        let mut config = self.plan.config(self.variant, self.seed)?;
        config.training.validate_every = 0;
        let identity = self.identity(&config)?;
        let fold = match self.part {
            Part::Split => String::new(),
            Part::Fold { scored, of } => format!("-fold-{}-of-{of}", scored + 1),
        };
        let work = self.options.out.join(format!("{}-{}{fold}", self.variant.folder(), self.seed));
        let path = work.with_extension("json");
        if path.exists() {
            let text = fs_err::read_to_string(&path)?;
            return match serde_json::from_str::<Finished>(&text) {
                Ok(finished) if finished.identity == identity => Ok(finished),
                _ => Err(Error::Caller(format!(
                    "{} is of another plan, archive or version: choose another --out or remove the file",
                    path.display()
                ))),
            };
        }
        let (name, films, texts) = (&self.variant.name, self.data.films.len(), self.data.texts.len());
        eprintln!("{name}, seed {}{}: {films} films, {texts} texts", self.seed, fold.replace('-', " "));
        if films == 0 || texts == 0 {
            return Err(Error::Caller(format!("variant '{name}' leaves no films or no texts to train on")));
        }
        let (scores, seconds) = self.scores(&config, cache, &work)?;
        let finished = Finished { identity, scores, seconds };
        write(&path, &serde_json::to_string(&finished)?)?;
        if !self.options.keep_models {
            fs_err::remove_dir_all(&work)?;
        }
        Ok(finished)
    }

    /// Trains and scores. One that was trained, but stopped before its scores were written, is only scored.
    fn scores(&self, config: &Config, cache: &Arc<TrunkCache>, work: &Path) -> Result<(Vec<Vec<f32>>, f64)> {
        if work.join("model.safetensors").is_file() && work.join("card.json").is_file() {
            let scores = self.held_out.of_model(work, &device(self.options.device)?)?;
            return Ok((scores, Card::load(work)?.seconds));
        }
        let options = Training {
            set: self.variant.set.clone(),
            faithful: self.variant.faithful,
            from: self.options.from.clone(),
            device: self.options.device,
            precision: self.options.precision,
            checkpoint_every: Duration::from_secs(60),
            ..Training::new(&self.plan.preset, Budget::Steps(self.plan.steps))
        };
        let trained = run::run(config, &options, self.data, Some(self.held_out), work, Some(cache.clone()))?;
        let scores = self.held_out.take().ok_or_else(|| Error::Caller(UNREADABLE.to_owned()))?;
        Ok((scores, trained.seconds))
    }

    /// A hash of all that the scores depend on.
    fn identity(&self, config: &Config) -> Result<String> {
        let from = self.options.from.as_ref().map(|dir| fs_err::read(dir.join("model.safetensors"))).transpose()?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&from.unwrap_or_default()).update(self.held_out.identity().as_bytes());
        hasher.update(config.to_toml()?.as_bytes()).update(&self.plan.steps.to_le_bytes());
        for film in &self.data.films {
            hasher.update(&film.key.to_le_bytes());
            hash_labels(&mut hasher, &film.labels);
        }
        for text in &self.data.texts {
            hasher.update(text.text.as_bytes());
            hash_labels(&mut hasher, &text.labels);
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}

fn hash_labels(hasher: &mut blake3::Hasher, labels: &[f32]) {
    for value in labels {
        hasher.update(&value.to_le_bytes());
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    let temporary = path.with_extension("json.tmp");
    fs_err::write(&temporary, text)?;
    fs_err::rename(temporary, path)?;
    Ok(())
}
