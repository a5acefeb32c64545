//! Random draws. ChaCha8 with one stream per purpose, so that a study depends on its seed and number alone.

use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of random numbers.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream `stream` of `seed`.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Uniform in `low..high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.random::<f32>()
    }

    /// Uniform integer in `low..=high`.
    pub fn count(&mut self, low: usize, high: usize) -> usize {
        low + (self.0.random::<f32>() * (high + 1 - low) as f32) as usize
    }

    /// True with probability `p`.
    pub fn happens(&mut self, p: f32) -> bool {
        self.0.random::<f32>() < p
    }

    /// Normal, cut at 2.5 standard deviations.
    pub fn normal(&mut self, mean: f32, deviation: f32) -> f32 {
        mean + deviation * self.gauss().clamp(-2.5, 2.5)
    }

    /// Standard normal (Box-Muller).
    pub fn gauss(&mut self) -> f32 {
        let u = 1.0 - self.0.random::<f32>();
        let w = self.0.random::<f32>();
        (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * w).cos()
    }

    /// A seed for a stream of its own.
    pub fn seed(&mut self) -> u64 {
        self.0.random::<u64>()
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.index(items.len())]
    }

    /// An index below `len`, which must not be 0.
    pub fn index(&mut self, len: usize) -> usize {
        ((self.0.random::<f32>() * len as f32) as usize).min(len - 1)
    }

    /// Index drawn in proportion to `weights`.
    pub fn weighted(&mut self, weights: &[f32]) -> usize {
        let mut left = self.0.random::<f32>() * weights.iter().sum::<f32>();
        for (i, w) in weights.iter().enumerate() {
            left -= w;
            if left < 0.0 {
                return i;
            }
        }
        weights.len() - 1
    }
}
