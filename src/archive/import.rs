//! From a reader to the catalogue: check, batch, acknowledge.

use rayon::prelude::*;
use serde::Serialize;
use thorax_index::Catalogue;

use super::{Checked, Rejected, Studies, check_study};
use crate::error::{Error, Result};
use crate::indexing::document::document;
use crate::progress::Progress;

/// Studies checked and acknowledged together.
const BATCH: usize = 64;

/// What an import did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Studies that were not in the catalogue.
    pub added: usize,
    /// Studies that changed.
    pub updated: usize,
    /// Studies that are as they were.
    pub unchanged: usize,
    /// Films of these studies.
    pub images: usize,
    /// Reports of these studies.
    pub reports: usize,
    /// What could not be imported, by file and record.
    pub rejected: Vec<Rejected>,
}

impl Summary {
    /// Studies that are now in the catalogue because of this import or an earlier one of the same.
    pub fn studies(&self) -> usize {
        self.added + self.updated + self.unchanged
    }
}

/// Imports a stream of studies. Each batch is acknowledged as a whole; a rejected record stops nothing.
///
/// # Errors
/// The catalogue cannot be written, or a stop was asked for (what was acknowledged is kept).
pub fn import(catalogue: &Catalogue, mut studies: Studies, progress: &Progress) -> Result<Summary> {
    let mut summary = Summary::default();
    loop {
        if progress.asked_to_stop() {
            return Err(Error::Interrupted);
        }
        let batch: Vec<_> = studies.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(summary);
        }
        let read = batch.len() as u64;
        let checked: Vec<Checked> = batch
            .into_par_iter()
            .map(|record| match record {
                Ok(study) => check_study(study),
                Err(rejected) => Checked { study: None, rejected: vec![rejected] },
            })
            .collect();
        let mut documents = Vec::with_capacity(checked.len());
        for Checked { study, rejected } in checked {
            for fault in rejected {
                progress.note(&format!("rejected: {fault}"));
                summary.rejected.push(fault);
            }
            if let Some(study) = study {
                summary.images += study.images.len();
                summary.reports += study.reports.len();
                documents.push(document(&study)?);
            }
        }
        let outcome = catalogue.put(&documents)?;
        summary.added += outcome.added;
        summary.updated += outcome.updated;
        summary.unchanged += outcome.unchanged;
        progress.add(read);
    }
}
