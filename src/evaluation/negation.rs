//! Is "no effusion" understood? Cosine similarity is known to overlook a "no": two texts that differ in it are close.
//!
//! - **Top ten**: for every finding X and every way to deny it, the share of the first ten films (or sentences of reports)
//!   that do show X, by the encoder alone, by contrast, and by the search engine as users get it, beside the prevalence.
//!   By contrast: what is nearest to all that denies X and farthest from all that states it. So the engine reads a film of
//!   which nothing is stated, by the eight plainest prompts of each kind (`search::zero_shot`); here all of them count.
//! - **Pairs**: sentences that state X against sentences that deny it, by `cosine(sentence, "X") - cosine(sentence, "no X")`.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;
use thorax_index::Catalogue;
use thorax_models::Encoder;

use super::bootstrap::{Bootstrap, Interval};
use super::cohort::{
    Film, Scope, Sentence, Truth, abnormal, cosine, embed, films, patients, report_sentences, scorable_of,
};
use super::metrics::mean;
use super::pairs::{Pairs, pairs};
use super::prompt_bank::{PromptBank, Score};
use crate::error::{Error, Result};
use crate::findings::{Observation, Polarity, negative_prompts};
use crate::interrupt;
use crate::progress::Progress;
use crate::search::{Engine, Query, Request, Response, Target};

/// Length of a list of results that users look at.
pub const TOP: usize = 10;

/// Ways of denying a finding that the engine is asked for, the plainest first: a search reads what it finds, and costs more
/// than a product of vectors.
pub const ENGINE_QUERIES: usize = 5;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which films.
    pub scope: Scope,
    /// Source of the sentences; empty = all.
    pub sentences: String,
    /// Seed of the resamples.
    pub seed: u64,
    /// Resamples behind an interval.
    pub resamples: usize,
}

/// Share of the first ten that show what was denied.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Share {
    /// Results that show it.
    pub shown: usize,
    /// Results looked at.
    pub results: usize,
    /// Distinct ones among them: many queries find the same.
    pub distinct: usize,
    /// The share; where none is shown, the upper end is Wilson's over the distinct results.
    pub share: Option<Interval>,
}

/// Figures of one finding.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was denied.
    pub finding: Observation,
    /// Ways of denying it that were asked for.
    pub queries: usize,
    /// Share of the items that show it: what chance returns.
    pub prevalence: f64,
    /// By the encoder alone.
    pub encoder: Share,
    /// By contrast: one query.
    pub contrast: Share,
    /// By the engine, where an index of this model is there: the first [`ENGINE_QUERIES`].
    pub engine: Option<Share>,
}

/// One kind of item that is searched.
#[derive(Clone, Debug, Serialize)]
pub struct Searched {
    /// Items.
    pub items: usize,
    /// Their patients.
    pub patients: usize,
    /// Per finding.
    pub findings: Vec<Row>,
    /// Over all findings: each counts the same.
    pub encoder: Share,
    /// The same by contrast.
    pub contrast: Share,
    /// The same for the engine.
    pub engine: Option<Share>,
    /// Mean prevalence.
    pub mean_prevalence: f64,
}

/// Figures of one evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Which films.
    #[serde(flatten)]
    pub scope: Scope,
    /// Films.
    pub films: Option<Searched>,
    /// Sentences of reports.
    pub sentences: Option<Searched>,
    /// Sentences that state X against sentences that deny it.
    pub pairs: Vec<Pairs>,
    /// Why there are no figures of the engine.
    pub engine_left_out: Option<String>,
}

/// An item that is searched: film or sentence.
struct Item<'a> {
    patient: &'a str,
    truth: Vec<Option<bool>>,
    vector: &'a [f32],
}

/// Figures of the encoder alone; [`ask_engine`] adds the engine's.
///
/// # Errors
/// There are neither films nor sentences, or the catalogue or encoder fails.
pub fn negation(catalogue: &Catalogue, encoder: &Encoder, options: &Options) -> Result<Report> {
    let said_scope = Scope { source: options.sentences.clone(), split: options.scope.split };
    let said = report_sentences(catalogue, &said_scope)?;
    let texts: Vec<&str> = said.iter().map(|s| s.text.as_str()).collect();
    let said_vectors = encoder.embed_texts(&texts)?;
    let filmed = match films(catalogue, &options.scope) {
        Ok(films) => Some(embed(encoder, films)?),
        // Reports alone can be asked too.
        Err(_) if !said.is_empty() => None,
        Err(error) => return Err(error),
    };
    let queries = Asked::of(encoder)?;
    let mut report = Report {
        scope: options.scope.clone(),
        films: None,
        sentences: None,
        pairs: pairs(encoder, &said, &said_vectors, options)?,
        engine_left_out: None,
    };
    if let Some(filmed) = &filmed {
        let (films, _): (Vec<Film>, Vec<&Vec<f32>>) = filmed.iter().map(|(f, v)| (f.clone(), v)).unzip();
        let items: Vec<Item<'_>> = filmed
            .iter()
            .map(|(film, vector)| Item { patient: &film.patient, truth: known(&film.truth), vector })
            .collect();
        report.films = Some(searched(&items, &queries, patients(&films), options));
    }
    if !said.is_empty() {
        let items: Vec<Item<'_>> = said
            .iter()
            .zip(&said_vectors)
            .map(|(sentence, vector)| Item { patient: &sentence.patient, truth: stated(sentence), vector })
            .collect();
        let patients = said.iter().map(|s| s.patient.as_str()).collect::<BTreeSet<_>>().len();
        report.sentences = Some(searched(&items, &queries, patients, options));
    }
    Ok(report)
}

fn known(truth: &Truth) -> Vec<Option<bool>> {
    Observation::ALL.into_iter().map(|o| truth.get(o)).collect()
}

/// A sentence shows what it states as present; one that does not speak of it does not show it. Doubt is left out.
fn stated(sentence: &Sentence) -> Vec<Option<bool>> {
    Observation::ALL
        .into_iter()
        .map(|o| match sentence.labels.get(o) {
            Some(Polarity::Present) => Some(true),
            Some(Polarity::Uncertain) => None,
            Some(Polarity::Absent) | None => Some(false),
        })
        .collect()
}

type Queries = Vec<(Observation, Vec<Vec<f32>>)>;

/// Every way of denying a finding, and the one contrast.
struct Asked {
    denials: Queries,
    contrasts: Queries,
}

impl Asked {
    fn of(encoder: &Encoder) -> Result<Self> {
        let bank = PromptBank::embed(encoder)?;
        let away = |finding: Observation| bank.of(finding).direction(Score::Contrast).iter().map(|d| -d).collect();
        Ok(Self {
            denials: abnormal().map(|finding| (finding, bank.of(finding).negative.clone())).collect(),
            contrasts: abnormal().map(|finding| (finding, vec![away(finding)])).collect(),
        })
    }
}

fn searched(items: &[Item<'_>], asked: &Asked, patients: usize, options: &Options) -> Searched {
    let mut found = by_vectors(items, &asked.denials, patients, options);
    let contrast = by_vectors(items, &asked.contrasts, patients, options);
    found.contrast = contrast.encoder;
    for (row, other) in found.findings.iter_mut().zip(contrast.findings) {
        row.contrast = other.encoder;
    }
    found
}

fn by_vectors(items: &[Item<'_>], queries: &Queries, patients: usize, options: &Options) -> Searched {
    let truth = |item: usize, finding: Observation| -> Option<bool> {
        items.get(item)?.truth.get(finding.index()).copied().flatten()
    };
    let findings: Vec<&(Observation, Vec<Vec<f32>>)> =
        queries.iter().filter(|(f, _)| scorable_of((0..items.len()).map(|i| truth(i, *f)))).collect();
    // All cosines once: a resample only sorts.
    let scores: Vec<Vec<Vec<f32>>> = findings
        .iter()
        .map(|(_, queries)| queries.iter().map(|q| items.iter().map(|i| cosine(i.vector, q)).collect()).collect())
        .collect();
    let first = |finding: usize, query: usize, among: &[usize]| -> Vec<usize> {
        let Some((observation, _)) = findings.get(finding) else { return Vec::new() };
        let Some(scores) = scores.get(finding).and_then(|of| of.get(query)) else { return Vec::new() };
        let score = |i: &usize| scores.get(*i).copied().unwrap_or(f32::NEG_INFINITY);
        let mut order: Vec<usize> = among.iter().copied().filter(|i| truth(*i, *observation).is_some()).collect();
        let better = |a: &usize, b: &usize| score(b).total_cmp(&score(a)).then(a.cmp(b));
        if order.len() > TOP {
            order.select_nth_unstable_by(TOP - 1, better);
            order.truncate(TOP);
        }
        order
    };
    let share = |finding: usize, among: &[usize]| -> Option<f64> {
        let (observation, queries) = findings.get(finding)?;
        let shares = (0..queries.len()).map(|query| {
            let top = first(finding, query, among);
            let shown = top.iter().filter(|i| truth(**i, *observation) == Some(true)).count();
            shown as f64 / top.len().max(1) as f64
        });
        Some(mean(shares))
    };
    let bootstrap =
        Bootstrap::by_patient(items.iter().map(|i| i.patient)).seed(options.seed).resamples(options.resamples);
    let mut intervals = bootstrap.intervals(|among| {
        let mut values: Vec<Option<f64>> = (0..findings.len()).map(|f| share(f, among)).collect();
        values.push((!values.is_empty()).then(|| mean(values.iter().copied().flatten())));
        values
    });
    let all: Vec<usize> = (0..items.len()).collect();
    let mut total = Share::default();
    let pooled = intervals.pop().flatten();
    let rows: Vec<Row> = findings
        .iter()
        .enumerate()
        .zip(intervals)
        .map(|((at, (finding, queries)), interval)| {
            let mut encoder = Share::default();
            let mut seen = BTreeSet::new();
            for query in 0..queries.len() {
                let top = first(at, query, &all);
                encoder.results += top.len();
                encoder.shown += top.iter().filter(|i| truth(**i, *finding) == Some(true)).count();
                seen.extend(top);
            }
            encoder.distinct = seen.len();
            total.results += encoder.results;
            total.shown += encoder.shown;
            total.distinct += encoder.distinct;
            encoder.share = not_too_sure(interval, encoder.shown, encoder.distinct);
            let known: Vec<bool> = all.iter().filter_map(|i| truth(*i, *finding)).collect();
            let prevalence = known.iter().filter(|k| **k).count() as f64 / known.len().max(1) as f64;
            let contrast = Share::default();
            Row { finding: *finding, queries: queries.len(), prevalence, encoder, contrast, engine: None }
        })
        .collect();
    total.share = not_too_sure(pooled, total.shown, total.distinct);
    Searched {
        items: items.len(),
        patients,
        encoder: total,
        contrast: Share::default(),
        engine: None,
        mean_prevalence: mean(rows.iter().map(|r| r.prevalence)),
        findings: rows,
    }
}

/// Where nothing was shown, every resample says so too, and an interval from 0 to 0 would claim certainty.
fn not_too_sure(interval: Option<Interval>, shown: usize, distinct: usize) -> Option<Interval> {
    match shown {
        0 => Interval::wilson(0, distinct),
        _ => interval,
    }
}

/// Asks the engine the same, over the whole archive of the sources, as users get it.
///
/// The engine reads the labels and reports of what it finds; so this says that nothing slips through, not that the
/// encoder understands.
///
/// # Errors
/// A search fails.
pub fn ask_engine(report: &mut Report, engine: &Engine, sentences: &str) -> Result<()> {
    let source = report.scope.source.clone();
    if let Some(films) = &mut report.films {
        ask(films, engine, Target::Images, &source)?;
    }
    if let Some(said) = &mut report.sentences {
        ask(said, engine, Target::Reports, sentences)?;
    }
    Ok(())
}

fn ask(searched: &mut Searched, engine: &Engine, to: Target, source: &str) -> Result<()> {
    let filter = (!source.is_empty()).then(|| format!("source:\"{source}\""));
    let mut total = Share::default();
    let progress = Progress::new("asking the engine", Some(searched.findings.len() as u64));
    for row in &mut searched.findings {
        let mut share = Share::default();
        let mut seen = BTreeSet::new();
        if interrupt::asked() {
            return Err(Error::Interrupted);
        }
        let mut texts = negative_prompts(row.finding);
        texts.truncate(ENGINE_QUERIES);
        let answers: Vec<Response> = texts
            .into_par_iter()
            .map(|text| engine.search(Request { to, filter: filter.clone(), ..Request::new(Query::text(text), TOP) }))
            .collect::<Result<_>>()?;
        for hit in answers.into_iter().flat_map(|answer| answer.results) {
            share.results += 1;
            share.shown += usize::from(Truth::of(&hit.findings).present(row.finding));
            seen.insert(hit.key);
        }
        progress.add(1);
        share.distinct = seen.len();
        share.share = wilson(&share);
        total.results += share.results;
        total.shown += share.shown;
        total.distinct += share.distinct;
        row.engine = Some(share);
    }
    progress.finish();
    total.share = wilson(&total);
    searched.engine = Some(total);
    Ok(())
}

/// The share of results, as sure as the distinct ones allow.
fn wilson(share: &Share) -> Option<Interval> {
    let value = share.shown as f64 / share.results.max(1) as f64;
    let of_distinct = (value * share.distinct as f64).round() as usize;
    Interval::wilson(of_distinct, share.distinct).map(|i| Interval { value, ..i })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::training::split::Split;

    const NAMES: [&str; 40] = [
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19",
        "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "35", "36", "37",
        "38", "39",
    ];

    fn run(query: f32) -> Searched {
        let scope = Scope { source: String::new(), split: Split::Test };
        let options = Options { scope, sentences: String::new(), seed: 0, resamples: 100 };
        let edema = Observation::Edema;
        let vectors: Vec<[f32; 1]> = (0..40u8).map(|i| [f32::from(i)]).collect();
        let items: Vec<Item<'_>> = vectors
            .iter()
            .zip(NAMES)
            .enumerate()
            .map(|(i, (vector, patient))| {
                let mut truth = vec![None; Observation::COUNT];
                // The ten with the largest numbers show it, but for the very largest, of which it is not known.
                truth[edema.index()] = (i < 39).then_some(i >= 30);
                Item { patient, truth, vector }
            })
            .collect();
        let asked =
            Asked { denials: vec![(edema, vec![vec![query]; 3])], contrasts: vec![(edema, vec![vec![-query]])] };
        searched(&items, &asked, 40, &options)
    }

    #[test]
    fn the_deaf_and_the_one_that_listens() {
        let deaf = run(1.0);
        let row = &deaf.findings[0];
        // Nine of the 39 that are known show it, and all nine are on top; the tenth does not.
        assert_eq!((row.encoder.shown, row.encoder.results, row.encoder.distinct), (27, 30, 10));
        assert_eq!(row.encoder.share.unwrap().value, 0.9);
        assert_eq!(
            (row.contrast.shown, row.contrast.results, deaf.contrast.results),
            (0, 10, 10),
            "the other way round"
        );
        assert!((row.prevalence - 9.0 / 39.0).abs() < 1e-9);
        let listens = run(-1.0);
        let share = listens.encoder.share.unwrap();
        assert_eq!((share.value, share.low), (0.0, 0.0));
        assert!(share.high > 0.2, "ten films are not enough to be sure: {share}");
    }

    #[test]
    fn doubt_about_the_engine_follows_the_distinct_results() {
        let share = Share { shown: 2, results: 100, distinct: 50, share: None };
        let found = wilson(&share).unwrap();
        assert_eq!(found.value, 0.02);
        assert!(found.high > 0.09 && found.high < 0.12, "{found}");
    }
}
