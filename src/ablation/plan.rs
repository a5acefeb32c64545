//! What is to be compared.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use thorax_models::Config;

use crate::error::{Error, Result};
use crate::training::selection::Selection;

/// A file of variants. The first one is the base that the others are compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Preset, or a TOML file.
    pub preset: String,
    /// Steps of every run.
    pub steps: u64,
    /// Seeds of every variant.
    #[serde(default = "three")]
    pub seeds: u64,
    /// With 2 or more, every run is trained that many times, each time without one fold of the patients, which it is then scored
    /// on: all films of the source are scored, and the intervals are narrower. 0 = once, on the training patients.
    #[serde(default)]
    pub folds: u64,
    /// Source of the held-out films that are scored; empty = all.
    #[serde(default)]
    pub source: String,
    /// Settings of every variant.
    #[serde(default)]
    pub set: Vec<String>,
    /// Data of every variant that names none of its own.
    #[serde(default)]
    pub data: Selection,
    /// What is compared.
    #[serde(rename = "variant")]
    pub variants: Vec<Variant>,
}

fn three() -> u64 {
    3
}

/// One thing to try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name in the table.
    pub name: String,
    /// The paper's recipe first.
    #[serde(default)]
    pub faithful: bool,
    /// Its settings, after those of every variant.
    #[serde(default)]
    pub set: Vec<String>,
    /// Its data.
    #[serde(default)]
    pub data: Option<Selection>,
}

impl Plan {
    /// Reads a plan and checks every variant's configuration, so that none fails after hours.
    ///
    /// # Errors
    /// The file cannot be read, or a variant does not fit: it is named.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path)?;
        let plan: Plan = toml::from_str(&text).map_err(|e| Error::Caller(format!("{}: {e}", path.display())))?;
        plan.check().map_err(|e| Error::Caller(format!("{}: {e}", path.display())))?;
        Ok(plan)
    }

    /// Checks that every variant can be trained.
    ///
    /// # Errors
    /// A variant that does not fit is named.
    pub fn check(&self) -> Result<()> {
        let wrong = |what: &str| Err(Error::Caller(what.to_owned()));
        if self.variants.len() < 2 {
            return wrong("there must be two variants or more: the first is the base");
        }
        if self.steps == 0 || self.seeds == 0 {
            return wrong("steps and seeds must be 1 or more");
        }
        if self.folds == 1 || self.folds > 20 {
            return wrong("folds must be 0, or 2 to 20");
        }
        let names: BTreeSet<String> = self.variants.iter().map(Variant::folder).collect();
        if names.len() < self.variants.len() || names.contains("") {
            return wrong("the names of the variants must differ in letters or digits");
        }
        for variant in &self.variants {
            let shares = [self.data_of(variant).share, self.data_of(variant).decouple];
            if shares.iter().any(|share| !(0.0..=1.0).contains(share)) {
                return wrong(&format!("variant '{}': share and decouple must lie within 0 to 1", variant.name));
            }
            self.config(variant, 0).map_err(|e| Error::Caller(format!("variant '{}': {e}", variant.name)))?;
        }
        Ok(())
    }

    /// The configuration of one run.
    ///
    /// # Errors
    /// There is no such preset, or a setting does not fit.
    pub fn config(&self, variant: &Variant, seed: u64) -> Result<Config> {
        let mut config = Config::resolve(&self.preset)?.with(&self.set)?;
        if variant.faithful {
            config.training = config.training.faithful();
        }
        let mut config = config.with(&variant.set)?;
        config.training.seed = seed;
        Ok(config)
    }

    /// The data of one variant.
    pub fn data_of<'a>(&'a self, variant: &'a Variant) -> &'a Selection {
        variant.data.as_ref().unwrap_or(&self.data)
    }
}

impl Variant {
    /// Its name as a folder.
    pub fn folder(&self) -> String {
        let words: Vec<String> = self
            .name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        words.join("-")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PLANS: [&str; 4] = [
        include_str!("../../models/configs/ablations.toml"),
        include_str!("../../models/configs/claims.toml"),
        include_str!("../../models/configs/film-claims.toml"),
        include_str!("../../models/configs/matched-claims.toml"),
    ];

    fn complaint(text: &str) -> String {
        match toml::from_str::<Plan>(text) {
            Ok(plan) => plan.check().unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_variant_that_does_not_fit_is_named_before_anything_runs() {
        let base = "preset = 'demo'\nsteps = 5\n[[variant]]\nname = 'base'\n";
        assert!(complaint(base).contains("two variants"));
        let more = |text: &str| complaint(&format!("{base}[[variant]]\n{text}"));
        assert!(more("name = 'x'\nset = ['training.balnce=1']").contains("variant 'x'"));
        assert!(complaint(&format!("folds = 1\n{base}[[variant]]\nname = 'x'")).contains("folds"));
        assert!(more("name = 'Base!'").contains("must differ"));
        assert!(more("name = 'x'\ndata = { share = 2.0 }").contains("within 0 to 1"));
        assert!(more("name = 'x'\ntemperature = 1").contains("temperature"));
    }

    #[test]
    fn settings_come_in_order_and_the_seed_last() {
        let plan: Plan = toml::from_str(
            "preset = 'demo'\nsteps = 5\nset = ['training.image_batch=8', 'training.label_temperature=0.2']\n\
             [[variant]]\nname = 'base'\n[[variant]]\nname = 'paper'\nfaithful = true\nset = ['training.balance=0.25']",
        )
        .unwrap();
        plan.check().unwrap();
        assert_eq!((plan.seeds, plan.data_of(&plan.variants[0]).share), (3, 1.0));
        let training = plan.config(&plan.variants[1], 7).unwrap().training;
        assert_eq!((training.image_batch, training.seed, training.balance), (8, 7, 0.25));
        assert_eq!(training.label_temperature, 1.0, "faithful comes after the settings of all");
        assert_eq!(plan.variants[1].folder(), "paper");
    }

    #[test]
    fn the_plans_that_come_with_the_program_can_be_run() {
        for text in PLANS {
            toml::from_str::<Plan>(text).unwrap().check().unwrap();
        }
    }
}
