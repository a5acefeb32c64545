//! Who is trained on, who is validated on, who is held out: by patient, never by film.

use serde::Serialize;

/// Part of the archive that a patient belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// 70%: trained on.
    Train,
    /// 10%: the checkpoint is chosen on it.
    Validation,
    /// 20%: held out, for the figures.
    Test,
}

impl Split {
    /// The split of a patient: the first eight bytes of BLAKE3 of `source/patient`, modulo 100.
    /// The same patient is in the same split in every home and for ever.
    pub fn of(patient: &str) -> Self {
        match head(patient.as_bytes()) % 100 {
            0..20 => Split::Test,
            20..30 => Split::Validation,
            _ => Split::Train,
        }
    }
}

/// Who is trained on and who is scored when recipes are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Part {
    /// The training patients, and the held-out ones, of [`Split`].
    #[default]
    Split,
    /// One of `of` folds is scored, the others are trained on: over all folds every patient is scored once, by a model that
    /// never saw them. For comparing recipes; a model that ships is measured on [`Split::Test`].
    Fold {
        /// The fold that is scored, from 0 on.
        scored: u64,
        /// How many there are.
        of: u64,
    },
}

impl Part {
    /// The parts of a comparison: `folds` of them, or with 0 the one split.
    pub fn all(folds: u64) -> Vec<Self> {
        if folds == 0 { vec![Self::Split] } else { (0..folds).map(|scored| Self::Fold { scored, of: folds }).collect() }
    }

    /// Whether a patient is trained on.
    pub fn trains(self, patient: &str) -> bool {
        match self {
            Self::Split => Split::of(patient) == Split::Train,
            Self::Fold { scored, of } => fold(patient, of) != scored,
        }
    }

    /// Whether a patient is scored.
    pub fn scores(self, patient: &str) -> bool {
        match self {
            Self::Split => Split::of(patient) == Split::Test,
            Self::Fold { scored, of } => fold(patient, of) == scored,
        }
    }
}

/// The fold of a patient, by a hash that [`Split::of`] has no part in.
fn fold(patient: &str, of: u64) -> u64 {
    head(format!("fold/{patient}").as_bytes()) % of.max(1)
}

/// The first eight bytes of BLAKE3.
fn head(bytes: &[u8]) -> u64 {
    blake3::hash(bytes).as_bytes().iter().take(8).fold(0u64, |n, byte| (n << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_all_folds_everyone_is_scored_once_and_never_by_a_model_that_saw_them() {
        let mut sizes = [0usize; 5];
        for patient in (0..5_000).map(|i| format!("nih/{i}")) {
            let parts = Part::all(5);
            assert!(parts.iter().all(|part| part.trains(&patient) != part.scores(&patient)));
            let scored: Vec<usize> = (0..5).filter(|f| parts[*f].scores(&patient)).collect();
            assert_eq!(scored.len(), 1);
            sizes[scored[0]] += 1;
        }
        assert!(sizes.iter().all(|n| (900..1_100).contains(n)), "{sizes:?}");
        assert_eq!(Part::all(0), [Part::Split]);
        assert!(Part::Split.scores("nih/2") && Part::Split.trains("nih/1") && !Part::Split.trains("nih/10"));
    }

    #[test]
    fn a_fifth_is_held_out_and_a_patient_never_moves() {
        let held_out = (0..100_000).filter(|i| Split::of(&format!("nih/{i}")) == Split::Test).count();
        assert!((19_500..20_500).contains(&held_out), "{held_out}");
        // Fixed for ever: a change here would train on what was held out before.
        let fixed: Vec<Split> = (1..=12).map(|i| Split::of(&format!("nih/{i}"))).collect();
        let (train, held_out, validation) = (Split::Train, Split::Test, Split::Validation);
        let mut wanted = [train; 12];
        wanted[1] = held_out;
        wanted[3] = held_out;
        wanted[5] = held_out;
        wanted[9] = validation;
        assert_eq!(fixed, wanted);
    }
}
