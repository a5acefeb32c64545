//! What labels of the training patients add: a linear probe, fine-tuning, and prompt tuning.
//!
//! - **Linear probe**: logistic regression on the image encoder's features before the projection, one for each finding.
//! - **Fine-tuning**: the same on an image encoder that was trained further on the labels ([`super::fine_tuning`]).
//! - **Prompt tuning**, simplified: MedCLIP's prompt ensemble of a class is a direction in the joint space; this learns a
//!   correction to that direction on the training patients. A context that is learned in front of the text encoder
//!   (Zhou et al., IJCV 2022) can reach only the directions that the text encoder reaches; this can reach all, and is
//!   held to the ensemble by an L2 penalty instead.
//!
//! The penalty is the one with the best mean AUC on the validation patients, the same for all findings. Test patients
//! are looked at once. Beside it stands zero-shot on the same films, and the paired difference.

use rayon::prelude::*;
use serde::Serialize;
use thorax_index::Catalogue;
use thorax_models::Encoder;

use super::bootstrap::{Bootstrap, Interval};
use super::cohort::{Film, Scope, embed, encode, films, patients};
use super::logistic::{Fit, fit};
use super::metrics::{auc, mean};
use super::per_finding::{Figures, Scoring, scorable};
use super::prompt_bank::{Pool, PromptBank, Score};
use super::report::{Cell, Part, Sheet, Table};
use crate::error::{Error, Result};
use crate::findings::Observation;
use crate::training::split::Split;

/// The penalties that are tried, weakest first: on features of deviation 1, and on directions of the joint space.
const PENALTIES_PROBE: [f64; 6] = [1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0];
const PENALTIES_TUNING: [f64; 6] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1.0];

/// What is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Logistic regression on the features before the projection.
    LinearProbe,
    /// The same, of an image encoder that was trained further on the labels.
    FineTuning,
    /// A correction to each class's prompt ensemble.
    PromptTuning,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is learned.
    pub method: Method,
    /// Source of the films; empty = all.
    pub source: String,
    /// What a zero-shot score is.
    pub score: Score,
    /// Seed of the resamples.
    pub seed: u64,
    /// Resamples behind an interval.
    pub resamples: usize,
}

/// Mean AUC on the validation patients with one penalty.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Tried {
    /// The L2 penalty.
    pub l2: f64,
    /// Mean AUC; none where the validation patients have too few positives.
    pub validation_auc: Option<f64>,
}

/// Figures of one evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was learned.
    pub method: Method,
    /// Source of the films; empty = all.
    pub source: String,
    /// Films learned from.
    pub training_films: usize,
    /// Films that the penalty was chosen on.
    pub validation_films: usize,
    /// Films scored, of test patients.
    pub films: usize,
    /// Their patients.
    pub patients: usize,
    /// The penalty.
    pub l2: f64,
    /// All that were tried.
    pub tried: Vec<Tried>,
    /// The learned scores.
    #[serde(flatten)]
    pub figures: Figures,
    /// Zero-shot on the same films.
    pub zero_shot: Figures,
    /// Learned AUC less zero-shot AUC, paired, in the order of `findings`.
    pub gain: Vec<Option<Interval>>,
    /// The same for the macro AUC.
    pub macro_gain: Option<Interval>,
}

/// Films of one part of the patients, with what is learned from.
struct Side {
    films: Vec<Film>,
    features: Vec<Vec<f64>>,
    /// For each finding an offset for each film: the zero-shot score, where it is the start.
    offsets: Vec<Vec<f64>>,
}

/// Learns on the training patients, chooses on the validation patients, scores on the test patients.
///
/// `tuned` is the encoder whose features are learned from, where it is another than the one that is asked zero-shot.
///
/// # Errors
/// One of the three has no labelled films, no finding has enough of them, or the catalogue or encoder fails.
pub fn supervised(
    catalogue: &Catalogue,
    encoder: &Encoder,
    tuned: Option<&Encoder>,
    options: &Options,
) -> Result<Report> {
    let seeing = tuned.unwrap_or(encoder);
    let scope = |split| Scope { source: options.source.clone(), split };
    let part = |split| films(catalogue, &scope(split));
    let (train, validation, test) = (part(Split::Train)?, part(Split::Validation)?, part(Split::Test)?);
    let (learnable, scored) = (scorable(&train), scorable(&test));
    let findings: Vec<Observation> = scored.into_iter().filter(|f| learnable.contains(f)).collect();
    if findings.is_empty() {
        return Err(Error::Caller("no finding has enough films that show it, and films that don't".to_owned()));
    }
    let bank = PromptBank::embed(encoder)?;
    let scale = f64::from(encoder.logit_scale());
    let side = |films: Vec<Film>| -> Result<Side> {
        match options.method {
            Method::LinearProbe | Method::FineTuning => {
                let (films, features): (Vec<Film>, Vec<Vec<f32>>) =
                    encode(seeing, films, |pixels| Ok(seeing.image_features(pixels)?))?.into_iter().unzip();
                let features = features.into_iter().map(|f| f.into_iter().map(f64::from).collect()).collect();
                Ok(Side { films, features, offsets: Vec::new() })
            }
            Method::PromptTuning => {
                let (films, vectors): (Vec<Film>, Vec<Vec<f32>>) = embed(encoder, films)?.into_iter().unzip();
                let start = bank.score(&vectors, &findings, options.score, Pool::Mean);
                let offsets =
                    start.scores.iter().map(|of| of.iter().map(|s| scale * f64::from(*s)).collect()).collect();
                // The joint space is scaled as the loss scales it, so that the penalty is on the direction.
                let features = vectors.into_iter().map(|v| v.into_iter().map(|x| scale * f64::from(x)).collect());
                Ok(Side { films, features: features.collect(), offsets })
            }
        }
    };
    let (mut train, mut validation, mut test) = (side(train)?, side(validation)?, side(test)?);
    if options.method != Method::PromptTuning {
        standardise(&mut [&mut train, &mut validation, &mut test]);
    }
    let penalties = match options.method {
        Method::LinearProbe | Method::FineTuning => PENALTIES_PROBE,
        Method::PromptTuning => PENALTIES_TUNING,
    };
    let (tried, l2) = choose(&train, &validation, &findings, &penalties);
    let learned = learn(&train, &findings, l2).score(&test, &findings);
    // Zero-shot on the very same films: for tuning it is where it starts.
    let zero_shot = match options.method {
        Method::PromptTuning => Scoring {
            findings: findings.clone(),
            scores: test.offsets.iter().map(|of| of.iter().map(|s| *s as f32).collect()).collect(),
        },
        Method::LinearProbe | Method::FineTuning => {
            let (_, vectors): (Vec<Film>, Vec<Vec<f32>>) = embed(encoder, test.films.clone())?.into_iter().unzip();
            bank.score(&vectors, &findings, options.score, Pool::Mean)
        }
    };
    let bootstrap =
        Bootstrap::by_patient(test.films.iter().map(|f| &f.patient)).seed(options.seed).resamples(options.resamples);
    let mut gain = learned.difference(&zero_shot, &test.films, &bootstrap);
    Ok(Report {
        method: options.method,
        source: options.source.clone(),
        training_films: train.films.len(),
        validation_films: validation.films.len(),
        films: test.films.len(),
        patients: patients(&test.films),
        l2,
        tried,
        figures: learned.figures(&test.films, &bootstrap),
        zero_shot: zero_shot.figures(&test.films, &bootstrap),
        macro_gain: gain.pop().flatten(),
        gain,
    })
}

/// Mean 0 and deviation 1 over the first, the training films; the others by the same measure.
fn standardise(sides: &mut [&mut Side]) {
    let Some(train) = sides.first() else { return };
    let n = train.features.len().max(1) as f64;
    let width = train.features.first().map_or(0, Vec::len);
    let (mut centre, mut spread) = (vec![0.0; width], vec![0.0; width]);
    for row in &train.features {
        centre.iter_mut().zip(row).for_each(|(c, v)| *c += v / n);
    }
    for row in &train.features {
        spread.iter_mut().zip(row).zip(&centre).for_each(|((s, v), c)| *s += (v - c).powi(2) / n);
    }
    for row in sides.iter_mut().flat_map(|side| side.features.iter_mut()) {
        for ((value, centre), spread) in row.iter_mut().zip(&centre).zip(&spread) {
            // A feature that never changes says nothing.
            *value = if *spread > 1e-12 { (*value - centre) / spread.sqrt() } else { 0.0 };
        }
    }
}

struct Learned {
    fits: Vec<Fit>,
}

fn learn(train: &Side, findings: &[Observation], l2: f64) -> Learned {
    let fits = findings
        .par_iter()
        .enumerate()
        .map(|(at, finding)| {
            let known: Vec<(usize, bool)> =
                (0..train.films.len()).filter_map(|i| Some((i, train.films.get(i)?.truth.get(*finding)?))).collect();
            let features: Vec<&[f64]> =
                known.iter().filter_map(|(i, _)| train.features.get(*i)).map(Vec::as_slice).collect();
            let labels: Vec<bool> = known.iter().map(|k| k.1).collect();
            let offsets: Vec<f64> = known.iter().map(|(i, _)| train.offset(at, *i)).collect();
            fit(&features, &labels, &offsets, l2)
        })
        .collect();
    Learned { fits }
}

impl Side {
    fn offset(&self, finding: usize, film: usize) -> f64 {
        self.offsets.get(finding).and_then(|of| of.get(film)).copied().unwrap_or(0.0)
    }
}

impl Learned {
    fn score(&self, side: &Side, findings: &[Observation]) -> Scoring {
        let scores = self
            .fits
            .iter()
            .enumerate()
            .map(|(at, fit)| {
                side.features.iter().enumerate().map(|(i, x)| (fit.score(x) + side.offset(at, i)) as f32).collect()
            })
            .collect();
        Scoring { findings: findings.to_vec(), scores }
    }
}

/// The penalty with the best mean AUC on the validation patients; of equals the strongest. The strongest of all where
/// they have no positives.
fn choose(train: &Side, validation: &Side, findings: &[Observation], penalties: &[f64]) -> (Vec<Tried>, f64) {
    let tried: Vec<Tried> = penalties
        .iter()
        .map(|&l2| {
            let scoring = learn(train, findings, l2).score(validation, findings);
            let areas: Vec<f64> = findings
                .iter()
                .zip(&scoring.scores)
                .filter_map(|(finding, scores)| {
                    let known: Vec<(f32, bool)> = scores
                        .iter()
                        .zip(&validation.films)
                        .filter_map(|(score, film)| Some((*score, film.truth.get(*finding)?)))
                        .collect();
                    // With one positive an AUC is a coin.
                    (known.iter().filter(|k| k.1).count() > 1).then(|| auc(&known)).flatten()
                })
                .collect();
            Tried { l2, validation_auc: (!areas.is_empty()).then(|| mean(areas)) }
        })
        .collect();
    let best = tried
        .iter()
        .max_by(|a, b| a.validation_auc.unwrap_or(0.0).total_cmp(&b.validation_auc.unwrap_or(0.0)))
        .map_or(1.0, |t| t.l2);
    (tried, best)
}

impl Report {
    /// The figures for people.
    pub fn sheet(&self) -> Sheet {
        let (title, name, how) = match self.method {
            Method::LinearProbe => {
                ("Linear probe", "probe", "Logistic regression on the image encoder's features before the projection.")
            }
            Method::FineTuning => (
                "Fine-tuning",
                "fine-tuned",
                "The image encoder was trained further on the labels by binary cross entropy; then logistic regression on its \
                 features before the projection, as in the linear probe. Zero-shot is the model's before.",
            ),
            Method::PromptTuning => (
                "Prompt tuning",
                "tuned",
                "Each class's prompt ensemble is a direction in the joint space; a correction to it is learned, towers \
                 frozen. This is simpler than learning a context in front of the text encoder.",
            ),
        };
        let mut zero: Vec<Cell> = self.zero_shot.findings.iter().map(|r| r.auc.into()).collect();
        zero.push(self.zero_shot.macro_auc.into());
        let mut gain: Vec<Cell> = self.gain.iter().map(|g| Cell::between(*g)).collect();
        gain.push(self.macro_gain.into());
        let table = self.figures.table(title, vec![("zero-shot AUC", zero), ("gain", gain)]);
        let tried = Table {
            title: "Penalties tried on the validation patients".to_owned(),
            columns: vec!["L2", "mean AUC", ""],
            rows: self
                .tried
                .iter()
                .map(|t| {
                    let chosen = if t.l2 == self.l2 { "chosen" } else { "" };
                    vec![Cell::Text(t.l2.to_string()), t.validation_auc.into(), chosen.into()]
                })
                .collect(),
        };
        let mut parts = vec![Part::Table(table), Part::Table(tried)];
        parts.extend(self.figures.plots(name));
        parts.extend(self.zero_shot.plots("zero-shot"));
        Sheet {
            title: format!("{title}, beside zero-shot"),
            notes: vec![
                how.to_owned(),
                format!(
                    "Learned on {} films, penalty chosen on {}, scored on {} films of {} other patients.",
                    self.training_films, self.validation_films, self.films, self.patients
                ),
                "Gain: AUC less zero-shot AUC on the same films, paired.".to_owned(),
            ],
            parts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LabelOrigin;
    use crate::evaluation::cohort::Truth;
    use crate::findings::Polarity;
    use crate::indexing::Finding;
    use Observation::Edema;

    fn side(from: usize, count: usize, offsets: bool) -> Side {
        let edema = |i: usize| i.is_multiple_of(3);
        let films = (from..from + count).map(|i| {
            let polarity = if edema(i) { Polarity::Present } else { Polarity::Absent };
            let origin = LabelOrigin::Dataset;
            let said = Finding { observation: Edema, polarity, side: None, severity: None, origin };
            let (id, truth) = (i.to_string(), Truth::of(&[said]));
            Film { id: id.clone(), path: std::path::PathBuf::new(), patient: id, truth }
        });
        // The second feature tells, the first is large and says nothing, the third never changes.
        let features =
            (from..from + count).map(|i| vec![(i * 31 % 17) as f64 * 100.0, f64::from(u8::from(edema(i))), 5.0]);
        let start = (from..from + count).map(|i| if edema(i) { 4.0 } else { -4.0 }).collect();
        Side {
            films: films.collect(),
            features: features.collect(),
            offsets: if offsets { vec![start] } else { Vec::new() },
        }
    }

    #[test]
    fn what_tells_is_learned_and_carries_over() {
        let (mut train, mut validation, mut test) = (side(0, 60, false), side(60, 30, false), side(90, 30, false));
        standardise(&mut [&mut train, &mut validation, &mut test]);
        let column = |at: usize| train.features.iter().map(|r| r[at]).collect::<Vec<_>>();
        assert!(mean(column(0)).abs() < 1e-9 && (mean(column(0).iter().map(|v| v * v)) - 1.0).abs() < 1e-9);
        assert!(column(2).iter().all(|v| *v == 0.0));
        let (tried, l2) = choose(&train, &validation, &[Edema], &[0.01, 1.0, 100.0]);
        assert_eq!((tried.len(), l2), (3, 100.0), "all are perfect, so the strongest");
        let scoring = learn(&train, &[Edema], l2).score(&test, &[Edema]);
        assert_eq!(scoring.macro_auc(&test.films), Some(1.0));
    }

    #[test]
    fn under_a_strong_penalty_tuning_keeps_the_start() {
        let (train, test) = (side(0, 60, true), side(60, 30, true));
        let learned = learn(&train, &[Edema], 1e12);
        assert!(learned.fits[0].weights.iter().all(|w| w.abs() < 1e-6));
        assert_eq!(learned.score(&test, &[Edema]).macro_auc(&test.films), Some(1.0));
    }
}
