//! A home that is open for searching.

use std::collections::HashMap;
use std::sync::Arc;

use thorax_index::{Catalogue, Index, RoaringBitmap, Space};
use thorax_models::Encoder;

use super::parts::mean;
use super::statements::Statements;
use super::zero_shot::{Reader, Readers};
use crate::archive::Study;
use crate::error::{Error, Result};
use crate::findings::query::Wanted;
use crate::home::Home;
use crate::indexing::document::study;

/// A home that is open for searching. Shared by all requests.
pub struct Engine {
    catalogue: Arc<Catalogue>,
    index: Index,
    encoder: Arc<Encoder>,
    model: String,
    config: crate::config::Config,
    keys: HashMap<String, u32>,
    statements: Statements,
    readers: Readers,
    with_images: RoaringBitmap,
    with_sentences: RoaringBitmap,
    /// Number of the patient of each study row.
    patients: Vec<u32>,
}

impl Engine {
    /// Opens catalogue, index and the encoder that made the index.
    ///
    /// # Errors
    /// There is no index yet, its model is gone, or another process owns the home.
    pub fn open(home: &Home) -> Result<Self> {
        Self::open_beside(home, Arc::new(home.catalogue()?), None)
    }

    /// Opens the index that serves now on a catalogue that is open already. `serving` lends its encoder where the model is
    /// the same, and goes on serving.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open_beside(home: &Home, catalogue: Arc<Catalogue>, serving: Option<&Engine>) -> Result<Self> {
        let index = Index::open(home.path())?
            .ok_or_else(|| Error::Caller("this home has no index yet: run `thorax index`".to_owned()))?;
        let fingerprint = &index.manifest().fingerprint;
        let (model, encoder) = match serving {
            Some(serving) if serving.encoder.fingerprint() == fingerprint => {
                (serving.model.clone(), Arc::clone(&serving.encoder))
            }
            _ => {
                let (model, encoder) = home.encoder_with(fingerprint)?;
                (model, Arc::new(encoder))
            }
        };
        let rows = 0..index.len() as u32;
        let keys = rows.clone().filter_map(|row| Some((opaque(index.study(row)?.id), row))).collect();
        let statements = Statements::of(&index, &catalogue)?;
        let with = |space| rows.clone().filter(|row| !index.items(space, *row).is_empty()).collect();
        let (with_images, with_sentences) = (with(Space::Images), with(Space::Sentences));
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let patients = rows
            .filter_map(|row| {
                let next = numbers.len() as u32;
                Some(*numbers.entry(index.study(row)?.group).or_insert(next))
            })
            .collect();
        // last: what is laid out by rows above needs every row, and a deleted study that is imported again comes back
        index.catch_up(&catalogue)?;
        Ok(Self {
            catalogue,
            encoder,
            model,
            config: home.config.clone(),
            keys,
            statements,
            readers: Readers::new(home.path(), index.manifest().fingerprint.as_str()),
            with_images,
            with_sentences,
            patients,
            index,
        })
    }

    /// Deletes studies: acknowledged in one transaction, and no search finds them any more. Answers how many there were.
    ///
    /// # Errors
    /// The catalogue cannot be written; then nothing is deleted.
    pub fn delete(&self, ids: &[&str]) -> Result<usize> {
        let deleted = self.catalogue.remove(ids)?;
        self.index.catch_up(&self.catalogue)?;
        Ok(deleted)
    }

    /// The catalogue, shared with whoever writes to it in this process.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The encoder in use, to share.
    pub fn encoder(&self) -> &Arc<Encoder> {
        &self.encoder
    }

    /// The index in use.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The model in use, by name.
    pub fn model(&self) -> (&str, &Encoder) {
        (&self.model, &self.encoder)
    }

    /// The configuration of the home.
    pub fn config(&self) -> &crate::config::Config {
        &self.config
    }

    /// What every study of the index is stated to show.
    pub fn statements(&self) -> &Statements {
        &self.statements
    }

    /// Puts other statements in their place and gives them back: to measure what a search makes of less.
    pub fn set_statements(&mut self, statements: Statements) -> Statements {
        std::mem::replace(&mut self.statements, statements)
    }

    /// The studies with a vector of this kind.
    pub fn with(&self, space: Space) -> &RoaringBitmap {
        match space {
            Space::Images => &self.with_images,
            Space::Sentences => &self.with_sentences,
        }
    }

    /// The number of a study's patient: the same number, the same patient.
    pub fn patient_of(&self, row: u32) -> u32 {
        self.patients.get(row as usize).copied().unwrap_or(u32::MAX)
    }

    /// The row of a study, by its id or its opaque key.
    ///
    /// # Errors
    /// The index has no such study.
    pub fn row_of(&self, study: &str) -> Result<u32> {
        let found = self
            .index
            .row(study)
            .or_else(|| self.keys.get(study).copied().filter(|row| self.index.study(*row).is_some()));
        found.ok_or_else(|| Error::Caller(format!("there is no study '{study}' in the index: give its id or its key")))
    }

    /// The study of an opaque key, and `None` where there is none.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn study_of_key(&self, key: &str) -> Result<Option<Study>> {
        self.keys.get(key).map_or(Ok(None), |row| self.study_of_row(*row))
    }

    /// The study of a row, and `None` where the catalogue has it no more.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn study_of_row(&self, row: u32) -> Result<Option<Study>> {
        let Some(found) = self.index.study(row) else { return Ok(None) };
        self.catalogue.get(found.id)?.as_ref().map(study).transpose()
    }

    /// The vector of a study's first film: the frontal one, where a source tells.
    pub fn film(&self, row: u32) -> Option<&[f32]> {
        let item = self.index.items(Space::Images, row).next()?;
        self.index.vector(Space::Images, item)
    }

    /// Mean of studies: of their films, and of the sentences of those that have none.
    pub(super) fn centroid(&self, rows: &[u32]) -> Option<Vec<f32>> {
        let studies: Vec<Vec<f32>> = rows
            .iter()
            .filter_map(|row| {
                let of = |space| self.index.items(space, *row).filter_map(move |item| self.index.vector(space, item));
                mean(of(Space::Images)).or_else(|| mean(of(Space::Sentences)))
            })
            .collect();
        mean(studies.iter().map(Vec::as_slice))
    }

    /// What reads wanted findings from films, in their order.
    pub(super) fn readers(&self, wanted: &[Wanted]) -> Result<Vec<Arc<Reader>>> {
        wanted.iter().map(|want| self.readers.of(want, &self.encoder, &self.index)).collect()
    }
}

/// A key for URLs that says nothing about the patient: 24 hex digits of BLAKE3.
pub fn opaque(id: &str) -> String {
    let hash = blake3::hash(id.as_bytes()).to_hex();
    hash.as_str().chars().take(24).collect()
}

pub(crate) fn first(vectors: Vec<Vec<f32>>) -> Result<Vec<f32>> {
    vectors.into_iter().next().ok_or_else(|| Error::Caller("nothing to embed".to_owned()))
}
