//! Logistic regression with an L2 penalty, fitted on the full batch by L-BFGS (Liu and Nocedal 1989).
//!
//! The loss is convex, so the same data give the same weights whatever the start; there is no seed.

/// Pairs of steps and gradient changes that are kept.
const MEMORY: usize = 10;

/// Most iterations.
const ITERATIONS: usize = 300;

/// Done when no component of the gradient is larger.
const TOLERANCE: f64 = 1e-6;

/// A fitted model: the score of `x` is `weights . x + bias`, before any offset.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// One for each feature.
    pub weights: Vec<f64>,
    /// The intercept; not penalised.
    pub bias: f64,
}

impl Fit {
    /// The log odds of an item without its offset.
    pub fn score(&self, features: &[f64]) -> f64 {
        dot(&self.weights, features) + self.bias
    }
}

/// Minimises the mean of `log(1 + exp(-y z))`, with `z = offset + weights . x + bias` and `y` 1 or -1, plus
/// `l2 / 2 |weights|^2`. The three lists have one entry for each item; an offset that is missing is 0.
pub fn fit(features: &[&[f64]], labels: &[bool], offsets: &[f64], l2: f64) -> Fit {
    let width = features.first().map_or(0, |x| x.len());
    let problem = Problem { features, labels, offsets, l2 };
    let mut at = vec![0.0; width + 1];
    let (mut loss, mut slope) = problem.loss(&at);
    let mut memory: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    for _ in 0..ITERATIONS {
        if slope.iter().all(|g| g.abs() < TOLERANCE) {
            break;
        }
        let mut step: Vec<f64> = direction(&slope, &memory).iter().map(|d| -d).collect();
        let mut descent = dot(&step, &slope);
        if descent >= 0.0 {
            // The memory is worn out by rounding: start again along the gradient.
            memory.clear();
            step = slope.iter().map(|g| -g).collect();
            descent = dot(&step, &slope);
        }
        let Some((next, next_loss, next_slope)) = problem.search(&at, loss, &step, descent) else { break };
        let moved: Vec<f64> = next.iter().zip(&at).map(|(a, b)| a - b).collect();
        let turned: Vec<f64> = next_slope.iter().zip(&slope).map(|(a, b)| a - b).collect();
        if dot(&moved, &turned) > 1e-14 {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push((moved, turned));
        }
        (at, loss, slope) = (next, next_loss, next_slope);
    }
    let bias = at.pop().unwrap_or(0.0);
    Fit { weights: at, bias }
}

struct Problem<'a> {
    features: &'a [&'a [f64]],
    labels: &'a [bool],
    offsets: &'a [f64],
    l2: f64,
}

impl Problem<'_> {
    /// Loss and gradient at weights with the bias behind them.
    fn loss(&self, at: &[f64]) -> (f64, Vec<f64>) {
        let Some((bias, weights)) = at.split_last() else { return (0.0, Vec::new()) };
        let share = 1.0 / self.features.len().max(1) as f64;
        let mut slope: Vec<f64> = weights.iter().map(|w| self.l2 * w).chain([0.0]).collect();
        let mut loss = self.l2 / 2.0 * dot(weights, weights);
        for (i, (x, label)) in self.features.iter().zip(self.labels).enumerate() {
            let sign = if *label { 1.0 } else { -1.0 };
            let margin = sign * (self.offsets.get(i).copied().unwrap_or(0.0) + dot(weights, x) + bias);
            // log(1 + exp(-m)) without overflow.
            loss += share * ((-margin.abs()).exp().ln_1p() + (-margin).max(0.0));
            let pull = -sign * share / (1.0 + margin.exp());
            if let Some((last, rest)) = slope.split_last_mut() {
                rest.iter_mut().zip(*x).for_each(|(g, v)| *g += pull * v);
                *last += pull;
            }
        }
        (loss, slope)
    }

    /// Halves the step until the loss falls enough (Armijo).
    fn search(&self, at: &[f64], loss: f64, step: &[f64], descent: f64) -> Option<(Vec<f64>, f64, Vec<f64>)> {
        let mut length = 1.0;
        for _ in 0..40 {
            let next: Vec<f64> = at.iter().zip(step).map(|(a, s)| a + length * s).collect();
            let (next_loss, next_slope) = self.loss(&next);
            if next_loss.is_finite() && next_loss <= loss + 1e-4 * length * descent {
                return Some((next, next_loss, next_slope));
            }
            length /= 2.0;
        }
        None
    }
}

/// The inverse Hessian's approximation times the gradient: the two-loop recursion.
fn direction(slope: &[f64], memory: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let mut q = slope.to_vec();
    let mut factors = Vec::with_capacity(memory.len());
    for (moved, turned) in memory.iter().rev() {
        let factor = dot(moved, &q) / dot(moved, turned);
        q.iter_mut().zip(turned).for_each(|(q, t)| *q -= factor * t);
        factors.push(factor);
    }
    if let Some((moved, turned)) = memory.last() {
        let scale = dot(moved, turned) / dot(turned, turned);
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for ((moved, turned), factor) in memory.iter().zip(factors.into_iter().rev()) {
        let back = dot(turned, &q) / dot(moved, turned);
        q.iter_mut().zip(moved).for_each(|(q, m)| *q += (factor - back) * m);
    }
    q
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_features_the_bias_is_the_log_odds() {
        let features: Vec<&[f64]> = vec![&[]; 4];
        let fitted = fit(&features, &[true, true, true, false], &[], 1.0);
        assert!((fitted.bias - 3f64.ln()).abs() < 1e-5, "{}", fitted.bias);
    }

    #[test]
    fn what_the_offset_explains_needs_no_weights() {
        // Half of each kind at log odds of 0: the offset says nothing that is not so.
        let features: Vec<&[f64]> = vec![&[1.0], &[1.0], &[-1.0], &[-1.0]];
        let (labels, offsets) = ([true, false, true, false], [0.0; 4]);
        let fitted = fit(&features, &labels, &offsets, 0.1);
        assert!(fitted.weights[0].abs() < 1e-6 && fitted.bias.abs() < 1e-6);
        // With an offset against the truth the bias takes it back.
        let fitted = fit(&features, &labels, &[2.0; 4], 0.1);
        assert!((fitted.bias + 2.0).abs() < 1e-5, "{}", fitted.bias);
    }

    /// Plain gradient descent, long enough.
    fn slowly(features: &[&[f64]], labels: &[bool], l2: f64) -> Vec<f64> {
        let mut at = vec![0.0; features[0].len() + 1];
        for _ in 0..40_000 {
            let mut slope: Vec<f64> = at.iter().map(|w| l2 * w).collect();
            let last = slope.len() - 1;
            slope[last] = 0.0;
            for (x, label) in features.iter().zip(labels) {
                let z: f64 = x.iter().zip(&at).map(|(x, w)| x * w).sum::<f64>() + at[last];
                let error = (1.0 / (1.0 + (-z).exp()) - f64::from(u8::from(*label))) / features.len() as f64;
                x.iter().zip(slope.iter_mut()).for_each(|(x, g)| *g += error * x);
                slope[last] += error;
            }
            at.iter_mut().zip(&slope).for_each(|(w, g)| *w -= 0.2 * g);
        }
        at
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn equals_plain_gradient_descent(
            items in prop::collection::vec((-2.0f64..2.0, -2.0f64..2.0, any::<bool>()), 4..30), l2 in 0.05f64..1.0
        ) {
            let rows: Vec<[f64; 2]> = items.iter().map(|i| [i.0, i.1]).collect();
            let features: Vec<&[f64]> = rows.iter().map(|r| r.as_slice()).collect();
            let mut labels: Vec<bool> = items.iter().map(|i| i.2).collect();
            // With one kind only the bias has no optimum.
            (labels[0], labels[1]) = (true, false);
            let fitted = fit(&features, &labels, &[], l2);
            let wanted = slowly(&features, &labels, l2);
            for (got, want) in fitted.weights.iter().chain([&fitted.bias]).zip(&wanted) {
                prop_assert!((got - want).abs() < 2e-3, "{fitted:?} {wanted:?}");
            }
        }
    }
}
