//! Zero-shot classification as in MedCLIP (Wang et al., EMNLP 2022, section 4.2): no label of a film is used, a film is
//! scored by how near it lies to the prompts of a finding.
//!
//! Per finding on its own (the archive's films have several findings), and one of n on films that have exactly one.

use serde::Serialize;
use thorax_index::Catalogue;
use thorax_models::Encoder;

use super::bootstrap::{Bootstrap, Interval};
use super::cohort::{Film, MIN_POSITIVES, Scope, embed, films, patients};
use super::metrics::{balanced_accuracy, mean, mean_and_deviation};
use super::per_finding::{Figures, scorable};
use super::prompt_bank::{Pool, PromptBank, Score};
use super::report::{Cell, Part, Sheet, Table};
use crate::error::Result;
use crate::findings::Observation;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which films.
    pub scope: Scope,
    /// What a score is.
    pub score: Score,
    /// How prompts are pooled.
    pub pool: Pool,
    /// Prompts in each random draw.
    pub prompts: usize,
    /// Number of random draws.
    pub seeds: usize,
    /// Seed of the first draw, and of the resamples.
    pub seed: u64,
    /// Resamples behind an interval.
    pub resamples: usize,
}

/// Mean and standard deviation over random draws of prompts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Draws {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

/// One of n.
#[derive(Clone, Debug, Serialize)]
pub struct OneOf {
    /// The classes.
    pub classes: Vec<String>,
    /// Films that show exactly one of them.
    pub films: usize,
    /// Share recognised.
    pub accuracy: Option<Interval>,
    /// Share recognised, averaged over the classes; of chance 1/n.
    pub balanced_accuracy: Option<Interval>,
    /// Share of the commonest class: the accuracy of always saying it.
    pub majority: f64,
    /// 1/n.
    pub chance: f64,
}

/// Figures of one evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Which films.
    #[serde(flatten)]
    pub scope: Scope,
    /// Films.
    pub films: usize,
    /// Patients.
    pub patients: usize,
    /// What a score is.
    pub score: Score,
    /// How prompts are pooled.
    pub pool: Pool,
    /// With all prompts.
    #[serde(flatten)]
    pub figures: Figures,
    /// Prompts of each kind in a random draw.
    pub prompts: usize,
    /// Random draws.
    pub seeds: usize,
    /// AUC over the draws, per finding in the order of `findings`.
    pub auc_of_draws: Vec<Option<Draws>>,
    /// Macro AUC over the draws.
    pub macro_auc_of_draws: Option<Draws>,
    /// Which of the findings, on films with exactly one.
    pub one_of_findings: Option<OneOf>,
    /// Normal or not.
    pub normal_or_not: Option<OneOf>,
}

/// Runs the protocol.
///
/// # Errors
/// No film of that scope has labels, or the catalogue or the encoder fails.
pub fn zero_shot(catalogue: &Catalogue, encoder: &Encoder, options: &Options) -> Result<Report> {
    let (films, vectors): (Vec<Film>, Vec<Vec<f32>>) =
        embed(encoder, films(catalogue, &options.scope)?)?.into_iter().unzip();
    let bank = PromptBank::embed(encoder)?;
    Ok(report(&films, &vectors, &bank, options))
}

fn report(films: &[Film], vectors: &[Vec<f32>], bank: &PromptBank, options: &Options) -> Report {
    let findings = scorable(films);
    let (score, pool) = (options.score, options.pool);
    let bootstrap =
        Bootstrap::by_patient(films.iter().map(|f| &f.patient)).seed(options.seed).resamples(options.resamples);
    let scoring = bank.score(vectors, &findings, score, pool);
    let drawn: Vec<Vec<Option<f64>>> = (0..options.seeds as u64)
        .map(|i| bank.draw(options.prompts, options.seed + i).score(vectors, &findings, score, pool).plain_aucs(films))
        .collect();
    let draws = |values: Vec<f64>| mean_and_deviation(&values).map(|(mean, deviation)| Draws { mean, deviation });
    Report {
        scope: options.scope.clone(),
        films: films.len(),
        patients: patients(films),
        score,
        pool,
        figures: scoring.figures(films, &bootstrap),
        prompts: options.prompts,
        seeds: options.seeds,
        auc_of_draws: (0..findings.len())
            .map(|f| draws(drawn.iter().filter_map(|of| of.get(f).copied().flatten()).collect()))
            .collect(),
        macro_auc_of_draws: draws(drawn.iter().map(|of| mean(of.iter().copied().flatten())).collect())
            .filter(|_| !findings.is_empty()),
        one_of_findings: one_of_findings(films, vectors, bank, options, &bootstrap),
        normal_or_not: normal_or_not(films, vectors, bank, pool, &bootstrap),
    }
}

/// The nearest class, on the films that show exactly one.
fn one_of_findings(
    films: &[Film],
    vectors: &[Vec<f32>],
    bank: &PromptBank,
    options: &Options,
    bootstrap: &Bootstrap,
) -> Option<OneOf> {
    let only: Vec<Option<Observation>> = films
        .iter()
        .map(|film| match film.truth.classes().as_slice() {
            [one] => Some(*one),
            _ => None,
        })
        .collect();
    let classes: Vec<Observation> = Observation::ALL
        .into_iter()
        .filter(|o| only.iter().filter(|c| **c == Some(*o)).count() >= MIN_POSITIVES)
        .collect();
    let pairs: Vec<Option<(usize, usize)>> = only
        .iter()
        .zip(vectors)
        .map(|(class, film)| {
            let truth = classes.iter().position(|c| Some(*c) == *class)?;
            let scores: Vec<f32> =
                classes.iter().map(|c| bank.of(*c).score(film, options.score, options.pool)).collect();
            let said = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|s| s.0)?;
            Some((truth, said))
        })
        .collect();
    one_of(classes.iter().map(|c| c.name().to_owned()).collect(), &pairs, bootstrap)
}

/// Nearer to a normal chest or to any finding.
fn normal_or_not(
    films: &[Film],
    vectors: &[Vec<f32>],
    bank: &PromptBank,
    pool: Pool,
    bootstrap: &Bootstrap,
) -> Option<OneOf> {
    let normal = bank.of(Observation::NoFinding);
    let pairs: Vec<Option<(usize, usize)>> = films
        .iter()
        .zip(vectors)
        .map(|(film, vector)| {
            let truth = usize::from(!film.truth.get(Observation::NoFinding)?);
            Some((truth, usize::from(normal.score(vector, Score::Contrast, pool) <= 0.0)))
        })
        .collect();
    let both = [0, 1].iter().all(|c| pairs.iter().flatten().filter(|p| p.0 == *c).count() >= MIN_POSITIVES);
    let classes = vec![Observation::NoFinding.name().to_owned(), "any finding".to_owned()];
    both.then(|| one_of(classes, &pairs, bootstrap)).flatten()
}

fn one_of(classes: Vec<String>, pairs: &[Option<(usize, usize)>], bootstrap: &Bootstrap) -> Option<OneOf> {
    if classes.len() < 2 {
        return None;
    }
    let of = |items: &[usize]| -> Vec<(usize, usize)> {
        items.iter().filter_map(|i| pairs.get(*i).copied().flatten()).collect()
    };
    let accuracy = |pairs: &[(usize, usize)]| {
        (!pairs.is_empty()).then(|| mean(pairs.iter().map(|(truth, said)| f64::from(u8::from(truth == said)))))
    };
    let mut found = bootstrap
        .intervals(|items| {
            let pairs = of(items);
            vec![accuracy(&pairs), balanced_accuracy(&pairs)]
        })
        .into_iter();
    let scored: Vec<(usize, usize)> = pairs.iter().copied().flatten().collect();
    let most = (0..classes.len()).map(|c| scored.iter().filter(|p| p.0 == c).count()).max()?;
    Some(OneOf {
        films: scored.len(),
        accuracy: found.next().flatten(),
        balanced_accuracy: found.next().flatten(),
        majority: most as f64 / scored.len().max(1) as f64,
        chance: 1.0 / classes.len() as f64,
        classes,
    })
}

impl Report {
    /// The figures for people.
    pub fn sheet(&self) -> Sheet {
        let draws =
            |d: &Option<Draws>| d.map_or(Cell::None, |d| Cell::Text(format!("{:.3} ± {:.3}", d.mean, d.deviation)));
        let mut cells: Vec<Cell> = self.auc_of_draws.iter().map(draws).collect();
        cells.push(draws(&self.macro_auc_of_draws));
        let table = self.figures.table("All prompts", vec![("AUC of draws", cells)]);
        let mut parts = vec![Part::Table(table)];
        let mut rows = Vec::new();
        for (name, of) in [("which finding", &self.one_of_findings), ("normal or not", &self.normal_or_not)] {
            let Some(of) = of else { continue };
            rows.push(vec![
                Cell::from(name),
                of.classes.len().into(),
                of.films.into(),
                of.accuracy.into(),
                of.majority.into(),
                of.balanced_accuracy.into(),
                of.chance.into(),
            ]);
        }
        if !rows.is_empty() {
            let columns = vec!["one of n", "n", "films", "accuracy", "commonest class", "balanced accuracy", "chance"];
            parts.push(Part::Table(Table { title: "On films with exactly one class".to_owned(), columns, rows }));
        }
        parts.extend(self.figures.plots("zero-shot"));
        let score = match self.score {
            Score::Contrast => "cosine to the prompts that state the finding, less cosine to those that deny it",
            Score::Present => "cosine to the prompts that state the finding",
        };
        let pool = match self.pool {
            Pool::Mean => "mean over the prompts",
            Pool::Max => "nearest prompt",
        };
        Sheet {
            title: "Zero-shot classification".to_owned(),
            notes: vec![
                format!("{} films of {} patients. Score: {score}; {pool}.", self.films, self.patients),
                format!(
                    "AUC of draws: mean and standard deviation over {} random draws of {} prompts of each kind.",
                    self.seeds, self.prompts
                ),
                "AP: average precision, of chance the prevalence. Best F1: at the threshold that suits these very films \
                 best, an upper bound; F1 of all: calling every film positive."
                    .to_owned(),
            ],
            parts,
        }
    }
}
