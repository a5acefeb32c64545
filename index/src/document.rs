//! What the catalogue keeps of a study. No medical words here: fields and items are what the application says they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One study, as the application hands it over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Unique name; the order of the catalogue.
    pub id: String,
    /// What results are grouped by: the patient.
    pub group: String,
    /// Values to filter by: `sex`, `age`, `finding`, ... A field may have several values. One whose name begins with `_` is
    /// kept with the study and returned by [`Index::fields`](crate::Index::fields), and is neither filtered by nor searched.
    pub fields: BTreeMap<String, Vec<Value>>,
    /// Things to embed with the image encoder.
    pub images: Vec<Item>,
    /// Things to embed with the text encoder: the sentences of the reports.
    pub sentences: Vec<Item>,
    /// Text for keyword search.
    pub text: String,
    /// Bytes of [`Document::text`] that say what is not there: "no effusion". Keyword search tells them from the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<std::ops::Range<usize>>,
    /// The application's own record, returned as it came.
    pub body: serde_json::Value,
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number: ranges apply.
    Number(f64),
    /// A word or phrase, compared without case. Dates are `YYYY-MM-DD`, so that ranges apply to them too.
    Text(String),
}

/// A thing that gets a vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Unique name in the catalogue, for example `nih/00000013_005#0`.
    pub key: String,
    /// Hash of the content: the vector is made anew when it changes.
    pub hash: String,
}

/// True for a field that is kept with a study only.
pub(crate) fn is_private(name: &str) -> bool {
    name.starts_with('_')
}
