//! Part of the training data, to learn what more of it, or another kind of it, is worth.

use serde::{Deserialize, Serialize};

use crate::archive::Study;

/// Which training patients give films, sentences or both. By hash of the patient, so every run draws the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Share of the patients, 0 to 1. A larger share holds all of a smaller one.
    pub share: f64,
    /// Of this share of the patients both films and report are used; of half of the others only the films, of the other half
    /// only the report. 1 takes the archive as it is.
    pub decouple: f64,
    /// Only studies whose films and report are both used and there.
    pub only_paired: bool,
    /// Films without a report get the sentences of other reports that state some of their findings, and no other finding, as
    /// their own; films for which there are none are left out. A stand-in for pairs where an archive has none: what fits the
    /// labels is a pair.
    pub matched: bool,
    /// Sources of the films; empty = all.
    pub films: Vec<String>,
    /// Sources of the sentences; empty = all.
    pub texts: Vec<String>,
    /// Also our own phrases, as people type them into a search box.
    pub phrases: bool,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            share: 1.0,
            decouple: 1.0,
            only_paired: false,
            matched: false,
            films: Vec::new(),
            texts: Vec::new(),
            phrases: true,
        }
    }
}

/// What a study gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) films: bool,
    pub(super) texts: bool,
}

impl Selection {
    pub(super) fn role(&self, study: &Study) -> Role {
        let from = |sources: &[String]| sources.is_empty() || sources.contains(&study.source);
        let mut role = Role { films: from(&self.films), texts: from(&self.texts) };
        if place("share", &study.patient) >= self.share {
            role = Role { films: false, texts: false };
        }
        let at = place("decouple", &study.patient);
        if at >= self.decouple {
            let film_only = at < self.decouple + (1.0 - self.decouple) / 2.0;
            role = Role { films: role.films && film_only, texts: role.texts && !film_only };
        }
        let paired = role.films && role.texts && !study.images.is_empty() && !study.reports.is_empty();
        if self.only_paired && !paired { Role { films: false, texts: false } } else { role }
    }
}

/// A number of [0, 1) for a patient and a purpose.
fn place(purpose: &str, patient: &str) -> f64 {
    let hash = blake3::hash(format!("{purpose}/{patient}").as_bytes());
    let head = hash.as_bytes().iter().take(8).fold(0u64, |n, byte| (n << 8) | u64::from(*byte));
    (head >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::phantom;

    fn counts(selection: &Selection) -> (usize, usize, usize) {
        let roles: Vec<Role> = (0..1000).map(|i| selection.role(&phantom::study(1, i))).collect();
        let count = |films, texts| roles.iter().filter(|r| (r.films, r.texts) == (films, texts)).count();
        (count(true, true), count(true, false), count(false, true))
    }

    #[test]
    fn shares_are_nested_and_about_as_large_as_asked() {
        let of = |share| Selection { share, ..Selection::default() };
        let (quarter, half) = (of(0.25), of(0.5));
        let (n, _, _) = counts(&quarter);
        assert!((150..350).contains(&n), "{n}");
        assert!((400..600).contains(&counts(&half).0));
        assert_eq!(counts(&Selection::default()), (1000, 0, 0));
        for i in 0..1000 {
            let study = phantom::study(1, i);
            assert!(!quarter.role(&study).films || half.role(&study).films);
        }
    }

    #[test]
    fn decoupled_patients_give_films_or_sentences() {
        let selection = Selection { decouple: 0.2, ..Selection::default() };
        let (both, films, texts) = counts(&selection);
        assert!((120..280).contains(&both) && (300..500).contains(&films) && (300..500).contains(&texts));
        assert_eq!(both + films + texts, 1000);
        let paired = Selection { only_paired: true, ..selection };
        assert_eq!(counts(&paired), (both, 0, 0));
    }

    #[test]
    fn sources_can_be_named() {
        let selection = Selection { films: vec!["nih".to_owned()], ..Selection::default() };
        assert_eq!(counts(&selection), (0, 0, 1000));
    }
}
