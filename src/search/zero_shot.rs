//! Findings read from a film without any training on labels of the archive: how much nearer it is to words that state the
//! finding than to words that deny it. The scale of that difference means nothing by itself, so it is given as a rank among
//! the films that pass the filter: the share of them that score lower. It is no probability.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use thorax_index::{Index, RoaringBitmap, Space};
use thorax_models::Encoder;

use super::kept::Kept;
use crate::error::Result;
use crate::findings::query::Wanted;
use crate::findings::{Observation, Side, negative_prompts, prompts};

/// Prompts of each kind, the plainest.
const PROMPTS: usize = 8;

/// Films that ranks are taken among: enough for a rank to the hundredth, and a millisecond's work.
pub const SAMPLE: usize = 4096;

/// Scores films for one finding, on one side or any.
pub struct Reader {
    /// The product with a film's vector is its score.
    pub direction: Vec<f32>,
    /// Scores of a sample of the archive's films, ascending.
    scores: Vec<f32>,
}

impl Reader {
    /// The share of the films that score lower, equals by half; 0.5 is the middle.
    pub fn above(&self, film: &[f32]) -> f32 {
        let score = product(film, &self.direction);
        let below = self.scores.partition_point(|s| *s < score);
        let equal = self.scores.partition_point(|s| *s <= score) - below;
        (below as f32 + equal as f32 / 2.0) / self.scores.len().max(1) as f32
    }

    /// The same, ranked among the films of these studies.
    #[must_use]
    pub fn among(&self, index: &Index, studies: &RoaringBitmap) -> Self {
        let step = (studies.len() as usize).div_ceil(SAMPLE).max(1);
        let first =
            |row: u32| index.items(Space::Images, row).next().and_then(|item| index.vector(Space::Images, item));
        let films = studies.iter().step_by(step).filter_map(first);
        let mut scores: Vec<f32> = films.map(|film| product(film, &self.direction)).collect();
        scores.sort_by(f32::total_cmp);
        Self { direction: self.direction.clone(), scores }
    }

    fn new(direction: Vec<f32>, index: &Index) -> Self {
        let mut scores: Vec<f32> = sample(index, Space::Images).map(|film| product(film, &direction)).collect();
        scores.sort_by(f32::total_cmp);
        Self { direction, scores }
    }
}

/// Films or sentences of the archive, evenly taken from all of them.
fn sample(index: &Index, space: Space) -> impl Iterator<Item = &[f32]> {
    let step = index.item_count(space).div_ceil(SAMPLE).max(1);
    (0..index.item_count(space) as u32).step_by(step).filter_map(move |item| index.vector(space, item))
}

/// What a reader reads: a finding, on one side or any.
type Key = (Observation, Option<Side>);

/// The readers that were asked for: each is made once.
pub struct Readers {
    made: Mutex<HashMap<Key, Arc<Reader>>>,
    kept: Mutex<Kept>,
    prompts: String,
}

impl Readers {
    /// The readers of a home's index, made by this model.
    pub fn new(home: &Path, fingerprint: &str) -> Self {
        let all = Observation::ALL.into_iter().flat_map(|o| SIDES.map(|side| texts(o, side)));
        let prompts: Vec<String> = all.flat_map(|(stating, denying)| [stating, denying].concat()).collect();
        let prompts = prompts.join("\n");
        let kept = Mutex::new(Kept::open(home, fingerprint, &prompts));
        Self { made: Mutex::default(), kept, prompts }
    }

    /// The reader of a wanted finding, present or absent.
    ///
    /// # Errors
    /// The encoder fails.
    pub fn of(&self, want: &Wanted, encoder: &Encoder, index: &Index) -> Result<Arc<Reader>> {
        let key = (want.observation, want.side);
        if let Some(reader) = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(reader));
        }
        let reader = Arc::new(Reader::new(self.direction(key, encoder)?, index));
        let mut all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(all.entry(key).or_insert(reader)))
    }

    fn direction(&self, (observation, side): Key, encoder: &Encoder) -> Result<Vec<f32>> {
        let name = format!("{}, {side:?}", observation.name());
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(direction) = kept().get(&name).filter(|d| d.len() == encoder.dimension()) {
            return Ok(direction.clone());
        }
        let (stating, denying) = texts(observation, side);
        let vectors = encoder.embed_texts(&[stating.as_slice(), denying.as_slice()].concat())?;
        let (stating, denying) = vectors.split_at(stating.len().min(vectors.len()));
        let made = direction(stating, denying);
        kept().keep(name, made.clone(), encoder.fingerprint(), &self.prompts);
        Ok(made)
    }
}

/// Every side that a query can ask for.
const SIDES: [Option<Side>; 4] = [None, Some(Side::Left), Some(Side::Right), Some(Side::Bilateral)];

/// What states a finding, and what denies it: of a side, the other side too.
fn texts(observation: Observation, side: Option<Side>) -> (Vec<String>, Vec<String>) {
    let first = |mut all: Vec<String>| {
        all.truncate(PROMPTS);
        all
    };
    let names = first(prompts(observation));
    if observation == Observation::NoFinding {
        let any =
            Observation::ALL.into_iter().filter(|o| !matches!(o, Observation::NoFinding | Observation::SupportDevices));
        return (names, any.filter_map(|o| prompts(o).into_iter().next()).collect());
    }
    let mut denials = first(negative_prompts(observation));
    let with = |word: &str| names.iter().take(2).map(|name| format!("{word} {name}")).collect::<Vec<_>>();
    match side {
        Some(Side::Left) => {
            denials.extend(with("right"));
            (with("left"), denials)
        }
        Some(Side::Right) => {
            denials.extend(with("left"));
            (with("right"), denials)
        }
        Some(Side::Bilateral) => (with("bilateral"), denials),
        None => (names, denials),
    }
}

/// Mean of what states less mean of what denies.
fn direction(stating: &[Vec<f32>], denying: &[Vec<f32>]) -> Vec<f32> {
    let mut direction = Vec::new();
    for (sign, prompts) in [(1.0, stating), (-1.0, denying)] {
        for prompt in prompts {
            direction.resize(prompt.len(), 0.0f32);
            direction.iter_mut().zip(prompt).for_each(|(d, p)| *d += sign * p / prompts.len() as f32);
        }
    }
    direction
}

/// Product of two vectors.
pub fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_counts_those_below_and_half_of_the_equal() {
        let reader = Reader { direction: vec![2.0, 0.0], scores: vec![0.0, 0.2, 0.2, 0.8] };
        assert_eq!(reader.above(&[0.1, 9.0]), 0.5);
        assert_eq!(reader.above(&[-1.0, 0.0]), 0.0);
        assert_eq!(reader.above(&[1.0, 0.0]), 1.0);
    }

    #[test]
    fn a_side_is_told_from_the_other_one() {
        let (stating, denying) = texts(Observation::PleuralEffusion, Some(Side::Left));
        assert!(stating.iter().all(|text| text.starts_with("left ")));
        assert!(
            denying.iter().any(|text| text.starts_with("right ")) && denying.iter().any(|text| text.starts_with("no "))
        );
        let (normal, findings) = texts(Observation::NoFinding, None);
        assert!(!normal.is_empty() && findings.len() == 12);
    }

    #[test]
    fn a_direction_is_a_difference_of_means() {
        let stating = [vec![1.0, 0.0], vec![0.0, 1.0]];
        assert_eq!(direction(&stating, &[vec![0.5, 0.25]]), [0.0, 0.25]);
    }
}
