//! Which items make up a batch. What is drawn depends on the seed and the step alone, so a resumed run goes on exactly where
//! it stopped.

use rand::Rng;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// A random generator of its own for each purpose, seed and step.
pub(super) fn rng(purpose: &str, seed: u64, step: u64) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new();
    hasher.update(purpose.as_bytes()).update(&seed.to_le_bytes()).update(&step.to_le_bytes());
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}

/// Draws part of each batch evenly, every item once per epoch, and part class by class.
pub(super) struct Sampler {
    purpose: &'static str,
    seed: u64,
    items: usize,
    /// Items per class; no class is empty.
    classes: Vec<Vec<usize>>,
    even: usize,
    balanced: usize,
    /// The permutation of the epoch that was used last.
    epoch: (u64, Vec<usize>),
}

impl Sampler {
    /// `class_of` names the classes of an item, from 0 on; an item without a class counts as a class of its own kind.
    pub(super) fn new(
        purpose: &'static str,
        seed: u64,
        batch: usize,
        balance: f64,
        items: usize,
        class_of: impl Fn(usize) -> Vec<usize>,
    ) -> Self {
        let mut classes: Vec<Vec<usize>> = vec![Vec::new()];
        for item in 0..items {
            let own = class_of(item);
            if own.is_empty() {
                classes[0].push(item);
            }
            for class in own {
                if classes.len() <= class + 1 {
                    classes.resize(class + 2, Vec::new());
                }
                classes[class + 1].push(item);
            }
        }
        classes.retain(|c| !c.is_empty());
        let balanced = (batch as f64 * balance).round() as usize;
        let even = batch - balanced.min(batch);
        Self { purpose, seed, items, classes, even, balanced, epoch: (u64::MAX, Vec::new()) }
    }

    /// The items of a step, and the generator with which replacements are drawn.
    pub(super) fn draw(&mut self, step: u64) -> (Vec<usize>, ChaCha8Rng) {
        let mut rng = rng(self.purpose, self.seed, step);
        let mut batch = Vec::with_capacity(self.even + self.balanced);
        for k in 0..self.even as u64 {
            let at = step * self.even as u64 + k;
            let (epoch, place) = (at / self.items as u64, at % self.items as u64);
            if self.epoch.0 != epoch {
                let mut order: Vec<usize> = (0..self.items).collect();
                order.shuffle(&mut self::rng(self.purpose, self.seed ^ 0x5EED_0E70_C4A1_1ED5, epoch));
                self.epoch = (epoch, order);
            }
            batch.push(self.epoch.1[place as usize]);
        }
        for _ in 0..self.balanced {
            batch.push(self.balanced_item(&mut rng));
        }
        (batch, rng)
    }

    /// An item of a class that is drawn evenly.
    pub(super) fn balanced_item(&self, rng: &mut ChaCha8Rng) -> usize {
        let class = &self.classes[rng.random_range(0..self.classes.len())];
        class[rng.random_range(0..class.len())]
    }
}

/// Classes of an image: its present labels.
pub(super) fn present(labels: &[f32]) -> Vec<usize> {
    labels.iter().enumerate().filter(|(_, v)| **v > 0.0).map(|(i, _)| i).collect()
}

/// Classes of a text: its present and its absent labels.
pub(super) fn signed(labels: &[f32]) -> Vec<usize> {
    let class = |(i, &v): (usize, &f32)| match v {
        v if v > 0.0 => Some(2 * i),
        v if v < 0.0 => Some(2 * i + 1),
        _ => None,
    };
    labels.iter().enumerate().filter_map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_holds_every_item_once() {
        let mut sampler = Sampler::new("t", 3, 4, 0.0, 10, |_| vec![]);
        let mut seen: Vec<usize> = (0..5).flat_map(|step| sampler.draw(step).0).collect();
        let second = seen.split_off(10);
        for mut epoch in [seen.clone(), second.clone()] {
            epoch.sort_unstable();
            assert_eq!(epoch, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(seen, second);
    }

    #[test]
    fn a_step_is_drawn_the_same_in_any_order() {
        let make = || Sampler::new("t", 3, 8, 0.5, 50, |i| if i % 10 == 0 { vec![0] } else { vec![1] });
        let (mut a, mut b) = (make(), make());
        let forward: Vec<_> = (0..20).map(|s| a.draw(s).0).collect();
        let backward: Vec<_> = (0..20).rev().map(|s| b.draw(s).0).collect();
        assert_eq!(forward, backward.into_iter().rev().collect::<Vec<_>>());
        assert_ne!(forward[0], forward[1]);
    }

    #[test]
    fn balance_raises_rare_classes() {
        // One item in a hundred has class 0.
        let rare = |i: usize| if i == 7 { vec![0] } else { vec![1] };
        let mut sampler = Sampler::new("t", 1, 10, 0.5, 100, rare);
        let hits = (0..200).flat_map(|s| sampler.draw(s).0).filter(|&i| i == 7).count();
        // 2000 draws: half of them even (10 hits), half balanced over two classes (500 hits).
        assert!((430..=590).contains(&hits), "{hits}");
    }

    #[test]
    fn classes_of_labels() {
        assert_eq!(present(&[1.0, -1.0, 0.0, 0.5]), [0, 3]);
        assert_eq!(signed(&[1.0, -1.0, 0.0]), [0, 3]);
    }
}
