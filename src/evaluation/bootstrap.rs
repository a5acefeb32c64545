//! Confidence intervals by resampling patients: films of one patient are alike, so resampling films would be too sure.
//!
//! The cluster bootstrap (Davison and Hinkley 1997, section 3.8): as many patients as there are, drawn with
//! replacement, each with all items; the interval is between percentiles of the statistic over the resamples.
//! The draw of a resample depends on the seed and its number only, so two statistics of the same
//! [`Bootstrap`] see the same resamples, and the threads don't matter.

use std::collections::HashMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Resamples where the caller does not say.
pub const RESAMPLES: usize = 1000;

/// Coverage of the intervals.
const COVERAGE: f64 = 0.95;

/// Fewer resamples than this share with a value, and there is no interval.
const ENOUGH: f64 = 0.5;

/// A value and its 95% interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Of all items.
    pub value: f64,
    /// 2.5th percentile over the resamples.
    pub low: f64,
    /// 97.5th percentile over the resamples.
    pub high: f64,
}

impl Interval {
    /// Of a share of independent trials (Wilson 1927). Unlike the bootstrap it is not empty where nothing, or
    /// everything, hit: 0 of 130 is between 0 and 0.029.
    pub fn wilson(hits: usize, trials: usize) -> Option<Self> {
        const Z: f64 = 1.959_964;
        if trials == 0 || hits > trials {
            return None;
        }
        let n = trials as f64;
        let value = hits as f64 / n;
        let centre = (value + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt();
        Some(Self { value, low: (centre - half).max(0.0).min(value), high: (centre + half).min(1.0).max(value) })
    }

    /// True where the interval does not contain `value`.
    pub fn excludes(&self, value: f64) -> bool {
        value < self.low || value > self.high
    }
}

impl std::fmt::Display for Interval {
    /// `0.712 [0.654, 0.771]`; the precision is the format's, 3 where it has none.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = f.precision().unwrap_or(3);
        write!(f, "{:.digits$} [{:.digits$}, {:.digits$}]", self.value, self.low, self.high)
    }
}

/// Resamples of a list of items by patient.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// Items of each patient.
    patients: Vec<Vec<usize>>,
    items: usize,
    resamples: usize,
    seed: u64,
}

impl Bootstrap {
    /// `patients` names the patient of each item, in the order of the items.
    pub fn by_patient<P: AsRef<str>>(patients: impl IntoIterator<Item = P>) -> Self {
        let mut place: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut items = 0;
        for (item, patient) in patients.into_iter().enumerate() {
            let at = *place.entry(patient.as_ref().to_owned()).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(at) {
                group.push(item);
            }
            items = item + 1;
        }
        Self { patients: groups, items, resamples: RESAMPLES, seed: 0 }
    }

    /// Sets the seed; 0 where it is not set.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of resamples; [`RESAMPLES`] where it is not set.
    pub fn resamples(mut self, resamples: usize) -> Self {
        self.resamples = resamples.max(1);
        self
    }

    /// Number of patients.
    pub fn patients(&self) -> usize {
        self.patients.len()
    }

    /// Positions of the items of resample `number`; an item comes as often as its patient was drawn.
    pub fn resample(&self, number: usize) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(number as u64);
        let mut drawn = Vec::with_capacity(self.items);
        for _ in 0..self.patients.len() {
            if let Some(group) = self.patients.get(random.random_range(0..self.patients.len())) {
                drawn.extend_from_slice(group);
            }
        }
        drawn
    }

    /// The statistic of all items, with its interval.
    ///
    /// `statistic` gets positions of items, and says `None` where it has no value (an AUC without positives): such
    /// resamples are left out. There is no interval where all items have no value, or most resamples don't.
    pub fn interval(&self, statistic: impl Fn(&[usize]) -> Option<f64> + Sync) -> Option<Interval> {
        self.intervals(|items| vec![statistic(items)]).pop()?
    }

    /// Several statistics over the same resamples, each with its interval: cheaper where they share their work.
    ///
    /// `statistics` gives as many values every time.
    pub fn intervals(&self, statistics: impl Fn(&[usize]) -> Vec<Option<f64>> + Sync) -> Vec<Option<Interval>> {
        let all: Vec<usize> = (0..self.items).collect();
        let values = statistics(&all);
        let resampled: Vec<Vec<Option<f64>>> =
            (0..self.resamples).into_par_iter().map(|number| statistics(&self.resample(number))).collect();
        values
            .into_iter()
            .enumerate()
            .map(|(at, value)| {
                let drawn = resampled.iter().filter_map(|of| of.get(at).copied().flatten()).collect();
                self.between(value?, drawn)
            })
            .collect()
    }

    /// The difference `a - b` of two statistics of the same items, for example of two scorings of the same films.
    /// Paired: both see the same resamples, so what makes a resample hard for both cancels out.
    pub fn difference(
        &self,
        a: impl Fn(&[usize]) -> Option<f64> + Sync,
        b: impl Fn(&[usize]) -> Option<f64> + Sync,
    ) -> Option<Interval> {
        self.interval(|items| Some(a(items)? - b(items)?))
    }

    fn between(&self, value: f64, mut drawn: Vec<f64>) -> Option<Interval> {
        drawn.retain(|v| v.is_finite());
        if !value.is_finite() || (drawn.len() as f64) < ENOUGH * self.resamples as f64 {
            return None;
        }
        drawn.sort_by(f64::total_cmp);
        let tail = (1.0 - COVERAGE) / 2.0;
        Some(Interval { value, low: quantile(&drawn, tail)?, high: quantile(&drawn, 1.0 - tail)? })
    }
}

/// Quantile of sorted values, interpolated linearly between neighbours (definition 7 of Hyndman and Fan 1996).
/// `None` of nothing.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let low = *sorted.get(at.floor() as usize)?;
    let high = *sorted.get(at.ceil() as usize)?;
    Some(low + (high - low) * at.fract())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::evaluation::metrics::auc;

    fn mean_of<'a>(values: &'a [f64]) -> impl Fn(&[usize]) -> Option<f64> + Sync + 'a {
        |items| (!items.is_empty()).then(|| items.iter().map(|i| values[*i]).sum::<f64>() / items.len() as f64)
    }

    /// One thread, one loop, percentiles by definition 7 spelled out.
    fn naive(patients: &[String], seed: u64, resamples: usize, f: impl Fn(&[usize]) -> Option<f64>) -> (f64, f64) {
        let mut names: Vec<&String> = Vec::new();
        for patient in patients {
            if !names.contains(&patient) {
                names.push(patient);
            }
        }
        let mut values = Vec::new();
        for number in 0..resamples {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(number as u64);
            let mut items = Vec::new();
            for _ in 0..names.len() {
                let drawn = names[random.random_range(0..names.len())];
                items.extend((0..patients.len()).filter(|i| &patients[*i] == drawn));
            }
            values.extend(f(&items));
        }
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = share * (values.len() - 1) as f64;
            let below = place as usize;
            let above = (below + 1).min(values.len() - 1);
            values[below] * (1.0 - (place - below as f64)) + values[above] * (place - below as f64)
        };
        (at(0.025), at(0.975))
    }

    #[test]
    fn quantiles_by_hand() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[3.0], 0.975), Some(3.0));
        assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0], 0.5), Some(3.0));
        assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0], 1.0), Some(8.0));
    }

    #[test]
    fn wilson_by_hand() {
        let none = Interval::wilson(0, 130).unwrap();
        assert_eq!((none.value, none.low), (0.0, 0.0));
        assert!((none.high - 0.0287).abs() < 1e-4, "{none}");
        // Newcombe 1998, table I: 15 of 148 is between 0.0624 and 0.1605.
        let some = Interval::wilson(15, 148).unwrap();
        assert!((some.low - 0.0624).abs() < 1e-4 && (some.high - 0.1605).abs() < 1e-4, "{some}");
        assert_eq!(Interval::wilson(1, 0), None);
    }

    #[test]
    fn all_films_of_a_patient_come_together() {
        let bootstrap = Bootstrap::by_patient(["a", "b", "a", "c"]).seed(5);
        assert_eq!(bootstrap.patients(), 3);
        let mut seen = [0usize; 4];
        for number in 0..200 {
            let drawn = bootstrap.resample(number);
            let count = |item| drawn.iter().filter(|i| **i == item).count();
            assert_eq!(count(0), count(2));
            assert_eq!(count(0) + count(1) + count(3), 3);
            (0..4).for_each(|item| seen[item] += count(item));
        }
        assert!(seen.iter().all(|n| (150..250).contains(n)), "each about once a resample: {seen:?}");
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_textbook() {
        // 400 patients with values 0 and 1 in equal parts: standard error 0.5 / 20.
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let interval = Bootstrap::by_patient((0..400).map(|i| i.to_string())).interval(mean_of(&values)).unwrap();
        assert_eq!(interval.value, 0.5);
        assert!((interval.low - 0.451).abs() < 0.008 && (interval.high - 0.549).abs() < 0.008, "{interval}");
        // The same films, but of 20 patients who each have 20 alike: wider by a factor of sqrt(20).
        let alike: Vec<f64> = (0..400).map(|i| f64::from((i / 20) % 2)).collect();
        let wide = Bootstrap::by_patient((0..400).map(|i| (i / 20).to_string())).interval(mean_of(&alike)).unwrap();
        assert!(wide.high - wide.low > 3.5 * (interval.high - interval.low), "{wide} against {interval}");
    }

    #[test]
    fn a_paired_difference_is_narrower_than_either_part() {
        let a: Vec<f64> = (0..100).map(|i| f64::from(i * 37 % 101)).collect();
        let b: Vec<f64> = a.iter().map(|v| v - 1.0).collect();
        let bootstrap = Bootstrap::by_patient((0..100).map(|i| i.to_string()));
        let difference = bootstrap.difference(mean_of(&a), mean_of(&b)).unwrap();
        assert!((difference.value - 1.0).abs() < 1e-9 && difference.excludes(0.0));
        assert!(difference.high - difference.low < 1e-9, "{difference}");
    }

    #[test]
    fn what_has_no_value_has_no_interval() {
        let bootstrap = Bootstrap::by_patient(["a", "b", "c"]);
        assert_eq!(bootstrap.interval(|_| None), None);
        assert_eq!(bootstrap.interval(|_| Some(f64::NAN)), None);
        assert_eq!(Bootstrap::by_patient(Vec::<String>::new()).interval(|_| None), None);
        // A value on the whole, but hardly ever on a resample.
        assert_eq!(bootstrap.interval(|items| (items == [0, 1, 2]).then_some(1.0)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn equals_the_naive_version_on_any_number_of_threads(
            films in prop::collection::vec((0u8..12, -3i8..3, any::<bool>()), 1..60), seed in 0u64..50
        ) {
            let patients: Vec<String> = films.iter().map(|f| f.0.to_string()).collect();
            let area = |items: &[usize]| {
                auc(&items.iter().map(|i| (f32::from(films[*i].1), films[*i].2)).collect::<Vec<_>>())
            };
            let bootstrap = Bootstrap::by_patient(&patients).seed(seed).resamples(60);
            let got = bootstrap.interval(area);
            let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            prop_assert_eq!(got, one.install(|| bootstrap.interval(area)));
            if let Some(got) = got {
                let (low, high) = naive(&patients, seed, 60, area);
                prop_assert!((got.low - low).abs() < 1e-9 && (got.high - high).abs() < 1e-9);
                prop_assert_eq!(Some(got.value), area(&(0..films.len()).collect::<Vec<_>>()));
            }
        }
    }
}
