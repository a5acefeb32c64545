//! The films of an archive in two dimensions: the two directions in which their embeddings differ most (principal components,
//! Jolliffe 2002, section 1.1). Near points are near films; what the other dimensions tell is not in it.

use serde::Serialize;
use thorax_index::Space;
use utoipa::ToSchema;

use super::engine::{Engine, opaque};
use crate::findings::{Observation, Polarity};

/// Films where the caller does not say.
pub const LIMIT: usize = 5000;
/// Most films.
pub const MAX_LIMIT: usize = 50_000;
/// Rounds of the power iteration; the order of the points on the page does not need more.
const ROUNDS: usize = 40;

/// Films as points, in lists of one length.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = FilmMap)]
pub struct Map {
    /// The generation whose vectors they are.
    pub generation: u64,
    /// Films of the archive; where there are more than points, every so many-th is one.
    pub total: usize,
    /// Share of the vectors' variance that the two directions have.
    pub explained: f32,
    /// Key of each film.
    pub keys: Vec<String>,
    /// First coordinate, in -1 to 1.
    pub x: Vec<f32>,
    /// Second coordinate.
    pub y: Vec<f32>,
    /// What the film's study is stated to show.
    pub findings: Vec<Vec<Observation>>,
}

impl Engine {
    /// At most `limit` films, evenly chosen.
    pub fn map(&self, limit: usize) -> Map {
        let index = self.index();
        let count = index.item_count(Space::Images);
        let step = count.div_ceil(limit.max(1)).max(1);
        let mut map = Map { generation: index.manifest().generation, total: count, ..Map::default() };
        let mut vectors: Vec<&[f32]> = Vec::new();
        for item in (0..count as u32).step_by(step) {
            let study = index.study_of(Space::Images, item);
            let named = study.and_then(|row| Some((row, index.study(row)?, index.item_key(Space::Images, item)?)));
            let (Some((row, study, film)), Some(vector)) = (named, index.vector(Space::Images, item)) else { continue };
            // a film's id ends with its number
            let Some((_, number)) = film.rsplit_once('#') else { continue };
            map.keys.push(format!("{}-{number}", opaque(study.id)));
            let present = self.statements().shown(row).iter().filter(|f| f.polarity == Polarity::Present);
            map.findings.push(present.map(|f| f.observation).collect());
            vectors.push(vector);
        }
        (map.x, map.y, map.explained) = project(&vectors);
        map
    }
}

/// The first two principal components of the vectors, each scaled to -1 to 1, and the share of the variance in them.
fn project(vectors: &[&[f32]]) -> (Vec<f32>, Vec<f32>, f32) {
    let Some(dimension) = vectors.first().map(|vector| vector.len()) else { return Default::default() };
    let mut mean = vec![0f32; dimension];
    for vector in vectors {
        mean.iter_mut().zip(*vector).for_each(|(m, v)| *m += v / vectors.len() as f32);
    }
    let centred = |vector: &[f32]| -> Vec<f32> { vector.iter().zip(&mean).map(|(v, m)| v - m).collect() };
    let rows: Vec<Vec<f32>> = vectors.iter().map(|vector| centred(vector)).collect();
    let all: f32 = rows.iter().map(|row| dot(row, row)).sum();
    let mut found: Vec<Vec<f32>> = Vec::new();
    let mut coordinates: Vec<Vec<f32>> = Vec::new();
    let mut held = 0.0;
    for place in 0..2usize {
        // any start that no data set is orthogonal to by design
        let mut direction: Vec<f32> = (0..dimension).map(|i| ((i * 37 + place * 11) % 17) as f32 - 7.9).collect();
        for _ in 0..ROUNDS {
            let mut next = vec![0f32; dimension];
            for row in &rows {
                let along = dot(row, &direction);
                next.iter_mut().zip(row).for_each(|(n, v)| *n += along * v);
            }
            for other in &found {
                let along = dot(&next, other);
                next.iter_mut().zip(other).for_each(|(n, o)| *n -= along * o);
            }
            let length = dot(&next, &next).sqrt();
            // all vectors are the same, or lie on a line
            if length <= f32::EPSILON {
                next.fill(0.0);
            } else {
                next.iter_mut().for_each(|n| *n /= length);
            }
            direction = next;
        }
        // which end is which is arbitrary: the largest part points up
        let largest = direction.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0);
        if largest < 0.0 {
            direction.iter_mut().for_each(|d| *d = -*d);
        }
        let along: Vec<f32> = rows.iter().map(|row| dot(row, &direction)).collect();
        held += along.iter().map(|a| a * a).sum::<f32>();
        let widest = along.iter().fold(0f32, |widest, a| widest.max(a.abs())).max(f32::MIN_POSITIVE);
        coordinates.push(along.into_iter().map(|a| a / widest).collect());
        found.push(direction);
    }
    let (y, x) = (coordinates.pop().unwrap_or_default(), coordinates.pop().unwrap_or_default());
    (x, y, if all > 0.0 { held / all } else { 0.0 })
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_directions_are_those_of_most_variance() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let truth: Vec<(f32, f32)> =
            (0..300).map(|_| (random.random_range(-5.0..5.0), random.random_range(-2.0..2.0))).collect();
        let rows: Vec<Vec<f32>> = truth
            .iter()
            .map(|(a, b)| (0..8).map(|i| [10.0 + a, *b][i % 2] / 2.0 + random.random_range(-0.05..0.05)).collect())
            .collect();
        let (x, y, explained) = project(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let agrees = |found: &[f32], true_of: &dyn Fn(&(f32, f32)) -> f32| {
            let (f, t): (Vec<f32>, Vec<f32>) = found.iter().copied().zip(truth.iter().map(true_of)).unzip();
            let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
            let (mf, mt) = (mean(&f), mean(&t));
            let (f, t): (Vec<f32>, Vec<f32>) = f.iter().zip(&t).map(|(f, t)| (f - mf, t - mt)).unzip();
            (dot(&f, &t) / (dot(&f, &f) * dot(&t, &t)).sqrt()).abs()
        };
        assert!(agrees(&x, &|t| t.0) > 0.99 && agrees(&y, &|t| t.1) > 0.99 && explained > 0.95, "{explained}");
        assert!(x.iter().chain(&y).all(|v| v.abs() <= 1.0));
    }

    #[test]
    fn nothing_and_equal_vectors_are_no_trouble() {
        assert_eq!(project(&[]), (Vec::new(), Vec::new(), 0.0));
        let same = [0.6f32, 0.8];
        let (x, y, explained) = project(&[&same, &same]);
        assert_eq!((x, y, explained), (vec![0.0; 2], vec![0.0; 2], 0.0));
    }
}
