//! What typed queries return: results that show what was excluded, or the finding on the other side only; and how well the
//! cut-off tells what a query means from the tail.
//!
//! The same queries are asked in four ways: as users get them; as if no study had labels, so that reports are all that is
//! stated; as if nothing were stated, so that films decide; and by the encoder alone, where nothing is understood. What is
//! true of a study is what its labels state, which is exact for phantoms.

use serde::Serialize;
use thorax_index::{Filter, RoaringBitmap, Space};

use super::bootstrap::Interval;
use super::negation::TOP;
use super::report::{Cell, Part, Sheet, Table};
use crate::error::{Error, Result};
use crate::findings::query::Wanted;
use crate::findings::{Observation, Polarity, Side, understand};
use crate::indexing::{Finding, shown};
use crate::interrupt;
use crate::progress::Progress;
use crate::search::statements::Statements;
use crate::search::{Engine, Query, Request};

/// The queries.
pub const QUERIES: [&str; 20] = [
    "pleural effusion",
    "no pleural effusion",
    "left pleural effusion",
    "right pleural effusion",
    "large right effusion, no pneumothorax",
    "small left effusion",
    "effusion on the left but not on the right",
    "pneumothorax",
    "no pneumothorax",
    "left pneumothorax",
    "right pneumothorax without effusion",
    "enlarged heart",
    "cardiomegaly without edema",
    "no consolidation",
    "right consolidation, no effusion",
    "left consolidation",
    "no support devices",
    "pacemaker, no pneumothorax",
    "normal chest",
    "no fracture, no edema, effusion",
];

/// How the queries are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// As users get it.
    Engine,
    /// Reports are all that is stated.
    Reports,
    /// Nothing is stated.
    Films,
    /// By the encoder alone.
    Encoder,
}

impl Way {
    /// All ways.
    pub const ALL: [Way; 4] = [Way::Engine, Way::Reports, Way::Films, Way::Encoder];

    fn name(self) -> &'static str {
        match self {
            Way::Engine => "engine, everything stated",
            Way::Reports => "engine, reports alone",
            Way::Films => "engine, films alone",
            Way::Encoder => "encoder alone",
        }
    }
}

/// Figures of one query asked in one way.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The query.
    pub query: String,
    /// How it was asked.
    pub way: Way,
    /// Results looked at, at most ten.
    pub results: usize,
    /// Results that show a finding that the query excludes.
    pub violations: usize,
    /// Results that show a wanted finding on the other side only.
    pub wrong_side: usize,
    /// Results that show all that is wanted, whatever the severity.
    pub right: usize,
    /// Share of the archive that shows all that is wanted: what chance returns.
    pub prevalence: f64,
    /// Share of the archive that shows a finding that the query excludes.
    pub excluded: f64,
    /// Studies that the cut-off keeps.
    pub kept: u64,
    /// Of these, the share that shows all that is wanted.
    pub kept_precision: Option<f64>,
    /// Of all that show what is wanted, the share that is kept.
    pub kept_recall: Option<f64>,
}

/// Figures of all queries asked in one way.
#[derive(Clone, Debug, Serialize)]
pub struct Total {
    /// How they were asked.
    pub way: Way,
    /// Results looked at.
    pub results: usize,
    /// Share of the results of queries that exclude something, that show it.
    pub violation: Option<Interval>,
    /// Share of the results of queries with a side, that show the finding on the other side only.
    pub wrong_side: Option<Interval>,
    /// Share of the results that show all that is wanted.
    pub precision: Option<Interval>,
    /// Mean over the queries.
    pub kept_precision: Option<f64>,
    /// Mean over the queries.
    pub kept_recall: Option<f64>,
}

/// Figures of one evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Source of the studies; empty = all.
    pub source: String,
    /// Studies with films.
    pub studies: usize,
    /// Per way.
    pub totals: Vec<Total>,
    /// Per query and way.
    pub queries: Vec<Row>,
}

/// What a study shows, against what is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Against {
    violation: bool,
    wrong_side: bool,
    right: bool,
}

/// Asks everything.
///
/// # Errors
/// There are no studies with films of this source, or a search fails.
pub fn queries(engine: &mut Engine, source: &str) -> Result<Report> {
    let filter = (!source.is_empty()).then(|| Filter::equals("source", source));
    let mut scope = engine.with(Space::Images).clone();
    if let Some(filter) = &filter {
        scope &= engine.index().filter(filter)?;
    }
    if scope.is_empty() {
        return Err(Error::Caller("no study with a film of this source is in the index".to_owned()));
    }
    let truth: Vec<Vec<Finding>> =
        (0..engine.index().len() as u32).map(|row| engine.statements().shown(row).to_vec()).collect();
    let mut rows = Vec::new();
    let progress = Progress::new("asking", Some((Way::ALL.len() * QUERIES.len()) as u64));
    for way in Way::ALL {
        let everything = match way {
            Way::Reports => {
                let reports = reports_alone(engine, &scope)?;
                Some(engine.set_statements(reports))
            }
            _ => None,
        };
        for text in QUERIES {
            if interrupt::asked() {
                return Err(Error::Interrupted);
            }
            let row = ask(engine, text, way, filter.as_ref(), &scope, &truth)?;
            rows.push(row);
            progress.add(1);
        }
        if let Some(everything) = everything {
            engine.set_statements(everything);
        }
    }
    progress.finish();
    let totals = Way::ALL.into_iter().map(|way| total(way, &rows)).collect();
    Ok(Report { source: source.to_owned(), studies: scope.len() as usize, totals, queries: rows })
}

/// What the reports state, the labels left aside.
fn reports_alone(engine: &Engine, scope: &RoaringBitmap) -> Result<Statements> {
    Statements::with(engine.index().len() as u32, |row| {
        if !scope.contains(row) {
            return Ok(Vec::new());
        }
        let mut study = engine.study_of_row(row)?;
        study.iter_mut().for_each(|study| study.labels.clear());
        Ok(study.as_ref().map(shown).unwrap_or_default())
    })
}

fn ask(
    engine: &Engine,
    text: &str,
    way: Way,
    filter: Option<&Filter>,
    scope: &RoaringBitmap,
    truth: &[Vec<Finding>],
) -> Result<Row> {
    let wanted = understand(text).findings;
    let judge = |row: u32| truth.get(row as usize).map(|shown| against(&wanted, shown)).unwrap_or_default();
    let request = |k: usize, cut: bool| Request {
        filter: filter.map(ToString::to_string),
        encoder_only: way == Way::Encoder,
        unstated: way == Way::Films,
        cut,
        ..Request::new(Query::text(text), k)
    };
    let top = engine.search(request(TOP, false))?;
    let judged: Vec<Against> = top.results.iter().filter_map(|hit| engine.index().row(&hit.study)).map(judge).collect();
    let count = |which: fn(&Against) -> bool| judged.iter().filter(|of| which(of)).count();
    let all: Vec<Against> = scope.iter().map(judge).collect();
    let share =
        |which: fn(&Against) -> bool| all.iter().filter(|of| which(of)).count() as f64 / all.len().max(1) as f64;
    let (kept, kept_right) = kept(engine, request, judge)?;
    let right = all.iter().filter(|of| of.right).count();
    let ratio = |a: u64, b: u64| (b > 0).then(|| a as f64 / b as f64);
    Ok(Row {
        query: text.to_owned(),
        way,
        results: judged.len(),
        violations: count(|of| of.violation),
        wrong_side: count(|of| of.wrong_side),
        right: count(|of| of.right),
        prevalence: share(|of| of.right),
        excluded: share(|of| of.violation),
        kept,
        kept_precision: ratio(kept_right, kept),
        kept_recall: ratio(kept_right, right as u64),
    })
}

/// How many studies the cut-off keeps, and how many of them show what is wanted.
fn kept(
    engine: &Engine,
    request: impl Fn(usize, bool) -> Request,
    judge: impl Fn(u32) -> Against,
) -> Result<(u64, u64)> {
    let (mut kept, mut right) = (0, 0);
    let mut page = request(crate::config::Config::MAX_K, true);
    loop {
        let answer = engine.search(page.clone())?;
        for hit in &answer.results {
            kept += 1;
            right += u64::from(engine.index().row(&hit.study).is_some_and(|row| judge(row).right));
        }
        match answer.page.next {
            Some(next) => page.after = Some(next),
            None => return Ok((kept, right)),
        }
    }
}

fn against(wanted: &[Wanted], shown: &[Finding]) -> Against {
    let present = |o: Observation| shown.iter().filter(move |f| f.observation == o && f.polarity == Polarity::Present);
    let there = |want: &Wanted| match want.observation {
        Observation::NoFinding => !shown.iter().any(|f| {
            f.polarity == Polarity::Present
                && !matches!(f.observation, Observation::NoFinding | Observation::SupportDevices)
        }),
        observation => present(observation).any(|f| overlap(want.side, f.side)),
    };
    let (absent, present_wanted): (Vec<&Wanted>, Vec<&Wanted>) =
        wanted.iter().partition(|want| want.polarity == Polarity::Absent);
    let violation = absent.iter().any(|want| there(want));
    let wrong_side = present_wanted.iter().any(|want| !there(want) && present(want.observation).next().is_some());
    let right = !violation && present_wanted.iter().all(|want| there(want));
    Against { violation, wrong_side, right }
}

fn overlap(wanted: Option<Side>, found: Option<Side>) -> bool {
    !matches!((wanted, found), (Some(Side::Left), Some(Side::Right)) | (Some(Side::Right), Some(Side::Left)))
}

fn total(way: Way, rows: &[Row]) -> Total {
    let of: Vec<&Row> = rows.iter().filter(|row| row.way == way).collect();
    let wants = |row: &Row, which: fn(&Wanted) -> bool| understand(&row.query).findings.iter().any(which);
    let rate = |asked: &dyn Fn(&Row) -> bool, count: fn(&Row) -> usize| {
        let asked: Vec<&&Row> = of.iter().filter(|row| asked(row)).collect();
        Interval::wilson(asked.iter().map(|row| count(row)).sum(), asked.iter().map(|row| row.results).sum())
    };
    let mean = |value: fn(&Row) -> Option<f64>| {
        let all: Vec<f64> = of.iter().filter_map(|row| value(row)).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    Total {
        way,
        results: of.iter().map(|row| row.results).sum(),
        violation: rate(&|row| wants(row, |want| want.polarity == Polarity::Absent), |row| row.violations),
        wrong_side: rate(&|row| wants(row, |want| want.side.is_some() && want.polarity == Polarity::Present), |row| {
            row.wrong_side
        }),
        precision: rate(&|_| true, |row| row.right),
        kept_precision: mean(|row| row.kept_precision),
        kept_recall: mean(|row| row.kept_recall),
    }
}

impl Report {
    /// The figures for people.
    pub fn sheet(&self) -> Sheet {
        let number = |value: Option<f64>| value.map_or(Cell::None, Cell::Number);
        let totals = self.totals.iter().map(|t| {
            let mut row = vec![Cell::from(t.way.name()), t.results.into()];
            row.extend([t.violation, t.wrong_side, t.precision].map(Cell::from));
            row.extend([t.kept_precision, t.kept_recall].map(number));
            row
        });
        let mut parts = vec![Part::Table(Table {
            title: format!("First ten results of {} queries, over {} studies", QUERIES.len(), self.studies),
            columns: vec!["asked", "results", "violation", "wrong side", "right", "kept: precision", "recall"],
            rows: totals.collect(),
        })];
        for way in Way::ALL {
            let rows = self.queries.iter().filter(|row| row.way == way).map(|row| {
                vec![
                    Cell::from(row.query.as_str()),
                    row.results.into(),
                    row.violations.into(),
                    row.wrong_side.into(),
                    row.right.into(),
                    Cell::Number(row.prevalence),
                    Cell::Count(row.kept as usize),
                    number(row.kept_precision),
                    number(row.kept_recall),
                ]
            });
            parts.push(Part::Table(Table {
                title: way.name().to_owned(),
                columns: vec![
                    "query",
                    "results",
                    "violations",
                    "wrong side",
                    "right",
                    "chance",
                    "kept",
                    "precision",
                    "recall",
                ],
                rows: rows.collect(),
            }));
        }
        let notes = vec![
            "Violation: a result shows what the query excludes, of the queries that exclude something. Wrong side: it shows \
             the finding on the other side only, of the queries with a side. Right: it shows all that is wanted, whatever \
             the severity. Kept: what the cut-off leaves of the whole archive."
                .to_owned(),
            "What is true is what the labels state: exact for phantoms, and where everything is stated the engine sees it \
             too."
                .to_owned(),
        ];
        Sheet { title: "Queries".to_owned(), notes, parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LabelOrigin;
    use Observation::{PleuralEffusion, Pneumothorax};

    #[test]
    fn a_result_is_judged_by_the_truth() {
        let wanted = understand("large right effusion, no pneumothorax").findings;
        let shows = |observation, side| Finding {
            observation,
            polarity: Polarity::Present,
            side,
            severity: None,
            origin: LabelOrigin::Truth,
        };
        let judge = |shown: &[Finding]| {
            let Against { violation, wrong_side, right } = against(&wanted, shown);
            (violation, wrong_side, right)
        };
        assert_eq!(judge(&[shows(PleuralEffusion, Some(Side::Right))]), (false, false, true));
        assert_eq!(judge(&[shows(PleuralEffusion, Some(Side::Left))]), (false, true, false));
        let both = [shows(PleuralEffusion, Some(Side::Bilateral)), shows(Pneumothorax, None)];
        assert_eq!(judge(&both), (true, false, false));
        assert_eq!(judge(&[]), (false, false, false));
        let normal = understand("normal chest").findings;
        assert!(against(&normal, &[]).right && !against(&normal, &[shows(Pneumothorax, None)]).right);
    }

    #[test]
    fn every_query_asks_for_something() {
        for query in QUERIES {
            assert!(!understand(query).is_empty(), "{query}");
        }
    }
}
