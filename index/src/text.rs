//! Keyword search by tantivy: BM25 over the documents' text, with English stemming, and their fields by name.

use std::collections::BTreeMap;
use std::path::Path;

use fs_err as fs;
use roaring::RoaringBitmap;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::Column;
use tantivy::merge_policy::NoMergePolicy;
use tantivy::query::{Query, QueryParser, QueryParserError};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{
    DocId, Index, IndexReader, IndexWriter, ReloadPolicy, Score, SegmentOrdinal, SegmentReader, TantivyDocument,
};
use tantivy::{TantivyError, schema};

use crate::document::Value;
use crate::error::{IndexError, Result};
use crate::vectors::best_of;

const ROW: &str = "_row";
const TEXT: &str = "text";
/// Memory for the words of documents that are not written yet.
const WRITER_BYTES: usize = 64 << 20;
/// The parser is recursive, and tries again at every parenthesis.
const MAX_DEPTH: usize = 8;
const MAX_CHARACTERS: usize = 2000;

/// Writes a text index.
pub struct TextWriter {
    writer: IndexWriter,
    row: Field,
    text: Field,
    fields: BTreeMap<String, (Field, bool)>,
}

impl TextWriter {
    /// Creates the index in a new folder. `kinds` are the documents' fields, and whether all values of each are numbers.
    ///
    /// A field named `text` or `_row` and one that begins with `-` cannot be searched by name.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn create(dir: &Path, kinds: &BTreeMap<String, bool>) -> Result<Self> {
        let options = |tokenizer: &str| {
            let indexing = TextFieldIndexing::default().set_index_option(IndexRecordOption::WithFreqsAndPositions);
            TextOptions::default().set_indexing_options(indexing.set_tokenizer(tokenizer))
        };
        let mut schema = Schema::builder();
        let row = schema.add_u64_field(ROW, FAST);
        let text = schema.add_text_field(TEXT, options("en_stem"));
        let mut fields = BTreeMap::new();
        for (name, numbers) in kinds {
            if name == TEXT || name == ROW || !schema::is_valid_field_name(name) {
                continue;
            }
            let field = if *numbers {
                schema.add_f64_field(name, INDEXED | FAST)
            } else {
                schema.add_text_field(name, options("default"))
            };
            fields.insert(name.clone(), (field, *numbers));
        }
        fs::create_dir_all(dir)?;
        let index = Index::create_in_dir(dir, schema.build())?;
        let writer = index.writer_with_num_threads(1, WRITER_BYTES)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(Self { writer, row, text, fields })
    }

    /// Adds the document of this row.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn add(&mut self, row: u32, text: &str, fields: &BTreeMap<String, Vec<Value>>) -> Result<()> {
        let mut document = TantivyDocument::default();
        document.add_u64(self.row, u64::from(row));
        document.add_text(self.text, text);
        for (name, values) in fields {
            let Some((field, numbers)) = self.fields.get(name) else {
                continue;
            };
            for value in values {
                match value {
                    Value::Number(number) if *numbers => document.add_f64(*field, *number),
                    Value::Number(number) => document.add_text(*field, number.to_string()),
                    Value::Text(text) => document.add_text(*field, text),
                }
            }
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
    parser: QueryParser,
    fields: Vec<String>,
}

impl TextIndex {
    /// Opens an index.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(dir: &Path) -> Result<Self> {
        let index = Index::open_in_dir(dir)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let schema = index.schema();
        let text = schema.get_field(TEXT)?;
        let fields = schema.fields().map(|(_, entry)| entry.name().to_owned()).filter(|name| name != ROW).collect();
        Ok(Self { reader, parser: QueryParser::for_index(&index, vec![text]), fields })
    }

    /// The `k` best rows (of those in `filter`) with their BM25 score, best first, ties by row.
    ///
    /// # Errors
    /// [`IndexError::BadQuery`].
    pub fn search(&self, query: &str, k: usize, filter: Option<&RoaringBitmap>) -> Result<Vec<(f32, u32)>> {
        let scored = self.collect(query, filter, true)?;
        Ok(best_of(scored, k))
    }

    /// All rows that match.
    ///
    /// # Errors
    /// [`IndexError::BadQuery`].
    pub fn matches(&self, query: &str) -> Result<RoaringBitmap> {
        Ok(self.collect(query, None, false)?.into_iter().map(|(_, row)| row).collect())
    }

    /// Number of documents.
    pub(crate) fn documents(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    fn collect(&self, query: &str, filter: Option<&RoaringBitmap>, scoring: bool) -> Result<Vec<(f32, u32)>> {
        let query = self.parse(query)?;
        let collector = Rows { filter: filter.cloned(), scoring };
        self.reader.searcher().search(&query, &collector).map_err(|error| match error {
            TantivyError::InvalidArgument(reason) | TantivyError::SchemaError(reason) => {
                IndexError::BadQuery { reason }
            }
            TantivyError::FieldNotFound(field) => self.unknown_field(&field),
            other => IndexError::Text(other),
        })
    }

    fn parse(&self, query: &str) -> Result<Box<dyn Query>> {
        check_size(query)?;
        let (query, errors) = self.parser.parse_query_lenient(query);
        // "-word" alone means all the others: the parser has made it so, and reports it
        let fault = errors.into_iter().find(|error| *error != QueryParserError::AllButQueryForbidden);
        match fault {
            None => Ok(query),
            Some(QueryParserError::FieldDoesNotExist(field)) => Err(self.unknown_field(&field)),
            // tantivy's own message for this one is another error's
            Some(QueryParserError::ExpectedFloat(_)) => Err(IndexError::BadQuery {
                reason: "a field of numbers is asked for a value that is no number".to_owned(),
            }),
            Some(other) => Err(IndexError::BadQuery { reason: other.to_string() }),
        }
    }

    fn unknown_field(&self, field: &str) -> IndexError {
        let known = self.fields.join(", ");
        let reason =
            format!("there is no field '{field}'; there are: {known}. Put the words in quotes if ':' is part of them");
        IndexError::BadQuery { reason }
    }
}

fn check_size(query: &str) -> Result<()> {
    let bad = |reason: String| Err(IndexError::BadQuery { reason });
    if query.chars().count() > MAX_CHARACTERS {
        return bad(format!("it is longer than {MAX_CHARACTERS} characters"));
    }
    let (mut depth, mut deepest) = (0usize, 0);
    for character in query.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > MAX_DEPTH {
        return bad(format!("more than {MAX_DEPTH} parentheses inside each other"));
    }
    Ok(())
}

/// Collects rows with their scores.
struct Rows {
    filter: Option<RoaringBitmap>,
    scoring: bool,
}

struct SegmentRows {
    rows: Column<u64>,
    filter: Option<RoaringBitmap>,
    found: Vec<(f32, u32)>,
}

impl Collector for Rows {
    type Fruit = Vec<(f32, u32)>;
    type Child = SegmentRows;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentRows> {
        Ok(SegmentRows { rows: segment.fast_fields().u64(ROW)?, filter: self.filter.clone(), found: Vec::new() })
    }

    fn requires_scoring(&self) -> bool {
        self.scoring
    }

    fn merge_fruits(&self, fruits: Vec<Vec<(f32, u32)>>) -> tantivy::Result<Vec<(f32, u32)>> {
        Ok(fruits.into_iter().flatten().collect())
    }
}

impl SegmentCollector for SegmentRows {
    type Fruit = Vec<(f32, u32)>;

    fn collect(&mut self, document: DocId, score: Score) {
        let row = self.rows.first(document).and_then(|row| u32::try_from(row).ok());
        let passing = row.filter(|row| self.filter.as_ref().is_none_or(|filter| filter.contains(*row)));
        self.found.extend(passing.map(|row| (score, row)));
    }

    fn harvest(self) -> Self::Fruit {
        self.found
    }
}

#[cfg(test)]
mod tests;
