//! What a study shows: its label sets and its reports brought together, with side and severity.

use serde::Serialize;
use utoipa::ToSchema;

use crate::archive::{LabelOrigin, Study};
use crate::findings::{self, LabeledReport, Observation, Polarity, Severity, Side};

/// One statement about a study.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize, ToSchema)]
pub struct Finding {
    /// Of what.
    pub observation: Observation,
    /// Present, absent or uncertain.
    pub polarity: Polarity,
    /// Side of the patient, where it is stated.
    #[serde(default)]
    pub side: Option<Side>,
    /// Severity, where it is stated.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Who says so.
    pub origin: LabelOrigin,
}

/// Observations that CheXpert's hierarchy (Irvin et al. 2019, figure 1) puts under Lung Opacity.
pub const OPACITIES: [Observation; 5] = [
    Observation::LungLesion,
    Observation::Edema,
    Observation::Consolidation,
    Observation::Pneumonia,
    Observation::Atelectasis,
];

/// All that is stated of a study, each statement once, in the order of the observations.
///
/// Exact truth, where a source has it, stands alone: a report may hedge what is known.
pub fn shown(study: &Study) -> Vec<Finding> {
    let truth = study.labels.iter().any(|set| set.origin == LabelOrigin::Truth);
    let mut found = Vec::new();
    for set in &study.labels {
        if truth && set.origin != LabelOrigin::Truth {
            continue;
        }
        let detail: Vec<_> = set.other.iter().filter_map(|line| detail(line)).collect();
        for (observation, polarity) in set.labels.iter() {
            let with = |side, severity| Finding { observation, polarity, side, severity, origin: set.origin };
            let before = found.len();
            if polarity == Polarity::Present {
                found.extend(
                    detail.iter().filter(|(o, ..)| *o == observation).map(|(_, side, severity)| with(*side, *severity)),
                );
            }
            if found.len() == before {
                found.push(with(None, None));
            }
        }
    }
    if !truth {
        for report in reports(study) {
            found.extend(of_report(&report));
        }
    }
    imply_opacity(&mut found);
    drop_vague(&mut found);
    found.sort();
    found.dedup();
    found
}

/// The labeler's reading of each report of a study, in their order.
pub fn reports(study: &Study) -> impl Iterator<Item = LabeledReport> + '_ {
    study.reports.iter().map(|report| {
        let sections: Vec<(&str, &str)> = report.sections.iter().map(|s| (s.name.as_str(), s.text.as_str())).collect();
        findings::label_report(&sections)
    })
}

fn of_report(report: &LabeledReport) -> Vec<Finding> {
    let mut found: Vec<Finding> = report
        .sections
        .iter()
        .flat_map(|section| &section.labeled.mentions)
        .map(|m| Finding {
            observation: m.observation,
            polarity: m.polarity,
            side: m.side,
            severity: m.severity,
            origin: LabelOrigin::Labeler,
        })
        // An absence that another sentence contradicts is not kept: present > uncertain > absent.
        .filter(|f| f.side.is_some() || report.labels.get(f.observation) == Some(f.polarity))
        .collect();
    for (observation, polarity) in report.labels.iter() {
        if !found.iter().any(|f| f.observation == observation) {
            found.push(Finding { observation, polarity, side: None, severity: None, origin: LabelOrigin::Labeler });
        }
    }
    found
}

/// A film with a consolidation shows an opacity, whether or not somebody says so.
fn imply_opacity(found: &mut Vec<Finding>) {
    let implied: Vec<Finding> = found
        .iter()
        .filter(|f| f.polarity == Polarity::Present && OPACITIES.contains(&f.observation))
        .map(|f| Finding { observation: Observation::LungOpacity, severity: None, ..f.clone() })
        .collect();
    if !implied.is_empty() {
        found.retain(|f| f.observation != Observation::LungOpacity || f.polarity != Polarity::Absent);
        found.extend(implied);
    }
}

/// Drops "there is one" where another statement of the same source says on which side.
fn drop_vague(found: &mut Vec<Finding>) {
    let sided: Vec<(Observation, LabelOrigin)> = found
        .iter()
        .filter(|f| f.polarity == Polarity::Present && f.side.is_some())
        .map(|f| (f.observation, f.origin))
        .collect();
    found
        .retain(|f| f.polarity != Polarity::Present || f.side.is_some() || !sided.contains(&(f.observation, f.origin)));
}

/// Reads `Pleural Effusion, left, severe` or `Support Devices (pacemaker)`.
fn detail(line: &str) -> Option<(Observation, Option<Side>, Option<Severity>)> {
    let mut parts = line.split(',').map(str::trim);
    let name = parts.next()?;
    let observation = name.split('(').next()?.trim().parse().ok()?;
    let (mut side, mut severity) = (None, None);
    for part in parts {
        match part {
            "left" => side = Some(Side::Left),
            "right" => side = Some(Side::Right),
            "bilateral" => side = Some(Side::Bilateral),
            "mild" => severity = Some(Severity::Mild),
            "moderate" => severity = Some(Severity::Moderate),
            "severe" => severity = Some(Severity::Severe),
            _ => {}
        }
    }
    Some((observation, side, severity))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::archive::{LabelSet, Report, Section};
    use crate::findings::Labels;

    fn study(labels: Vec<LabelSet>, report: &str) -> Study {
        let sections = vec![Section { name: "findings".to_owned(), text: report.to_owned() }];
        Study {
            id: "manifest/1".to_owned(),
            source: "manifest".to_owned(),
            patient: "manifest/p1".to_owned(),
            date: None,
            offset: None,
            age: None,
            sex: None,
            images: Vec::new(),
            reports: if report.is_empty() { Vec::new() } else { vec![Report { sections }] },
            labels,
        }
    }

    fn set(origin: LabelOrigin, said: &[(Observation, Polarity)], other: &[&str]) -> LabelSet {
        LabelSet {
            origin,
            labels: said.iter().copied().collect::<Labels>(),
            other: other.iter().map(|s| (*s).to_owned()).collect(),
        }
    }

    #[test]
    fn truth_has_sides_and_silences_the_report() {
        let truth = set(
            LabelOrigin::Truth,
            &[(Observation::PleuralEffusion, Polarity::Present), (Observation::Edema, Polarity::Absent)],
            &["Pleural Effusion, left, severe"],
        );
        let found = shown(&study(vec![truth], "Possible edema."));
        let effusion = found.iter().find(|f| f.observation == Observation::PleuralEffusion).unwrap();
        assert_eq!((effusion.side, effusion.severity), (Some(Side::Left), Some(Severity::Severe)));
        let edema: Vec<_> = found.iter().filter(|f| f.observation == Observation::Edema).collect();
        assert_eq!(edema.iter().map(|f| f.polarity).collect::<Vec<_>>(), [Polarity::Absent]);
    }

    #[test]
    fn a_consolidation_is_an_opacity_on_the_same_side() {
        let found = shown(&study(Vec::new(), "Consolidation in the right lower lobe."));
        let opacity: Vec<_> = found.iter().filter(|f| f.observation == Observation::LungOpacity).collect();
        assert_eq!(opacity.len(), 1);
        assert_eq!((opacity[0].polarity, opacity[0].side), (Polarity::Present, Some(Side::Right)));
    }

    #[test]
    fn labels_and_report_stand_side_by_side() {
        let given = set(LabelOrigin::Dataset, &[(Observation::Cardiomegaly, Polarity::Present)], &["Hernia"]);
        let found = shown(&study(vec![given], "No pneumothorax."));
        let of = |o| found.iter().find(|f| f.observation == o).map(|f| (f.polarity, f.origin));
        assert_eq!(of(Observation::Cardiomegaly), Some((Polarity::Present, LabelOrigin::Dataset)));
        assert_eq!(of(Observation::Pneumothorax), Some((Polarity::Absent, LabelOrigin::Labeler)));
    }
}
