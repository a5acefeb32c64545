//! A study as the catalogue keeps it: fields to filter by, items to embed, text for keywords.

use std::collections::BTreeMap;

use thorax_index::{Document, Item, Value};

use super::shown::{reports, shown};
use super::statements;
use crate::archive::Study;
use crate::error::{Error, Result};
use crate::findings::{self, Polarity, Side};

/// The fields that studies can have; an archive may have some of them only.
pub const FIELDS: [&str; 14] = [
    "source",
    "patient",
    "date",
    "offset",
    "age",
    "sex",
    "view",
    "has",
    "finding",
    "left",
    "right",
    "absent",
    "uncertain",
    "other",
];

/// A sentence of a report that gets a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// `study id` + `#s` + number from 0.
    pub key: String,
    /// The text.
    pub text: String,
}

/// The sentences of a study's reports that speak of the films, in their order.
pub fn sentences(study: &Study) -> Vec<Sentence> {
    let mut texts = Vec::new();
    for (report, labeled) in study.reports.iter().zip(reports(study)) {
        for section in &labeled.sections {
            let Some(text) = report.sections.get(section.section).map(|s| s.text.as_str()) else { continue };
            texts.extend(section.labeled.sentences.iter().filter_map(|range| text.get(range.clone())));
        }
    }
    texts
        .into_iter()
        .enumerate()
        .map(|(i, text)| Sentence { key: format!("{}#s{i}", study.id), text: text.to_owned() })
        .collect()
}

/// Makes the catalogue's document of a study.
///
/// # Errors
/// The study cannot be written as JSON.
pub fn document(study: &Study) -> Result<Document> {
    let images = study.images.iter().map(|image| Item { key: image.id.clone(), hash: image.hash.clone() }).collect();
    let sentences = sentences(study)
        .into_iter()
        .map(|s| Item { hash: blake3::hash(s.text.as_bytes()).to_hex().to_string(), key: s.key })
        .collect();
    let (mut text, mut denied) = (String::new(), Vec::new());
    for section in study.reports.iter().flat_map(|report| &report.sections) {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        denied.extend(findings::denied(&section.text).iter().map(|r| text.len() + r.start..text.len() + r.end));
        text.push_str(&section.text);
    }
    Ok(Document {
        id: study.id.clone(),
        group: study.patient.clone(),
        fields: fields(study),
        images,
        sentences,
        text,
        denied,
        body: serde_json::to_value(study)?,
    })
}

/// Reads the study back.
///
/// # Errors
/// The record is not a study: another version wrote it, or it is damaged.
pub fn study(document: &Document) -> Result<Study> {
    serde_json::from_value(document.body.clone()).map_err(|source| Error::Record { id: document.id.clone(), source })
}

fn fields(study: &Study) -> BTreeMap<String, Vec<Value>> {
    let mut fields: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut add = |name: &str, value: Value| {
        let values = fields.entry(name.to_owned()).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    };
    let word = |text: &str| Value::Text(text.to_owned());
    add("source", word(&study.source));
    add("patient", word(&study.patient));
    if let Some(date) = &study.date {
        add("date", word(date));
    }
    if let Some(offset) = study.offset {
        add("offset", Value::Number(offset.into()));
    }
    if let Some(age) = study.age {
        add("age", Value::Number(age.into()));
    }
    if let Some(sex) = study.sex {
        add("sex", word(sex.code()));
    }
    for view in study.images.iter().filter_map(|image| image.view) {
        add("view", word(view.code()));
    }
    if !study.images.is_empty() {
        add("has", word("image"));
    }
    if !study.reports.is_empty() {
        add("has", word("report"));
    }
    let shown = shown(study);
    add(statements::FIELD, Value::Text(statements::encode(&shown)));
    for finding in shown {
        let name = finding.observation.name();
        match finding.polarity {
            Polarity::Present => {
                add("finding", word(name));
                match finding.side {
                    Some(Side::Left) => add("left", word(name)),
                    Some(Side::Right) => add("right", word(name)),
                    Some(Side::Bilateral) => {
                        add("left", word(name));
                        add("right", word(name));
                    }
                    None => {}
                }
            }
            Polarity::Absent => add("absent", word(name)),
            Polarity::Uncertain => add("uncertain", word(name)),
        }
    }
    for other in study.labels.iter().flat_map(|set| &set.other) {
        add("other", word(other));
    }
    fields
}
