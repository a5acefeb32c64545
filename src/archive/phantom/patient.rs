//! Patients and their visits: who they are, and which study is whose.

use super::chance::Chance;
use super::course::{self, Disease};
use super::finding::Finding;
use crate::archive::study::{Sex, View};

/// Studies are dealt to patients in blocks, so that who has study 123 does not depend on how many studies there are.
const BLOCK: usize = 8;

/// How this body departs from the standard thorax.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    /// Scale of width, height and depth.
    pub scale: (f32, f32, f32),
    /// Fat under the skin, centimetres beyond the lean 0.8.
    pub fat: f32,
    /// Breast size, 0 for none.
    pub breast: f32,
    /// Density of the bones, 1 in the young.
    pub bone: f32,
    /// Width of the heart, 1 in the standard thorax.
    pub heart: f32,
    /// Unfolding of the aorta with age, 0 to 1.
    pub aorta: f32,
    /// Slope and spacing of ribs, clavicles and hemidiaphragms, each about -1 to 1.
    pub shape: [f32; 6],
}

/// A patient.
#[derive(Clone, Debug)]
pub(super) struct Patient {
    /// Number in the archive: that of the first study.
    pub number: usize,
    pub sex: Sex,
    /// Age at the first study.
    pub age: f32,
    pub body: Body,
    pub disease: Disease,
    /// Seed of the anatomy.
    pub anatomy: u64,
}

/// How the films of a visit are taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Technique {
    pub view: View,
    /// Lying down: fluid layers, scapulae over the lungs.
    pub supine: bool,
    /// 1 full, 0 poor.
    pub inspiration: f32,
    /// Turned about the body axis and tilted, radians.
    pub rotation: (f32, f32),
    /// Whether there is a lateral film too.
    pub lateral: bool,
    /// Seed of exposure, framing, marker and noise.
    pub film: u64,
}

/// One visit.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub patient: Patient,
    /// Days since 2000-01-01.
    pub day: i64,
    pub age: f32,
    pub technique: Technique,
    pub findings: Vec<Finding>,
    /// Day and findings of the visit before.
    pub before: Option<(i64, Vec<Finding>)>,
    /// Seed of the report's wording.
    pub words: u64,
}

/// Study `index` of archive `seed`.
pub(super) fn visit(seed: u64, index: usize) -> Visit {
    let (first, nth) = owner(seed, index);
    let mut c = Chance::new(seed, 2 * first as u64);
    let patient = person(first, &mut c);
    let mut day = 3650 + (c.between(0.0, 5000.0) as i64);
    let start = day;
    let mut before = None;
    let mut findings = course::onset(patient.disease, patient.age, &mut c);
    for _ in 0..nth {
        let pause = match patient.disease {
            Disease::IntensiveCare | Disease::Trauma | Disease::AfterSurgery => c.count(1, 4),
            Disease::Infection | Disease::HeartFailure => c.count(2, 40),
            _ => c.count(30, 500),
        };
        let then = (day, findings.clone());
        day += pause as i64;
        findings = course::next(patient.disease, patient.age, &findings, &mut c);
        before = Some(then);
    }
    let age = (patient.age + (day - start) as f32 / 365.25).floor();
    let mut c = Chance::new(seed, 2 * index as u64 + 1);
    let technique = technique(patient.disease, &mut c);
    let words = c.seed();
    Visit { patient, day, age, technique, findings, before, words }
}

/// The first study of the patient who owns study `index`, and which visit it is, from 0.
fn owner(seed: u64, index: usize) -> (usize, usize) {
    let block = index / BLOCK;
    let mut c = Chance::new(seed, u64::MAX - block as u64);
    let mut first = block * BLOCK;
    loop {
        let visits = 1 + c.weighted(&[0.68, 0.17, 0.09, 0.06]);
        let end = (first + visits).min((block + 1) * BLOCK);
        if index < end {
            return (first, index - first);
        }
        first = end;
    }
}

fn person(number: usize, c: &mut Chance) -> Patient {
    let sex = if c.happens(0.47) { Sex::Female } else { Sex::Male };
    let disease = Disease::draw(c);
    let (mean, spread) = match disease {
        Disease::Well | Disease::Trauma => (45.0, 17.0),
        Disease::HeartFailure | Disease::Aorta | Disease::Tumour => (67.0, 11.0),
        _ => (57.0, 17.0),
    };
    let age = c.normal(mean, spread).clamp(18.0, 94.0);
    let female = sex == Sex::Female;
    let size = if female { 0.93 } else { 1.02 };
    let stout = c.normal(0.0, 1.0);
    let body = Body {
        scale: (
            size * c.normal(1.0, 0.035) * (1.0 + 0.02 * stout),
            size * c.normal(1.0, 0.045),
            size * c.normal(1.0, 0.06) * (1.0 + 0.03 * stout),
        ),
        fat: (0.9 + 0.85 * stout).clamp(0.0, 3.2),
        breast: if female { (0.75 + 0.22 * stout + 0.2 * c.gauss()).clamp(0.3, 1.15) } else { 0.0 },
        bone: (1.1 - (age - 40.0).max(0.0) * 0.005 + c.normal(0.0, 0.08)).clamp(0.7, 1.25),
        heart: c.normal(1.0, 0.045),
        aorta: ((age - 45.0) / 45.0 + c.normal(0.0, 0.2)).clamp(0.0, 1.0),
        shape: std::array::from_fn(|_| c.normal(0.0, 0.45)),
    };
    Patient { number, sex, age, body, disease, anatomy: c.seed() }
}

fn technique(disease: Disease, c: &mut Chance) -> Technique {
    let bedside = c.happens(disease.bedside());
    let supine = bedside && c.happens(0.55);
    let wild = if bedside { 1.7 } else { 1.0 };
    let lateral = !bedside && c.happens(0.3);
    Technique {
        view: if bedside { View::Ap } else { View::Pa },
        supine,
        inspiration: if bedside { c.normal(0.5, 0.25) } else { c.normal(0.88, 0.16) }.clamp(0.0, 1.1),
        rotation: (c.normal(0.0, 0.035) * wild, c.normal(0.0, 0.03) * wild + if bedside { 0.05 } else { 0.0 }),
        lateral,
        film: c.seed(),
    }
}

/// Civil date of a day counted from 2000-01-01 (days-from-civil, inverted; H. Hinnant, "chrono-compatible low-level date algorithms").
pub(super) fn date(day: i64) -> String {
    let z = day + 10_957 + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    let y = yoe + era * 400 + i64::from(m <= 2);
    format!("{y:04}-{m:02}-{d:02}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn dates_are_civil() {
        assert_eq!(date(0), "2000-01-01");
        assert_eq!(date(59), "2000-02-29");
        assert_eq!(date(366), "2001-01-01");
        assert_eq!(date(7305), "2020-01-01");
    }

    #[test]
    fn serial_visits_share_the_person_and_go_forward_in_time() {
        let mut serial = 0;
        for i in 1..200 {
            let (a, b) = (visit(5, i - 1), visit(5, i));
            if a.patient.number == b.patient.number {
                serial += 1;
                assert_eq!(a.patient.anatomy, b.patient.anatomy);
                assert_eq!(a.patient.sex, b.patient.sex);
                assert!(b.day > a.day);
                let (day, findings) = b.before.unwrap();
                assert_eq!((day, findings), (a.day, a.findings));
            }
        }
        assert!(serial > 20, "{serial}");
    }
}
