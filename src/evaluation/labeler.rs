//! The labeler against human annotations: F1 per observation, uncertain counted as present.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::metrics::mean;
use crate::archive::{Source, Study, open};
use crate::error::{Error, Result};
use crate::findings::{Observation, Polarity};
use crate::indexing::shown::reports;

/// Figures of one observation.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The observation.
    pub finding: Observation,
    /// Reports annotated as showing it.
    pub positives: usize,
    /// Share of what the labeler calls present that is.
    pub precision: f64,
    /// Share of what is present that the labeler calls so.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
}

/// Figures of the labeler.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Reports that were scored.
    pub reports: usize,
    /// Per observation.
    pub findings: Vec<Row>,
    /// Mean over the observations.
    pub macro_f1: f64,
}

/// Scores the labeler on Open-I reports.
///
/// `gold` is a CSV: the first column is the report (`CXR17`), the others are observations with 1 present, 0 absent,
/// -1 leave out.
///
/// # Errors
/// A file that cannot be read, or a column or value that is none of these, is named.
pub fn labeler(archive: &Path, gold: &Path) -> Result<Report> {
    let gold = read(gold)?;
    let mut counts = vec![[0usize; 3]; Observation::COUNT];
    let mut scored = 0;
    for study in open(Source::Openi, archive)? {
        let Ok(study) = study else { continue };
        let Some(truth) = gold.get(study.id.trim_start_matches("openi/")) else { continue };
        scored += 1;
        let said = said(&study);
        for (observation, value) in truth {
            let Some([hit, false_alarm, miss]) = counts.get_mut(observation.index()) else { continue };
            match (said.contains(observation), value) {
                (true, 1) => *hit += 1,
                (true, 0) => *false_alarm += 1,
                (false, 1) => *miss += 1,
                _ => {}
            }
        }
    }
    if scored == 0 {
        return Err(Error::Caller("none of the annotated reports is in the archive".to_owned()));
    }
    let findings: Vec<Row> = Observation::ALL
        .into_iter()
        .zip(counts)
        .filter(|(_, [hit, _, miss])| hit + miss > 0)
        .map(|(finding, [hit, false_alarm, miss])| {
            let ratio = |a: usize, b: usize| if b == 0 { 0.0 } else { a as f64 / b as f64 };
            Row {
                finding,
                positives: hit + miss,
                precision: ratio(hit, hit + false_alarm),
                recall: ratio(hit, hit + miss),
                f1: ratio(2 * hit, 2 * hit + false_alarm + miss),
            }
        })
        .collect();
    Ok(Report { reports: scored, macro_f1: mean(findings.iter().map(|r| r.f1)), findings })
}

fn said(study: &Study) -> Vec<Observation> {
    reports(study)
        .flat_map(|report| {
            report.labels.iter().filter(|(_, p)| *p != Polarity::Absent).map(|(o, _)| o).collect::<Vec<_>>()
        })
        .collect()
}

type Gold = BTreeMap<String, Vec<(Observation, i8)>>;

fn read(path: &Path) -> Result<Gold> {
    let fault = |line: u64, reason: String| Error::Caller(format!("{}, line {line}: {reason}", path.display()));
    let mut csv = csv::Reader::from_path(path).map_err(|e| Error::Caller(format!("{}: {e}", path.display())))?;
    let header = csv.headers().map_err(|e| fault(1, e.to_string()))?.clone();
    let columns: Vec<Observation> = header
        .iter()
        .skip(1)
        .map(|name| name.parse().map_err(|e: crate::findings::observation::UnknownObservation| fault(1, e.to_string())))
        .collect::<Result<_>>()?;
    let mut gold = Gold::new();
    for record in csv.records() {
        let record = record.map_err(|e| Error::Caller(format!("{}: {e}", path.display())))?;
        let line = record.position().map_or(0, csv::Position::line);
        let mut values = Vec::with_capacity(columns.len());
        for (observation, value) in columns.iter().zip(record.iter().skip(1)) {
            match value.trim().parse::<i8>() {
                Ok(value @ -1..=1) => values.push((*observation, value)),
                _ => return Err(fault(line, format!("{observation}: wanted 1, 0 or -1"))),
            }
        }
        gold.insert(record.get(0).unwrap_or_default().to_owned(), values);
    }
    Ok(gold)
}

impl Report {
    /// A table for people.
    pub fn table(&self) -> String {
        let mut out = format!(
            "{} reports\n{:<28}{:>6}{:>11}{:>8}{:>7}\n",
            self.reports, "finding", "n", "precision", "recall", "F1"
        );
        for row in &self.findings {
            out += &format!(
                "{:<28}{:>6}{:>11.3}{:>8.3}{:>7.3}\n",
                row.finding.name(),
                row.positives,
                row.precision,
                row.recall,
                row.f1
            );
        }
        out + &format!("{:<28}{:>32.3}", "macro F1", self.macro_f1)
    }
}
