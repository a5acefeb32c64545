//! How well what a study shows agrees with what the query wants.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::findings::query::Wanted;
use crate::findings::{Observation, Polarity, Side};
use crate::indexing::Finding;

/// What is stated of one wanted finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Nothing.
    Nothing,
    /// It is there.
    Present,
    /// It is there, or may be there, on the other side only.
    OtherSide,
    /// It may be there.
    Uncertain,
    /// It is not there.
    Absent,
    /// The chest is normal: it is not there.
    Normal,
}

/// The verdict on one wanted finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// In [-1, 1]; 0 where nothing is known.
    pub score: f32,
    /// Against what the query wants, beyond doubt: never a hit.
    pub excluded: bool,
    /// What decided.
    pub said: Said,
}

/// The verdict on one study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Mean over what is wanted, in [-1, 1]; 0 where nothing is known, and below where anything speaks against the study.
    pub score: f32,
    /// The study is stated to show what the query excludes, or the finding on the other side only: never a hit.
    pub excluded: bool,
    /// What is wanted and nothing is stated of, one bit each, the first the lowest.
    pub silent: u32,
}

/// From here on a verdict speaks against a study, whatever else agrees: it stands behind those of which nothing is known.
const AGAINST: f32 = -0.5;

/// Judges what a study shows against all that is wanted.
pub fn agreement(wanted: &[Wanted], shown: &[Finding]) -> Agreement {
    let mut all = Agreement { score: 0.0, excluded: false, silent: 0 };
    let mut worst = 0.0f32;
    for (place, want) in wanted.iter().enumerate() {
        let Verdict { score, excluded, said } = verdict(want, shown);
        all.score += score / wanted.len() as f32;
        all.excluded |= excluded;
        worst = worst.min(score);
        if said == Said::Nothing {
            all.silent |= 1u32.checked_shl(place as u32).unwrap_or_default();
        }
    }
    if worst <= AGAINST {
        all.score = all.score.min(0.1 * all.score - 0.2);
    }
    all
}

/// Judges what a study shows against one wanted finding.
pub fn verdict(want: &Wanted, shown: &[Finding]) -> Verdict {
    if want.observation == Observation::NoFinding {
        return normality(want, shown);
    }
    let of = |polarity| shown.iter().filter(move |f| f.observation == want.observation && f.polarity == polarity);
    let overlapping = |polarity| of(polarity).filter(|f| overlap(want.side, f.side));
    let absent_wanted = want.polarity == Polarity::Absent;
    let give = |said, wanted_absent: f32, wanted_present: f32| Verdict {
        score: if absent_wanted { wanted_absent } else { wanted_present },
        excluded: false,
        said,
    };
    // A label without a side and a report of a right effusion speak of the same effusion: it is not on the left.
    if let (false, Some(Side::Left | Side::Right)) = (absent_wanted, want.side) {
        let sided = |polarity| of(polarity).filter(|f| f.side.is_some());
        let here = |f: &&Finding| overlap(want.side, f.side);
        let here = sided(Polarity::Present).chain(sided(Polarity::Uncertain)).any(|f| here(&f));
        let vague = of(Polarity::Present).any(|f| f.side.is_none());
        match () {
            () if here => {}
            () if sided(Polarity::Present).next().is_some() => {
                return Verdict { score: -1.0, excluded: true, said: Said::OtherSide };
            }
            () if !vague && sided(Polarity::Uncertain).next().is_some() => return give(Said::OtherSide, 0.0, -0.5),
            () => {}
        }
    }
    if let Some(best) = overlapping(Polarity::Present).map(|f| exactness(want, f)).max_by(f32::total_cmp) {
        return Verdict { excluded: absent_wanted, ..give(Said::Present, -1.0, best) };
    }
    if overlapping(Polarity::Uncertain).next().is_some() {
        return give(Said::Uncertain, -0.5, 0.3);
    }
    // "No effusion on the left" is half an answer to "no effusion".
    let whole = |f: &Finding| want.side.is_some() || matches!(f.side, None | Some(Side::Bilateral));
    if let Some(most) = overlapping(Polarity::Absent).map(|f| if whole(f) { 1.0 } else { 0.5 }).max_by(f32::total_cmp) {
        return give(Said::Absent, most, -most);
    }
    let normal = shown.iter().any(|f| f.observation == Observation::NoFinding && f.polarity == Polarity::Present);
    if normal && want.observation != Observation::SupportDevices {
        return give(Said::Normal, 0.9, -0.9);
    }
    give(Said::Nothing, 0.0, 0.0)
}

/// "No Finding" wanted: any finding stated as present, devices apart, speaks against it.
fn normality(want: &Wanted, shown: &[Finding]) -> Verdict {
    let any = shown.iter().any(|f| {
        f.polarity == Polarity::Present
            && !matches!(f.observation, Observation::NoFinding | Observation::SupportDevices)
    });
    let clear = shown.iter().any(|f| f.observation == Observation::NoFinding && f.polarity == Polarity::Present);
    let absent_wanted = want.polarity == Polarity::Absent;
    let (score, said) = match (any, clear) {
        (true, _) => (-1.0, Said::Absent),
        (false, true) => (1.0, Said::Present),
        (false, false) => (0.0, Said::Nothing),
    };
    let score = if absent_wanted { -score } else { score };
    Verdict { score, excluded: score < 0.0, said }
}

/// From 0.6 (present, nothing more known) to 1.0 (side and severity as wanted).
fn exactness(want: &Wanted, found: &Finding) -> f32 {
    let side = match (want.side, found.side) {
        (None, _) => 0.2,
        (Some(w), Some(f)) if w == f => 0.2,
        (Some(_), Some(_)) => 0.1,
        (Some(_), None) => 0.0,
    };
    let severity = match (want.severity, found.severity) {
        (None, _) => 0.2,
        (Some(w), Some(f)) => 0.2 - 0.1 * (w as i8 - f as i8).unsigned_abs() as f32,
        (Some(_), None) => 0.1,
    };
    0.6 + side + severity
}

/// Sides that can be the same place; a side that is not stated can be any.
fn overlap(wanted: Option<Side>, found: Option<Side>) -> bool {
    !matches!((wanted, found), (Some(Side::Left), Some(Side::Right)) | (Some(Side::Right), Some(Side::Left)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LabelOrigin;
    use crate::findings::Severity;

    fn want(observation: Observation, polarity: Polarity, side: Option<Side>) -> Wanted {
        Wanted { observation, polarity, side, severity: None, phrase: 0..0 }
    }

    fn shows(observation: Observation, polarity: Polarity, side: Option<Side>) -> Finding {
        Finding { observation, polarity, side, severity: None, origin: LabelOrigin::Dataset }
    }

    use Observation::{NoFinding, PleuralEffusion, SupportDevices};
    use Polarity::{Absent, Present, Uncertain};

    #[test]
    fn no_effusion_never_returns_an_effusion() {
        let wanted = [want(PleuralEffusion, Absent, None)];
        let with = agreement(&wanted, &[shows(PleuralEffusion, Present, Some(Side::Left))]);
        let without = agreement(&wanted, &[shows(PleuralEffusion, Absent, None)]);
        let silent = agreement(&wanted, &[]);
        let hedged = agreement(&wanted, &[shows(PleuralEffusion, Uncertain, None)]);
        assert!(with.excluded && !without.excluded && !silent.excluded && !hedged.excluded);
        assert!(without.score > silent.score && silent.score > hedged.score);
    }

    #[test]
    fn the_other_side_is_not_a_hit_and_both_sides_are() {
        let wanted = [want(PleuralEffusion, Present, Some(Side::Right))];
        assert!(agreement(&wanted, &[shows(PleuralEffusion, Present, Some(Side::Left))]).excluded);
        let right = agreement(&wanted, &[shows(PleuralEffusion, Present, Some(Side::Right))]);
        let both = agreement(&wanted, &[shows(PleuralEffusion, Present, Some(Side::Bilateral))]);
        let maybe = agreement(&wanted, &[shows(PleuralEffusion, Uncertain, Some(Side::Left))]);
        assert!(maybe.score < 0.0 && !maybe.excluded, "doubt about the other side is no hit, and no certainty");
        let label = shows(PleuralEffusion, Present, None);
        let report = shows(PleuralEffusion, Present, Some(Side::Left));
        assert!(agreement(&wanted, &[label, report]).excluded, "the report says where the labelled effusion is");
        let hedged = [Some(Side::Left), None].map(|side| shows(PleuralEffusion, Uncertain, side));
        assert!(agreement(&wanted, &hedged).score < 0.0);
        let somewhere = agreement(&wanted, &[shows(PleuralEffusion, Present, None)]);
        assert!(right.score > both.score && both.score > somewhere.score && somewhere.score > 0.0);
    }

    #[test]
    fn severity_orders_what_is_present() {
        let mut wanted = want(PleuralEffusion, Present, None);
        wanted.severity = Some(Severity::Severe);
        let graded = |severity| {
            let mut found = shows(PleuralEffusion, Present, None);
            found.severity = severity;
            agreement(std::slice::from_ref(&wanted), &[found]).score
        };
        assert!(graded(Some(Severity::Severe)) > graded(Some(Severity::Moderate)));
        assert!(graded(Some(Severity::Moderate)) > graded(Some(Severity::Mild)));
    }

    #[test]
    fn a_normal_chest_may_have_a_pacemaker_but_no_effusion() {
        let wanted = [want(NoFinding, Present, None)];
        let paced = [shows(NoFinding, Present, None), shows(SupportDevices, Present, None)];
        assert_eq!(agreement(&wanted, &paced), Agreement { score: 1.0, excluded: false, silent: 0 });
        assert!(agreement(&wanted, &[shows(PleuralEffusion, Present, None)]).excluded);
        let normal = [shows(NoFinding, Present, None)];
        let said = |observation, polarity| verdict(&want(observation, polarity, None), &normal).said;
        assert_eq!(said(PleuralEffusion, Absent), Said::Normal);
        assert_eq!(said(SupportDevices, Absent), Said::Nothing);
        assert!(verdict(&want(PleuralEffusion, Present, None), &normal).score < 0.0);
    }

    #[test]
    fn what_is_not_spoken_of_is_noted() {
        let wanted = [want(PleuralEffusion, Present, None), want(SupportDevices, Absent, None)];
        assert_eq!(agreement(&wanted, &[]).silent, 0b11);
        assert_eq!(agreement(&wanted, &[shows(PleuralEffusion, Uncertain, None)]).silent, 0b10);
    }

    #[test]
    fn one_contradiction_outweighs_an_agreement() {
        let wanted = [want(PleuralEffusion, Present, None), want(SupportDevices, Absent, None)];
        let contradicted = [shows(PleuralEffusion, Absent, None), shows(SupportDevices, Absent, None)];
        assert!(agreement(&wanted, &contradicted).score < agreement(&wanted, &[]).score);
    }

    #[test]
    fn the_absence_on_one_side_is_half_an_absence() {
        let left = [shows(PleuralEffusion, Absent, Some(Side::Left))];
        assert_eq!(verdict(&want(PleuralEffusion, Absent, None), &left).score, 0.5);
        assert_eq!(verdict(&want(PleuralEffusion, Absent, Some(Side::Left)), &left).score, 1.0);
        assert_eq!(verdict(&want(PleuralEffusion, Absent, Some(Side::Right)), &left).said, Said::Nothing);
    }
}
