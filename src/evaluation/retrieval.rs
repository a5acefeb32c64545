//! Text-to-film retrieval on held-out patients, by the encoder alone: per finding precision@k and AUC beside the
//! prevalence, which is the precision of chance.
//!
//! The query of a finding is the mean embedding of its class prompts (prompt ensemble, Wang et al. 2022, section 4).
//! A film is relevant when its labels state the finding as present; a film whose labels don't mention it is left out.

use rayon::prelude::*;
use serde::Serialize;
use thorax_index::Catalogue;
use thorax_models::Encoder;

use super::metrics::{auc, mean, precision_at};
use crate::archive::load_image;
use crate::error::{Error, Result};
use crate::findings::{Observation, Polarity, prompts};
use crate::indexing::document::study;
use crate::indexing::{Finding, shown};
use crate::progress::Progress;
use crate::training::split::Split;

/// The k of precision@k.
pub const K: usize = 10;

/// Fewer positives than this, and a finding is left out of the figures.
pub const MIN_POSITIVES: usize = 5;

/// A film with its vector and what is stated of it.
pub struct Film {
    vector: Vec<f32>,
    shown: Vec<Finding>,
}

/// Figures of one finding.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The finding.
    pub finding: Observation,
    /// Films that are stated to show it.
    pub positives: usize,
    /// Films whose labels mention it.
    pub films: usize,
    /// Share of positives: the precision of chance.
    pub prevalence: f64,
    /// Share of positives among the first ten.
    pub precision_at_10: f64,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
}

/// Figures of one evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Source of the films; empty = all.
    pub source: String,
    /// Split of the patients.
    pub split: Split,
    /// Films.
    pub films: usize,
    /// Patients.
    pub patients: usize,
    /// Per finding.
    pub findings: Vec<Row>,
    /// Mean over the findings.
    pub mean_precision_at_10: f64,
    /// Mean over the findings.
    pub mean_prevalence: f64,
    /// Mean over the findings.
    pub macro_auc: f64,
}

/// Embeds the films of a split and scores every finding that has enough positives.
///
/// # Errors
/// No film of that source and split has labels, or the catalogue or a model cannot be read.
pub fn retrieval(catalogue: &Catalogue, encoder: &Encoder, source: &str, split: Split) -> Result<Report> {
    let (films, patients) = films(catalogue, encoder, source, split)?;
    let mut rows = Vec::new();
    for observation in Observation::ALL {
        let texts = prompts(observation);
        let query = ensemble(&encoder.embed_texts(&texts)?);
        rows.extend(score(observation, &query, &films));
    }
    Ok(Report {
        source: source.to_owned(),
        split,
        films: films.len(),
        patients,
        mean_precision_at_10: mean(rows.iter().map(|r| r.precision_at_10)),
        mean_prevalence: mean(rows.iter().map(|r| r.prevalence)),
        macro_auc: mean(rows.iter().filter_map(|r| r.auc)),
        findings: rows,
    })
}

fn films(catalogue: &Catalogue, encoder: &Encoder, source: &str, split: Split) -> Result<(Vec<Film>, usize)> {
    let mut wanted = Vec::new();
    let mut patients = std::collections::BTreeSet::new();
    for document in catalogue.iter() {
        let study = study(&document?)?;
        let here = source.is_empty() || study.source == source;
        if !here || study.labels.is_empty() || Split::of(&study.patient) != split {
            continue;
        }
        let shown = shown(&study);
        // Frontal films only: a lateral view is another question.
        for image in study.images.iter().filter(|i| i.view != Some(crate::archive::View::Lateral)) {
            patients.insert(study.patient.clone());
            wanted.push((image.path.clone(), shown.clone()));
        }
    }
    if wanted.is_empty() {
        return Err(Error::Caller(format!(
            "no labelled film {} in the {split:?} split: import an archive with labels first",
            if source.is_empty() { "in the catalogue is".to_owned() } else { format!("of {source} is") },
        )));
    }
    let progress = Progress::new("embedding films", Some(wanted.len() as u64));
    let mut films = Vec::with_capacity(wanted.len());
    for batch in wanted.chunks(32) {
        let decoded: Vec<_> = batch
            .par_iter()
            .map(|(path, shown)| Ok((encoder.preprocess(&load_image(path)?)?, shown.clone())))
            .filter_map(|outcome: Result<_>| outcome.inspect_err(|e| progress.note(&format!("left out: {e}"))).ok())
            .collect();
        let (pixels, shown): (Vec<_>, Vec<_>) = decoded.into_iter().unzip();
        if !pixels.is_empty() {
            let vectors = encoder.embed_images(&pixels)?;
            films.extend(vectors.into_iter().zip(shown).map(|(vector, shown)| Film { vector, shown }));
        }
        progress.add(batch.len() as u64);
    }
    progress.finish();
    Ok((films, patients.len()))
}

fn score(observation: Observation, query: &[f32], films: &[Film]) -> Option<Row> {
    let mut scored: Vec<(f32, bool)> = films
        .iter()
        .filter_map(|film| {
            let of = || film.shown.iter().filter(|f| f.observation == observation);
            let relevant = of().any(|f| f.polarity == Polarity::Present);
            (relevant || of().any(|f| f.polarity == Polarity::Absent))
                .then(|| (film.vector.iter().zip(query).map(|(a, b)| a * b).sum(), relevant))
        })
        .collect();
    let positives = scored.iter().filter(|s| s.1).count();
    if positives < MIN_POSITIVES || positives == scored.len() {
        return None;
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let relevant: Vec<bool> = scored.iter().map(|s| s.1).collect();
    Some(Row {
        finding: observation,
        positives,
        films: scored.len(),
        prevalence: positives as f64 / scored.len() as f64,
        precision_at_10: precision_at(K, &relevant),
        auc: auc(&scored),
    })
}

fn ensemble(vectors: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0f32; vectors.first().map_or(0, Vec::len)];
    for vector in vectors {
        for (total, value) in sum.iter_mut().zip(vector) {
            *total += value;
        }
    }
    let norm = sum.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    sum.iter_mut().for_each(|v| *v /= norm);
    sum
}

impl Report {
    /// A table for people.
    pub fn table(&self) -> String {
        let mut out = format!(
            "{} films of {} patients, split {:?}{}\n{:<28}{:>6}{:>12}{:>8}{:>7}\n",
            self.films,
            self.patients,
            self.split,
            if self.source.is_empty() { String::new() } else { format!(", source {}", self.source) },
            "finding",
            "n",
            "prevalence",
            "P@10",
            "AUC"
        );
        for row in &self.findings {
            let area = row.auc.map_or("-".to_owned(), |a| format!("{a:.3}"));
            out += &format!(
                "{:<28}{:>6}{:>12.3}{:>8.2}{:>7}\n",
                row.finding.name(),
                row.positives,
                row.prevalence,
                row.precision_at_10,
                area
            );
        }
        out + &format!(
            "{:<28}{:>6}{:>12.3}{:>8.2}{:>7.3}",
            "mean", "", self.mean_prevalence, self.mean_precision_at_10, self.macro_auc
        )
    }
}
