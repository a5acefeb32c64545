//! The order of results: candidates first, everything else that passes behind them; grouped, and cut into pages.
//!
//! The order depends on the query alone, never on the page, so pages that are put together equal one large page.

use std::cmp::Ordering;
use std::collections::HashSet;

use thorax_index::RoaringBitmap;

/// A study that a ranking found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Its row.
    pub row: u32,
    /// How what it shows agrees with what is wanted; what orders first.
    pub level: f32,
    /// Score of the fusion.
    pub fused: f32,
    /// It belongs to what the query means, not to the tail that every query has.
    pub relevant: bool,
}

impl Candidate {
    /// Best first: by agreement, then by fused score, then by row, which is by id.
    pub fn order(&self, other: &Self) -> Ordering {
        let by_level = other.level.total_cmp(&self.level);
        by_level.then(other.fused.total_cmp(&self.fused)).then(self.row.cmp(&other.row))
    }
}

/// All that passes, in order.
pub struct Ordered<'a> {
    /// What a ranking found, in the order of [`Candidate::order`].
    head: Vec<Candidate>,
    /// What passes and no ranking found.
    rest: RoaringBitmap,
    /// Agreement of a row of the rest.
    level: Box<dyn Fn(u32) -> f32 + 'a>,
    /// The rest's rows with a positive agreement belong to what the query means.
    cut: bool,
}

/// One result: a study, or the best study of a patient.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The study.
    pub study: Candidate,
    /// Other studies of its group, best first; empty where results are not grouped.
    pub others: Vec<u32>,
}

impl<'a> Ordered<'a> {
    /// Orders `found`, each row once, and what else is in `passing`. With `cut` only what is relevant is kept.
    pub fn new(found: Vec<Candidate>, passing: &RoaringBitmap, level: impl Fn(u32) -> f32 + 'a, cut: bool) -> Self {
        let mut head: Vec<Candidate> = found.into_iter().filter(|c| passing.contains(c.row)).collect();
        let mut rest = passing.clone();
        head.iter().for_each(|c| {
            rest.remove(c.row);
        });
        head.retain(|c| c.relevant || !cut);
        head.sort_by(Candidate::order);
        Self { head, rest, level: Box::new(level), cut }
    }

    /// How many studies belong to what the query means.
    pub fn relevant(&self) -> u64 {
        let behind = self.rest.iter().filter(|row| (self.level)(*row) > 0.0).count();
        (self.head.iter().filter(|c| c.relevant).count() + behind) as u64
    }

    /// Rows with nothing to rank them by but their agreement, best first.
    fn tail(&self) -> Vec<Candidate> {
        let candidate = |row| {
            let level = (self.level)(row);
            Candidate { row, level, fused: 0.0, relevant: level > 0.0 }
        };
        let mut tail: Vec<Candidate> = self.rest.iter().map(candidate).filter(|c| c.relevant || !self.cut).collect();
        tail.sort_by(Candidate::order);
        tail
    }

    /// Results `offset .. offset + k`.
    ///
    /// `group_of` gives the group of a row, and groups keep their best study's place; without it every study is a result.
    pub fn page(&self, offset: usize, k: usize, group_of: Option<&dyn Fn(u32) -> u32>) -> Vec<Place> {
        let end = offset.saturating_add(k);
        // The tail is put in order for those alone who page that far, or who want the whole of a group.
        let distinct = match group_of {
            Some(group) => self.head.iter().map(|c| group(c.row)).collect::<HashSet<_>>().len(),
            None => self.head.len(),
        };
        let tail = if distinct < end || group_of.is_some() { self.tail() } else { Vec::new() };
        let all = self.head.iter().chain(&tail);
        let Some(group_of) = group_of else {
            return all.skip(offset).take(k).map(|c| Place { study: *c, others: Vec::new() }).collect();
        };
        let mut seen = HashSet::new();
        let first = all.clone().filter(|c| seen.insert(group_of(c.row)));
        let mut places: Vec<Place> =
            first.skip(offset).take(k).map(|c| Place { study: *c, others: Vec::new() }).collect();
        let of: std::collections::HashMap<u32, usize> =
            places.iter().enumerate().map(|(at, place)| (group_of(place.study.row), at)).collect();
        for candidate in all {
            let place = of.get(&group_of(candidate.row)).and_then(|at| places.get_mut(*at));
            if let Some(place) = place.filter(|place| place.study.row != candidate.row) {
                place.others.push(candidate.row);
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROWS: u32 = 60;

    fn level(row: u32) -> f32 {
        [0.0, 1.0, -1.0, 0.5][row as usize % 4]
    }

    fn group(row: u32) -> u32 {
        row / 3
    }

    /// By definition: everything in one list, sorted, groups by their first.
    fn brute(found: &[Candidate], passing: &RoaringBitmap, cut: bool, grouped: bool) -> Vec<(u32, Vec<u32>)> {
        let mut head: Vec<Candidate> = found.iter().copied().filter(|c| passing.contains(c.row)).collect();
        let known: Vec<u32> = head.iter().map(|c| c.row).collect();
        let mut tail: Vec<Candidate> = (0..ROWS)
            .filter(|row| passing.contains(*row) && !known.contains(row))
            .map(|row| Candidate { row, level: level(row), fused: 0.0, relevant: level(row) > 0.0 })
            .collect();
        head.sort_by(|a, b| a.order(b));
        tail.sort_by(|a, b| a.order(b));
        let all: Vec<Candidate> = head.into_iter().chain(tail).filter(|c| c.relevant || !cut).collect();
        let mut results: Vec<(u32, Vec<u32>)> = Vec::new();
        for candidate in all {
            match results.iter_mut().find(|(row, _)| grouped && group(*row) == group(candidate.row)) {
                Some((_, others)) => others.push(candidate.row),
                None => results.push((candidate.row, Vec::new())),
            }
        }
        results
    }

    prop_compose! {
        fn found()(rows in proptest::collection::btree_map(0..ROWS, (0u8..4, 0u8..5, any::<bool>()), 0..40)) -> Vec<Candidate> {
            let candidate = |(row, (level, fused, relevant)): (u32, (u8, u8, bool))| {
                Candidate { row, level: f32::from(level) / 2.0 - 0.5, fused: f32::from(fused), relevant }
            };
            rows.into_iter().map(candidate).collect()
        }
    }

    proptest! {
        #[test]
        fn pages_equal_the_order_by_definition(
            found in found(), hidden in proptest::collection::btree_set(0..ROWS, 0..20),
            k in 1usize..9, cut in any::<bool>(), grouped in any::<bool>(),
        ) {
            let passing: RoaringBitmap = (0..ROWS).filter(|row| !hidden.contains(row)).collect();
            let wanted = brute(&found, &passing, cut, grouped);
            let ordered = Ordered::new(found, &passing, level, cut);
            let group_of: Option<&dyn Fn(u32) -> u32> = if grouped { Some(&group) } else { None };
            let flat = |places: Vec<Place>| -> Vec<(u32, Vec<u32>)> {
                places.into_iter().map(|p| (p.study.row, p.others)).collect()
            };
            let one = flat(ordered.page(0, 1000, group_of));
            prop_assert_eq!(&one, &wanted);
            // Small pages put together are the large one, and more results only add to the end: recall grows with k.
            let mut pages = Vec::new();
            for offset in (0..one.len() + k).step_by(k) {
                let page = flat(ordered.page(offset, k, group_of));
                prop_assert!(page.len() <= k);
                pages.extend(page);
            }
            prop_assert_eq!(&pages, &wanted);
            prop_assert!(one.iter().flat_map(|(row, others)| others.iter().chain([row])).all(|r| !hidden.contains(r)));
            if cut && !grouped {
                prop_assert_eq!(ordered.relevant(), wanted.len() as u64);
            }
            if !cut {
                let reached: usize = wanted.iter().map(|(_, others)| 1 + others.len()).sum();
                prop_assert_eq!(reached as u64, passing.len(), "every study that passes can be reached");
            }
        }
    }
}
