//! Directions of findings, kept in `HOME/cache` so that a command line does not embed the same prompts at every start.
//!
//! Derived and disposable: a file that is missing, damaged, of another model or of other prompts is made anew, and a home that
//! cannot be written does without.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The file of one model and one set of prompts.
pub struct Kept {
    path: PathBuf,
    directions: BTreeMap<String, Vec<f32>>,
}

/// What the file holds behind the line with its hash.
#[derive(Default, Serialize, Deserialize)]
struct Content {
    /// Hash of model and prompts.
    made_from: String,
    directions: BTreeMap<String, Vec<f32>>,
}

impl Kept {
    /// Reads what is there for this model; `prompts` is everything that the directions are made of.
    pub fn open(home: &Path, fingerprint: &str, prompts: &str) -> Self {
        let made_from = blake3::hash(format!("{fingerprint}\n{prompts}").as_bytes()).to_hex();
        let path = home.join("cache").join(format!("directions-{}", made_from.as_str().get(..16).unwrap_or_default()));
        let directions = read(&path, made_from.as_str()).unwrap_or_default();
        Self { path, directions }
    }

    /// A direction by its name.
    pub fn get(&self, name: &str) -> Option<&Vec<f32>> {
        self.directions.get(name)
    }

    /// Keeps one more.
    pub fn keep(&mut self, name: String, direction: Vec<f32>, fingerprint: &str, prompts: &str) {
        self.directions.insert(name, direction);
        let made_from = blake3::hash(format!("{fingerprint}\n{prompts}").as_bytes()).to_hex().to_string();
        let content = Content { made_from, directions: self.directions.clone() };
        // A full disk or a read-only home costs time at the next start, and nothing else.
        if let Err(error) = write(&self.path, &content) {
            tracing::debug!("directions are not kept: {error}");
        }
    }
}

fn read(path: &Path, made_from: &str) -> Option<BTreeMap<String, Vec<f32>>> {
    let text = fs_err::read_to_string(path).ok()?;
    let (hash, json) = text.split_once('\n')?;
    if blake3::hash(json.as_bytes()).to_hex().as_str() != hash {
        return None;
    }
    let content: Content = serde_json::from_str(json).ok()?;
    (content.made_from == made_from).then_some(content.directions)
}

fn write(path: &Path, content: &Content) -> std::io::Result<()> {
    let json = serde_json::to_string(content)?;
    let text = format!("{}\n{json}", blake3::hash(json.as_bytes()).to_hex());
    let folder = path.parent().unwrap_or(path);
    fs_err::create_dir_all(folder)?;
    // Several processes or threads may write: each its own file, the last rename stands.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_damage_is_harmless() {
        let home = tempfile::tempdir().unwrap();
        let open = |model: &str| Kept::open(home.path(), model, "prompts");
        let mut kept = open("model");
        assert_eq!(kept.get("edema"), None);
        kept.keep("edema".to_owned(), vec![0.1, -2.5e-8], "model", "prompts");
        assert_eq!(open("model").get("edema"), Some(&vec![0.1, -2.5e-8]));
        assert_eq!(open("other").get("edema"), None);
        let bytes = fs_err::read(&kept.path).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs_err::write(&kept.path, &damaged).unwrap();
            assert_eq!(open("model").get("edema"), None, "byte {at}");
        }
        fs_err::remove_dir_all(home.path().join("cache")).unwrap();
        fs_err::write(home.path().join("cache"), "in the way").unwrap();
        let mut blocked = open("model");
        blocked.keep("edema".to_owned(), vec![1.0], "model", "prompts");
        assert_eq!(blocked.get("edema"), Some(&vec![1.0]));
    }
}
