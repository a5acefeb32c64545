//! The folder that holds an archive's catalogue, models and index.
//!
//! ```text
//! HOME/thorax.toml       configuration, optional
//! HOME/catalogue/        sled: the truth
//! HOME/models/<name>/    trained models;  HOME/models/DEFAULT names the one trained last;
//!                        without one, the model that is part of the program is used
//! HOME/index/<n>/        generations;     HOME/index/CURRENT names the one in use
//! HOME/cache/            what is quicker to read than to make; may be deleted
//! HOME/phantom/          films made by `thorax import phantom`
//! HOME/tokens.json       who may use the server, see [`crate::access`]
//! HOME/audit/            who did what, see [`crate::audit`]
//! HOME/server.json       as long as a server owns the home: where it is, see [`crate::owner`]
//! ```

use std::path::{Path, PathBuf};

use thorax_index::{Catalogue, IndexError};
use thorax_models::device::device;
use thorax_models::{Encoder, shipped};

use crate::cli::through::client::Server;
use crate::config::Config;
use crate::error::{Error, Result};

/// A home and its configuration.
#[derive(Clone, Debug)]
pub struct Home {
    path: PathBuf,
    /// The validated configuration.
    pub config: Config,
}

impl Home {
    /// Opens a home, making the folder where it is missing.
    ///
    /// # Errors
    /// The folder cannot be made, or its configuration is wrong.
    pub fn open(path: &Path) -> Result<Self> {
        fs_err::create_dir_all(path)?;
        let path = fs_err::canonicalize(path)?;
        let config = Config::load(&path)?;
        Ok(Self { path, config })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the catalogue.
    ///
    /// # Errors
    /// Another process owns the home, or the catalogue cannot be read.
    pub fn catalogue(&self) -> Result<Catalogue> {
        match Catalogue::open(&self.path) {
            Err(error @ IndexError::InUse { .. }) => {
                Err(Server::of(&self.path)?.map_or_else(|| error.into(), |server| server.refusal()))
            }
            other => Ok(other?),
        }
    }

    /// Folder of phantom films.
    pub fn phantom_dir(&self) -> PathBuf {
        self.path.join("phantom")
    }

    /// Folder of one model.
    ///
    /// # Errors
    /// A name that is not a plain word is refused: it becomes a folder.
    pub fn model_dir(&self, name: &str) -> Result<PathBuf> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(Error::Caller(format!(
                "model name '{name}': use letters, digits, '-', '_' and '.', not starting with '.'"
            )));
        }
        Ok(self.path.join("models").join(name))
    }

    /// Name of the model to use: the one given, else the configured one, else the one trained last, else the one that is
    /// part of the program.
    ///
    /// # Errors
    /// The note of the one trained last is there and cannot be read.
    pub fn model_name(&self, given: Option<&str>) -> Result<String> {
        if let Some(name) = given {
            return Ok(name.to_owned());
        }
        if !self.config.model.is_empty() {
            return Ok(self.config.model.clone());
        }
        match fs_err::read_to_string(self.default_model_file()) {
            Ok(name) => Ok(name.trim().to_owned()),
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(shipped::NAME.to_owned()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Whether `name` is the model that is part of the program. A model of that name in the home takes its place.
    pub fn is_built_in(&self, name: &str) -> bool {
        name == shipped::NAME && !self.path.join("models").join(name).join("model.safetensors").exists()
    }

    /// Names of the models that can be used, the one in the program among them, in order.
    pub fn model_names(&self) -> Vec<String> {
        let models = self.path.join("models");
        let mut names: Vec<String> = fs_err::read_dir(&models)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| self.model_dir(name).is_ok() && models.join(name).join("model.safetensors").exists())
            .collect();
        if self.is_built_in(shipped::NAME) {
            names.push(shipped::NAME.to_owned());
        }
        names.sort();
        names
    }

    /// Notes the model that later commands use when none is named.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_default_model(&self, name: &str) -> Result<()> {
        let file = self.default_model_file();
        let temporary = file.with_extension("new");
        fs_err::write(&temporary, format!("{name}\n"))?;
        fs_err::rename(temporary, file)?;
        Ok(())
    }

    /// Loads a model's encoder.
    ///
    /// # Errors
    /// There is no such model, or its files are damaged.
    pub fn encoder(&self, name: &str) -> Result<Encoder> {
        let dir = self.model_dir(name)?;
        let device = device(self.config.device)?;
        if self.is_built_in(name) {
            return Ok(shipped::encoder(&device)?);
        }
        if !dir.join("model.safetensors").exists() {
            return Err(Error::Caller(format!(
                "there is no model '{name}' in this home: run `thorax train`, or name one with --model; \
                 '{}' is part of the program",
                shipped::NAME
            )));
        }
        Ok(Encoder::load(&dir, &device)?)
    }

    /// Loads the encoder whose vectors the index holds.
    ///
    /// # Errors
    /// No model of this home has that fingerprint.
    pub fn encoder_with(&self, fingerprint: &str) -> Result<(String, Encoder)> {
        let mut names = self.model_names();
        // The default one first: it is almost always the one, and loading is what costs.
        if let Ok(default) = self.model_name(None) {
            names.sort_by_key(|name| *name != default);
        }
        for name in names {
            let encoder = self.encoder(&name)?;
            if encoder.fingerprint() == fingerprint {
                return Ok((name, encoder));
            }
        }
        Err(Error::Caller(format!(
            "the index was built with a model (fingerprint {}) that is not in this home any more: run `thorax index`",
            fingerprint.get(..12).unwrap_or(fingerprint)
        )))
    }

    fn default_model_file(&self) -> PathBuf {
        self.path.join("models").join("DEFAULT")
    }
}
