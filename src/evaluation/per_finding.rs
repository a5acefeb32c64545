//! Scores of films for findings become figures per finding, with intervals: what zero-shot, probe and prompt tuning share.

use serde::Serialize;

use super::bootstrap::{Bootstrap, Interval};
use super::cohort::{Film, scorable_of};
use super::metrics::{auc, average_precision, best_f1, mean, roc};
use super::report::{Bar, Bars, Cell, Curves, Part, Plot, Table};
use crate::findings::Observation;

/// Scores of the same films for several findings: `scores[finding][film]`, higher where it is thought to be there.
#[derive(Clone, Debug, Default)]
pub struct Scoring {
    /// The findings.
    pub findings: Vec<Observation>,
    /// For each finding a score for each film.
    pub scores: Vec<Vec<f32>>,
}

/// Figures of one finding.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The finding.
    pub finding: Observation,
    /// Films that are known to show it.
    pub positives: usize,
    /// Films of which it is known whether they show it.
    pub films: usize,
    /// Share of positives: the average precision of chance.
    pub prevalence: f64,
    /// Area under the ROC curve.
    pub auc: Option<Interval>,
    /// The same among abnormal films only: normal ones are easy to tell from a finding. None for `No Finding`.
    pub auc_among_abnormal: Option<Interval>,
    /// Average precision; of chance it is the prevalence.
    pub average_precision: Option<Interval>,
    /// Largest F1 of any threshold on these very films: an upper bound.
    pub best_f1: Option<f64>,
    /// F1 of calling every film positive.
    pub f1_of_all: f64,
}

/// Figures of a scoring.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Per finding; `No Finding` is the normal films.
    pub findings: Vec<Row>,
    /// Mean AUC over all rows.
    pub macro_auc: Option<Interval>,
    /// Mean AUC over the rows of abnormal findings.
    pub macro_auc_abnormal: Option<Interval>,
    /// AUC of `No Finding`, where there are enough normal films.
    pub auc_normal: Option<Interval>,
    /// Mean average precision over all rows.
    pub macro_average_precision: Option<Interval>,
    /// Mean prevalence over all rows.
    pub mean_prevalence: f64,
    #[serde(skip)]
    curves: Vec<(String, Vec<(f64, f64)>)>,
}

/// The findings with enough films that show them, and some that don't.
pub fn scorable(films: &[Film]) -> Vec<Observation> {
    Observation::ALL.into_iter().filter(|o| scorable_of(films.iter().map(|f| f.truth.get(*o)))).collect()
}

/// Score and truth of the films of which the truth is known.
fn known(films: &[Film], scores: &[f32], finding: Observation, items: &[usize]) -> Vec<(f32, bool)> {
    let of = |i: &usize| Some((*scores.get(*i)?, films.get(*i)?.truth.get(finding)?));
    items.iter().filter_map(of).collect()
}

/// Positions of the films that are known not to be normal.
fn abnormal_only(films: &[Film], items: &[usize]) -> Vec<usize> {
    let not_normal = |i: &&usize| films.get(**i).is_some_and(|f| f.truth.get(Observation::NoFinding) == Some(false));
    items.iter().filter(not_normal).copied().collect()
}

fn mean_of(values: &[Option<f64>]) -> Option<f64> {
    // A resample without a positive of some finding would be a mean of other findings: it has no value.
    let all: Option<Vec<f64>> = values.iter().copied().collect();
    all.filter(|v| !v.is_empty()).map(mean)
}

impl Scoring {
    fn aucs(&self, films: &[Film], items: &[usize]) -> Vec<Option<f64>> {
        self.findings.iter().zip(&self.scores).map(|(f, s)| auc(&known(films, s, *f, items))).collect()
    }

    /// AUC of each finding, all films, no interval.
    pub fn plain_aucs(&self, films: &[Film]) -> Vec<Option<f64>> {
        self.aucs(films, &(0..films.len()).collect::<Vec<_>>())
    }

    /// Mean AUC over the findings.
    pub fn macro_auc(&self, films: &[Film]) -> Option<f64> {
        mean_of(&self.plain_aucs(films))
    }

    /// All figures. `bootstrap` is over `films`.
    pub fn figures(&self, films: &[Film], bootstrap: &Bootstrap) -> Figures {
        let n = self.findings.len();
        let normal = self.findings.iter().position(|f| *f == Observation::NoFinding);
        let abnormal = |values: &[Option<f64>]| -> Vec<Option<f64>> {
            values.iter().enumerate().filter(|(i, _)| Some(*i) != normal).map(|(_, v)| *v).collect()
        };
        let found = bootstrap.intervals(|items| {
            let areas = self.aucs(films, items);
            let among = self.aucs(films, &abnormal_only(films, items));
            let precisions: Vec<Option<f64>> = self
                .findings
                .iter()
                .zip(&self.scores)
                .map(|(f, s)| average_precision(&known(films, s, *f, items)))
                .collect();
            let macros = [mean_of(&areas), mean_of(&abnormal(&areas)), mean_of(&precisions)];
            [areas, among, precisions].into_iter().flatten().chain(macros).collect()
        });
        let at = |place: usize| found.get(place).copied().flatten();
        let all: Vec<usize> = (0..films.len()).collect();
        let (mut rows, mut curves) = (Vec::new(), Vec::new());
        for (i, (finding, scores)) in self.findings.iter().zip(&self.scores).enumerate() {
            let scored = known(films, scores, *finding, &all);
            let positives = scored.iter().filter(|s| s.1).count();
            let prevalence = positives as f64 / scored.len().max(1) as f64;
            rows.push(Row {
                finding: *finding,
                positives,
                films: scored.len(),
                prevalence,
                auc: at(i),
                auc_among_abnormal: if Some(i) == normal { None } else { at(n + i) },
                average_precision: at(2 * n + i),
                best_f1: best_f1(&scored),
                f1_of_all: 2.0 * prevalence / (1.0 + prevalence),
            });
            curves.push((finding.name().to_owned(), roc(&scored)));
        }
        Figures {
            macro_auc: at(3 * n),
            macro_auc_abnormal: at(3 * n + 1),
            auc_normal: normal.and_then(at),
            macro_average_precision: at(3 * n + 2),
            mean_prevalence: mean(rows.iter().map(|r| r.prevalence)),
            findings: rows,
            curves,
        }
    }

    /// AUC of `self` less that of `other`, for each finding and in the mean: of the same films and findings, paired.
    pub fn difference(&self, other: &Self, films: &[Film], bootstrap: &Bootstrap) -> Vec<Option<Interval>> {
        bootstrap.intervals(|items| {
            let (mine, theirs) = (self.aucs(films, items), other.aucs(films, items));
            let less = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
            let macros = less(mean_of(&mine), mean_of(&theirs));
            mine.into_iter().zip(theirs).map(|(a, b)| less(a, b)).chain([macros]).collect()
        })
    }
}

impl Figures {
    /// The figures as a table; `more` adds columns, with a cell for each finding and one for the mean.
    pub fn table(&self, title: &str, more: Vec<(&'static str, Vec<Cell>)>) -> Table {
        let mut columns = vec!["finding", "n", "prevalence", "AUC", "AUC, abnormal only", "AP", "best F1", "F1 of all"];
        let mut rows: Vec<Vec<Cell>> = self
            .findings
            .iter()
            .map(|row| {
                vec![
                    row.finding.name().into(),
                    row.positives.into(),
                    row.prevalence.into(),
                    row.auc.into(),
                    row.auc_among_abnormal.into(),
                    row.average_precision.into(),
                    row.best_f1.into(),
                    row.f1_of_all.into(),
                ]
            })
            .collect();
        rows.push(vec![
            "mean".into(),
            Cell::None,
            self.mean_prevalence.into(),
            self.macro_auc.into(),
            Cell::None,
            self.macro_average_precision.into(),
            Cell::None,
            Cell::None,
        ]);
        for (name, cells) in more {
            columns.push(name);
            for (row, cell) in rows.iter_mut().zip(cells) {
                row.push(cell);
            }
        }
        let width = columns.len();
        rows.iter_mut().for_each(|row| row.resize(width, Cell::None));
        if let (Some(abnormal), Some(_)) = (self.macro_auc_abnormal, self.auc_normal) {
            let mut row =
                vec![Cell::from("mean of abnormal findings"), Cell::None, Cell::None, Cell::Between(abnormal)];
            row.resize(width, Cell::None);
            rows.push(row);
        }
        Table { title: title.to_owned(), columns, rows }
    }

    /// AUC with intervals, average precision beside prevalence, and ROC curves.
    pub fn plots(&self, of: &str) -> Vec<Part> {
        let bars = |title: &str, axis: &str, mark: &str, rows| {
            let (title, axis, mark) = (format!("{title}, {of}"), axis.to_owned(), mark.to_owned());
            Part::Plot(Plot::Bars(Bars { title, axis, range: (0.0, 1.0), mark, rows }))
        };
        let areas = |r: &Row| Some(Bar { name: r.finding.name().to_owned(), value: r.auc?, mark: Some(0.5) });
        let precisions = |r: &Row| {
            let (name, mark) = (r.finding.name().to_owned(), Some(r.prevalence));
            Some(Bar { name, value: r.average_precision?, mark })
        };
        vec![
            bars("AUC", "area under the ROC curve", "chance", self.findings.iter().filter_map(areas).collect()),
            bars(
                "Average precision",
                "average precision",
                "prevalence",
                self.findings.iter().filter_map(precisions).collect(),
            ),
            Part::Plot(Plot::Curves(Curves {
                title: format!("ROC curves, {of}"),
                axes: ("false positive rate".to_owned(), "true positive rate".to_owned()),
                curves: self.curves.clone(),
            })),
        ]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::archive::LabelOrigin;
    use crate::evaluation::cohort::Truth;
    use crate::findings::Polarity;
    use crate::indexing::Finding;
    use Observation::{Edema, NoFinding};

    fn film(number: usize, edema: bool) -> Film {
        let (observation, polarity) = if edema { (Edema, Polarity::Present) } else { (NoFinding, Polarity::Present) };
        let said = Finding { observation, polarity, side: None, severity: None, origin: LabelOrigin::Dataset };
        Film {
            id: number.to_string(),
            path: std::path::PathBuf::new(),
            patient: number.to_string(),
            truth: Truth::of(&[said]),
        }
    }

    #[test]
    fn a_perfect_and_a_blind_scoring() {
        let films: Vec<Film> = (0..40).map(|i| film(i, i % 4 == 0)).collect();
        assert_eq!(scorable(&films), [NoFinding, Edema]);
        let bootstrap = Bootstrap::by_patient(films.iter().map(|f| &f.patient)).resamples(200);
        let scores = |f: fn(usize) -> f32| (0..40).map(f).collect::<Vec<f32>>();
        let perfect = Scoring {
            findings: vec![NoFinding, Edema],
            scores: vec![
                scores(|i| if i % 4 == 0 { 0.0 } else { 1.0 }),
                scores(|i| if i % 4 == 0 { 1.0 } else { 0.0 }),
            ],
        };
        let blind = Scoring { findings: vec![NoFinding, Edema], scores: vec![vec![0.0; 40]; 2] };
        let figures = perfect.figures(&films, &bootstrap);
        let edema = &figures.findings[1];
        assert_eq!((edema.positives, edema.films, edema.prevalence), (10, 40, 0.25));
        assert_eq!(edema.auc, Some(Interval { value: 1.0, low: 1.0, high: 1.0 }));
        assert_eq!(edema.auc_among_abnormal, None, "no abnormal film without edema");
        assert_eq!((edema.best_f1, edema.f1_of_all), (Some(1.0), 0.4));
        assert_eq!(figures.macro_auc.unwrap().value, 1.0);
        let nothing = blind.figures(&films, &bootstrap);
        assert_eq!(nothing.macro_auc.unwrap().value, 0.5);
        let precision = nothing.findings[1].average_precision.unwrap();
        assert_eq!(precision.value, 0.25);
        assert!(precision.low < 0.2 && precision.high > 0.3, "as unsure as the prevalence: {precision}");
        let gain = perfect.difference(&blind, &films, &bootstrap);
        assert_eq!(gain.len(), 3);
        assert_eq!(gain[2], Some(Interval { value: 0.5, low: 0.5, high: 0.5 }));
    }
}
