//! Retrieval on held-out patients by the encoder alone: precision@k beside the share of chance.
//!
//! - Text to film: the query of a finding is the mean embedding of its class prompts (prompt ensemble, Wang et al., EMNLP
//!   2022, section 4.2). A film is relevant when it is known to show the finding; a film of which nothing is known is
//!   left out.
//! - Film to sentence, and sentence to film (section 4.4): what is retrieved is relevant when it shares a class with
//!   what is asked. Films and sentences are unpaired.

use serde::Serialize;
use thorax_index::Catalogue;
use thorax_models::Encoder;

use super::bootstrap::{Bootstrap, Interval};
use super::cohort::{Film, Scope, cosine, embed, ensemble, films, patients, report_sentences};
use super::matching::{Matching, film_to_sentence, sentence_to_film};
use super::metrics::{auc, mean, precision_at, ranked};
use super::per_finding::scorable;
use super::report::{Bar, Bars, Cell, Part, Plot, Sheet, Table};
use crate::error::Result;
use crate::findings::{Observation, prompts};
use crate::training::split::Split;

/// The k of precision@k.
pub const K: usize = 10;

/// All k that are reported: those of the paper's table.
pub const KS: [usize; 4] = [1, 2, 5, 10];

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which films.
    pub scope: Scope,
    /// Source of the sentences; empty = all. `None`: text to film only.
    pub sentences: Option<String>,
    /// Seed of draws and resamples.
    pub seed: u64,
    /// Resamples behind an interval.
    pub resamples: usize,
}

/// Figures of one finding.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The finding.
    pub finding: Observation,
    /// Films that are known to show it.
    pub positives: usize,
    /// Films of which it is known.
    pub films: usize,
    /// Share of positives: the precision of chance.
    pub prevalence: f64,
    /// Share of positives among the first 1, 2, 5 and 10.
    pub precision: Vec<Option<Interval>>,
    /// Share of positives among the first ten.
    pub precision_at_10: f64,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// The same with its interval.
    pub auc_interval: Option<Interval>,
}

/// Figures of one evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Source of the films; empty = all.
    pub source: String,
    /// Split of the patients.
    pub split: Split,
    /// Films.
    pub films: usize,
    /// Patients.
    pub patients: usize,
    /// The k of `precision`.
    pub ks: [usize; 4],
    /// Text to film, per finding.
    pub findings: Vec<Row>,
    /// Mean over the findings.
    pub mean_precision_at_10: f64,
    /// Mean over the findings, for each k.
    pub mean_precision: Vec<Option<Interval>>,
    /// Mean over the findings without the normal films.
    pub mean_precision_abnormal: Vec<Option<Interval>>,
    /// Mean over the findings.
    pub mean_prevalence: f64,
    /// Mean over the findings.
    pub macro_auc: f64,
    /// The same with its interval.
    pub macro_auc_interval: Option<Interval>,
    /// Film to sentence, where there are sentences.
    pub film_to_sentence: Option<Matching>,
    /// Sentence to film.
    pub sentence_to_film: Option<Matching>,
}

/// Text to film on a source and split, as `thorax demo` and the trainer show it.
///
/// # Errors
/// No film of that source and split has labels, or the catalogue or a model cannot be read.
pub fn retrieval(catalogue: &Catalogue, encoder: &Encoder, source: &str, split: Split) -> Result<Report> {
    let scope = Scope { source: source.to_owned(), split };
    run(catalogue, encoder, &Options { scope, sentences: None, seed: 0, resamples: super::bootstrap::RESAMPLES })
}

/// Embeds the films of a scope and scores every finding that has enough positives.
///
/// # Errors
/// No film of that scope has labels, or the catalogue or a model cannot be read.
pub fn run(catalogue: &Catalogue, encoder: &Encoder, options: &Options) -> Result<Report> {
    let (films, vectors): (Vec<Film>, Vec<Vec<f32>>) =
        embed(encoder, films(catalogue, &options.scope)?)?.into_iter().unzip();
    let mut queries = Vec::new();
    for finding in scorable(&films) {
        queries.push((finding, ensemble(&encoder.embed_texts(&prompts(finding))?)));
    }
    let bootstrap =
        Bootstrap::by_patient(films.iter().map(|f| &f.patient)).seed(options.seed).resamples(options.resamples);
    let mut report = text_to_film(&films, &vectors, &queries, &bootstrap, &options.scope);
    if let Some(source) = &options.sentences {
        let scope = Scope { source: source.clone(), split: options.scope.split };
        let sentences = report_sentences(catalogue, &scope)?;
        let texts: Vec<&str> = sentences.iter().map(|s| s.text.as_str()).collect();
        let said = encoder.embed_texts(&texts)?;
        report.film_to_sentence = film_to_sentence((&films, &vectors), (&sentences, &said), options);
        report.sentence_to_film = sentence_to_film((&films, &vectors), (&sentences, &said), options);
    }
    Ok(report)
}

fn text_to_film(
    films: &[Film],
    vectors: &[Vec<f32>],
    queries: &[(Observation, Vec<f32>)],
    bootstrap: &Bootstrap,
    scope: &Scope,
) -> Report {
    let scored: Vec<Vec<Option<(f32, bool)>>> = queries
        .iter()
        .map(|(finding, query)| {
            films.iter().zip(vectors).map(|(f, v)| Some((cosine(v, query), f.truth.get(*finding)?))).collect()
        })
        .collect();
    let of = |finding: usize, items: &[usize]| -> Vec<(f32, bool)> {
        let Some(scored) = scored.get(finding) else { return Vec::new() };
        items.iter().filter_map(|i| scored.get(*i).copied().flatten()).collect()
    };
    let normal = queries.iter().position(|q| q.0 == Observation::NoFinding);
    let (n, per) = (queries.len(), KS.len() + 1);
    let found = bootstrap.intervals(|items| {
        let mut values: Vec<Option<f64>> = Vec::with_capacity((n + 2) * per);
        for finding in 0..n {
            let scored = of(finding, items);
            let order = ranked(&scored);
            values.extend(KS.map(|k| (!order.is_empty()).then(|| precision_at(k, &order))));
            values.push(auc(&scored));
        }
        for without in [None, Some(normal)] {
            for figure in 0..per {
                let of_findings: Option<Vec<f64>> = (0..n)
                    .filter(|f| without != Some(Some(*f)))
                    .map(|f| values.get(f * per + figure).copied().flatten())
                    .collect();
                values.push(of_findings.filter(|v| !v.is_empty()).map(mean));
            }
        }
        values
    });
    let at = |row: usize, figure: usize| found.get(row * per + figure).copied().flatten();
    let precision = |row: usize| (0..KS.len()).map(|k| at(row, k)).collect::<Vec<_>>();
    let all: Vec<usize> = (0..films.len()).collect();
    let rows: Vec<Row> = queries
        .iter()
        .enumerate()
        .map(|(i, (finding, _))| {
            let scored = of(i, &all);
            let positives = scored.iter().filter(|s| s.1).count();
            Row {
                finding: *finding,
                positives,
                films: scored.len(),
                prevalence: positives as f64 / scored.len().max(1) as f64,
                precision: precision(i),
                precision_at_10: precision_at(K, &ranked(&scored)),
                auc: auc(&scored),
                auc_interval: at(i, KS.len()),
            }
        })
        .collect();
    Report {
        source: scope.source.clone(),
        split: scope.split,
        films: films.len(),
        patients: patients(films),
        ks: KS,
        mean_precision_at_10: mean(rows.iter().map(|r| r.precision_at_10)),
        mean_precision: precision(n),
        mean_precision_abnormal: precision(n + 1),
        mean_prevalence: mean(rows.iter().map(|r| r.prevalence)),
        macro_auc: mean(rows.iter().filter_map(|r| r.auc)),
        macro_auc_interval: at(n, KS.len()),
        findings: rows,
        film_to_sentence: None,
        sentence_to_film: None,
    }
}

impl Report {
    /// A table for people.
    pub fn table(&self) -> String {
        super::report::text::sheet(&self.sheet())
    }

    /// The figures for people.
    pub fn sheet(&self) -> Sheet {
        let mut rows: Vec<Vec<Cell>> = self
            .findings
            .iter()
            .map(|row| {
                let mut cells = vec![Cell::from(row.finding.name()), row.positives.into(), row.prevalence.into()];
                cells.extend(row.precision.iter().map(|p| Cell::between(*p)));
                cells.push(row.auc_interval.into());
                cells
            })
            .collect();
        let mut means = vec![Cell::from("mean"), Cell::None, self.mean_prevalence.into()];
        means.extend(self.mean_precision.iter().map(|p| Cell::between(*p)));
        means.push(self.macro_auc_interval.into());
        rows.push(means);
        if self.findings.iter().any(|r| r.finding == Observation::NoFinding) {
            let abnormal =
                mean(self.findings.iter().filter(|r| r.finding != Observation::NoFinding).map(|r| r.prevalence));
            let mut means = vec![Cell::from("mean of abnormal findings"), Cell::None, abnormal.into()];
            means.extend(self.mean_precision_abnormal.iter().map(|p| Cell::between(*p)));
            means.push(Cell::None);
            rows.push(means);
        }
        let columns = vec!["finding", "n", "prevalence", "P@1", "P@2", "P@5", "P@10", "AUC"];
        let bars = self.findings.iter().filter_map(|row| {
            let value = (*row.precision.last()?)?;
            Some(Bar { name: row.finding.name().to_owned(), value, mark: Some(row.prevalence) })
        });
        let mut parts = vec![
            Part::Table(Table { title: "Text to film".to_owned(), columns, rows }),
            Part::Plot(Plot::Bars(Bars {
                title: "Text to film: precision among the first ten".to_owned(),
                axis: "P@10".to_owned(),
                range: (0.0, 1.0),
                mark: "prevalence".to_owned(),
                rows: bars.collect(),
            })),
        ];
        for (name, of) in [("Film to sentence", &self.film_to_sentence), ("Sentence to film", &self.sentence_to_film)] {
            if let Some(matching) = of {
                parts.extend(matching.parts(name));
            }
        }
        Sheet {
            title: "Retrieval, by the encoder alone".to_owned(),
            notes: vec![format!(
                "{} films of {} patients, split {:?}{}. Precision of chance is the prevalence.",
                self.films,
                self.patients,
                self.split,
                if self.source.is_empty() { String::new() } else { format!(", source {}", self.source) }
            )],
            parts,
        }
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

    #[test]
    fn precision_and_prevalence_by_hand() {
        let films: Vec<Film> = (0..20)
            .map(|i| {
                let polarity = if i < 5 { Polarity::Present } else { Polarity::Absent };
                let (observation, origin) = (Observation::Edema, LabelOrigin::Dataset);
                let said = Finding { observation, polarity, side: None, severity: None, origin };
                let (id, truth) = (i.to_string(), Truth::of(&[said]));
                Film { id: id.clone(), path: std::path::PathBuf::new(), patient: id, truth }
            })
            .collect();
        // The best film is a positive, the next three are not, then come the others that are.
        let scores = [0.9, 0.5, 0.4, 0.3, 0.2, 0.8, 0.7, 0.6];
        let vectors: Vec<Vec<f32>> = (0..20).map(|i| vec![scores.get(i).copied().unwrap_or(-0.5)]).collect();
        let scope = Scope { source: String::new(), split: Split::Test };
        let bootstrap = Bootstrap::by_patient(films.iter().map(|f| &f.patient)).resamples(50);
        let report = text_to_film(&films, &vectors, &[(Observation::Edema, vec![1.0])], &bootstrap, &scope);
        let row = &report.findings[0];
        assert_eq!((row.positives, row.films, row.prevalence), (5, 20, 0.25));
        let values: Vec<f64> = row.precision.iter().map(|p| p.unwrap().value).collect();
        assert_eq!(values, [1.0, 0.5, 0.4, 0.5]);
        assert!((row.auc.unwrap() - (75.0 - 12.0) / 75.0).abs() < 1e-9);
        assert_eq!(report.mean_precision_at_10, 0.5);
        assert_eq!(report.mean_precision, report.mean_precision_abnormal, "no normal films here");
    }
}
