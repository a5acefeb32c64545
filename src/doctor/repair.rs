//! Mends what can be mended without the archive: the index from its own vectors, the catalogue by setting damaged records aside.

use thorax_index::doctor::repair::{Mended, mend_generation, set_records_aside};
use thorax_index::{Catalogue, IndexError};

use super::{Options, Report, examine_beside, leftovers};
use crate::error::{Error, Result};
use crate::home::Home;

/// Repairs, and tells what was done, line by line, with the state after it.
///
/// # Errors
/// Another process owns the home, or it cannot be written.
pub fn repair(home: &Home, options: Options) -> Result<(Vec<String>, Report)> {
    let mut done = Vec::new();
    let catalogue = match home.catalogue() {
        Err(Error::Index(IndexError::DamagedCatalogue { path, .. })) if path.ends_with("acknowledged.json") => {
            // only the note of what was acknowledged is damaged: the records can speak for themselves
            let catalogue = Catalogue::open_without_ledger(home.path())?;
            done.push(format!(
                "{} was unreadable: it now says what the catalogue has, {} changes",
                path.display(),
                catalogue.sequence()?
            ));
            catalogue
        }
        Err(Error::Index(error @ IndexError::DamagedCatalogue { .. })) => {
            let kept = "nothing was changed, since nothing here can replace the catalogue";
            return Err(Error::Caller(format!("{error}; {kept}")));
        }
        other => other?,
    };
    let before = examine_beside(home, &catalogue, options)?;
    let in_catalogue = home.path().join("catalogue").display().to_string();
    let lost: Vec<_> = before.faults().filter(|fault| fault.place == in_catalogue).map(|f| f.problem.clone()).collect();
    if let Some((file, count)) = set_records_aside(home.path(), &catalogue)? {
        done.push(format!("{count} damaged records were moved to {}: import these studies again", file.display()));
    }
    done.extend(lost.into_iter().map(|problem| format!("the catalogue has lost records ({problem}): import the archive again, or restore a backup; from now on they are not missed")));
    let in_index = home.path().join("index");
    let of_index = |place: &str| place.starts_with(&in_index.display().to_string()) || place.starts_with("study ");
    let now = examine_beside(home, &catalogue, Options::default())?;
    let model_gone = |fault: &thorax_index::doctor::Finding| fault.place == in_index.display().to_string();
    if now.faults().any(|fault| of_index(&fault.place) && !model_gone(fault)) {
        done.push(match mend_generation(home.path(), &catalogue)? {
            Mended::Rebuilt { generation } => {
                format!("the index was made anew from its vectors: generation {generation}")
            }
            Mended::PointedAt { generation } => format!("generation {generation} is sound and serves now"),
            Mended::Begun { missing } => {
                format!("{missing} vectors are lost, the others are kept: run `thorax index` to embed these")
            }
            Mended::Dropped => "the index was damaged beyond use and was removed: run `thorax index`".to_owned(),
        });
    }
    let removed = leftovers::remove(home)?;
    if removed > 0 {
        done.push(format!("{removed} temporary files of stopped runs were removed"));
    }
    let after = examine_beside(home, &catalogue, options)?;
    Ok((done, after))
}
