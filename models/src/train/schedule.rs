//! Learning rate: linear warm-up, then a cosine to zero.

/// Learning rate over its peak when `fraction` (0 to 1) of the budget is spent.
pub(super) fn factor(fraction: f64, warmup: f64) -> f64 {
    let fraction = fraction.clamp(0.0, 1.0);
    if fraction < warmup {
        return fraction / warmup;
    }
    0.5 * (1.0 + (std::f64::consts::PI * (fraction - warmup) / (1.0 - warmup)).cos())
}

#[cfg(test)]
mod tests {
    use super::factor;

    #[test]
    fn rises_then_falls() {
        assert_eq!(factor(0.0, 0.1), 0.0);
        assert!((factor(0.05, 0.1) - 0.5).abs() < 1e-12);
        assert_eq!(factor(0.1, 0.1), 1.0);
        assert!((factor(0.55, 0.1) - 0.5).abs() < 1e-12);
        assert!(factor(1.0, 0.1).abs() < 1e-12 && factor(1.5, 0.1).abs() < 1e-12);
        assert_eq!(factor(0.0, 0.0), 1.0);
    }
}
