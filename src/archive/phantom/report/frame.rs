//! What surrounds the findings: why the film was taken, what it is compared with, and what has changed.

use super::words::{Words, sentence, side_word};
use super::{Claim, Statement};
use crate::archive::phantom::course::Disease;
use crate::archive::phantom::finding::{Finding, Kind};
use crate::archive::phantom::patient::{Visit, date};
use crate::archive::study::{Sex, View};
use crate::findings::{Observation, Severity};

/// Why the film was taken. Names no finding, so that nothing can be read out of it.
pub(super) fn indication(visit: &Visit, w: &mut Words) -> String {
    let sex = match visit.patient.sex {
        Sex::Female => "woman",
        Sex::Male => "man",
    };
    let why = w.pick(match visit.patient.disease {
        Disease::Well => &[
            "routine examination",
            "preoperative evaluation",
            "chest pain",
            "cough",
            "annual physical",
            "positive skin test",
        ],
        Disease::HeartFailure => {
            &["shortness of breath", "dyspnea on exertion", "leg swelling", "weight gain and dyspnea"]
        }
        Disease::Infection => &["fever and cough", "productive cough", "fever", "cough and chills"],
        Disease::IntensiveCare => &["intubated", "respiratory failure", "line placement", "sepsis"],
        Disease::Trauma => &["fall", "motor vehicle collision", "chest trauma", "sudden chest pain"],
        Disease::Tumour => &["weight loss", "hemoptysis", "smoking history", "persistent cough"],
        Disease::Aorta => &["chest pain radiating to the back", "hypertension", "chest discomfort"],
        Disease::Pleura => &["occupational exposure", "chronic dyspnea", "follow-up"],
        Disease::AfterSurgery => &["postoperative", "status post cardiac surgery", "after surgery"],
        Disease::Unclear => &["cough", "abnormal prior film", "dyspnea"],
    });
    match w.chance.index(3) {
        0 => sentence(&format!("{:.0}-year-old {sex}. {}", visit.age, sentence(why))),
        1 => sentence(&format!("{why}, {:.0}-year-old {sex}", visit.age)),
        _ => sentence(why),
    }
}

/// The film before, if any.
pub(super) fn comparison(visit: &Visit, w: &mut Words) -> String {
    match &visit.before {
        None => w.pick(&["None.", "None available.", "No prior studies."]).to_owned(),
        Some((day, _)) => {
            let then = date(*day);
            match w.chance.index(3) {
                0 => format!("Chest radiograph of {then}."),
                1 => format!("{then}."),
                _ => format!("Prior radiograph dated {then}."),
            }
        }
    }
}

/// How the film was taken, now and then.
pub(super) fn opening(visit: &Visit, w: &mut Words) -> Vec<Statement> {
    let mut out = Vec::new();
    let plain = |text: &str| Statement { text: sentence(text), claims: Vec::new() };
    if w.chance.happens(0.3) {
        let t = &visit.technique;
        out.push(plain(match (t.view, t.supine, t.lateral) {
            (View::Ap, true, _) => "portable supine AP view of the chest",
            (View::Ap, false, _) => "single portable AP view of the chest",
            (_, _, true) => "PA and lateral views of the chest",
            _ => "PA view of the chest",
        }));
    }
    if visit.technique.inspiration < 0.45 && w.chance.happens(0.5) {
        out.push(plain(w.pick(&["lung volumes are low", "low lung volumes"])));
    }
    out
}

fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Mild => 0,
        Severity::Moderate => 1,
        Severity::Severe => 2,
    }
}

/// Adds how a finding compares with the film before.
pub(super) fn change(visit: &Visit, group: &[Finding], statement: &mut Statement, w: &mut Words) {
    let Some((_, before)) = &visit.before else { return };
    let [f] = group else { return };
    if matches!(f.kind, Kind::Device(_)) || !w.chance.happens(0.7) {
        return;
    }
    let earlier = before.iter().find(|b| b.observation() == f.observation() && b.side == f.side);
    let text = match earlier.map(|b| rank(f.severity).cmp(&rank(b.severity))) {
        None => w.pick(&["this is new since the prior study", "new from the comparison"]),
        Some(std::cmp::Ordering::Equal) => {
            w.pick(&["this is unchanged", "unchanged from prior", "stable since the comparison"])
        }
        Some(std::cmp::Ordering::Greater) => {
            w.pick(&["this has increased since the prior study", "this has worsened", "increased from prior"])
        }
        Some(std::cmp::Ordering::Less) => {
            w.pick(&["this has decreased since the prior study", "this has improved", "decreased from prior"])
        }
    };
    statement.text = format!("{} {}", statement.text, sentence(text));
}

/// What was on the film before and is gone.
pub(super) fn resolved(visit: &Visit, w: &mut Words) -> Vec<Statement> {
    let Some((_, before)) = &visit.before else { return Vec::new() };
    let mut out = Vec::new();
    for b in before {
        let gone = !visit.findings.iter().any(|f| f.observation() == b.observation());
        if !gone || matches!(b.kind, Kind::Device(_)) || !w.chance.happens(0.6) {
            continue;
        }
        let side = b.side.map_or("", side_word);
        let name = match b.observation() {
            Observation::PleuralEffusion => "pleural effusion",
            Observation::Pneumothorax => "pneumothorax",
            Observation::Edema => "pulmonary edema",
            Observation::Atelectasis => "basilar atelectasis",
            Observation::Pneumonia => "pneumonia",
            // an opacity may be there for another reason
            _ => continue,
        };
        let side = if b.observation() == Observation::Edema { "" } else { side };
        let text = match w.chance.index(2) {
            0 => format!("the previously seen {side} {name} has resolved"),
            _ => format!("interval resolution of the {side} {name}"),
        };
        let mut claim = Claim::absent(b.observation());
        claim.side = if side.is_empty() { None } else { b.side };
        out.push(Statement { text: sentence(&text), claims: vec![claim] });
    }
    out
}
