//! Counts of a cohort, from the records of the archive of today.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use thorax_index::Catalogue;
use utoipa::ToSchema;

use super::model::Cohort;
use super::store::Store;
use crate::error::Result;
use crate::findings::{Observation, Polarity};
use crate::indexing::document::study;
use crate::indexing::{Finding, shown};

/// Years in a band of ages.
const BAND: u32 = 10;

/// What a cohort holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = CohortSummary)]
pub struct Summary {
    /// Members.
    pub studies: u64,
    /// Members that are gone from the archive; the counts below are without them.
    pub gone: u64,
    /// Members whose record has changed since they became members; counted as they are now.
    pub changed: u64,
    /// Films.
    pub films: u64,
    /// Reports.
    pub reports: u64,
    /// Different patients.
    pub patients: u64,
    /// How many patients have one study, two studies, and so on.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub studies_per_patient: BTreeMap<u32, u64>,
    /// Studies that state each observation; one that states both counts as present.
    pub findings: BTreeMap<&'static str, Stated>,
    /// Studies by sex; `unknown` where it is not recorded.
    pub sex: BTreeMap<&'static str, u64>,
    /// Studies by age, in bands of ten years.
    pub age: BTreeMap<String, u64>,
    /// Studies by source.
    pub source: BTreeMap<String, u64>,
    /// Earliest and latest date, and how many studies have one.
    pub dates: Option<Dates>,
    /// Studies of each patient. Health data: only where it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_patient: Option<BTreeMap<String, u32>>,
}

/// Studies that state an observation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stated {
    /// To be there.
    pub present: u64,
    /// To be possible.
    pub uncertain: u64,
    /// Not to be there.
    pub absent: u64,
}

/// A range of dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dates {
    /// The earliest.
    pub first: String,
    /// The latest.
    pub last: String,
    /// Studies with a date.
    pub studies: u64,
}

/// What is stated of each observation, by its index: present outweighs uncertain, which outweighs absent.
pub fn stated(found: &[Finding]) -> [Option<Polarity>; Observation::COUNT] {
    let weight = |polarity: Polarity| match polarity {
        Polarity::Present => 3,
        Polarity::Uncertain => 2,
        Polarity::Absent => 1,
    };
    let mut stated = [None; Observation::COUNT];
    for finding in found {
        if let Some(place) = stated.get_mut(finding.observation.index())
            && place.is_none_or(|polarity| weight(polarity) < weight(finding.polarity))
        {
            *place = Some(finding.polarity);
        }
    }
    stated
}

/// Counts a cohort; patients by name only with `patients`.
///
/// # Errors
/// A record cannot be read.
pub fn summary(catalogue: &Catalogue, cohort: &Cohort, patients: bool) -> Result<Summary> {
    let store = Store::open(catalogue)?;
    let mut summary = Summary::default();
    let mut by_patient: HashMap<String, u32> = HashMap::new();
    for member in store.members(cohort) {
        let member = member?;
        summary.studies += 1;
        let Some((version, document)) = catalogue.get_versioned(&member.id)? else {
            summary.gone += 1;
            continue;
        };
        summary.changed += u64::from(version.hash != member.hash);
        let study = study(&document)?;
        summary.films += study.images.len() as u64;
        summary.reports += study.reports.len() as u64;
        for (observation, polarity) in Observation::ALL.iter().zip(stated(&shown(&study))) {
            let count = summary.findings.entry(observation.name()).or_default();
            match polarity {
                Some(Polarity::Present) => count.present += 1,
                Some(Polarity::Uncertain) => count.uncertain += 1,
                Some(Polarity::Absent) => count.absent += 1,
                None => {}
            }
        }
        *summary.sex.entry(study.sex.map_or("unknown", |sex| sex.code())).or_default() += 1;
        *summary.age.entry(study.age.map_or_else(|| "unknown".to_owned(), band)).or_default() += 1;
        *summary.source.entry(study.source).or_default() += 1;
        if let Some(date) = study.date {
            widen(&mut summary.dates, date);
        }
        *by_patient.entry(study.patient).or_default() += 1;
    }
    summary.patients = by_patient.len() as u64;
    for studies in by_patient.values() {
        *summary.studies_per_patient.entry(*studies).or_default() += 1;
    }
    summary.by_patient = patients.then(|| by_patient.into_iter().collect());
    Ok(summary)
}

/// `40-49`, with a leading zero below 10 so that the bands stand in order.
fn band(age: f32) -> String {
    let low = age.max(0.0) as u32 / BAND * BAND;
    format!("{low:02}-{:02}", low + BAND - 1)
}

fn widen(dates: &mut Option<Dates>, date: String) {
    match dates {
        None => *dates = Some(Dates { first: date.clone(), last: date, studies: 1 }),
        Some(dates) => {
            dates.studies += 1;
            if date < dates.first {
                dates.first.clone_from(&date);
            }
            if date > dates.last {
                dates.last = date;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LabelOrigin;

    #[test]
    fn presence_outweighs_what_another_source_says() {
        let of = |observation, polarity| Finding {
            observation,
            polarity,
            side: None,
            severity: None,
            origin: LabelOrigin::Labeler,
        };
        let stated = stated(&[
            of(Observation::Edema, Polarity::Absent),
            of(Observation::Edema, Polarity::Present),
            of(Observation::Edema, Polarity::Uncertain),
            of(Observation::Fracture, Polarity::Absent),
        ]);
        assert_eq!(stated[Observation::Edema.index()], Some(Polarity::Present));
        assert_eq!(stated[Observation::Fracture.index()], Some(Polarity::Absent));
        assert_eq!(stated.iter().flatten().count(), 2);
    }

    #[test]
    fn ages_and_dates() {
        assert_eq!([0.0, 9.9, 10.0, 47.5, 100.0].map(band), ["00-09", "00-09", "10-19", "40-49", "100-109"]);
        let mut dates = None;
        for date in ["2019-03-01", "2018-12-31", "2020-01-01"] {
            widen(&mut dates, date.to_owned());
        }
        let wanted = Dates { first: "2018-12-31".to_owned(), last: "2020-01-01".to_owned(), studies: 3 };
        assert_eq!(dates, Some(wanted));
    }
}
