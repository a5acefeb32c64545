//! The films' bytes beside the hashes that the catalogue has of them.

use std::path::PathBuf;

use rayon::prelude::*;
use thorax_index::Catalogue;
use thorax_index::doctor::Finding;

use crate::error::Result;
use crate::home::Home;
use crate::indexing::document::study;

const AGAIN: &str = "bring the file back, or import the study again (`thorax import phantom` computes its films anew)";

/// Compares the films that lie in the home, or all of them; how many.
///
/// # Errors
/// The catalogue cannot be read.
pub fn examine(home: &Home, catalogue: &Catalogue, all: bool, findings: &mut Vec<Finding>) -> Result<usize> {
    let mut films: Vec<(PathBuf, String)> = Vec::new();
    // damaged records are told of elsewhere
    for document in catalogue.iter().flatten() {
        match study(&document) {
            Ok(study) => {
                let chosen = study.images.into_iter().filter(|image| all || image.path.starts_with(home.path()));
                films.extend(chosen.map(|image| (image.path, image.hash)));
            }
            Err(_) => {
                let problem = "its record is no study that this version knows";
                findings.push(Finding::fault(format!("study {}", document.id), problem, "import the study again"));
            }
        }
    }
    films.sort();
    films.dedup();
    let wrong: Vec<Finding> = films
        .par_iter()
        .filter_map(|(path, hash)| {
            let problem = match fs_err::read(path) {
                Ok(bytes) if blake3::hash(&bytes).to_hex().as_str() == hash => return None,
                Ok(_) => "its bytes are not those that were imported".to_owned(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => "it is missing".to_owned(),
                Err(error) => error.to_string(),
            };
            Some(Finding::fault(path.display().to_string(), problem, AGAIN))
        })
        .collect();
    findings.extend(wrong);
    Ok(films.len())
}
