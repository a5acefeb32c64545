//! A finished generation, opened for searching. Immutable: share it by `Arc`, and open the next one after a swap.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;
use roaring::RoaringBitmap;

use crate::document::Value;
use crate::error::{IndexError, Result};
use crate::filter::facets::Counting;
use crate::filter::{Facet, FieldColumns, FieldInfo, Filter};
use crate::generation::layout::{Current, FAILURES, Layout, STUDIES, TEXT, column_file, graph_file};
use crate::generation::lease::Lease;
use crate::generation::{Failure, Manifest, PerSpace, Space};
use crate::text::TextIndex;
use crate::text::term::{Keywords, Term};
use crate::tuning::Tuning;
use crate::vectors::checked_query;

use hidden::Hiding;

mod best;
mod hidden;
mod items;
mod kept;
mod line;
mod nearest;
mod rows;
mod strings;

use items::{Items, ItemsBuilder};
use rows::{Rows, RowsBuilder};

pub use hidden::Behind;
pub use nearest::{Hit, Neighbours, Studies};

/// A finished generation in memory.
///
/// Rows: a *study row* counts the studies in the order of their ids; an *item row* counts the vectors of a space in the same order.
/// Both hold for this generation only. Studies that were deleted since are hidden ([`Index::catch_up`]): they keep their rows, and no
/// method gives them any more.
pub struct Index {
    manifest: Manifest,
    tuning: Tuning,
    studies: Rows,
    fields: FieldColumns,
    spaces: PerSpace<SpaceIndex>,
    text: TextIndex,
    failures: Vec<Failure>,
    hidden: Hiding,
    _lease: Lease,
}

/// The vectors of a space and what they belong to.
struct SpaceIndex {
    vectors: Neighbours,
    items: Items,
}

/// A study by its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StudyRef<'a> {
    /// Its id.
    pub id: &'a str,
    /// What results are grouped by.
    pub group: &'a str,
}

/// A study found by keywords.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeywordHit {
    /// Row of the study.
    pub study_row: u32,
    /// BM25.
    pub score: f32,
}

impl Index {
    /// Opens the generation that serves; `None` when there is none yet. Every file is checked, but for the rows of the columns, each
    /// of which is checked when it is first used.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] with the file, [`IndexError::NewerFormat`], [`IndexError::OlderFormat`].
    pub fn open(home: &Path) -> Result<Option<Self>> {
        Self::open_with(home, Tuning::default())
    }

    /// As [`Index::open`], with the size up to which a query is a scan and the width of the graph search.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn open_with(home: &Path, tuning: Tuning) -> Result<Option<Self>> {
        let layout = Layout::new(home);
        let mut current = layout.current()?;
        while let Some(serving) = current {
            match Self::open_generation(&layout, &serving, tuning.clone()) {
                Ok(index) => return Ok(Some(index)),
                Err(error) => {
                    // a build may have swapped it away while it was read
                    current = layout.current()?;
                    if current.as_ref() == Some(&serving) {
                        return Err(error);
                    }
                }
            }
        }
        Ok(None)
    }

    fn open_generation(layout: &Layout, current: &Current, tuning: Tuning) -> Result<Self> {
        let manifest = Manifest::read(layout, current)?;
        manifest.expect_format(layout)?;
        let dir = layout.generation(current.generation);
        let lease = Lease::take(&dir)?;
        // studies and failures are checked where they are read, columns and graphs where they are opened and used
        let mapped = Space::ALL.map(|space| [column_file(space), graph_file(space)]);
        let later =
            |name: &str| [STUDIES, FAILURES].contains(&name) || mapped.iter().flatten().any(|mapped| mapped == name);
        let names: Vec<&String> = manifest.files.keys().filter(|name| !later(name)).collect();
        names.par_iter().try_for_each(|name| manifest.check_file(&dir, name))?;

        let path = dir.join(STUDIES);
        let failures: Vec<Failure> = serde_json::from_slice(&manifest.read_file(&dir, FAILURES)?)?;
        // a damaged file is named as such, whatever its lines seemed to say
        let (checked, read) = rayon::join(|| manifest.check_file(&dir, STUDIES), || Contents::read(&path, &failures));
        checked?;
        let Contents { studies, fields, images, sentences } = read?;
        if studies.len() != manifest.studies {
            return Err(IndexError::Damaged {
                path,
                reason: "it has another number of studies than the manifest".to_owned(),
            });
        }
        let mut items = (Some(images), Some(sentences));
        let spaces = PerSpace::try_new(|space| {
            let items = match space {
                Space::Images => items.0.take(),
                Space::Sentences => items.1.take(),
            };
            SpaceIndex::open(&manifest, &dir, space, items.unwrap_or_else(|| ItemsBuilder::new(space, &[]).finish()))
        })?;
        let text = TextIndex::open(&dir.join(TEXT))?;
        let hidden = Hiding::new(&manifest);
        Ok(Self { manifest, tuning, studies, fields, spaces, text, failures, hidden, _lease: lease })
    }

    /// What the generation is made of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Number of study rows, those of hidden studies included; [`Index::behind`] tells how many these are.
    pub fn len(&self) -> usize {
        self.studies.len()
    }

    /// True when there is no study.
    pub fn is_empty(&self) -> bool {
        self.studies.len() == 0
    }

    /// The `k` studies (of those in `filter`) that match the terms best, by BM25; best first, ties by row.
    ///
    /// # Errors
    /// When the text index cannot be read.
    pub fn keywords(&self, terms: &[Term], k: usize, filter: Option<&RoaringBitmap>) -> Result<Vec<KeywordHit>> {
        let found = self.text.search(terms, k, self.visible(filter).as_deref())?;
        Ok(found.into_iter().map(|(score, study_row)| KeywordHit { study_row, score }).collect())
    }

    /// All study rows that match.
    ///
    /// # Errors
    /// When the text index cannot be read.
    pub fn keyword_matches(&self, keywords: &Keywords) -> Result<RoaringBitmap> {
        self.text.matches(keywords).map(|rows| self.without_hidden(rows))
    }

    /// The study rows that pass.
    ///
    /// # Errors
    /// [`IndexError::UnknownField`], which lists the fields that exist, and [`IndexError::WrongFieldType`].
    pub fn filter(&self, filter: &Filter) -> Result<RoaringBitmap> {
        self.fields.rows(filter).map(|rows| self.without_hidden(rows))
    }

    /// All study rows.
    pub fn all_rows(&self) -> RoaringBitmap {
        self.without_hidden(self.fields.all())
    }

    /// The fields that the studies have.
    pub fn field_names(&self) -> Vec<FieldInfo> {
        self.fields.names()
    }

    /// How many of the studies in `within` (or of all) have which value of a field; of their groups, where `grouped`. At most `top`
    /// words, the most frequent ones first, or about `top` ranges of its numbers.
    ///
    /// # Errors
    /// [`IndexError::UnknownField`], which lists the fields that exist.
    pub fn facet(&self, field: &str, within: Option<&RoaringBitmap>, top: usize, grouped: bool) -> Result<Facet> {
        let within = within.map_or_else(|| self.all_rows(), |rows| self.without_hidden(rows.clone()));
        let counting = Counting { groups: grouped.then(|| self.studies.groups()) };
        self.fields.facet(field, &within, top, counting)
    }

    /// The study of a row.
    pub fn study(&self, row: u32) -> Option<StudyRef<'_>> {
        if !self.shows(row) {
            return None;
        }
        Some(StudyRef { id: self.studies.id(row)?, group: self.studies.group(row)? })
    }

    /// The row of a study.
    pub fn row(&self, id: &str) -> Option<u32> {
        self.any_row(id).filter(|row| self.shows(*row))
    }

    /// The fields of a study, read from disk; `None` where there is no such row.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn fields(&self, row: u32) -> Result<Option<BTreeMap<String, Vec<Value>>>> {
        if !self.shows(row) {
            return Ok(None);
        }
        Ok(self.studies.study(row)?.map(|study| study.fields))
    }

    /// The first word of a study's field whose name begins with `_`: from memory, for what every search asks of many studies.
    /// Also of hidden studies, which may be shown again.
    pub fn kept(&self, row: u32, field: &str) -> Option<&str> {
        self.studies.kept(row, field)
    }

    /// The study rows of a group; empty where there is no such group.
    pub fn group_rows(&self, group: &str) -> RoaringBitmap {
        self.without_hidden(self.studies.of_group(group))
    }

    /// The unit vector of an item; `None` also when it is damaged, which [`Index::nearest`] tells as an error.
    pub fn vector(&self, space: Space, item: u32) -> Option<&[f32]> {
        self.study_of(space, item)?;
        self.spaces.get(space).vectors.column().row(item).ok().flatten()
    }

    /// Number of documents of the text index.
    pub(crate) fn text_documents(&self) -> u64 {
        self.text.documents()
    }

    /// Number of item rows of a space, those of hidden studies included.
    pub fn item_count(&self, space: Space) -> usize {
        self.spaces.get(space).vectors.column().len()
    }

    /// The item rows of a study; items that could not be embedded have none.
    pub fn items(&self, space: Space, study_row: u32) -> Range<u32> {
        if self.shows(study_row) { self.spaces.get(space).items.of_study(study_row) } else { 0..0 }
    }

    /// The key of an item.
    pub fn item_key(&self, space: Space, item: u32) -> Option<&str> {
        self.study_of(space, item)?;
        self.spaces.get(space).items.key(item)
    }

    /// The row of an item; the first one where several have this key.
    pub fn item_row(&self, space: Space, key: &str) -> Option<u32> {
        let item = self.spaces.get(space).items.find(key)?;
        self.study_of(space, item).map(|_| item)
    }

    /// The study that an item belongs to.
    pub fn study_of(&self, space: Space, item: u32) -> Option<u32> {
        self.spaces.get(space).items.study_of(item).filter(|row| self.shows(*row))
    }

    /// The items that could not be embedded, also those of studies that were deleted since.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The `k` items nearest to the query by cosine, of the studies in `filter`; best first, ties by row.
    ///
    /// Exact where the column is small; otherwise by the graph, or by a scan of 8-bit codes where few rows pass. Each hit is checked
    /// and scored exactly, and should there be fewer than asked, the search is done again exactly. The query needs the model's
    /// dimension, and may have any length but zero.
    ///
    /// # Errors
    /// [`IndexError::WrongDimension`], [`IndexError::NotFinite`]; [`IndexError::Damaged`] for a vector that is not what was written.
    pub fn nearest(&self, space: Space, query: &[f32], k: usize, filter: Option<&RoaringBitmap>) -> Result<Vec<Hit>> {
        let query = checked_query(query, self.manifest.dimension)?;
        let space = self.spaces.get(space);
        space.nearest(&query, k, self.visible(filter).as_deref(), &self.tuning)
    }
}

impl SpaceIndex {
    fn open(manifest: &Manifest, dir: &Path, space: Space, items: Items) -> Result<Self> {
        let name = column_file(space);
        let damaged = |reason: &str| IndexError::Damaged { path: dir.join(&name), reason: reason.to_owned() };
        let graph = manifest.files.contains_key(&graph_file(space)).then(|| manifest.sized(dir, &graph_file(space)));
        let (column, graph) = (manifest.sized(dir, &name)?, graph.transpose()?);
        let vectors = Neighbours::open(&column, graph.as_deref(), manifest.dimension)?;
        if vectors.column().len() != items.len() {
            return Err(damaged("it has another number of rows than there are items"));
        }
        Ok(Self { vectors, items })
    }
}

/// What the studies' file says, arranged for searching.
struct Contents {
    studies: Rows,
    fields: FieldColumns,
    images: Items,
    sentences: Items,
}

impl Contents {
    fn read(path: &Path, failures: &[Failure]) -> Result<Self> {
        let (mut studies, mut fields) = (RowsBuilder::default(), FieldColumns::default());
        let mut images = ItemsBuilder::new(Space::Images, failures);
        let mut sentences = ItemsBuilder::new(Space::Sentences, failures);
        line::each(path, |study, end| {
            studies.push(study, end);
            fields.push(&study.fields);
            images.push(study);
            sentences.push(study);
        })?;
        let (studies, fields) = (studies.finish(path)?, fields.sorted());
        Ok(Self { studies, fields, images: images.finish(), sentences: sentences.finish() })
    }
}

#[cfg(test)]
mod tests;
