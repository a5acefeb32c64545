//! The labeler against human annotations: precision, recall and F1 per observation, uncertain counted as present.
//!
//! - [`labeler`], [`Report`] the protocol and its figures, with intervals by resampling reports
//! - [`gold`] the annotations

pub mod gold;

use std::path::Path;

use serde::Serialize;

use super::bootstrap::{Bootstrap, Interval};
use super::metrics::mean;
use super::report::{Bar, Bars, Cell, Part, Plot, Sheet, Table};
use crate::archive::{Source, Study, open};
use crate::error::{Error, Result};
use crate::findings::{Observation, Polarity};
use crate::indexing::shown::reports;
use gold::Truth;

/// Figures of one observation.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The observation.
    pub finding: Observation,
    /// Reports annotated as showing it.
    pub positives: usize,
    /// Reports that are not scored for it.
    pub left_out: usize,
    /// Share of what the labeler calls present that is.
    pub precision: f64,
    /// Share of what is present that the labeler calls so.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// The same with 95% intervals; null where most resamples have no value.
    pub intervals: Intervals,
}

/// 95% intervals by resampling reports.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Intervals {
    /// Of the precision.
    pub precision: Option<Interval>,
    /// Of the recall.
    pub recall: Option<Interval>,
    /// Of F1.
    pub f1: Option<Interval>,
}

/// How labeler and annotator differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The labeler calls present what the annotator does not.
    FalseAlarm,
    /// The labeler does not call present what the annotator does.
    Missed,
}

/// A report and an observation on which labeler and annotator differ: no text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The report, for example `CXR17`.
    pub report: String,
    /// The observation.
    pub finding: Observation,
    /// How they differ.
    pub kind: Kind,
}

/// Figures of the labeler.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Reports that were scored.
    pub reports: usize,
    /// Per observation that has positives.
    pub findings: Vec<Row>,
    /// Mean F1 over the observations.
    pub macro_f1: f64,
    /// The same with its interval.
    pub macro_f1_interval: Option<Interval>,
    /// Where labeler and annotator differ, by report; empty unless asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disagreements: Vec<Disagreement>,
}

/// Seed and resamples of the intervals, and whether disagreements are listed.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Seed of the resamples.
    pub seed: u64,
    /// Resamples of reports.
    pub resamples: usize,
    /// List the disagreements.
    pub detail: bool,
}

/// Hits, false alarms and misses.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    hit: usize,
    false_alarm: usize,
    missed: usize,
}

/// One report: for each observation what the labeler says and what the annotator says.
type Scored = [Option<(bool, Truth)>; Observation::COUNT];

/// Scores the labeler on the Open-I reports of `archive` that the CSV `gold` annotates: see [`gold::read`].
///
/// # Errors
/// A file that cannot be read, or annotations that are none, are named; no annotated report is in the archive.
pub fn labeler(archive: &Path, gold: &Path, options: Options) -> Result<Report> {
    let gold = gold::read(gold)?;
    let mut names = Vec::new();
    let mut scored: Vec<Scored> = Vec::new();
    for study in open(Source::Openi, archive)? {
        let Ok(study) = study else { continue };
        let name = study.id.trim_start_matches("openi/");
        let Some(truth) = gold.get(name) else { continue };
        let said = said(&study);
        let mut row: Scored = Default::default();
        for (observation, value) in truth {
            if let Some(cell) = row.get_mut(observation.index()) {
                *cell = Some((said.contains(observation), *value));
            }
        }
        names.push(name.to_owned());
        scored.push(row);
    }
    if scored.is_empty() {
        return Err(Error::Caller("none of the annotated reports is in the archive".to_owned()));
    }
    Ok(figures(&names, &scored, options))
}

fn said(study: &Study) -> Vec<Observation> {
    reports(study)
        .flat_map(|report| {
            report.labels.iter().filter(|(_, p)| *p != Polarity::Absent).map(|(o, _)| o).collect::<Vec<_>>()
        })
        .collect()
}

fn figures(names: &[String], scored: &[Scored], options: Options) -> Report {
    let all: Vec<usize> = (0..scored.len()).collect();
    let counts = count(scored, &all);
    let shown: Vec<Observation> =
        Observation::ALL.into_iter().filter(|o| counts.get(o.index()).is_some_and(|c| c.hit + c.missed > 0)).collect();
    let bootstrap = Bootstrap::by_patient(names).seed(options.seed).resamples(options.resamples);
    let mut intervals = bootstrap
        .intervals(|items| {
            let counts = count(scored, items);
            let of = |o: &Observation| counts.get(o.index()).copied().unwrap_or_default();
            let rows = shown.iter().map(of);
            let mean = mean(rows.clone().filter_map(Counts::f1));
            std::iter::once(Some(mean)).chain(rows.flat_map(|c| [c.precision(), c.recall(), c.f1()])).collect()
        })
        .into_iter();
    let macro_f1_interval = intervals.next().flatten();
    let findings: Vec<Row> = shown
        .iter()
        .map(|&finding| {
            let c = counts.get(finding.index()).copied().unwrap_or_default();
            let mut next = || intervals.next().flatten();
            Row {
                finding,
                positives: c.hit + c.missed,
                left_out: scored.iter().filter(|row| truth(row, finding) == Some(Truth::LeftOut)).count(),
                precision: c.precision().unwrap_or(0.0),
                recall: c.recall().unwrap_or(0.0),
                f1: c.f1().unwrap_or(0.0),
                intervals: Intervals { precision: next(), recall: next(), f1: next() },
            }
        })
        .collect();
    let disagreements = if options.detail { disagreements(names, scored) } else { Vec::new() };
    let macro_f1 = mean(findings.iter().map(|r| r.f1));
    Report { reports: scored.len(), macro_f1, macro_f1_interval, findings, disagreements }
}

fn truth(row: &Scored, finding: Observation) -> Option<Truth> {
    row.get(finding.index()).copied().flatten().map(|(_, truth)| truth)
}

fn count(scored: &[Scored], items: &[usize]) -> [Counts; Observation::COUNT] {
    let mut counts = [Counts::default(); Observation::COUNT];
    for row in items.iter().filter_map(|i| scored.get(*i)) {
        for (counts, cell) in counts.iter_mut().zip(row) {
            match cell {
                Some((true, Truth::Present)) => counts.hit += 1,
                Some((true, Truth::Absent)) => counts.false_alarm += 1,
                Some((false, Truth::Present)) => counts.missed += 1,
                _ => {}
            }
        }
    }
    counts
}

fn disagreements(names: &[String], scored: &[Scored]) -> Vec<Disagreement> {
    let mut found = Vec::new();
    for (name, row) in names.iter().zip(scored) {
        for (finding, cell) in Observation::ALL.into_iter().zip(row) {
            let kind = match cell {
                Some((true, Truth::Absent)) => Kind::FalseAlarm,
                Some((false, Truth::Present)) => Kind::Missed,
                _ => continue,
            };
            found.push(Disagreement { report: name.clone(), finding, kind });
        }
    }
    found
}

impl Counts {
    fn precision(self) -> Option<f64> {
        ratio(self.hit, self.hit + self.false_alarm)
    }

    fn recall(self) -> Option<f64> {
        ratio(self.hit, self.hit + self.missed)
    }

    /// `None` where nothing is present and nothing is called so.
    fn f1(self) -> Option<f64> {
        ratio(2 * self.hit, 2 * self.hit + self.false_alarm + self.missed)
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Report {
    /// The figures for people.
    pub fn sheet(&self) -> Sheet {
        let cell = |value: f64, interval: Option<Interval>| interval.map_or(Cell::Number(value), Cell::Between);
        let mut rows: Vec<Vec<Cell>> = self
            .findings
            .iter()
            .map(|r| {
                vec![
                    r.finding.name().into(),
                    r.positives.into(),
                    r.left_out.into(),
                    cell(r.precision, r.intervals.precision),
                    cell(r.recall, r.intervals.recall),
                    cell(r.f1, r.intervals.f1),
                ]
            })
            .collect();
        let none = || [Cell::None, Cell::None, Cell::None, Cell::None];
        let mut last = vec![Cell::from("macro")];
        last.extend(none());
        last.push(cell(self.macro_f1, self.macro_f1_interval));
        rows.push(last);
        let columns = vec!["finding", "n", "left out", "precision", "recall", "F1"];
        let bars = self
            .findings
            .iter()
            .filter_map(|r| Some(Bar { name: r.finding.name().to_owned(), value: r.intervals.f1?, mark: None }));
        let mut parts = vec![
            Part::Table(Table { title: String::new(), columns, rows }),
            Part::Plot(Plot::Bars(Bars {
                title: "F1 per observation".to_owned(),
                axis: "F1".to_owned(),
                range: (0.0, 1.0),
                mark: String::new(),
                rows: bars.collect(),
            })),
        ];
        if !self.disagreements.is_empty() {
            let kind = |kind: Kind| match kind {
                Kind::FalseAlarm => "false alarm",
                Kind::Missed => "missed",
            };
            let rows = self
                .disagreements
                .iter()
                .map(|d| vec![d.report.as_str().into(), d.finding.name().into(), kind(d.kind).into()])
                .collect();
            let columns = vec!["report", "finding", "labeler"];
            parts.push(Part::Table(Table { title: "Disagreements".to_owned(), columns, rows }));
        }
        Sheet {
            title: "Labeler against human annotations".to_owned(),
            notes: vec![format!(
                "{} reports. Uncertain counts as present; what the annotations leave out is not scored. n: reports annotated as \
                 showing it.",
                self.reports
            )],
            parts,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn row(pairs: &[(Observation, bool, Truth)]) -> Scored {
        let mut row: Scored = Default::default();
        for (observation, said, truth) in pairs {
            row[observation.index()] = Some((*said, *truth));
        }
        row
    }

    fn example(detail: bool) -> Report {
        use Observation::{Edema, Fracture};
        use Truth::{Absent, LeftOut, Present};
        let scored = [
            row(&[(Edema, true, Present), (Fracture, false, Absent)]),
            row(&[(Edema, true, Absent), (Fracture, true, Present)]),
            row(&[(Edema, false, Present), (Fracture, true, LeftOut)]),
            row(&[(Edema, true, Present), (Fracture, true, Present)]),
        ];
        let names: Vec<String> = (1..=4).map(|n| format!("CXR{n}")).collect();
        figures(&names, &scored, Options { seed: 0, resamples: 200, detail })
    }

    #[test]
    fn figures_by_hand() {
        let report = example(false);
        let [edema, fracture] = &report.findings[..] else { panic!("{:?}", report.findings) };
        assert_eq!((edema.positives, edema.left_out), (3, 0));
        assert!((edema.precision - 2.0 / 3.0).abs() < 1e-12 && (edema.recall - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((fracture.positives, fracture.left_out, fracture.f1), (2, 1, 1.0));
        assert!((report.macro_f1 - (2.0 / 3.0 + 1.0) / 2.0).abs() < 1e-12);
        let interval = report.macro_f1_interval.unwrap();
        assert!(interval.low <= report.macro_f1 && report.macro_f1 <= interval.high && interval.low < interval.high);
        assert_eq!(fracture.intervals.f1.map(|i| (i.low, i.high)), Some((1.0, 1.0)));
    }

    #[test]
    fn the_same_seed_gives_the_same_intervals() {
        let json = |report: &Report| serde_json::to_string(report).unwrap();
        assert_eq!(json(&example(false)), json(&example(false)));
        assert!(!json(&example(false)).contains("disagreements"));
    }

    #[test]
    fn disagreements_name_report_and_observation() {
        let found = example(true).disagreements;
        let of = |report: &str, kind| Disagreement { report: report.to_owned(), finding: Observation::Edema, kind };
        assert_eq!(found, [of("CXR2", Kind::FalseAlarm), of("CXR3", Kind::Missed)]);
    }

    #[test]
    fn annotations_that_are_none_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gold.csv");
        for (text, wanted) in [
            ("report,Edema\nCXR1,2\n", "line 2: Edema: wanted 1, 0 or -1"),
            ("report,Oedema\nCXR1,1\n", "line 1: 'Oedema' is not one of the 14 observations"),
        ] {
            fs_err::write(&path, text).unwrap();
            let error = gold::read(&path).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
        fs_err::write(&path, "report,Edema,Fracture\nCXR1,1,-1\n").unwrap();
        let gold = gold::read(&path).unwrap();
        assert_eq!(gold["CXR1"], [(Observation::Edema, Truth::Present), (Observation::Fracture, Truth::LeftOut)]);
    }

    /// The bar of issue 3, on the odd-numbered reports.
    #[test]
    fn reaches_its_bar_on_real_reports() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/openi");
        let (archive, gold) = (data.join("NLMCXR_reports.tgz"), data.join("mesh_gold_odd_reports.csv"));
        if !archive.is_file() || !gold.is_file() {
            eprintln!("skipped: no Open-I reports and annotations at {}", data.display());
            return;
        }
        let report = labeler(&archive, &gold, Options { seed: 0, resamples: 1, detail: false }).unwrap();
        assert_eq!((report.reports, report.findings.len()), (1965, 14));
        assert!(report.macro_f1 >= 0.90, "{}", report.macro_f1);
        for row in &report.findings {
            assert!(row.f1 >= 0.70, "{} {}", row.finding, row.f1);
        }
    }
}
