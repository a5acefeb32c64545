//! The records of one study, added up.

use std::path::Path;

use super::super::reader::Rejected;
use super::super::study::{LabelSet, Study};
use super::row::Entry;
use crate::findings::Polarity;

/// One study out of its records, and what was rejected of them.
pub(super) fn merge(entries: Vec<Result<Entry, Rejected>>, path: &Path) -> Vec<Result<Study, Rejected>> {
    let mut found = Vec::new();
    let mut first: Option<Entry> = None;
    for entry in entries {
        match (entry, &mut first) {
            (Err(rejected), _) => found.push(Err(rejected)),
            (Ok(entry), None) => first = Some(entry),
            (Ok(entry), Some(first)) => {
                let place = entry.place;
                if let Err(reason) = add(first, entry) {
                    found.push(Err(place.reject(path, reason)));
                }
            }
        }
    }
    found.extend(first.map(|Entry { mut study, .. }| {
        if study.patient.is_empty() {
            study.patient.clone_from(&study.id);
        }
        Ok(study)
    }));
    found
}

/// Adds a record to the first of its study.
fn add(first: &mut Entry, entry: Entry) -> Result<(), String> {
    let line = first.place.line;
    if first.whole || entry.whole {
        return Err(format!("is a second record of the study of line {line}"));
    }
    if first.unnamed || entry.unnamed {
        return Err(format!("has an image of the same name as line {line}: give both a 'study'"));
    }
    let (study, more) = (&mut first.study, entry.study);
    if !study.patient.is_empty() && !more.patient.is_empty() && study.patient != more.patient {
        return Err(format!("is of another patient than line {line}, but of the same study"));
    }
    if study.patient.is_empty() {
        study.patient = more.patient;
    }
    study.date = study.date.take().or(more.date);
    study.offset = study.offset.or(more.offset);
    study.age = study.age.or(more.age);
    study.sex = study.sex.or(more.sex);
    for mut image in more.images {
        // The same film again, with a second report.
        if study.images.iter().any(|known| known.path == image.path) {
            continue;
        }
        image.id = format!("{}#{}", study.id, study.images.len());
        study.images.push(image);
    }
    for report in more.reports {
        if !study.reports.contains(&report) {
            study.reports.push(report);
        }
    }
    for set in more.labels {
        match study.labels.iter_mut().find(|known| known.origin == set.origin) {
            Some(known) => add_labels(known, &set),
            None => study.labels.push(set),
        }
    }
    Ok(())
}

/// A finding on one film is a finding of the study: present before uncertain before absent.
fn add_labels(known: &mut LabelSet, more: &LabelSet) {
    let weight = |polarity| match polarity {
        Polarity::Absent => 0,
        Polarity::Uncertain => 1,
        Polarity::Present => 2,
    };
    for (observation, polarity) in more.labels.iter() {
        if known.labels.get(observation).is_none_or(|old| weight(old) < weight(polarity)) {
            known.labels.set(observation, polarity);
        }
    }
}
