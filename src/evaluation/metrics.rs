//! Figures of a ranking.

/// Share of the first `k` that are relevant. With fewer than `k` items, of those that there are.
pub fn precision_at(k: usize, ranked: &[bool]) -> f64 {
    let top = ranked.get(..k.min(ranked.len())).unwrap_or_default();
    if top.is_empty() {
        return 0.0;
    }
    top.iter().filter(|relevant| **relevant).count() as f64 / top.len() as f64
}

/// Area under the ROC curve: the chance that a relevant item scores above an irrelevant one, ties count half
/// (Mann and Whitney 1947). `None` where one of the kinds is missing.
pub fn auc(scored: &[(f32, bool)]) -> Option<f64> {
    let mut sorted: Vec<&(f32, bool)> = scored.iter().collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let relevant = scored.iter().filter(|s| s.1).count() as f64;
    let irrelevant = scored.len() as f64 - relevant;
    if relevant == 0.0 || irrelevant == 0.0 {
        return None;
    }
    let mut rank_sum = 0.0;
    let mut before = 0usize;
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let mean_rank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        rank_sum += mean_rank * tied.iter().filter(|s| s.1).count() as f64;
        before += tied.len();
    }
    Some((rank_sum - relevant * (relevant + 1.0) / 2.0) / (relevant * irrelevant))
}

/// Mean of the values; 0 where there are none.
pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, n) = values.into_iter().fold((0.0, 0usize), |(sum, n), v| (sum + v, n + 1));
    if n == 0 { 0.0 } else { sum / n as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn precision_counts_the_top_only() {
        assert_eq!(precision_at(2, &[true, false, true]), 0.5);
        assert_eq!(precision_at(10, &[true, false]), 0.5);
        assert_eq!(precision_at(10, &[]), 0.0);
    }

    proptest! {
        #[test]
        fn auc_is_the_share_of_pairs_in_order(items in proptest::collection::vec((0u8..6, any::<bool>()), 0..30)) {
            let scored: Vec<(f32, bool)> = items.iter().map(|(s, r)| (f32::from(*s), *r)).collect();
            let (mut pairs, mut wins) = (0.0, 0.0);
            for (s, r) in &scored {
                for (t, q) in &scored {
                    if *r && !*q {
                        pairs += 1.0;
                        wins += if s > t { 1.0 } else if s == t { 0.5 } else { 0.0 };
                    }
                }
            }
            match auc(&scored) {
                Some(area) => prop_assert!((area - wins / pairs).abs() < 1e-9),
                None => prop_assert_eq!(pairs, 0.0),
            }
        }
    }
}
