//! A manifest in JSONL: a flat row or a whole study on each line.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::fields;
use super::super::films::{film, stem};
use super::super::groups::Records;
use super::super::lines::{Got, Lines, Place};
use super::super::reader::Rejected;
use super::super::sections::{fold_white_space, split_sections};
use super::super::study::{LabelSet, Report, Section, Study};
use super::SOURCE;
use super::row::{Entry, Flat};

/// Keys that are not known are remembered up to this number, for the message.
const MAX_IGNORED: usize = 30;

/// The lines of a JSONL file.
pub(super) struct JsonLines {
    lines: Lines,
    folder: PathBuf,
    buffer: Vec<u8>,
    ignored: BTreeSet<String>,
    failed: bool,
}

impl JsonLines {
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(JsonLines { lines: Lines::open(path)?, folder, buffer: Vec::new(), ignored: BTreeSet::new(), failed: false })
    }

    /// Keys met so far that are not known.
    pub fn ignored(&self) -> Vec<String> {
        self.ignored.iter().cloned().collect()
    }

    fn entry(&mut self, place: Place) -> Result<Entry, String> {
        let text = std::str::from_utf8(&self.buffer)
            .map_err(|error| format!("is not UTF-8 from byte {} of the line", error.valid_up_to()))?;
        // A message of serde may quote the line: only its place is passed on.
        let at = |error: serde_json::Error| format!("column {}", error.column());
        let object: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| format!("is not a JSON object on one line: see {}", at(error)))?;
        if object.contains_key("images") || object.contains_key("reports") {
            let whole: Whole = serde_json::from_str(text)
                .map_err(|error| format!("is not a study with 'id', 'images' and 'reports': see {}", at(error)))?;
            return whole.entry(place, &self.folder);
        }
        let mut flat = Flat::new();
        for (key, value) in object {
            let word = match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => i32::from(flag).to_string(),
                Value::Array(_) | Value::Object(_) => return Err(format!("key '{key}' must be text or a number")),
            };
            if !flat.set(&key, Cow::Owned(word)) && self.ignored.len() < MAX_IGNORED {
                self.ignored.insert(key);
            }
        }
        flat.entry(place, &self.folder)
    }
}

impl Records for JsonLines {
    type Record = Entry;

    fn next_record(&mut self) -> Option<(Place, Result<Entry, Rejected>)> {
        if self.failed {
            return None;
        }
        loop {
            let place = self.lines.place();
            self.buffer.clear();
            let entry = match self.lines.read(&mut self.buffer) {
                Ok(Got::End) => return None,
                Ok(Got::Line) if self.buffer.trim_ascii().is_empty() => continue,
                Ok(Got::Line) => self.entry(place),
                Ok(Got::TooLong) => Err("the line has no end: is this JSONL?".to_owned()),
                Err(error) => {
                    self.failed = true;
                    Err(format!("cannot be read further: {error}"))
                }
            };
            return Some((place, entry.map_err(|reason| self.reject(place, reason))));
        }
    }

    fn go_to(&mut self, place: Place) -> io::Result<()> {
        self.lines.seek(place)
    }

    fn reject(&self, place: Place, reason: String) -> Rejected {
        place.reject(self.lines.path(), reason)
    }
}

/// A whole study as people write it: what can be filled in may be missing.
#[derive(Deserialize)]
struct Whole {
    #[serde(alias = "study")]
    id: Option<String>,
    source: Option<String>,
    patient: Option<String>,
    date: Option<String>,
    offset: Option<i32>,
    age: Option<f32>,
    sex: Option<String>,
    #[serde(default)]
    images: Vec<Film>,
    #[serde(default)]
    reports: Vec<Text>,
    #[serde(default)]
    labels: Vec<LabelSet>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Film {
    Path(PathBuf),
    Film { path: PathBuf, view: Option<String> },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Sections { sections: Vec<Section> },
}

impl Whole {
    fn entry(self, place: Place, folder: &Path) -> Result<Entry, String> {
        let source = self.source.map(|source| fold_white_space(&source)).filter(|source| !source.is_empty());
        let source = source.unwrap_or_else(|| SOURCE.to_owned());
        if source.contains('/') {
            return Err("key 'source' must not hold '/'".to_owned());
        }
        let with_source = |name: String| {
            let name = fold_white_space(&name);
            if name.is_empty() || name.starts_with(&format!("{source}/")) { name } else { format!("{source}/{name}") }
        };
        let films: Vec<(PathBuf, Option<String>)> = self
            .images
            .into_iter()
            .map(|film| match film {
                Film::Path(path) => (path, None),
                Film::Film { path, view } => (path, view),
            })
            .collect();
        let id = with_source(self.id.unwrap_or_default());
        let (id, unnamed) = match films.first() {
            _ if !id.is_empty() => (id, false),
            Some((path, _)) => (with_source(stem(&path.to_string_lossy()).to_owned()), true),
            None => return Err("has no image to name the study by: fill in 'id'".to_owned()),
        };
        let date = match self.date {
            Some(date) => Some(fields::date(&date).ok_or("key 'date' is not a date: write YYYY-MM-DD")?),
            None => None,
        };
        let age = match self.age {
            Some(age) => fields::age(&age.to_string()).map_err(|reason| format!("key 'age' {reason}"))?,
            None => None,
        };
        let images = films.into_iter().enumerate().map(|(number, (path, view))| {
            film(&id, number, folder.join(path), fields::view(view.as_deref().unwrap_or_default()))
        });
        let reports = self.reports.into_iter().map(|report| match report {
            Text::Plain(text) => split_sections(&text),
            Text::Sections { sections } => Report { sections },
        });
        let study = Study {
            images: images.collect(),
            patient: with_source(self.patient.unwrap_or_default()),
            date,
            offset: self.offset,
            age,
            sex: self.sex.as_deref().and_then(fields::sex),
            reports: reports.collect(),
            labels: self.labels,
            id,
            source,
        };
        Ok(Entry { place, study, unnamed, whole: true })
    }
}
