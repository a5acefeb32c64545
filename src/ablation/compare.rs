//! What came of it: each variant beside the base.

use serde::Serialize;

use super::plan::Plan;
use crate::error::{Error, Result};
use crate::evaluation::bootstrap::{Bootstrap, Interval};
use crate::evaluation::cohort::{Film, patients};
use crate::evaluation::metrics::{auc, mean, mean_and_deviation, precision_at, ranked};
use crate::findings::Observation;

/// The k of precision@k.
const K: usize = 10;

/// One finished run.
#[derive(Clone, Debug)]
pub struct Scored {
    /// For each finding a score for each film.
    pub scores: Vec<Vec<f32>>,
    /// Seconds of training.
    pub seconds: f64,
    /// Films that were trained on.
    pub films: usize,
    /// Texts that were trained on.
    pub texts: usize,
}

/// One run out of its folds. What a model scores is comparable with itself only, so with several folds the share of the
/// fold's films that a film outranks takes the place of its score.
pub fn joined(mut folds: Vec<Scored>) -> Scored {
    if folds.len() > 1 {
        for scores in folds.iter_mut().flat_map(|fold| &mut fold.scores) {
            *scores = outranked(scores);
        }
    }
    let count = folds.len().max(1);
    let mut folds = folds.into_iter();
    let Some(mut run) = folds.next() else { return Scored { scores: Vec::new(), seconds: 0.0, films: 0, texts: 0 } };
    for fold in folds {
        for (all, scores) in run.scores.iter_mut().zip(fold.scores) {
            all.extend(scores);
        }
        run.seconds += fold.seconds;
        run.films += fold.films;
        run.texts += fold.texts;
    }
    Scored { seconds: run.seconds, films: run.films / count, texts: run.texts / count, scores: run.scores }
}

/// For each score the share of the scores that lie under it, equal ones by half.
fn outranked(scores: &[f32]) -> Vec<f32> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f32::total_cmp);
    let of = |score: &f32| {
        let under = sorted.partition_point(|other| other < score);
        let up_to = sorted.partition_point(|other| other <= score);
        (under + up_to) as f32 / (2 * scores.len()) as f32
    };
    scores.iter().map(of).collect()
}

/// Figures of one variant.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub variant: String,
    /// Films that were trained on.
    pub films: usize,
    /// Texts that were trained on.
    pub texts: usize,
    /// Macro AUC of each seed.
    pub macro_auc: Vec<f64>,
    /// Mean over the seeds.
    pub macro_auc_mean: f64,
    /// Standard deviation over the seeds; 0 with one.
    pub macro_auc_sd: f64,
    /// Difference of the means to the base, with the interval over resamples of patients. None for the base itself.
    pub macro_auc_difference: Option<Interval>,
    /// Mean precision@10 of each seed.
    pub precision_at_10: Vec<f64>,
    /// Mean over the seeds.
    pub precision_at_10_mean: f64,
    /// Standard deviation over the seeds; 0 with one.
    pub precision_at_10_sd: f64,
    /// Difference of the means to the base.
    pub precision_at_10_difference: Option<Interval>,
    /// Seconds of training, mean over the seeds.
    pub seconds: f64,
}

/// All variants.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Preset of all.
    pub preset: String,
    /// Steps of each run.
    pub steps: u64,
    /// Seeds of each variant.
    pub seeds: u64,
    /// Source of the held-out films; empty = all.
    pub source: String,
    /// Folds of the patients; 0 = the one split.
    pub folds: u64,
    /// Held-out films.
    pub films: usize,
    /// Their patients.
    pub patients: usize,
    /// Findings that were scored.
    pub findings: Vec<Observation>,
    /// Mean prevalence over the findings: precision of chance.
    pub prevalence: f64,
    /// The base first.
    pub variants: Vec<Row>,
}

/// Compares finished runs, the base first.
///
/// # Errors
/// There is no base, or its scores have no value.
pub fn compare(
    plan: &Plan,
    films: &[Film],
    findings: &[Observation],
    variants: Vec<(String, Vec<Scored>)>,
) -> Result<Report> {
    let scale = Scale { films, findings };
    let bootstrap = Bootstrap::by_patient(films.iter().map(|film| &film.patient));
    let all: Vec<usize> = (0..films.len()).collect();
    let Some((_, base)) = variants.first().cloned() else {
        return Err(Error::Caller("there is no base to compare with".to_owned()));
    };
    let mut rows = Vec::new();
    for (number, (variant, runs)) in variants.into_iter().enumerate() {
        let areas: Vec<f64> = runs.iter().filter_map(|run| scale.area(run, &all)).collect();
        let precisions: Vec<f64> = runs.iter().map(|run| scale.precision(run, &all)).collect();
        let Some((macro_auc_mean, macro_auc_sd)) = mean_and_deviation(&areas) else {
            return Err(Error::Caller(format!("variant '{variant}' has no score")));
        };
        let (precision_at_10_mean, precision_at_10_sd) = mean_and_deviation(&precisions).unwrap_or((0.0, 0.0));
        let mut differences = if number == 0 {
            Vec::new()
        } else {
            bootstrap.intervals(|items| {
                let area = || Some(scale.mean_area(&runs, items)? - scale.mean_area(&base, items)?);
                let precision = scale.mean_precision(&runs, items) - scale.mean_precision(&base, items);
                vec![area(), Some(precision)]
            })
        };
        let precision_at_10_difference = differences.pop().flatten();
        let macro_auc_difference = differences.pop().flatten();
        rows.push(Row {
            variant,
            films: runs.first().map_or(0, |run| run.films),
            texts: runs.first().map_or(0, |run| run.texts),
            macro_auc: areas,
            macro_auc_mean,
            macro_auc_sd,
            macro_auc_difference,
            precision_at_10: precisions,
            precision_at_10_mean,
            precision_at_10_sd,
            precision_at_10_difference,
            seconds: mean(runs.iter().map(|run| run.seconds)),
        });
    }
    Ok(Report {
        preset: plan.preset.clone(),
        steps: plan.steps,
        seeds: plan.seeds,
        source: plan.source.clone(),
        folds: plan.folds,
        films: films.len(),
        patients: patients(films),
        findings: findings.to_vec(),
        prevalence: mean(findings.iter().map(|finding| scale.prevalence(*finding))),
        variants: rows,
    })
}

/// What scores are measured on.
struct Scale<'a> {
    films: &'a [Film],
    findings: &'a [Observation],
}

impl Scale<'_> {
    /// Scores and truth of those `items` of which the truth is known.
    fn known(&self, finding: Observation, scores: &[f32], items: &[usize]) -> Vec<(f32, bool)> {
        let of = |i: &usize| Some((*scores.get(*i)?, self.films.get(*i)?.truth.get(finding)?));
        items.iter().filter_map(of).collect()
    }

    /// Mean AUC over the findings; a resample that lacks one has no value, or it would be a mean of others.
    fn area(&self, run: &Scored, items: &[usize]) -> Option<f64> {
        let of = |(finding, scores): (&Observation, &Vec<f32>)| auc(&self.known(*finding, scores, items));
        let areas: Option<Vec<f64>> = self.findings.iter().zip(&run.scores).map(of).collect();
        areas.filter(|areas| !areas.is_empty()).map(mean)
    }

    fn precision(&self, run: &Scored, items: &[usize]) -> f64 {
        let of = |(finding, scores): (&Observation, &Vec<f32>)| {
            precision_at(K, &ranked(&self.known(*finding, scores, items)))
        };
        mean(self.findings.iter().zip(&run.scores).map(of))
    }

    fn mean_area(&self, runs: &[Scored], items: &[usize]) -> Option<f64> {
        let areas: Option<Vec<f64>> = runs.iter().map(|run| self.area(run, items)).collect();
        areas.filter(|areas| !areas.is_empty()).map(mean)
    }

    fn mean_precision(&self, runs: &[Scored], items: &[usize]) -> f64 {
        mean(runs.iter().map(|run| self.precision(run, items)))
    }

    fn prevalence(&self, finding: Observation) -> f64 {
        let known: Vec<bool> = self.films.iter().filter_map(|film| film.truth.get(finding)).collect();
        known.iter().filter(|there| **there).count() as f64 / known.len().max(1) as f64
    }
}

impl Report {
    /// A table for people.
    pub fn table(&self) -> String {
        let width = self.variants.iter().map(|row| row.variant.chars().count()).max().unwrap_or(0).max(7) + 2;
        let mut out = format!(
            "{} held-out films of {} patients{}{}, {} findings, precision of chance {:.3}\n\
             preset {}, {} steps, {} seeds; differences to '{}' with 95% intervals over patients\n\n",
            self.films,
            self.patients,
            if self.source.is_empty() { String::new() } else { format!(", source {}", self.source) },
            if self.folds == 0 { String::new() } else { format!(", in {} folds", self.folds) },
            self.findings.len(),
            self.prevalence,
            self.preset,
            self.steps,
            self.seeds,
            self.variants.first().map_or("", |row| row.variant.as_str()),
        );
        out += &format!(
            "{:<width$}{:>7}{:>7}{:>16}{:>25}{:>16}{:>25}\n",
            "variant", "films", "texts", "macro AUC", "difference", "P@10", "difference"
        );
        for row in &self.variants {
            let spread = |mean: f64, sd: f64| format!("{mean:.3} ± {sd:.3}");
            let less = |interval: Option<Interval>| match interval {
                Some(i) => format!("{:+.3} [{:+.3}, {:+.3}]", i.value, i.low, i.high),
                None => String::new(),
            };
            out += &format!(
                "{:<width$}{:>7}{:>7}{:>16}{:>25}{:>16}{:>25}\n",
                row.variant,
                row.films,
                row.texts,
                spread(row.macro_auc_mean, row.macro_auc_sd),
                less(row.macro_auc_difference),
                spread(row.precision_at_10_mean, row.precision_at_10_sd),
                less(row.precision_at_10_difference),
            );
        }
        out.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_joined_by_rank_as_their_scores_have_scales_of_their_own() {
        let fold = |scores: &[f32]| Scored { scores: vec![scores.to_vec()], seconds: 1.0, films: 10, texts: 4 };
        let run = joined(vec![fold(&[0.9, 0.1]), fold(&[-5.0, -7.0, -5.0, -9.0])]);
        assert_eq!(run.scores, [[0.75, 0.25, 0.75, 0.375, 0.75, 0.125]]);
        assert_eq!((run.seconds, run.films, run.texts), (2.0, 10, 4));
        assert_eq!(joined(vec![fold(&[0.9, 0.1])]).scores, [[0.9, 0.1]], "one part keeps its scores");
    }
}
