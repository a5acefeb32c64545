//! What an archive has to train on: films with labels, sentences with labels, unpaired.

use std::collections::BTreeMap;
use std::path::PathBuf;

use thorax_index::Catalogue;

use super::labels::{of_mentions, vector};
use super::selection::Selection;
use super::split::Split;
use crate::error::Result;
use crate::findings;
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
    gather_some(catalogue, &Selection::default())
}

/// Gathers part of it.
///
/// # Errors
/// The catalogue cannot be read.
pub fn gather_some(catalogue: &Catalogue, selection: &Selection) -> Result<Dataset> {
    let mut data = Dataset::default();
    let mut seen = Seen::new();
    for document in catalogue.iter() {
        let study = study(&document?)?;
        if Split::of(&study.patient) != Split::Train {
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
    Ok(data)
}

/// Sentences in lower case, and where they are; `None` where their labels say nothing.
type Seen = BTreeMap<String, Option<usize>>;

impl Dataset {
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

fn says_something(labels: &[f32]) -> bool {
    labels.iter().any(|value| *value != 0.0)
}
