//! What an archive has to train on: films with labels, sentences with labels, unpaired.

use std::collections::BTreeMap;
use std::path::PathBuf;

use thorax_index::Catalogue;

use super::labels::{of_mentions, vector};
use super::selection::Selection;
use super::split::Part;
use crate::error::Result;
use crate::findings::{self, Observation};
use crate::indexing::document::{sentences, study};
use crate::indexing::shown;

/// A film and its label vector.
#[derive(Clone, Debug)]
pub struct LabelledFilm {
    /// The file.
    pub path: PathBuf,
    /// Signed labels, see [`vector`].
    pub labels: Vec<f32>,
    /// Stands for the film in every run and every home.
    pub key: u64,
    /// Stands for the patient.
    pub patient: u64,
    /// The sentences of its own report, as indices of [`Dataset::texts`].
    pub sentences: Vec<usize>,
}

/// A sentence and its label vector.
#[derive(Clone, Debug)]
pub struct LabelledText {
    /// The sentence.
    pub text: String,
    /// Signed labels, see [`vector`].
    pub labels: Vec<f32>,
}

/// All that is trained on, and how much of it came from where.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// Films of training patients whose labels say something.
    pub films: Vec<LabelledFilm>,
    /// Distinct sentences of training patients whose labels say something, and the query-like phrases of
    /// [`findings::training_texts`].
    pub texts: Vec<LabelledText>,
    /// Films by source.
    pub films_by_source: BTreeMap<String, usize>,
    /// Sentences by source; `phrases` are our own.
    pub texts_by_source: BTreeMap<String, usize>,
}

/// Gathers all that there is to train on. Held-out and validation patients stay out, films and sentences alike.
///
/// # Errors
/// The catalogue cannot be read.
pub fn gather(catalogue: &Catalogue) -> Result<Dataset> {
    gather_some(catalogue, &Selection::default(), Part::Split)
}

/// Gathers a selection of it, of the patients that `part` trains on.
///
/// # Errors
/// The catalogue cannot be read.
pub fn gather_some(catalogue: &Catalogue, selection: &Selection, part: Part) -> Result<Dataset> {
    let mut data = Dataset::default();
    let mut seen = Seen::new();
    for document in catalogue.iter() {
        let study = study(&document?)?;
        if !part.trains(&study.patient) {
            continue;
        }
        let role = selection.role(&study);
        let mut own = Vec::new();
        for sentence in if role.texts { sentences(&study) } else { Vec::new() } {
            let before = data.texts.len();
            own.extend(data.add_text(sentence.text, &mut seen));
            *data.texts_by_source.entry(study.source.clone()).or_default() += data.texts.len() - before;
        }
        own.sort_unstable();
        own.dedup();
        let labels = vector(&shown(&study));
        if !role.films || !says_something(&labels) {
            continue;
        }
        let patient = number(&study.patient);
        for image in &study.images {
            let (path, labels, sentences) = (image.path.clone(), labels.clone(), own.clone());
            data.films.push(LabelledFilm { path, labels, key: number(&image.id), patient, sentences });
            *data.films_by_source.entry(study.source.clone()).or_default() += 1;
        }
    }
    let before = data.texts.len();
    for (text, _) in if selection.phrases { findings::training_texts() } else { Vec::new() } {
        data.add_text(text, &mut seen);
    }
    data.texts_by_source.insert("phrases".to_owned(), data.texts.len() - before);
    data.texts_by_source.retain(|_, count| *count > 0);
    if selection.matched {
        data.match_by_labels();
    }
    Ok(data)
}

/// Sentences in lower case, and where they are; `None` where their labels say nothing.
type Seen = BTreeMap<String, Option<usize>>;

impl Dataset {
    /// Gives each film without sentences those that state some of its findings and no other, and leaves out films for which
    /// there are none.
    fn match_by_labels(&mut self) {
        let stated: Vec<u32> = self.texts.iter().map(|text| present(&text.labels)).collect();
        for film in self.films.iter_mut().filter(|film| film.sentences.is_empty()) {
            let shown = present(&film.labels);
            let fits = |text: &(usize, &u32)| *text.1 != 0 && text.1 & !shown == 0;
            film.sentences = stated.iter().enumerate().filter(fits).map(|(place, _)| place).collect();
        }
        self.films.retain(|film| !film.sentences.is_empty());
    }

    /// Where the text is. Reports repeat themselves: one copy is kept, or the normal sentences drown the rest.
    fn add_text(&mut self, text: String, seen: &mut Seen) -> Option<usize> {
        let key = text.to_lowercase();
        if let Some(place) = seen.get(&key) {
            return *place;
        }
        let labels = vector(&of_mentions(&findings::label(&text)));
        let place = says_something(&labels).then_some(self.texts.len());
        if place.is_some() {
            self.texts.push(LabelledText { text, labels });
        }
        seen.insert(key, place);
        place
    }
}

/// A number for a patient or a film; the identifier itself goes no further.
pub fn number(id: &str) -> u64 {
    let hash = blake3::hash(id.as_bytes());
    hash.as_bytes().iter().take(8).fold(0, |n, byte| (n << 8) | u64::from(*byte))
}

/// The findings that are there, as bits; sides don't count.
fn present(labels: &[f32]) -> u32 {
    let there = labels.iter().take(Observation::COUNT).enumerate().filter(|(_, value)| **value > 0.0);
    there.fold(0, |bits, (place, _)| bits | 1 << place)
}

fn says_something(labels: &[f32]) -> bool {
    labels.iter().any(|value| *value != 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_is_matched_with_sentences_that_state_its_findings_and_no_other() {
        let labels = |there: &[Observation], absent: &[Observation]| {
            let mut labels = vec![0.0; super::super::labels::LENGTH];
            there.iter().for_each(|o| labels[o.index()] = 1.0);
            absent.iter().for_each(|o| labels[o.index()] = -1.0);
            labels
        };
        use Observation::{Cardiomegaly, Edema, Fracture, PleuralEffusion};
        let text = |there: &[Observation], absent: &[Observation]| LabelledText {
            text: String::new(),
            labels: labels(there, absent),
        };
        let film = |there: &[Observation]| LabelledFilm {
            path: PathBuf::new(),
            labels: labels(there, &[]),
            key: 0,
            patient: 0,
            sentences: Vec::new(),
        };
        let mut data = Dataset {
            films: vec![film(&[Edema, Cardiomegaly]), film(&[Fracture])],
            texts: vec![
                text(&[Edema], &[Fracture]),
                text(&[Edema, PleuralEffusion], &[]),
                text(&[], &[Fracture]),
                text(&[Edema, Cardiomegaly], &[]),
            ],
            ..Dataset::default()
        };
        data.match_by_labels();
        assert_eq!(data.films.len(), 1, "nothing says that there is a fracture");
        assert_eq!(data.films[0].sentences, [0, 3]);
    }
}
