//! What a study's film says where its records say nothing, and where the tail begins that every query has.
//!
//! Every study has a distance to every query, so a ranking never ends by itself. What belongs to the query is decided one study
//! at a time, by a rule whose precision and recall `thorax eval queries` measures:
//!
//! - what is stated decides: agreement belongs to it, a contradiction does not;
//! - where nothing is stated of what is wanted, or no finding is asked for, the cosine has to stand out of those of all that
//!   passes the filter by [`STANDS_OUT`] standard deviations. At 1.0 the kept films hold twice the share of right ones
//!   (measured over single findings: precision .35 at recall .32 where chance is .17 on phantoms, .28 at .27 where it is .15
//!   on NIH); at 1.5 it is .38 at .19 and .33 at .14; a threshold on the zero-shot rank keeps less at the same recall;
//! - a query that only denies keeps every film that is not suspected of what it denies.

use std::sync::Arc;

use super::engine::Engine;
use super::judging::{Judging, STEP};
use super::zero_shot::Reader;
use crate::findings::{Observation, Polarity};

/// A film that shows more of a finding than this share of the films that pass the filter is suspected of it.
pub const SUSPECTED: f32 = 0.75;

/// Standard deviations above the mean cosine.
pub const STANDS_OUT: f32 = 1.0;

/// How far a film that is suspected of everything that is wanted absent is pushed down.
const PUSH: f32 = 20.0 * STEP;

/// What a film says of the wanted findings of which nothing is stated: for each the share of the
/// films that pass the filter and show less.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Film {
    above: Vec<(Polarity, Option<f32>)>,
    silent: bool,
}

impl Film {
    /// Reads the first film of a study.
    pub fn of(engine: &Engine, judging: &Judging<'_>, readers: &[Arc<Reader>], row: u32) -> Self {
        let silence = judging.silence(row);
        let film = if silence == 0 || readers.is_empty() { None } else { engine.film(row) };
        // "Normal chest" denies every finding, and every film is suspected of one of so many: the whole of it is read instead.
        let normal = judging.wanted.iter().find(|w| w.observation == Observation::NoFinding);
        let above = judging.wanted.iter().enumerate().map(|(place, want)| {
            let silent = 1u32.checked_shl(place as u32).unwrap_or_default() & silence != 0;
            let implied = normal.is_some_and(|n| n.phrase == want.phrase && n.observation != want.observation);
            let reader = readers.get(place).filter(|_| silent && !implied);
            (want.polarity, film.zip(reader).map(|(film, reader)| reader.above(film)))
        });
        Self { above: above.collect(), silent: silence != 0 }
    }

    /// The share for one wanted finding, where nothing is stated of it.
    pub fn above(&self, place: usize) -> Option<f32> {
        self.above.get(place)?.1
    }

    /// True where the film is suspected of a finding that is wanted absent.
    pub fn suspected(&self, place: usize) -> bool {
        self.above.get(place).is_some_and(|(polarity, above)| {
            *polarity == Polarity::Absent && above.is_some_and(|above| above > SUSPECTED)
        })
    }

    /// The level of what is stated, less for each suspicion.
    pub fn level(&self, stated: f32) -> f32 {
        let suspicions = (0..self.above.len()).filter(|place| self.suspected(*place)).count();
        let denied = self.above.iter().filter(|(polarity, _)| *polarity == Polarity::Absent).count();
        let push = PUSH * suspicions as f32 / denied.max(1) as f32;
        stated - (push / STEP).round() * STEP
    }

    /// Whether the study belongs to what the query means.
    pub fn relevant(&self, level: f32, judging: &Judging<'_>, stands_out: Option<f32>) -> bool {
        let out = stands_out.is_some_and(|z| z >= STANDS_OUT);
        if judging.wanted.is_empty() {
            return out;
        }
        if !self.silent || level != 0.0 {
            return level > 0.0;
        }
        let denies = judging.wanted.iter().all(|want| want.polarity == Polarity::Absent);
        let suspected = (0..self.above.len()).any(|place| self.suspected(place));
        if denies { !suspected } else { out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Polarity::{Absent, Present};

    #[test]
    fn a_suspicion_pushes_down_what_is_wanted_absent_only() {
        let film = |polarity, above| Film { above: vec![(polarity, Some(above))], silent: true };
        assert!(film(Absent, 0.9).suspected(0) && film(Absent, 0.9).level(0.0) < 0.0);
        assert!(!film(Absent, 0.2).suspected(0) && film(Absent, 0.2).level(0.0) == 0.0);
        assert!(!film(Present, 0.9).suspected(0) && film(Present, 0.9).level(1.0) == 1.0);
        let unread = Film { above: vec![(Absent, None)], silent: false };
        assert_eq!((unread.suspected(0), unread.suspected(1), unread.level(0.5)), (false, false, 0.5));
    }
}
