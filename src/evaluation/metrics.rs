//! Figures of a ranking. Scores are higher where the item is thought to be relevant.

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

/// Mean and standard deviation (of a sample: over n - 1) of the values; `None` of nothing. The deviation of one value is 0.
pub fn mean_and_deviation(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let centre = mean(values.iter().copied());
    let squares: f64 = values.iter().map(|v| (v - centre).powi(2)).sum();
    Some((centre, if n == 1 { 0.0 } else { (squares / (n - 1) as f64).sqrt() }))
}

/// Best first; `sort_by` is stable, so that ties stay in the order of the items.
pub fn ranked(scored: &[(f32, bool)]) -> Vec<bool> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    sorted.into_iter().map(|s| s.1).collect()
}

/// Average precision: the precision at each relevant item, averaged; ties are taken together, so that their order does
/// not matter (the step-wise area under the precision-recall curve). `None` without relevant items.
///
/// The average precision of chance is the prevalence.
pub fn average_precision(scored: &[(f32, bool)]) -> Option<f64> {
    let total = scored.iter().filter(|s| s.1).count();
    if total == 0 {
        return None;
    }
    let (mut area, mut hits, mut seen) = (0.0, 0usize, 0usize);
    for (relevant, tied) in steps(scored) {
        hits += relevant;
        seen += tied;
        area += relevant as f64 / total as f64 * hits as f64 / seen as f64;
    }
    Some(area)
}

/// The largest F1 that any threshold reaches on these very items: an upper bound, not what a user gets.
/// Calling everything relevant gives `2 p / (1 + p)` at prevalence `p`.
pub fn best_f1(scored: &[(f32, bool)]) -> Option<f64> {
    let total = scored.iter().filter(|s| s.1).count();
    let (mut hits, mut seen) = (0usize, 0usize);
    steps(scored)
        .into_iter()
        .map(|(relevant, tied)| {
            hits += relevant;
            seen += tied;
            2.0 * hits as f64 / (seen + total) as f64
        })
        .max_by(f64::total_cmp)
        .filter(|_| total > 0)
}

/// The ROC curve: (false positive rate, true positive rate) from (0, 0) to (1, 1), a point for each distinct score.
/// Empty where one of the kinds is missing.
pub fn roc(scored: &[(f32, bool)]) -> Vec<(f64, f64)> {
    let relevant = scored.iter().filter(|s| s.1).count();
    let irrelevant = scored.len() - relevant;
    if relevant == 0 || irrelevant == 0 {
        return Vec::new();
    }
    let (mut hits, mut alarms) = (0usize, 0usize);
    let mut curve = vec![(0.0, 0.0)];
    for (true_here, tied) in steps(scored) {
        hits += true_here;
        alarms += tied - true_here;
        curve.push((alarms as f64 / irrelevant as f64, hits as f64 / relevant as f64));
    }
    curve
}

/// Runs of equal scores, best first: how many are relevant, how many there are.
fn steps(scored: &[(f32, bool)]) -> Vec<(usize, usize)> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    sorted.chunk_by(|a, b| a.0 == b.0).map(|tied| (tied.iter().filter(|s| s.1).count(), tied.len())).collect()
}

/// Share of each class that is recognised, averaged over the classes: accuracy that a majority class cannot buy. `pairs` are (truth, said). `None` of nothing.
pub fn balanced_accuracy(pairs: &[(usize, usize)]) -> Option<f64> {
    let mut classes: Vec<usize> = pairs.iter().map(|p| p.0).collect();
    classes.sort_unstable();
    classes.dedup();
    let recall = |class: usize| {
        let of: Vec<_> = pairs.iter().filter(|p| p.0 == class).collect();
        of.iter().filter(|p| p.1 == class).count() as f64 / of.len() as f64
    };
    (!pairs.is_empty()).then(|| mean(classes.iter().map(|class| recall(*class))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn precision_counts_the_top_only() {
        assert_eq!(precision_at(2, &[true, false, true]), 0.5);
        assert_eq!(precision_at(10, &[true, false]), 0.5);
        assert_eq!(precision_at(10, &[]), 0.0);
    }

    #[test]
    fn by_hand() {
        // Ranks of the relevant: 1 and 3 of 4.
        let scored = [(0.9, true), (0.5, false), (0.4, true), (0.1, false)];
        assert_eq!(average_precision(&scored), Some((1.0 + 2.0 / 3.0) / 2.0));
        assert_eq!(best_f1(&scored), Some(0.8));
        assert_eq!(roc(&scored), [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        assert_eq!(ranked(&scored), [true, false, true, false]);
        assert_eq!(mean_and_deviation(&[1.0, 2.0, 3.0]), Some((2.0, 1.0)));
        assert_eq!(mean_and_deviation(&[4.0]), Some((4.0, 0.0)));
        assert_eq!(mean_and_deviation(&[]), None);
        // Class 0: 3 of 4; class 1: 0 of 1.
        assert_eq!(balanced_accuracy(&[(0, 0), (0, 0), (0, 0), (0, 1), (1, 0)]), Some(0.375));
    }

    #[test]
    fn ties_are_worth_chance() {
        let all_alike = [(0.0, true), (0.0, false), (0.0, false), (0.0, false)];
        assert_eq!(average_precision(&all_alike), Some(0.25));
        assert_eq!(best_f1(&all_alike), Some(0.4));
        assert_eq!(roc(&all_alike), [(0.0, 0.0), (1.0, 1.0)]);
        assert_eq!((average_precision(&[(1.0, false)]), best_f1(&[(1.0, false)])), (None, None));
        assert!(roc(&[(1.0, true)]).is_empty());
    }

    fn items() -> impl Strategy<Value = Vec<(f32, bool)>> {
        proptest::collection::vec((0u8..6, any::<bool>()), 0..30)
            .prop_map(|items| items.into_iter().map(|(s, r)| (f32::from(s), r)).collect())
    }

    proptest! {
        #[test]
        fn auc_is_the_share_of_pairs_in_order_and_the_area_under_the_curve(scored in items()) {
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
                Some(area) => {
                    prop_assert!((area - wins / pairs).abs() < 1e-9);
                    let curve = roc(&scored);
                    let trapezoids: f64 = curve.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum();
                    prop_assert!((area - trapezoids).abs() < 1e-9);
                }
                None => prop_assert_eq!(pairs, 0.0),
            }
        }

        #[test]
        fn precision_and_f1_are_those_of_every_threshold_tried(scored in items()) {
            let total = scored.iter().filter(|s| s.1).count();
            let (mut area, mut best, mut before) = (0.0, 0.0f64, 0);
            for threshold in (0..6).rev() {
                let called: Vec<_> = scored.iter().filter(|s| s.0 >= threshold as f32).collect();
                let hits = called.iter().filter(|s| s.1).count();
                if !called.is_empty() && total > 0 {
                    let (precision, recall) = (hits as f64 / called.len() as f64, hits as f64 / total as f64);
                    area += (hits - before) as f64 / total as f64 * precision;
                    if precision + recall > 0.0 {
                        best = best.max(2.0 * precision * recall / (precision + recall));
                    }
                }
                before = hits;
            }
            prop_assert!((average_precision(&scored).unwrap_or(0.0) - area).abs() < 1e-9);
            prop_assert!((best_f1(&scored).unwrap_or(0.0) - best).abs() < 1e-9);
        }
    }
}
