//! Trains and scores each variant with each seed. A finished run leaves a small file of scores and is not run again; one that
//! was interrupted goes on from its checkpoint.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thorax_index::Catalogue;
use thorax_models::device::{Choice, device};
use thorax_models::train::{Budget, Precision, TrunkCache};
use thorax_models::{Config, Encoder};

use super::compare::{Report, Scored, compare};
use super::plan::{Plan, Variant};
use crate::error::{Error, Result};
use crate::evaluation::cohort::{self, Film, Scope};
use crate::evaluation::per_finding::scorable;
use crate::evaluation::prompt_bank::{Pool, PromptBank, Score};
use crate::findings::Observation;
use crate::training::dataset::{Dataset, gather_some};
use crate::training::run::{self, Options as Training};
use crate::training::selection::Selection;
use crate::training::split::Split;
use crate::training::validation::Validation;

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
    /// The findings that were scored.
    findings: Vec<Observation>,
    /// For each of them a score for each film.
    scores: Vec<Vec<f32>>,
    /// Macro AUC on the validation patients.
    validation: Option<f64>,
    /// Seconds of training.
    seconds: f64,
}

/// Runs a plan, or what is left of it, and compares.
///
/// # Errors
/// There is nothing to train on or to score, a run fails, or Ctrl-C was pressed: then the same call goes on.
pub fn ablate(catalogue: &Catalogue, plan: &Plan, options: &Options) -> Result<Report> {
    let films = cohort::films(catalogue, &Scope { source: plan.source.clone(), split: Split::Test })?;
    let findings = scorable(&films);
    if findings.is_empty() {
        return Err(Error::Caller("no finding has enough held-out films to score".to_owned()));
    }
    let validation = Validation::gather(catalogue)?;
    let held_out = held_out(&films, &findings);
    let cache = Arc::new(TrunkCache::default());
    let mut data: Vec<(Selection, Dataset)> = Vec::new();
    let mut scored: BTreeMap<String, Vec<Scored>> = BTreeMap::new();
    for seed in 0..plan.seeds {
        for variant in &plan.variants {
            let run = Run { plan, variant, seed, options };
            let selection = plan.data_of(variant);
            if !data.iter().any(|(of, _)| of == selection) {
                data.push((selection.clone(), gather_some(catalogue, selection)?));
            }
            let Some((_, data)) = data.iter().find(|(of, _)| of == selection) else { continue };
            let finished = run.finished(data, &films, &findings, &held_out, &validation, &cache)?;
            scored.entry(variant.folder()).or_default().push(Scored {
                scores: finished.scores,
                validation: finished.validation,
                seconds: finished.seconds,
                films: data.films.len(),
                texts: data.texts.len(),
            });
        }
    }
    let variants =
        plan.variants.iter().map(|v| (v.name.clone(), scored.remove(&v.folder()).unwrap_or_default())).collect();
    compare(plan, &films, &findings, variants)
}

struct Run<'a> {
    plan: &'a Plan,
    variant: &'a Variant,
    seed: u64,
    options: &'a Options,
}

impl Run<'_> {
    fn work(&self) -> PathBuf {
        self.options.out.join(format!("{}-{}", self.variant.folder(), self.seed))
    }

    /// The scores of this run: those that lie there, or those of a run that is done now.
    fn finished(
        &self,
        data: &Dataset,
        films: &[Film],
        findings: &[Observation],
        held_out: &str,
        validation: &Validation,
        cache: &Arc<TrunkCache>,
    ) -> Result<Finished> {
        let config = self.plan.config(self.variant, self.seed)?;
        let identity = self.identity(&config, data, held_out)?;
        let (work, path) = (self.work(), self.work().with_extension("json"));
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
        eprintln!("{}, seed {}: {} films, {} texts", self.variant.name, self.seed, data.films.len(), data.texts.len());
        if data.films.is_empty() || data.texts.is_empty() {
            return Err(Error::Caller(format!(
                "variant '{}' leaves no films or no texts to train on",
                self.variant.name
            )));
        }
        let seconds = self.train(&config, data, validation, cache, &work)?;
        let encoder = Encoder::load(&work, &device(self.options.device)?)?;
        let finished = Finished {
            identity,
            findings: findings.to_vec(),
            scores: score(&encoder, films, findings)?,
            validation: thorax_models::train::Card::load(&work)?.validation,
            seconds,
        };
        write(&path, &serde_json::to_string(&finished)?)?;
        if !self.options.keep_models {
            fs_err::remove_dir_all(&work)?;
        }
        Ok(finished)
    }

    fn train(
        &self,
        config: &Config,
        data: &Dataset,
        validation: &Validation,
        cache: &Arc<TrunkCache>,
        work: &Path,
    ) -> Result<f64> {
        if work.join("model.safetensors").is_file() {
            // Trained, but stopped before it was scored.
            return Ok(thorax_models::train::Card::load(work)?.seconds);
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
        // A look at the end alone would choose nothing.
        let validation = Some(validation).filter(|_| config.training.validate_every > 0);
        Ok(run::run(config, &options, data, validation, work, Some(cache.clone()))?.seconds)
    }

    /// A hash of all that the scores depend on.
    fn identity(&self, config: &Config, data: &Dataset, held_out: &str) -> Result<String> {
        let from = self.options.from.as_ref().map(|dir| fs_err::read(dir.join("model.safetensors"))).transpose()?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&from.unwrap_or_default()).update(held_out.as_bytes());
        hasher.update(toml::to_string(config).map_err(|e| Error::Caller(e.to_string()))?.as_bytes());
        hasher.update(&self.plan.steps.to_le_bytes());
        for film in &data.films {
            hasher.update(&film.key.to_le_bytes());
            hash_labels(&mut hasher, &film.labels);
        }
        for text in &data.texts {
            hasher.update(text.text.as_bytes());
            hash_labels(&mut hasher, &text.labels);
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}

/// Zero-shot scores as MedCLIP's: the mean cosine to what states a finding.
fn score(encoder: &Encoder, films: &[Film], findings: &[Observation]) -> Result<Vec<Vec<f32>>> {
    let embedded = cohort::embed(encoder, films.to_vec())?;
    if embedded.len() != films.len() {
        return Err(Error::Caller(format!(
            "{} held-out films cannot be read: mend or remove them, or the runs are not comparable",
            films.len() - embedded.len()
        )));
    }
    let vectors: Vec<Vec<f32>> = embedded.into_iter().map(|(_, vector)| vector).collect();
    Ok(PromptBank::embed(encoder)?.score(&vectors, findings, Score::Present, Pool::Mean).scores)
}

/// The films that are scored, and what is known of them, as one hash.
fn held_out(films: &[Film], findings: &[Observation]) -> String {
    let mut hasher = blake3::Hasher::new();
    for film in films {
        hasher.update(film.id.as_bytes());
        for finding in findings {
            hasher.update(&[match film.truth.get(*finding) {
                None => 0,
                Some(false) => 1,
                Some(true) => 2,
            }]);
        }
    }
    hasher.finalize().to_hex().to_string()
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
