//! The one shape that every reader yields: a study of one patient.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::findings::Labels;

/// One examination of one patient: its films, its reports and what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// `source/name`, unique in a home, for example `nih/00000013_005`. Stable from one import to the next.
    pub id: String,
    /// The reader that yielded it: `nih`, `openi`, `manifest`, ...
    pub source: String,
    /// `source/patient`, so that two sources never share a patient by accident.
    pub patient: String,
    /// Date of the examination, `YYYY-MM-DD`, where the source gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Place on the patient's time line where there is no date: days from an event, or a follow-up number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<i32>,
    /// Age at the examination, in years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<f32>,
    /// Sex as recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// The films.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// The reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<Report>,
    /// Labels, each with its source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelSet>,
}

/// A film.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Unique in a home: `study id` + `#` + number from 0.
    pub id: String,
    /// Where it was imported from, absolute.
    pub path: PathBuf,
    /// Projection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// BLAKE3 of the file's bytes, in hex; set by the importer, readers leave it empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// Width and height in pixels; set by the importer.
    #[serde(default)]
    pub size: (u32, u32),
}

/// A report: its sections in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// The sections in their order.
    pub sections: Vec<Section>,
}

/// A section of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Section {
    /// Lower-case heading (`findings`, `impression`, `indication`, `comparison`, `history`, `note`); empty where there is none.
    pub name: String,
    /// The text, white space folded.
    pub text: String,
}

/// What one source says of the study.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LabelSet {
    /// Who says so.
    pub origin: LabelOrigin,
    /// What is said.
    #[schema(value_type = std::collections::BTreeMap<String, crate::findings::Polarity>)]
    pub labels: Labels,
    /// Further findings in the source's own words that are none of the 14, for example `Hernia`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<String>,
}

/// Who gave a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LabelOrigin {
    /// Known exactly: the phantom's own truth.
    Truth,
    /// Published with the data set, or given in a manifest.
    Dataset,
    /// Read out of the report by our labeler.
    Labeler,
}

/// Projection of a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum View {
    /// Postero-anterior, upright.
    Pa,
    /// Antero-posterior, upright or supine.
    Ap,
    /// Lateral.
    Lateral,
}

impl View {
    /// `PA`, `AP` or `LATERAL`.
    pub fn code(self) -> &'static str {
        match self {
            View::Pa => "PA",
            View::Ap => "AP",
            View::Lateral => "LATERAL",
        }
    }
}

/// Sex as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs)]
pub enum Sex {
    #[serde(rename = "F")]
    Female,
    #[serde(rename = "M")]
    Male,
}

impl Sex {
    /// `F` or `M`.
    pub fn code(self) -> &'static str {
        match self {
            Sex::Female => "F",
            Sex::Male => "M",
        }
    }
}
