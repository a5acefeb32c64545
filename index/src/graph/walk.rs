//! Walking a layer from neighbour to neighbour towards a query: algorithm 2 of Malkov and Yashunin (2018).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::layer::Layer;
use super::prune::{Scored, order};
use crate::vectors::codes::{Codes, Probe};
use crate::vectors::kernels::prefetch;

/// Codes asked for ahead of the one that is compared.
const AHEAD: usize = 3;

/// Which slots have been seen; clearing costs as much as was seen, not as much as there is.
#[derive(Debug, Default)]
pub(super) struct Seen {
    words: Vec<u64>,
    touched: Vec<u32>,
}

impl Seen {
    pub(super) fn begin(&mut self, slots: usize) {
        for word in self.touched.drain(..) {
            if let Some(word) = self.words.get_mut(word as usize) {
                *word = 0;
            }
        }
        let words = slots.div_ceil(64);
        if self.words.len() < words {
            self.words.resize(words, 0);
        }
    }

    /// True at the first time; false also for a slot that does not exist.
    #[inline]
    pub(super) fn first(&mut self, slot: u32) -> bool {
        let Some(word) = self.words.get_mut(slot as usize / 64) else {
            return false;
        };
        let bit = 1 << (slot % 64);
        if *word & bit != 0 {
            return false;
        }
        if *word == 0 {
            self.touched.push(slot / 64);
        }
        *word |= bit;
        true
    }
}

/// What one search needs and the next one uses again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub seen: Seen,
    /// Nearest first; the flag says that its neighbours have been looked at.
    pool: Vec<(i32, u32, bool)>,
    fresh: Vec<u32>,
    frontier: BinaryHeap<(i32, Reverse<u32>)>,
}

/// Climbs from `entry` to a slot that is nearer than all of its neighbours.
pub(super) fn climb(layer: Layer<'_>, codes: Codes<'_>, probe: &Probe, entry: u32) -> u32 {
    let mut best = (codes.score(probe, layer.node(entry)), entry);
    loop {
        let before = best;
        for slot in layer.neighbours(before.1) {
            let score = codes.score(probe, layer.node(slot));
            if score > best.0 {
                best = (score, slot);
            }
        }
        if best.1 == before.1 {
            return best.1;
        }
    }
}

/// The `width` nearest slots found from `entry`, nearest first, into `out`.
pub(super) fn nearest(
    layer: Layer<'_>,
    codes: Codes<'_>,
    probe: &Probe,
    entry: u32,
    width: usize,
    scratch: &mut Scratch,
    out: &mut Vec<Scored>,
) {
    let Scratch { seen, pool, fresh, .. } = scratch;
    seen.begin(layer.len());
    pool.clear();
    out.clear();
    let width = width.max(1);
    if seen.first(entry) {
        pool.push((codes.score(probe, layer.node(entry)), entry, false));
    }
    let mut next = 0;
    while let Some(place) = pool.get_mut(next) {
        place.2 = true;
        let from = place.1;
        fresh.clear();
        fresh.extend(layer.neighbours(from).filter(|slot| seen.first(*slot)));
        for &slot in fresh.iter().take(AHEAD) {
            codes.prefetch(layer.node(slot));
        }
        // the first place that has changed: the walk goes on there
        let mut changed = next + 1;
        for (i, &slot) in fresh.iter().enumerate() {
            if let Some(&later) = fresh.get(i + AHEAD) {
                codes.prefetch(layer.node(later));
            }
            let score = codes.score(probe, layer.node(slot));
            if pool.len() >= width && pool.last().is_some_and(|last| score <= last.0) {
                continue;
            }
            let at = pool.partition_point(|other| other.0 >= score);
            if pool.len() >= width {
                pool.pop();
            }
            pool.insert(at, (score, slot, false));
            changed = changed.min(at);
        }
        next = changed;
        while pool.get(next).is_some_and(|place| place.2) {
            next += 1;
        }
        if let Some(place) = pool.get(next) {
            prefetch(bytemuck::cast_slice(layer.places(place.1)));
        }
    }
    out.extend(pool.iter().map(|&(score, slot, _)| (score, slot)));
}

/// As [`nearest`], for the `width` nearest slots of the lowest layer that `pass`; those that do not are walked through.
///
/// `None` when `budget` nodes were compared and it was not done: then few of the near ones pass, and a scan of those that do is
/// the better way. So a query costs at most what the scan costs and the budget, wherever the filter's nodes lie.
pub(super) fn nearest_passing(
    layer: Layer<'_>,
    codes: Codes<'_>,
    probe: &Probe,
    entry: u32,
    wanted: &Wanted<'_>,
    scratch: &mut Scratch,
) -> Option<Vec<Scored>> {
    let Scratch { seen, frontier, fresh, .. } = scratch;
    seen.begin(layer.len());
    frontier.clear();
    let mut found: Vec<Scored> = Vec::with_capacity(wanted.width + 1);
    let visit = |slot: u32, found: &mut Vec<Scored>, frontier: &mut BinaryHeap<(i32, Reverse<u32>)>| {
        let score = codes.score(probe, layer.node(slot));
        let full = found.len() >= wanted.width;
        if full && found.last().is_some_and(|last| score <= last.0) {
            return;
        }
        frontier.push((score, Reverse(slot)));
        if (wanted.passes)(layer.node(slot)) {
            let at = found.partition_point(|other| other.0 >= score);
            if full {
                found.pop();
            }
            found.insert(at, (score, slot));
        }
    };
    let mut spent = 1;
    if seen.first(entry) {
        visit(entry, &mut found, frontier);
    }
    while let Some((score, Reverse(from))) = frontier.pop() {
        if found.len() >= wanted.width && found.last().is_some_and(|last| score < last.0) {
            break;
        }
        fresh.clear();
        fresh.extend(layer.neighbours(from).filter(|slot| seen.first(*slot)));
        for &slot in fresh.iter().take(AHEAD) {
            codes.prefetch(layer.node(slot));
        }
        for (i, &slot) in fresh.iter().enumerate() {
            if let Some(&later) = fresh.get(i + AHEAD) {
                codes.prefetch(layer.node(later));
            }
            visit(slot, &mut found, frontier);
        }
        spent += fresh.len();
        if spent > wanted.budget {
            return None;
        }
    }
    Some(found)
}

/// What [`nearest_passing`] looks for.
pub(super) struct Wanted<'a> {
    pub width: usize,
    pub passes: &'a dyn Fn(u32) -> bool,
    pub budget: usize,
}

/// Of these nodes those whose score is not more than `margin` below the `k`-th best, in no order.
pub(super) fn best(codes: Codes<'_>, probe: &Probe, nodes: &[u32], k: usize, margin: i32) -> Vec<Scored> {
    let mut found: Vec<Scored> = Vec::new();
    let (mut bound, mut limit) = (i32::MIN, 2 * k.max(64));
    for (i, &node) in nodes.iter().enumerate() {
        if let Some(&later) = nodes.get(i + 2 * AHEAD) {
            codes.prefetch(later);
        }
        let score = codes.score(probe, node);
        if score < bound {
            continue;
        }
        found.push((score, node));
        // cut back now and then instead of keeping order
        if found.len() >= limit {
            (found, bound) = within(found, k, margin);
            limit = limit.max(2 * found.len());
        }
    }
    within(found, k, margin).0
}

/// Those not more than `margin` below the `k`-th best, and that bound.
pub(super) fn within(mut found: Vec<Scored>, k: usize, margin: i32) -> (Vec<Scored>, i32) {
    let Some(last) = k.checked_sub(1).filter(|last| *last < found.len()) else {
        return if k == 0 { (Vec::new(), i32::MAX) } else { (found, i32::MIN) };
    };
    let bound = found.select_nth_unstable_by(last, order).1.0.saturating_sub(margin);
    found.retain(|(score, _)| *score >= bound);
    (found, bound)
}
