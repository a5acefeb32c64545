//! Sentences that state X told apart from sentences that deny it.

use serde::Serialize;
use thorax_models::Encoder;

use super::bootstrap::{Bootstrap, Interval};
use super::cohort::{MIN_POSITIVES, Sentence, abnormal, cosine, ensemble};
use super::metrics::{auc, mean, roc};
use super::negation::Options;
use crate::error::Result;
use crate::findings::{Observation, Polarity, negative_prompts, prompts};

/// Figures of one finding.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The finding.
    pub finding: Observation,
    /// Texts that state it.
    pub present: usize,
    /// Texts that deny it.
    pub absent: usize,
    /// Share of pairs, one of each, that are in order.
    pub auc: Option<Interval>,
}

/// Figures of texts of one origin.
#[derive(Clone, Debug, Serialize)]
pub struct Pairs {
    /// A source of reports, or `prompts`: our own wordings, which were trained on.
    pub origin: String,
    /// Texts; one that speaks of two findings counts twice.
    pub texts: usize,
    /// Per finding, where there are enough of both kinds.
    pub findings: Vec<Row>,
    /// All findings together: one threshold for all.
    pub pooled: Option<Interval>,
    /// Mean over the findings.
    pub macro_auc: Option<Interval>,
    /// Pooled, with the mean of all prompts on either side instead of one wording.
    pub pooled_ensemble: Option<Interval>,
    /// Texts whose wording stands in no report of a training patient.
    pub unseen: usize,
    /// Pooled, of those only.
    pub pooled_unseen: Option<Interval>,
    /// The ROC curve of all together.
    #[serde(skip)]
    pub curve: Vec<(f64, f64)>,
}

/// One text and what it says of one finding.
struct Text<'a> {
    finding: Observation,
    present: bool,
    patient: &'a str,
    unseen: bool,
    plain: f32,
    ensemble: f32,
}

/// Both sides of one finding.
struct Sides {
    finding: Observation,
    /// `"X"` and `"no X"`, the plainest wording of each.
    plain: [Vec<f32>; 2],
    ensemble: [Vec<f32>; 2],
    /// The other wordings, for and against.
    wordings: [Vec<Vec<f32>>; 2],
}

/// Figures for each source of sentences, and for our own prompts.
///
/// # Errors
/// The encoder fails.
pub fn pairs(encoder: &Encoder, said: &[Sentence], vectors: &[Vec<f32>], options: &Options) -> Result<Vec<Pairs>> {
    let mut sides = Vec::new();
    for finding in abnormal() {
        let [stated, denied] = [prompts(finding), negative_prompts(finding)].map(|texts| encoder.embed_texts(&texts));
        let (stated, denied) = (stated?, denied?);
        let (Some(x), Some(no_x)) = (stated.first(), denied.first()) else { continue };
        sides.push(Sides {
            finding,
            plain: [x.clone(), no_x.clone()],
            ensemble: [ensemble(&stated), ensemble(&denied)],
            wordings: [&stated, &denied].map(|all| all.iter().skip(1).cloned().collect()),
        });
    }
    let origin = |sentence: &Sentence| sentence.patient.split('/').next().unwrap_or_default().to_owned();
    let mut origins: Vec<String> = said.iter().map(origin).collect();
    origins.sort();
    origins.dedup();
    let mut all = Vec::new();
    for name in origins {
        let mut texts = Vec::new();
        for (sentence, vector) in said.iter().zip(vectors).filter(|(s, _)| origin(s) == name) {
            for side in &sides {
                let present = match sentence.labels.get(side.finding) {
                    Some(Polarity::Present) => true,
                    Some(Polarity::Absent) => false,
                    _ => continue,
                };
                texts.push(side.text(present, &sentence.patient, !sentence.seen, vector));
            }
        }
        all.push(figures(name, &texts, options));
    }
    let mut texts = Vec::new();
    let names: Vec<String> =
        (0..sides.iter().flat_map(|s| &s.wordings).map(Vec::len).sum()).map(|i: usize| i.to_string()).collect();
    for side in &sides {
        for (wordings, present) in side.wordings.iter().zip([true, false]) {
            for vector in wordings {
                // Each wording is a patient of its own.
                let own = names.get(texts.len()).map_or("", String::as_str);
                texts.push(side.text(present, own, false, vector));
            }
        }
    }
    all.push(figures("prompts".to_owned(), &texts, options));
    Ok(all)
}

impl Sides {
    fn text<'a>(&self, present: bool, patient: &'a str, unseen: bool, vector: &[f32]) -> Text<'a> {
        let less = |[x, no_x]: &[Vec<f32>; 2]| cosine(vector, x) - cosine(vector, no_x);
        let (plain, ensemble) = (less(&self.plain), less(&self.ensemble));
        Text { finding: self.finding, present, patient, unseen, plain, ensemble }
    }
}

fn figures(origin: String, texts: &[Text<'_>], options: &Options) -> Pairs {
    let count = |finding, present| texts.iter().filter(|t| t.finding == finding && t.present == present).count();
    let findings: Vec<Observation> =
        abnormal().filter(|f| [true, false].iter().all(|p| count(*f, *p) >= MIN_POSITIVES)).collect();
    let bootstrap =
        Bootstrap::by_patient(texts.iter().map(|t| t.patient)).seed(options.seed).resamples(options.resamples);
    let found = bootstrap.intervals(|items| {
        let of = |keep: &dyn Fn(&Text<'_>) -> bool, ensemble: bool| {
            let kept = items.iter().filter_map(|i| texts.get(*i)).filter(|t| keep(t));
            auc(&kept.map(|t| (if ensemble { t.ensemble } else { t.plain }, t.present)).collect::<Vec<_>>())
        };
        let mut values: Vec<Option<f64>> = findings.iter().map(|f| of(&|t| t.finding == *f, false)).collect();
        let complete: Option<Vec<f64>> = values.iter().copied().collect();
        values.push(complete.filter(|v| !v.is_empty()).map(mean));
        values.extend([of(&|_| true, false), of(&|_| true, true), of(&|t| t.unseen, false)]);
        values
    });
    let at = |place: usize| found.get(place).copied().flatten();
    let n = findings.len();
    Pairs {
        origin,
        texts: texts.len(),
        macro_auc: at(n),
        pooled: at(n + 1),
        pooled_ensemble: at(n + 2),
        pooled_unseen: at(n + 3),
        unseen: texts.iter().filter(|t| t.unseen).count(),
        curve: roc(&texts.iter().map(|t| (t.plain, t.present)).collect::<Vec<_>>()),
        findings: findings
            .iter()
            .enumerate()
            .map(|(place, finding)| Row {
                finding: *finding,
                present: count(*finding, true),
                absent: count(*finding, false),
                auc: at(place),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::evaluation::cohort::Scope;
    use crate::training::split::Split;

    #[test]
    fn a_pair_in_order_counts_and_one_out_of_order_does_not() {
        let scope = Scope { source: String::new(), split: Split::Test };
        let options = Options { scope, sentences: String::new(), seed: 0, resamples: 100 };
        let names: Vec<String> = (0..20).map(|i: usize| i.to_string()).collect();
        let text = |i: usize| {
            let present = i.is_multiple_of(2);
            // The first of those that state it lies below all others.
            let plain = if i == 0 { -9.0 } else { f32::from(u8::from(present)) };
            Text { finding: Observation::Edema, present, patient: &names[i], unseen: i > 9, plain, ensemble: 0.0 }
        };
        let found = figures("x".to_owned(), &(0..20).map(text).collect::<Vec<_>>(), &options);
        assert_eq!((found.texts, found.unseen, found.findings[0].present, found.findings[0].absent), (20, 10, 10, 10));
        assert_eq!(found.findings[0].auc.unwrap().value, 0.9);
        assert_eq!(found.pooled.unwrap().value, 0.9);
        assert_eq!(found.pooled_ensemble.unwrap().value, 0.5);
        assert_eq!(found.pooled_unseen.unwrap().value, 1.0);
    }

    #[test]
    fn both_sides_of_a_finding() {
        let side = Sides {
            finding: Observation::Edema,
            plain: [vec![1.0, 0.0], vec![0.0, 1.0]],
            ensemble: [vec![0.0, 1.0], vec![1.0, 0.0]],
            wordings: [Vec::new(), Vec::new()],
        };
        let text = side.text(true, "p", true, &[0.75, 0.25]);
        assert_eq!((text.plain, text.ensemble), (0.5, -0.5));
    }
}
