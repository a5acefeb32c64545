//! Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009).

use std::collections::BTreeMap;

/// What a ranking gives the row at `rank`, from 1. The larger `k`, the less the first ranks stand out; 60 in the paper.
pub fn share(weight: f32, k: f32, rank: usize) -> f32 {
    weight / (k + rank as f32)
}

/// Fuses rankings of study rows, each with its weight: the sum over the rankings of [`share`].
///
/// A row that stands twice in one ranking counts with its best rank. Answers in descending score, ties by row.
pub fn fuse<'a>(k: f32, rankings: impl IntoIterator<Item = (f32, &'a [u32])>) -> Vec<(u32, f32)> {
    let mut scores: BTreeMap<u32, f32> = BTreeMap::new();
    for (weight, ranking) in rankings {
        let mut seen = std::collections::HashSet::new();
        let rows = ranking.iter().filter(|row| seen.insert(**row));
        for (position, row) in rows.enumerate() {
            *scores.entry(*row).or_default() += share(weight, k, position + 1);
        }
    }
    let mut fused: Vec<(u32, f32)> = scores.into_iter().collect();
    fused.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_in_two_rankings_beats_one_that_leads_a_single_one() {
        let fused = fuse(60.0, [(1.0, &[7, 1, 2][..]), (1.0, &[3, 1, 4][..])]);
        assert_eq!(fused[0].0, 1);
        assert!((fused[0].1 - 2.0 / 62.0).abs() < 1e-6);
    }

    #[test]
    fn a_repeated_row_counts_once() {
        let fused = fuse(60.0, [(1.0, &[5, 5, 5, 9][..])]);
        assert_eq!(fused.len(), 2);
        assert!((fused[1].1 - 1.0 / 62.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn equals_the_sum_by_definition(
            lists in proptest::collection::vec(
                (0.1f32..2.0, proptest::collection::vec(0u32..20, 0..15)), 0..4)
        ) {
            let fused = fuse(60.0, lists.iter().map(|(w, l)| (*w, l.as_slice())));
            for (row, score) in &fused {
                let wanted: f32 = lists.iter().map(|(w, l)| {
                    let mut distinct = Vec::new();
                    for r in l { if !distinct.contains(r) { distinct.push(*r); } }
                    distinct.iter().position(|r| r == row).map_or(0.0, |p| w / (61.0 + p as f32))
                }).sum();
                prop_assert!((score - wanted).abs() < 1e-6);
            }
            prop_assert!(fused.windows(2).all(|p| p[0].1 >= p[1].1));
        }
    }
}
