//! A label vector: what one source says of the 14 observations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::observation::{Observation, Polarity};

/// What one source says of each observation; what it does not mention is missing.
///
/// As JSON an object from CheXpert name to `present`, `absent` or `uncertain`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<Observation, Polarity>);

impl Labels {
    /// Nothing said of anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is said of `observation`, or `None` where it is not mentioned.
    pub fn get(&self, observation: Observation) -> Option<Polarity> {
        self.0.get(&observation).copied()
    }

    /// States `polarity` for `observation`, in place of what was said before.
    pub fn set(&mut self, observation: Observation, polarity: Polarity) {
        self.0.insert(observation, polarity);
    }

    /// The observations of one polarity, in vector order.
    pub fn with(&self, polarity: Polarity) -> impl Iterator<Item = Observation> + '_ {
        self.0.iter().filter(move |(_, p)| **p == polarity).map(|(o, _)| *o)
    }

    /// All that is mentioned, in vector order.
    pub fn iter(&self) -> impl Iterator<Item = (Observation, Polarity)> + '_ {
        self.0.iter().map(|(o, p)| (*o, *p))
    }

    /// True when nothing is mentioned.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// CheXpert's numbers by name: 1 present, 0 absent, -1 uncertain, null not mentioned.
    pub fn codes(&self) -> serde_json::Map<String, serde_json::Value> {
        Observation::ALL.into_iter().map(|o| (o.name().to_owned(), self.get(o).map(Polarity::code).into())).collect()
    }
}

impl FromIterator<(Observation, Polarity)> for Labels {
    fn from_iter<T: IntoIterator<Item = (Observation, Polarity)>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}
