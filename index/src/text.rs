//! Keyword search over the documents' text: stemmed words with their positions in a tantivy index, and BM25 over terms that have
//! several spellings.
//!
//! - [`term`] what is looked for: spellings, and the boolean structure over them
//! - [`words`] a text cut into stemmed words
//! - `scan` the documents that a spelling stands in
//! - [`highlight`] where a text says what is looked for
//!
//! Each document is indexed three times: all of it, what it affirms, and what it denies. Queries are typed; tantivy parses nothing.

pub mod highlight;
pub mod term;
pub mod words;

mod scan;

use std::ops::Range;
use std::path::Path;

use fs_err as fs;
use roaring::RoaringBitmap;
use tantivy::merge_policy::NoMergePolicy;
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::PreTokenizedString;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument};

use crate::error::{IndexError, Result};
use crate::vectors::best_of;

use scan::Counts;
use term::{Keywords, Said, Term};

const ROW: &str = "_row";
/// Memory for the words of documents that are not written yet.
const WRITER_BYTES: usize = 64 << 20;
/// BM25: how soon more mentions stop to count, and how much the length of the text does.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// The three views of the text.
#[derive(Clone, Copy)]
struct Fields {
    row: Field,
    all: Field,
    affirmed: Field,
    denied: Field,
}

const VIEWS: [&str; 3] = ["all", "affirmed", "denied"];

/// Writes a text index.
pub struct TextWriter {
    writer: IndexWriter,
    fields: Fields,
}

impl TextWriter {
    /// Creates the index in a new folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn create(dir: &Path) -> Result<Self> {
        let indexing = TextFieldIndexing::default().set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let options = TextOptions::default().set_indexing_options(indexing.set_tokenizer("raw"));
        let mut schema = Schema::builder();
        let row = schema.add_u64_field(ROW, FAST);
        let [all, affirmed, denied] = VIEWS.map(|name| schema.add_text_field(name, options.clone()));
        fs::create_dir_all(dir)?;
        let index = Index::create_in_dir(dir, schema.build())?;
        let writer = index.writer_with_num_threads(1, WRITER_BYTES)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(Self { writer, fields: Fields { row, all, affirmed, denied } })
    }

    /// Adds the document of this row; `denied` are the bytes of its text that say what is not there.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn add(&mut self, row: u32, text: &str, denied: &[Range<usize>]) -> Result<()> {
        let mut document = TantivyDocument::default();
        document.add_u64(self.fields.row, u64::from(row));
        let tokens: Vec<_> = words::words(text).into_iter().map(|word| word.token()).collect();
        let is_denied = |from: usize, to: usize| denied.iter().any(|range| from < range.end && range.start < to);
        let (no, yes): (Vec<_>, Vec<_>) =
            tokens.iter().cloned().partition(|token| is_denied(token.offset_from, token.offset_to));
        for (field, tokens) in [(self.fields.all, tokens), (self.fields.affirmed, yes), (self.fields.denied, no)] {
            document.add_pre_tokenized_text(field, PreTokenizedString { text: String::new(), tokens });
        }
        self.writer.add_document(document)?;
        Ok(())
    }

    /// Commits, and leaves a single segment.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn finish(mut self) -> Result<()> {
        self.writer.commit()?;
        let segments = self.writer.index().searchable_segment_ids()?;
        if segments.len() > 1 {
            self.writer.merge(&segments).wait()?;
        }
        self.writer.garbage_collect_files().wait()?;
        self.writer.wait_merging_threads()?;
        Ok(())
    }
}

/// A text index, opened for searching.
pub struct TextIndex {
    reader: IndexReader,
    fields: Fields,
    /// The row of each document, by segment.
    rows: Vec<Vec<u32>>,
    all_rows: RoaringBitmap,
}

impl TextIndex {
    /// Opens an index.
    ///
    /// # Errors
    /// When it cannot be read; [`IndexError::Damaged`] where an older program wrote it.
    pub fn open(dir: &Path) -> Result<Self> {
        let index = Index::open_in_dir(dir)?;
        let reader: IndexReader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let schema = index.schema();
        let field = |name: &str| {
            let older = |_| IndexError::Damaged {
                path: dir.to_owned(),
                reason: "it was made by an older version of the program".to_owned(),
            };
            schema.get_field(name).map_err(older)
        };
        let [all, affirmed, denied] = VIEWS.map(field);
        let fields = Fields { row: field(ROW)?, all: all?, affirmed: affirmed?, denied: denied? };
        let mut rows = Vec::new();
        for segment in reader.searcher().segment_readers() {
            let column = segment.fast_fields().u64(ROW)?;
            rows.push((0..segment.max_doc()).map(|doc| column.first(doc).unwrap_or(u64::MAX) as u32).collect());
        }
        let all_rows = rows.iter().flatten().copied().collect();
        Ok(Self { reader, fields, rows, all_rows })
    }

    /// The `k` best rows (of those in `filter`) with their score, best first, ties by row.
    ///
    /// BM25, where a term counts as one word however it is spelled: its rarity is that of all its spellings together, and a document
    /// has it as often as it has the spelling that stands in it most, times that spelling's weight.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn search(&self, terms: &[Term], k: usize, filter: Option<&RoaringBitmap>) -> Result<Vec<(f32, u32)>> {
        let documents: usize = self.rows.iter().map(Vec::len).sum();
        let searcher = self.reader.searcher();
        let mut words = 0;
        for segment in searcher.segment_readers() {
            words += segment.inverted_index(self.fields.all)?.total_num_tokens();
        }
        let mean = (words as f32 / documents.max(1) as f32).max(1.0);
        let mut scores: Vec<Vec<f32>> = self.rows.iter().map(|rows| vec![0.0; rows.len()]).collect();
        for term in terms {
            let counts = self.counts(term, true)?;
            let having: usize = counts.iter().map(Vec::len).sum();
            let idf = (1.0 + (documents as f32 - having as f32 + 0.5) / (having as f32 + 0.5)).ln();
            let segments = searcher.segment_readers().iter().zip(&counts).zip(&mut scores);
            for ((segment, counts), scores) in segments {
                let lengths = segment.get_fieldnorms_reader(self.fields.all)?;
                for (doc, count) in counts {
                    let norm = K1 * (1.0 - B + B * lengths.fieldnorm(*doc) as f32 / mean);
                    if let Some(score) = scores.get_mut(*doc as usize) {
                        *score += idf * count * (K1 + 1.0) / (count + norm);
                    }
                }
            }
        }
        let rows = self.rows.iter().flatten();
        let scored = scores.iter().flatten().zip(rows).filter(|(score, _)| **score > 0.0);
        let passing = scored.filter(|(_, row)| filter.is_none_or(|filter| filter.contains(**row)));
        Ok(best_of(passing.map(|(score, row)| (*score, *row)).collect(), k))
    }

    /// Number of documents.
    pub(crate) fn documents(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// All rows that match.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn matches(&self, keywords: &Keywords) -> Result<RoaringBitmap> {
        Ok(match keywords {
            Keywords::All(parts) => {
                let mut rows = self.all_rows.clone();
                for part in parts {
                    rows &= self.matches(part)?;
                }
                rows
            }
            Keywords::Any(parts) => {
                let mut rows = RoaringBitmap::new();
                for part in parts {
                    rows |= self.matches(part)?;
                }
                rows
            }
            Keywords::Not(inner) => &self.all_rows - self.matches(inner)?,
            Keywords::Rows(rows) => rows.clone(),
            Keywords::Term(term) => self.rows_of(&self.counts(term, false)?),
        })
    }

    fn rows_of(&self, counts: &[Counts]) -> RoaringBitmap {
        let segments = self.rows.iter().zip(counts);
        segments.flat_map(|(rows, counts)| counts.iter().filter_map(|(doc, _)| rows.get(*doc as usize))).collect()
    }

    /// The documents of each segment that have the term, in their order, and how often.
    fn counts(&self, term: &Term, often: bool) -> Result<Vec<Counts>> {
        let field = match term.said {
            Said::Anyhow => self.fields.all,
            Said::Affirmed => self.fields.affirmed,
            Said::Denied => self.fields.denied,
        };
        let searcher = self.reader.searcher();
        let mut counts = Vec::with_capacity(self.rows.len());
        for segment in searcher.segment_readers() {
            let inverted = segment.inverted_index(field)?;
            let mut merged = Counts::new();
            for spelling in &term.spellings {
                merged.extend(scan::spelling(&inverted, field, spelling, often)?);
            }
            if term.spellings.len() > 1 {
                // sorted runs, which the sort knows to merge; the highest count of a document first
                merged.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
                merged.dedup_by_key(|(doc, _)| *doc);
            }
            counts.push(merged);
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests;
