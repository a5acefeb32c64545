//! The models of a home: is each whole, and is it the one that its card and the index speak of?

use serde::Serialize;
use thorax_index::doctor::Finding;
use thorax_models::exchange::describe;
use thorax_models::shipped;

use crate::error::Result;
use crate::home::Home;

/// A model of the home.
#[derive(Clone, Debug, Serialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Hash of everything that its embeddings depend on, computed from the files; `None` when these are damaged.
    pub fingerprint: Option<String>,
}

const TRAIN_AGAIN: &str = "restore the folder from a backup, or train or import the model again";

/// Computes the fingerprint of every model. `indexed` is the one whose vectors the index holds.
///
/// # Errors
/// The folder of the models cannot be read.
pub fn examine(home: &Home, indexed: Option<&str>, findings: &mut Vec<Finding>) -> Result<Vec<Model>> {
    let root = home.path().join("models");
    let mut models = Vec::new();
    for entry in fs_err::read_dir(&root).into_iter().flatten() {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let dir = entry.path();
        if name.starts_with('.') || !dir.is_dir() {
            continue;
        }
        let place = dir.display().to_string();
        let fingerprint = match describe(&dir) {
            Err(error) => {
                findings.push(Finding::fault(place, error.to_string(), TRAIN_AGAIN));
                None
            }
            Ok(found) => {
                if found.card.as_ref().is_some_and(|card| card.fingerprint != found.fingerprint) {
                    let problem = "its files are not those that its card was written for: the fingerprint differs";
                    findings.push(Finding::fault(place, problem, TRAIN_AGAIN));
                }
                Some(found.fingerprint)
            }
        };
        models.push(Model { name, fingerprint });
    }
    models.sort_by(|a, b| a.name.cmp(&b.name));
    default_exists(home, findings);
    if let Some(indexed) = indexed {
        let mut known = models.iter().any(|model| model.fingerprint.as_deref() == Some(indexed));
        if !known && home.is_built_in(shipped::NAME) {
            known = home.encoder(shipped::NAME)?.fingerprint() == indexed;
        }
        if !known {
            let problem = "no model of this home made its vectors: a search cannot embed its query";
            let remedy = "bring the model back, or run `thorax index` to embed the archive with another one";
            findings.push(Finding::fault(home.path().join("index").display().to_string(), problem, remedy));
        }
    }
    Ok(models)
}

fn default_exists(home: &Home, findings: &mut Vec<Finding>) {
    let place = home.path().join("models").join("DEFAULT");
    let found = home.model_name(None).and_then(|name| Ok((home.model_dir(&name)?, name)));
    let remedy = "remove the file, or write the name of a model into it; `thorax train` does";
    match found {
        Err(error) => findings.push(Finding::fault(place.display().to_string(), error.to_string(), remedy)),
        Ok((dir, name)) if !dir.join("model.safetensors").exists() && !home.is_built_in(&name) => {
            let problem = format!("the model to use is '{name}', and there is none of that name");
            findings.push(Finding::fault(place.display().to_string(), problem, remedy));
        }
        Ok(_) => {}
    }
}
