//! The words of chest radiography: what reports call each observation, as tables of patterns (see `pattern`).
//!
//! - `heart` heart and mediastinum · `lung` opacities, lesions, edema, atelectasis · `pleura` effusion, pneumothorax, thickening
//! - `bone` fractures · `devices` lines, tubes, pacemakers · `normal` statements of normality
//! - `other` abnormalities outside the 14 observations, and phrases that only look like one of them
//!
//! The phrases were written from the field's terms (Fleischner Society glossary, Radiology 2008; CheXpert and RadLex mention lists) and
//! checked on the odd-numbered reports of Open-I.

mod bone;
mod devices;
mod heart;
mod lung;
mod normal;
mod other;
mod pleura;

use std::sync::LazyLock;

use super::observation::Observation;
use super::pattern::Patterns;

/// What a phrase says when no cue changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// These are there.
    Shows(&'static [Observation]),
    /// These are named with reserve: "borderline heart size", "wedge deformity", "deep sulcus sign".
    Suspects(&'static [Observation]),
    /// A sign of these that has other causes too: "vascular congestion", "blunted costophrenic angle". Doubted, it says nothing of them.
    Hints(&'static [Observation]),
    /// The phrase itself states that these are not there: "lungs are clear".
    Excludes(&'static [Observation]),
    /// The chest as a whole is called normal, which excludes these.
    Normal(&'static [Observation]),
    /// An abnormality that is none of the 14, but stands against `No Finding`.
    Other,
    /// Looks like a phrase and is none: "knee effusion", "body mass". Covers the phrases inside it.
    Mask,
}

/// A line of a table.
pub(crate) type Entry = (&'static str, Says);

/// All phrases.
pub(crate) static PHRASES: LazyLock<Patterns<Says>> = LazyLock::new(|| {
    let tables: [&[Entry]; 7] = [
        heart::PHRASES,
        lung::PHRASES,
        pleura::PHRASES,
        bone::PHRASES,
        devices::PHRASES,
        normal::PHRASES,
        other::PHRASES,
    ];
    Patterns::new(tables.into_iter().flatten().copied())
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_observation_has_phrases() {
        assert!(PHRASES.len() > 300);
    }
}
