//! The storage and search engine of thorax: it knows documents, items and vectors, and nothing of medicine, models or HTTP.
//!
//! - [`document`] what the catalogue keeps of a study
//! - [`catalogue`] the truth: documents in sled, acknowledged when flushed
//! - [`generation`] one model's embeddings of the catalogue: built beside the serving one, resumable, swapped in by a rename
//! - [`index`] a finished generation, opened for searching
//! - [`language`] `"pleural effusion" -edema sex:F age:40..60`: what queries and filters are written in
//! - [`filter`] which studies pass, and the columns that answer it
//! - [`doctor`] is what lies in a home what was written?
//! - [`vectors`] a column of unit vectors: files, dot product, exact scan
//! - [`graph`] the HNSW graph over a column, for the large ones
//! - [`text`] keyword search, by tantivy
//! - [`tuning`] the sizes and efforts at which the engine changes its ways
//! - [`error`] what can go wrong, caller faults apart from ours
//!
//! ```text
//! Document --put--> Catalogue --Builder--> HOME/index/<n>/ --Index::open--> nearest · keywords · filter
//! ```

pub mod catalogue;
pub mod doctor;
pub mod document;
pub mod error;
pub mod filter;
pub mod generation;
pub mod graph;
pub mod index;
pub mod language;
pub mod text;
pub mod tuning;
pub mod vectors;

mod disk;
mod map;
#[cfg(test)]
mod testing;

pub use catalogue::{
    Catalogue, Change, Exported, PutOutcome, Records, Restore, StoredStudy, Totals, Version, read_stored,
};
pub use disk::{checksum, sync_dir};
pub use document::{Document, Item, Value};
pub use error::{IndexError, Result};
pub use filter::{Facet, FacetKind, FacetValue, FieldInfo, Filter};
pub use generation::{Builder, Failure, Manifest, Pending, Progress, Space, Summary};
pub use index::{Behind, Hit, Index, KeywordHit, StudyRef};
pub use roaring::RoaringBitmap;
pub use text::highlight::Highlighter;
pub use text::term::{Keywords, Said, Spelling, Term};
pub use tuning::Tuning;
