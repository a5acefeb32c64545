//! The signed label vector that the semantic matching loss compares.

use crate::findings::{Observation, Polarity, Severity, Side};
use crate::indexing::Finding;

/// Observations whose side is part of the label vector: "right effusion" must not match a left one.
const SIDED: [Observation; 8] = [
    Observation::LungOpacity,
    Observation::LungLesion,
    Observation::Consolidation,
    Observation::Pneumonia,
    Observation::Atelectasis,
    Observation::Pneumothorax,
    Observation::PleuralEffusion,
    Observation::Fracture,
];

/// A side weighs less than the finding itself.
const SIDE: f32 = 0.5;

/// Length of a label vector: the 14 observations, then left and right of each sided one.
pub const LENGTH: usize = Observation::COUNT + 2 * SIDED.len();

/// Name of each component, for the model card.
pub fn names() -> Vec<String> {
    let sided = SIDED.iter().flat_map(|o| [format!("{o}, left"), format!("{o}, right")]);
    Observation::ALL.iter().map(|o| o.name().to_owned()).chain(sided).collect()
}

/// The label vector of what is stated: 1 present, -1 absent, 0.5 uncertain, 0 not mentioned.
///
/// A finding that is present on one side only is absent on the other.
pub fn vector(shown: &[Finding]) -> Vec<f32> {
    let mut labels = vec![0.0f32; LENGTH];
    for finding in shown {
        let value = match finding.polarity {
            Polarity::Present => 1.0,
            Polarity::Absent => -1.0,
            Polarity::Uncertain => 0.5,
        };
        if let Some(slot) = labels.get_mut(finding.observation.index()) {
            *slot = strongest(*slot, value);
        }
    }
    for (place, observation) in SIDED.iter().enumerate() {
        let of: Vec<&Finding> = shown.iter().filter(|f| f.observation == *observation).collect();
        for (offset, side) in [Side::Left, Side::Right].into_iter().enumerate() {
            if let Some(slot) = labels.get_mut(Observation::COUNT + 2 * place + offset) {
                *slot = SIDE * of_side(&of, side);
            }
        }
    }
    if shown.iter().any(|f| f.observation == Observation::NoFinding && f.polarity == Polarity::Present) {
        for observation in Observation::ALL {
            let free = !matches!(observation, Observation::NoFinding | Observation::SupportDevices);
            if let Some(slot) = labels.get_mut(observation.index()).filter(|slot| free && **slot == 0.0) {
                *slot = -1.0;
            }
        }
    }
    labels
}

/// The label vector of the mirror image: left and right change places.
pub fn mirrored(labels: &[f32]) -> Vec<f32> {
    let mut mirrored = labels.to_vec();
    for sides in mirrored.get_mut(Observation::COUNT..).unwrap_or_default().chunks_exact_mut(2) {
        sides.swap(0, 1);
    }
    mirrored
}

/// Present beats uncertain beats absent beats not mentioned.
fn strongest(old: f32, new: f32) -> f32 {
    if old > 0.0 || new > 0.0 { old.max(new) } else { old.min(new) }
}

fn of_side(of: &[&Finding], side: Side) -> f32 {
    let on = |f: &&&Finding| matches!(f.side, Some(s) if s == side || s == Side::Bilateral);
    let present: Vec<&&Finding> = of.iter().filter(|f| f.polarity == Polarity::Present).collect();
    if present.iter().any(on) {
        return 1.0;
    }
    if !present.is_empty() {
        // On the other side only, or on one that is not stated.
        return if present.iter().all(|f| f.side.is_some()) { -1.0 } else { 0.0 };
    }
    let gone = of.iter().any(|f| f.polarity == Polarity::Absent && (f.side.is_none() || on(&f)));
    if gone { -1.0 } else { 0.0 }
}

/// The findings of a labelled sentence, in the shape that a study's findings have.
pub fn of_mentions(labeled: &crate::findings::Labeled) -> Vec<Finding> {
    let said = |observation, polarity, side: Option<Side>, severity: Option<Severity>| Finding {
        observation,
        polarity,
        side,
        severity,
        origin: crate::archive::LabelOrigin::Labeler,
    };
    let mentions = labeled.mentions.iter().map(|m| said(m.observation, m.polarity, m.side, m.severity));
    let derived = labeled
        .labels
        .iter()
        .map(|(o, p)| said(o, p, None, None))
        .filter(|f| !labeled.mentions.iter().any(|m| m.observation == f.observation && m.polarity == f.polarity));
    mentions.chain(derived).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LabelOrigin;

    fn finding(observation: Observation, polarity: Polarity, side: Option<Side>) -> Finding {
        Finding { observation, polarity, side, severity: None, origin: LabelOrigin::Truth }
    }

    fn side_of(labels: &[f32], observation: Observation) -> (f32, f32) {
        let place = SIDED.iter().position(|o| *o == observation).map(|p| Observation::COUNT + 2 * p);
        place.and_then(|p| Some((*labels.get(p)?, *labels.get(p + 1)?))).unwrap_or_default()
    }

    #[test]
    fn left_and_right_differ_and_so_do_present_and_absent() {
        let effusion = Observation::PleuralEffusion;
        let left = vector(&[finding(effusion, Polarity::Present, Some(Side::Left))]);
        let right = vector(&[finding(effusion, Polarity::Present, Some(Side::Right))]);
        let absent = vector(&[finding(effusion, Polarity::Absent, None)]);
        assert_eq!(side_of(&left, effusion), (SIDE, -SIDE));
        assert_eq!(side_of(&right, effusion), (-SIDE, SIDE));
        assert_eq!(side_of(&absent, effusion), (-SIDE, -SIDE));
        assert_eq!((left[effusion.index()], absent[effusion.index()]), (1.0, -1.0));
    }

    #[test]
    fn a_mirror_image_shows_the_same_on_the_other_side() {
        let of = |side| vector(&[finding(Observation::Pneumothorax, Polarity::Present, Some(side))]);
        assert_eq!(mirrored(&of(Side::Left)), of(Side::Right));
        assert_eq!(mirrored(&of(Side::Bilateral)), of(Side::Bilateral));
    }

    #[test]
    fn a_side_that_nobody_states_is_unknown() {
        let found = vector(&[finding(Observation::Fracture, Polarity::Present, None)]);
        assert_eq!(side_of(&found, Observation::Fracture), (0.0, 0.0));
    }

    #[test]
    fn no_finding_states_the_absence_of_all_but_devices() {
        let normal = vector(&[finding(Observation::NoFinding, Polarity::Present, None)]);
        assert_eq!(normal[Observation::Cardiomegaly.index()], -1.0);
        assert_eq!(normal[Observation::SupportDevices.index()], 0.0);
        assert_eq!(names().len(), LENGTH);
    }
}
