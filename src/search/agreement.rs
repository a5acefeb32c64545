//! How well what a study shows agrees with what the query wants.

use crate::findings::query::Wanted;
use crate::findings::{Observation, Polarity, Side};
use crate::indexing::Finding;

/// The verdict on one study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Mean over what is wanted, in [-1, 1]; 0 where nothing is known.
    pub score: f32,
    /// The study is stated to show what the query excludes, or the finding on the other side only: never a hit.
    pub excluded: bool,
}

/// Judges what a study shows against all that is wanted.
pub fn agreement(wanted: &[Wanted], shown: &[Finding]) -> Agreement {
    if wanted.is_empty() {
        return Agreement { score: 0.0, excluded: false };
    }
    let mut sum = 0.0;
    let mut excluded = false;
    for want in wanted {
        let (score, hard) = one(want, shown);
        sum += score;
        excluded |= hard;
    }
    Agreement { score: sum / wanted.len() as f32, excluded }
}

fn one(want: &Wanted, shown: &[Finding]) -> (f32, bool) {
    if want.observation == Observation::NoFinding {
        return nothing(want, shown);
    }
    let said: Vec<&Finding> = shown.iter().filter(|f| f.observation == want.observation).collect();
    let present: Vec<&&Finding> = said.iter().filter(|f| f.polarity == Polarity::Present).collect();
    let here: Vec<&&&Finding> = present.iter().filter(|f| overlap(want.side, f.side)).collect();
    let uncertain = said.iter().any(|f| f.polarity == Polarity::Uncertain && overlap(want.side, f.side));
    let absent = said.iter().any(|f| f.polarity == Polarity::Absent && overlap(want.side, f.side));
    if want.polarity == Polarity::Absent {
        return match () {
            () if !here.is_empty() => (-1.0, true),
            () if uncertain => (-0.5, false),
            () if absent => (1.0, false),
            () => (0.0, false),
        };
    }
    if let Some(best) = here.iter().map(|f| exactness(want, f)).max_by(f32::total_cmp) {
        return (best, false);
    }
    match () {
        // It is there, but on the other side only.
        () if !present.is_empty() => (-1.0, true),
        () if uncertain => (0.3, false),
        () if absent => (-1.0, false),
        () => (0.0, false),
    }
}

/// "No Finding" wanted: any finding stated as present, devices apart, speaks against it.
fn nothing(want: &Wanted, shown: &[Finding]) -> (f32, bool) {
    let any = shown.iter().any(|f| {
        f.polarity == Polarity::Present
            && !matches!(f.observation, Observation::NoFinding | Observation::SupportDevices)
    });
    let clear = shown.iter().any(|f| f.observation == Observation::NoFinding && f.polarity == Polarity::Present);
    match want.polarity {
        Polarity::Absent => (
            if any {
                1.0
            } else if clear {
                -1.0
            } else {
                0.0
            },
            clear && !any,
        ),
        _ => (
            if any {
                -1.0
            } else if clear {
                1.0
            } else {
                0.0
            },
            any,
        ),
    }
}

/// From 0.6 (present, nothing more known) to 1.0 (side and severity as wanted).
fn exactness(want: &Wanted, found: &Finding) -> f32 {
    let side = match (want.side, found.side) {
        (None, _) => 0.2,
        (Some(w), Some(f)) if w == f => 0.2,
        (Some(_), Some(_)) => 0.15,
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
        assert_eq!(agreement(&wanted, &paced), Agreement { score: 1.0, excluded: false });
        assert!(agreement(&wanted, &[shows(PleuralEffusion, Present, None)]).excluded);
    }
}
