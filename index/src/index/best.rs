//! The best of what is scored one after the other.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The `k` best scores and their rows, ties by row.
pub(super) struct Best {
    k: usize,
    /// The worst on top.
    heap: BinaryHeap<Entry>,
}

/// Ordered from the best to the worst.
#[derive(PartialEq)]
struct Entry(f32, u32);

impl Eq for Entry {}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Best {
    pub(super) fn new(k: usize) -> Self {
        Self { k, heap: BinaryHeap::new() }
    }

    pub(super) fn push(&mut self, score: f32, row: u32) {
        let entry = Entry(score, row);
        if self.heap.len() < self.k {
            self.heap.push(entry);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && entry < *worst
        {
            *worst = entry;
        }
    }

    /// The score that a further one has to reach; `None` while there are fewer than `k`.
    pub(super) fn worst(&self) -> Option<f32> {
        self.heap.peek().filter(|_| self.heap.len() >= self.k).map(|entry| entry.0)
    }

    /// Best first.
    pub(super) fn sorted(self) -> Vec<(f32, u32)> {
        self.heap.into_sorted_vec().into_iter().map(|Entry(score, row)| (score, row)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_in_order_and_ties_by_row() {
        let mut best = Best::new(3);
        for (i, (score, row)) in [(0.5, 9), (0.5, 2), (0.9, 7), (0.5, 4), (0.1, 1), (0.5, 3)].into_iter().enumerate() {
            assert_eq!(best.worst().is_some(), i >= 3);
            best.push(score, row);
        }
        assert_eq!(best.worst(), Some(0.5));
        assert_eq!(best.sorted(), [(0.9, 7), (0.5, 2), (0.5, 3)]);
        let mut none = Best::new(0);
        none.push(1.0, 1);
        assert_eq!(none.sorted(), []);
    }
}
