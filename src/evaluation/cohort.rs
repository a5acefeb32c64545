//! The films that a protocol scores, with what is known of each, and the sentences of the same patients.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;
use thorax_index::Catalogue;
use thorax_models::{Encoder, Pixels};

use crate::archive::{Study, View, load_image};
use crate::error::{Error, Result};
use crate::findings::{self, Labels, Observation, Polarity};
use crate::indexing::document::{sentences, study};
use crate::indexing::shown::OPACITIES;
use crate::indexing::{Finding, shown};
use crate::interrupt;
use crate::progress::Progress;
use crate::training::split::Split;

/// Fewer positives than this, and a finding is left out of the figures.
pub const MIN_POSITIVES: usize = 5;

/// Films decoded and embedded at once.
const BATCH: usize = 32;

/// What is known of each observation: present, absent, or neither stated nor certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth([Option<bool>; Observation::COUNT]);

impl Truth {
    /// From what is stated. What is hedged, and nowhere stated as present, stays unknown. A normal chest has none of the
    /// findings that nobody mentions (it may have devices), and a chest with a finding is not normal.
    pub fn of(shown: &[Finding]) -> Self {
        let mut truth = Self::default();
        let mentioned = |o: Observation| shown.iter().any(|f| f.observation == o);
        for observation in Observation::ALL.into_iter().filter(|o| mentioned(*o)) {
            let any = |p| shown.iter().any(|f| f.observation == observation && f.polarity == p);
            truth.0[observation.index()] = match () {
                () if any(Polarity::Present) => Some(true),
                () if any(Polarity::Uncertain) => None,
                () => Some(false),
            };
        }
        let findings = || abnormal().filter(|o| *o != Observation::SupportDevices);
        if truth.present(Observation::NoFinding) {
            for observation in findings().filter(|o| !mentioned(*o)) {
                truth.0[observation.index()] = Some(false);
            }
        } else if !mentioned(Observation::NoFinding) && findings().any(|o| truth.present(o)) {
            truth.0[Observation::NoFinding.index()] = Some(false);
        }
        truth
    }

    /// Present, absent, or `None` where it is not known.
    pub fn get(&self, observation: Observation) -> Option<bool> {
        self.0[observation.index()]
    }

    /// True where it is known to be there.
    pub fn present(&self, observation: Observation) -> bool {
        self.get(observation) == Some(true)
    }

    /// What is present, without a Lung Opacity that another finding implies.
    pub fn classes(&self) -> Vec<Observation> {
        let implied = OPACITIES.iter().any(|o| self.present(*o));
        Observation::ALL
            .into_iter()
            .filter(|o| self.present(*o) && !(implied && *o == Observation::LungOpacity))
            .collect()
    }
}

/// The observations but `No Finding`.
pub fn abnormal() -> impl Iterator<Item = Observation> {
    Observation::ALL.into_iter().filter(|o| *o != Observation::NoFinding)
}

/// Which films.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// Source of the films; empty = all. The source is an easy shortcut, so score inside one.
    pub source: String,
    /// Split of the patients.
    pub split: Split,
}

impl Scope {
    /// The same source, another split.
    pub fn with(&self, split: Split) -> Self {
        Self { split, ..self.clone() }
    }
}

/// One film.
#[derive(Clone, Debug)]
pub struct Film {
    /// Its id.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// Its patient.
    pub patient: String,
    /// What is known of it.
    pub truth: Truth,
}

/// The labelled films of a scope. Frontal ones only: a lateral view is another question.
///
/// # Errors
/// There is none, or the catalogue cannot be read.
pub fn films(catalogue: &Catalogue, scope: &Scope) -> Result<Vec<Film>> {
    let films = films_where(catalogue, |study| within(study, scope))?;
    if films.is_empty() {
        return Err(Error::Caller(format!(
            "no labelled film {} in the {:?} split: import an archive with labels first",
            if scope.source.is_empty() { "in the catalogue is".to_owned() } else { format!("of {} is", scope.source) },
            scope.split
        )));
    }
    Ok(films)
}

/// The labelled films of the studies that `wanted` names; frontal ones only. There may be none.
///
/// # Errors
/// The catalogue cannot be read.
pub fn films_where(catalogue: &Catalogue, wanted: impl Fn(&Study) -> bool) -> Result<Vec<Film>> {
    let mut films = Vec::new();
    for document in catalogue.iter() {
        let study = study(&document?)?;
        if study.labels.is_empty() || !wanted(&study) {
            continue;
        }
        let truth = Truth::of(&shown(&study));
        films.extend(study.images.iter().filter(|i| i.view != Some(View::Lateral)).map(|image| Film {
            id: image.id.clone(),
            path: image.path.clone(),
            patient: study.patient.clone(),
            truth,
        }));
    }
    Ok(films)
}

fn within(study: &Study, scope: &Scope) -> bool {
    (scope.source.is_empty() || study.source == scope.source) && Split::of(&study.patient) == scope.split
}

/// True where enough items show something, and some don't. `known` says it of each; `None` is not known.
pub fn scorable_of(known: impl Iterator<Item = Option<bool>>) -> bool {
    let (mut with, mut without) = (0usize, 0usize);
    for shows in known.flatten() {
        *(if shows { &mut with } else { &mut without }) += 1;
    }
    with >= MIN_POSITIVES && without > 0
}

/// Number of patients.
pub fn patients(films: &[Film]) -> usize {
    films.iter().map(|f| f.patient.as_str()).collect::<BTreeSet<_>>().len()
}

/// Gives every film to `encode` in batches. A film that cannot be read is named on stderr and left out.
///
/// # Errors
/// `encode` fails, or Ctrl-C was pressed.
pub fn encode<T>(
    encoder: &Encoder,
    films: Vec<Film>,
    encode: impl Fn(&[Pixels]) -> Result<Vec<T>>,
) -> Result<Vec<(Film, T)>> {
    let progress = Progress::new("embedding films", Some(films.len() as u64));
    let mut encoded = Vec::with_capacity(films.len());
    for batch in films.chunks(BATCH) {
        if interrupt::asked() {
            return Err(Error::Interrupted);
        }
        let decoded: Vec<(Film, Pixels)> = batch
            .par_iter()
            .map(|film| Ok((film.clone(), encoder.preprocess(&load_image(&film.path)?)?)))
            .filter_map(|outcome: Result<_>| outcome.inspect_err(|e| progress.note(&format!("left out: {e}"))).ok())
            .collect();
        let (films, pixels): (Vec<Film>, Vec<Pixels>) = decoded.into_iter().unzip();
        if !pixels.is_empty() {
            encoded.extend(films.into_iter().zip(encode(&pixels)?));
        }
        progress.add(batch.len() as u64);
    }
    progress.finish();
    if encoded.is_empty() {
        return Err(Error::Caller("none of the films can be read: are their files still there?".to_owned()));
    }
    Ok(encoded)
}

/// The films' embeddings.
///
/// # Errors
/// See [`encode`].
pub fn embed(encoder: &Encoder, films: Vec<Film>) -> Result<Vec<(Film, Vec<f32>)>> {
    encode(encoder, films, |pixels| Ok(encoder.embed_images(pixels)?))
}

/// A sentence of a report.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// The text. It is a patient's: never printed.
    pub text: String,
    /// Its patient.
    pub patient: String,
    /// What the labeler reads in it.
    pub labels: Labels,
    /// The same words stand in a report of a training patient.
    pub seen: bool,
}

/// The sentences of a scope that state something, each wording once, in the order of the catalogue.
///
/// # Errors
/// The catalogue cannot be read.
pub fn report_sentences(catalogue: &Catalogue, scope: &Scope) -> Result<Vec<Sentence>> {
    let (mut kept, mut wordings, mut trained) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for document in catalogue.iter() {
        let study = study(&document?)?;
        if study.reports.is_empty() || !(scope.source.is_empty() || study.source == scope.source) {
            continue;
        }
        let split = Split::of(&study.patient);
        for sentence in sentences(&study) {
            let wording = sentence.text.to_lowercase();
            if split == Split::Train {
                trained.insert(wording.clone());
            }
            if split != scope.split || !wordings.insert(wording) {
                continue;
            }
            let labels = findings::label(&sentence.text).labels;
            if !labels.is_empty() {
                kept.push(Sentence { text: sentence.text, patient: study.patient.clone(), labels, seen: false });
            }
        }
    }
    for sentence in &mut kept {
        sentence.seen = trained.contains(&sentence.text.to_lowercase());
    }
    Ok(kept)
}

/// Cosine of two unit vectors.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The mean of unit vectors, at length 1: a prompt ensemble. Zeros where there is none.
pub fn ensemble<'a>(vectors: impl IntoIterator<Item = &'a Vec<f32>>) -> Vec<f32> {
    let mut sum: Vec<f32> = Vec::new();
    for vector in vectors {
        sum.resize(vector.len(), 0.0);
        sum.iter_mut().zip(vector).for_each(|(total, value)| *total += value);
    }
    let norm = sum.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    sum.iter_mut().for_each(|v| *v /= norm);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LabelOrigin;
    use Observation::{Consolidation, Edema, LungOpacity, NoFinding, SupportDevices};

    fn said(observation: Observation, polarity: Polarity) -> Finding {
        Finding { observation, polarity, side: None, severity: None, origin: LabelOrigin::Dataset }
    }

    #[test]
    fn doubt_is_neither_yes_nor_no() {
        let truth = Truth::of(&[said(Edema, Polarity::Absent), said(Edema, Polarity::Uncertain)]);
        assert_eq!(truth.get(Edema), None);
        for order in [[Polarity::Present, Polarity::Uncertain], [Polarity::Uncertain, Polarity::Present]] {
            assert_eq!(Truth::of(&order.map(|p| said(Edema, p))).get(Edema), Some(true));
        }
        assert_eq!(Truth::of(&[said(Edema, Polarity::Absent)]).get(Edema), Some(false));
    }

    #[test]
    fn a_normal_chest_has_no_findings_but_may_have_devices() {
        let normal = Truth::of(&[said(NoFinding, Polarity::Present)]);
        assert_eq!((normal.get(Edema), normal.get(SupportDevices)), (Some(false), None));
        assert_eq!(Truth::of(&[said(Edema, Polarity::Present)]).get(NoFinding), Some(false));
        assert_eq!(Truth::of(&[said(SupportDevices, Polarity::Present)]).get(NoFinding), None);
        assert_eq!(Truth::of(&[]).get(NoFinding), None);
    }

    #[test]
    fn an_implied_opacity_is_no_class_of_its_own() {
        let both = Truth::of(&[said(LungOpacity, Polarity::Present), said(Consolidation, Polarity::Present)]);
        assert_eq!(both.classes(), [Consolidation]);
        assert!(both.present(LungOpacity));
        assert_eq!(Truth::of(&[said(LungOpacity, Polarity::Present)]).classes(), [LungOpacity]);
    }

    #[test]
    fn an_ensemble_is_a_mean_of_length_one() {
        let mean = ensemble(&[vec![1.0, 0.0], vec![0.0, 1.0]]);
        assert!((mean[0] - 0.5f32.sqrt()).abs() < 1e-6 && (mean[1] - mean[0]).abs() < 1e-6);
        assert!(ensemble(&Vec::<Vec<f32>>::new()).is_empty());
    }
}
