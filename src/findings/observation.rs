//! The 14 observations of CheXpert (Irvin et al., AAAI 2019, table 1) and what a source can say of each.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// One of the 14 CheXpert observations, in the order of the data set's own columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names are the field's own
pub enum Observation {
    NoFinding,
    EnlargedCardiomediastinum,
    Cardiomegaly,
    LungOpacity,
    LungLesion,
    Edema,
    Consolidation,
    Pneumonia,
    Atelectasis,
    Pneumothorax,
    PleuralEffusion,
    PleuralOther,
    Fracture,
    SupportDevices,
}

impl Observation {
    /// How many observations there are.
    pub const COUNT: usize = 14;

    /// All observations, in the order of a label vector.
    pub const ALL: [Observation; Self::COUNT] = [
        Observation::NoFinding,
        Observation::EnlargedCardiomediastinum,
        Observation::Cardiomegaly,
        Observation::LungOpacity,
        Observation::LungLesion,
        Observation::Edema,
        Observation::Consolidation,
        Observation::Pneumonia,
        Observation::Atelectasis,
        Observation::Pneumothorax,
        Observation::PleuralEffusion,
        Observation::PleuralOther,
        Observation::Fracture,
        Observation::SupportDevices,
    ];

    /// The CheXpert column name, for example `Pleural Effusion`.
    pub fn name(self) -> &'static str {
        match self {
            Observation::NoFinding => "No Finding",
            Observation::EnlargedCardiomediastinum => "Enlarged Cardiomediastinum",
            Observation::Cardiomegaly => "Cardiomegaly",
            Observation::LungOpacity => "Lung Opacity",
            Observation::LungLesion => "Lung Lesion",
            Observation::Edema => "Edema",
            Observation::Consolidation => "Consolidation",
            Observation::Pneumonia => "Pneumonia",
            Observation::Atelectasis => "Atelectasis",
            Observation::Pneumothorax => "Pneumothorax",
            Observation::PleuralEffusion => "Pleural Effusion",
            Observation::PleuralOther => "Pleural Other",
            Observation::Fracture => "Fracture",
            Observation::SupportDevices => "Support Devices",
        }
    }

    /// Position in [`Observation::ALL`] and in a label vector.
    pub fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name is none of the 14 observations.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not one of the 14 observations (for example 'Pleural Effusion')")]
pub struct UnknownObservation(pub String);

impl FromStr for Observation {
    type Err = UnknownObservation;

    /// Accepts the CheXpert name in any case, with blanks, `_` or `-` between the words.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain =
            |s: &str| s.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
        let wanted = plain(text);
        Self::ALL.into_iter().find(|o| plain(o.name()) == wanted).ok_or_else(|| UnknownObservation(text.to_owned()))
    }
}

impl Serialize for Observation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Observation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for Observation {
    fn schema() -> RefOr<Schema> {
        let names = Self::ALL.map(Observation::name);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for Observation {}

/// What is said of an observation. "Not mentioned" is the absence of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    /// Stated as there.
    Present,
    /// Stated as not there.
    Absent,
    /// Hedged: "may represent", "cannot be excluded".
    Uncertain,
}

impl Polarity {
    /// CheXpert's number: 1 present, 0 absent, -1 uncertain.
    pub fn code(self) -> i8 {
        match self {
            Polarity::Present => 1,
            Polarity::Absent => 0,
            Polarity::Uncertain => -1,
        }
    }
}

/// Side of the patient, not of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The patient's left.
    Left,
    /// The patient's right.
    Right,
    /// Both sides.
    Bilateral,
}

/// Severity or size as reports grade it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Small, mild, trace, minimal.
    Mild,
    /// Moderate.
    Moderate,
    /// Large, severe, massive.
    Severe,
}
