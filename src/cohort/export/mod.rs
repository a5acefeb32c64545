//! Cohorts as files, for pandas, R and the like.
//!
//! - [`columns`] which columns there are, and which of them are left out unless they are asked for
//! - [`rows`] a study as a row
//! - [`table`] CSV, JSONL and Parquet: one row after the other, in constant memory
//! - [`parquet`] row groups of a Parquet file
//! - [`embeddings`] a matrix of vectors as NPY or safetensors, and a file that says which row is whose
//! - [`pseudonyms`] keyed names in place of ids
//! - [`target`] a file that is there as a whole or not at all

pub mod columns;
pub mod embeddings;
pub mod parquet;
pub mod pseudonyms;
pub mod rows;
pub mod table;
pub mod target;

use serde::Serialize;
use thorax_index::Catalogue;

use super::model::Cohort;
use super::store::Store;
use crate::error::{Error, Result};
use crate::indexing::document::study;
use crate::interrupt;
use crate::progress::Progress;
use columns::Column;
use pseudonyms::Pseudonyms;
use table::Table;

/// What an export did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Rows written.
    pub rows: u64,
    /// Members that are gone from the archive, and left out.
    pub gone: u64,
    /// Members whose record has changed since they became members; written as they are now.
    pub changed: u64,
}

/// Writes the members of a cohort, as the archive has them today, into a table.
///
/// # Errors
/// A record cannot be read, the table cannot be written, or Ctrl-C was pressed.
pub fn export(
    catalogue: &Catalogue,
    cohort: &Cohort,
    columns: &[Column],
    pseudonyms: Option<&Pseudonyms>,
    table: &mut dyn Table,
) -> Result<Exported> {
    let store = Store::open(catalogue)?;
    let progress = Progress::new("exporting", Some(cohort.studies));
    let mut done = Exported::default();
    let mut row = Vec::with_capacity(columns.len());
    for member in store.members(cohort) {
        if interrupt::asked() {
            return Err(Error::Interrupted);
        }
        let member = member?;
        progress.add(1);
        let Some((version, document)) = catalogue.get_versioned(&member.id)? else {
            done.gone += 1;
            continue;
        };
        let changed = version.hash != member.hash;
        done.changed += u64::from(changed);
        rows::fill(&mut row, columns, &member, &study(&document)?, changed, pseudonyms);
        table.write(&row)?;
        done.rows += 1;
    }
    Ok(done)
}
