//! Embeddings of the class prompts, and films scored with them.

use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::StdRng};
use serde::Serialize;
use thorax_models::Encoder;

use super::cohort::{abnormal, cosine, ensemble};
use super::per_finding::Scoring;
use crate::error::Result;
use crate::findings::{Observation, negative_prompts, prompts};

/// What a film's score for a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Score {
    /// Cosine to what states the finding, less cosine to what denies it.
    Contrast,
    /// Cosine to what states the finding.
    Present,
}

/// How several prompts become one score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pool {
    /// Mean over the prompts: MedCLIP's prompt ensemble (Wang et al. 2022, section 4.2).
    Mean,
    /// The nearest prompt.
    Max,
}

/// Embeddings of the prompts of one observation.
#[derive(Clone, Debug, Default)]
pub struct Prompts {
    /// What states it.
    pub positive: Vec<Vec<f32>>,
    /// What denies it; for `No Finding`, what states any finding.
    pub negative: Vec<Vec<f32>>,
}

/// Embeddings of the prompts of all observations.
pub struct PromptBank(Vec<Prompts>);

impl PromptBank {
    /// Embeds all prompts.
    ///
    /// # Errors
    /// The encoder fails.
    pub fn embed(encoder: &Encoder) -> Result<Self> {
        let mut bank = Vec::with_capacity(Observation::COUNT);
        for observation in Observation::ALL {
            let positive = encoder.embed_texts(&prompts(observation))?;
            let negative = encoder.embed_texts(&negative_prompts(observation))?;
            bank.push(Prompts { positive, negative });
        }
        // The contrary of a normal chest is any finding: one ensemble of each.
        let any = abnormal().filter_map(|o| bank.get(o.index()).map(|p| ensemble(&p.positive))).collect();
        if let Some(normal) = bank.get_mut(Observation::NoFinding.index()) {
            normal.negative = any;
        }
        Ok(Self(bank))
    }

    /// The prompts of an observation.
    pub fn of(&self, observation: Observation) -> &Prompts {
        const NONE: &Prompts = &Prompts { positive: Vec::new(), negative: Vec::new() };
        self.0.get(observation.index()).unwrap_or(NONE)
    }

    /// The same with at most `count` prompts of each kind for each observation, drawn without replacement.
    pub fn draw(&self, count: usize, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut some = |all: &[Vec<f32>]| {
            let mut places: Vec<usize> = (0..all.len()).collect();
            places.shuffle(&mut random);
            places.truncate(count);
            places.sort_unstable();
            places.iter().filter_map(|p| all.get(*p).cloned()).collect()
        };
        Self(self.0.iter().map(|p| Prompts { positive: some(&p.positive), negative: some(&p.negative) }).collect())
    }

    /// Scores films, given by their unit vectors, for some findings.
    pub fn score<'a>(
        &self,
        films: impl IntoIterator<Item = &'a Vec<f32>> + Clone,
        findings: &[Observation],
        score: Score,
        pool: Pool,
    ) -> Scoring {
        let scores = findings
            .iter()
            .map(|finding| {
                let prompts = self.of(*finding);
                films.clone().into_iter().map(|film| prompts.score(film, score, pool)).collect()
            })
            .collect();
        Scoring { findings: findings.to_vec(), scores }
    }
}

impl Prompts {
    /// The vector whose product with a film is [`Prompts::score`] with [`Pool::Mean`].
    pub fn direction(&self, score: Score) -> Vec<f32> {
        let mut direction: Vec<f32> = Vec::new();
        let mut add = |prompts: &[Vec<f32>], sign: f32| {
            for prompt in prompts {
                direction.resize(prompt.len(), 0.0);
                direction.iter_mut().zip(prompt).for_each(|(d, p)| *d += sign * p / prompts.len() as f32);
            }
        };
        add(&self.positive, 1.0);
        if score == Score::Contrast {
            add(&self.negative, -1.0);
        }
        direction
    }

    /// A film's score; not a probability, and not comparable between findings.
    pub fn score(&self, film: &[f32], score: Score, pool: Pool) -> f32 {
        let near = |prompts: &[Vec<f32>]| -> f32 {
            let cosines = prompts.iter().map(|p| cosine(film, p));
            match pool {
                _ if prompts.is_empty() => 0.0,
                Pool::Mean => cosines.sum::<f32>() / prompts.len() as f32,
                Pool::Max => cosines.fold(f32::NEG_INFINITY, f32::max),
            }
        };
        match score {
            Score::Present => near(&self.positive),
            Score::Contrast => near(&self.positive) - near(&self.negative),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bank() -> PromptBank {
        let mut bank = vec![Prompts::default(); Observation::COUNT];
        bank[Observation::Edema.index()] =
            Prompts { positive: vec![vec![1.0, 0.0], vec![0.0, 1.0]], negative: vec![vec![-1.0, 0.0]] };
        PromptBank(bank)
    }

    #[test]
    fn scores_by_hand() {
        let edema = bank().of(Observation::Edema).clone();
        // Numbers that are exact in binary.
        let film = [0.5, 0.75];
        assert_eq!(edema.score(&film, Score::Present, Pool::Mean), 0.625);
        assert_eq!(edema.score(&film, Score::Present, Pool::Max), 0.75);
        assert_eq!(edema.score(&film, Score::Contrast, Pool::Mean), 1.125);
        let along = |score| cosine(&film, &edema.direction(score));
        assert_eq!((along(Score::Present), along(Score::Contrast)), (0.625, 1.125));
        let scoring = bank().score(&[film.to_vec()], &[Observation::Edema], Score::Present, Pool::Mean);
        assert_eq!(scoring.scores, [[0.625]]);
    }

    #[test]
    fn a_draw_is_a_subset_and_follows_its_seed() {
        let all = PromptBank(vec![Prompts {
            positive: (0..20u8).map(|i| vec![f32::from(i)]).collect(),
            negative: vec![vec![0.0]],
        }]);
        let (a, b) = (all.draw(5, 1), all.draw(5, 1));
        assert_eq!(a.0[0].positive, b.0[0].positive);
        assert_ne!(a.0[0].positive, all.draw(5, 2).0[0].positive);
        assert_eq!((a.0[0].positive.len(), a.0[0].negative.len()), (5, 1));
        assert!(a.0[0].positive.windows(2).all(|w| w[0] < w[1]), "each once");
    }
}
