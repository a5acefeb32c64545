//! What an archive has to train on: films with labels, sentences with labels, unpaired.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use thorax_index::Catalogue;

use super::labels::{of_mentions, vector};
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

/// Gathers what there is to train on. Held-out and validation patients stay out, films and sentences alike.
///
/// # Errors
/// The catalogue cannot be read.
pub fn gather(catalogue: &Catalogue) -> Result<Dataset> {
    let mut data = Dataset::default();
    let mut seen = BTreeSet::new();
    for document in catalogue.iter() {
        let study = study(&document?)?;
        if Split::of(&study.patient) != Split::Train {
            continue;
        }
        let labels = vector(&shown(&study));
        if says_something(&labels) {
            for image in &study.images {
                data.films.push(LabelledFilm { path: image.path.clone(), labels: labels.clone() });
                *data.films_by_source.entry(study.source.clone()).or_default() += 1;
            }
        }
        for sentence in sentences(&study) {
            // Reports repeat themselves: one copy, or the normal sentences drown the rest.
            if !seen.insert(sentence.text.to_lowercase()) {
                continue;
            }
            if data.add_text(sentence.text) {
                *data.texts_by_source.entry(study.source.clone()).or_default() += 1;
            }
        }
    }
    for (text, _) in findings::training_texts() {
        if seen.insert(text.to_lowercase()) && data.add_text(text) {
            *data.texts_by_source.entry("phrases".to_owned()).or_default() += 1;
        }
    }
    Ok(data)
}

impl Dataset {
    fn add_text(&mut self, text: String) -> bool {
        let labels = vector(&of_mentions(&findings::label(&text)));
        let kept = says_something(&labels);
        if kept {
            self.texts.push(LabelledText { text, labels });
        }
        kept
    }
}

fn says_something(labels: &[f32]) -> bool {
    labels.iter().any(|value| *value != 0.0)
}
