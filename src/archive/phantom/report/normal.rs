//! What is said of what is not there.

use super::words::{Words, sentence};
use super::{Claim, Statement, has};
use crate::archive::phantom::finding::{Finding, Kind};
use crate::archive::phantom::patient::Visit;
use crate::findings::{Observation as O, Side};

fn denial(text: &str, observations: &[O]) -> Statement {
    Statement { text: sentence(text), claims: observations.iter().map(|o| Claim::absent(*o)).collect() }
}

/// The lungs, as far as they are clear.
pub(super) fn lungs(visit: &Visit, w: &mut Words) -> Vec<Statement> {
    const AIRSPACE: [O; 5] = [O::LungOpacity, O::Consolidation, O::Pneumonia, O::Edema, O::Atelectasis];
    if !has(visit, O::LungOpacity) {
        let text = w.pick(&[
            "the lungs are clear",
            "lungs are clear without focal consolidation",
            "no focal airspace opacity",
            "both lungs are well aerated and clear",
            "no focal consolidation, mass or edema",
            "there is no focal lung opacity",
            "lungs are clear bilaterally",
        ]);
        let observations: &[O] = match text {
            "no focal airspace opacity" | "there is no focal lung opacity" => &[O::LungOpacity],
            "no focal consolidation, mass or edema" => &[O::Consolidation, O::LungLesion, O::Edema],
            _ => &AIRSPACE,
        };
        return vec![denial(text, observations)];
    }
    let mut out = Vec::new();
    if !has(visit, O::Edema) && w.chance.happens(0.3) {
        out.push(denial(
            w.pick(&["no pulmonary edema", "there is no overt pulmonary edema", "no evidence of edema"]),
            &[O::Edema],
        ));
    }
    if !has(visit, O::Consolidation) && w.chance.happens(0.4) {
        let text = w.pick(&[
            "no focal consolidation",
            "there is no focal consolidation",
            "no consolidation to suggest pneumonia",
        ]);
        let observations: &[O] =
            if text.contains("pneumonia") { &[O::Consolidation, O::Pneumonia] } else { &[O::Consolidation] };
        out.push(denial(text, observations));
    }
    out
}

/// Effusion and pneumothorax, whichever is not there.
pub(super) fn pleura(visit: &Visit, w: &mut Words) -> Vec<Statement> {
    let mut out = Vec::new();
    match (has(visit, O::PleuralEffusion), has(visit, O::Pneumothorax)) {
        (false, false) => out.push(denial(
            w.pick(&[
                "no pleural effusion or pneumothorax",
                "there is no pleural effusion or pneumothorax",
                "no pneumothorax or effusion",
                "neither pleural effusion nor pneumothorax is seen",
                "there is no evidence of pneumothorax or pleural effusion",
                "negative for pneumothorax or pleural effusion",
                "the costophrenic angles are sharp and there is no pneumothorax",
            ]),
            &[O::PleuralEffusion, O::Pneumothorax],
        )),
        (true, false) => {
            let text = w.pick(&[
                "no pneumothorax",
                "there is no pneumothorax",
                "no pneumothorax is seen",
                "no evidence of pneumothorax",
            ]);
            out.push(denial(text, &[O::Pneumothorax]));
        }
        (false, true) => {
            let text =
                w.pick(&["no pleural effusion", "there is no pleural effusion", "no sizable pleural effusion is seen"]);
            out.push(denial(text, &[O::PleuralEffusion]));
        }
        (true, true) => {}
    }
    // the clear side, named
    for kind in [Kind::Effusion, Kind::Pneumothorax] {
        let sides: Vec<Option<Side>> =
            visit.findings.iter().filter(|f: &&Finding| f.kind == kind).map(|f| f.side).collect();
        if let [Some(side)] = sides[..]
            && w.chance.happens(0.3)
        {
            let (other, word) = if side == Side::Left { (Side::Right, "right") } else { (Side::Left, "left") };
            let (name, observation) = if kind == Kind::Effusion {
                ("pleural effusion", O::PleuralEffusion)
            } else {
                ("pneumothorax", O::Pneumothorax)
            };
            let text = match w.chance.index(2) {
                0 => format!("no {word} {name}"),
                _ => format!("there is no {name} on the {word}"),
            };
            out.push(Statement {
                text: sentence(&text),
                claims: vec![Claim { side: Some(other), ..Claim::absent(observation) }],
            });
        }
    }
    out
}

/// Heart and mediastinum.
pub(super) fn heart(visit: &Visit, w: &mut Words) -> Vec<Statement> {
    match (has(visit, O::Cardiomegaly), has(visit, O::EnlargedCardiomediastinum)) {
        (false, false) => vec![denial(
            w.pick(&[
                "the cardiomediastinal silhouette is normal",
                "heart size and mediastinal contours are normal",
                "cardiac and mediastinal silhouettes are within normal limits",
                "the heart is normal in size and the mediastinum is unremarkable",
                "normal cardiomediastinal contours",
            ]),
            &[O::Cardiomegaly, O::EnlargedCardiomediastinum],
        )],
        (true, false) if w.chance.happens(0.6) => vec![denial(
            w.pick(&[
                "the mediastinal contours are normal",
                "the mediastinum is not widened",
                "mediastinal contours are unremarkable",
            ]),
            &[O::EnlargedCardiomediastinum],
        )],
        (false, true) if w.chance.happens(0.7) => vec![denial(
            w.pick(&["heart size is normal", "the heart is not enlarged", "no cardiomegaly"]),
            &[O::Cardiomegaly],
        )],
        _ => Vec::new(),
    }
}

/// Bones.
pub(super) fn bones(visit: &Visit, w: &mut Words) -> Vec<Statement> {
    if has(visit, O::Fracture) || w.chance.happens(0.4) {
        return Vec::new();
    }
    let text = w.pick(&[
        "no acute osseous abnormality",
        "no displaced rib fracture is seen",
        "the bones are intact",
        "osseous structures are unremarkable",
        "there is no acute fracture",
    ]);
    vec![denial(text, &[O::Fracture])]
}

/// The impression of a film without disease.
pub(super) fn nothing(w: &mut Words) -> Statement {
    let text = w.pick(&[
        "no acute cardiopulmonary abnormality",
        "no acute cardiopulmonary process",
        "no evidence of acute cardiopulmonary disease",
        "normal chest radiograph",
        "no radiographic evidence of acute disease",
        "clear lungs and no acute process",
        "unremarkable examination of the chest",
    ]);
    Statement {
        text: sentence(text),
        claims: [O::LungOpacity, O::Consolidation, O::Pneumonia, O::Edema, O::PleuralEffusion, O::Pneumothorax]
            .map(Claim::absent)
            .to_vec(),
    }
}

/// A negative worth its place in an impression with findings.
pub(super) fn aside(visit: &Visit, w: &mut Words) -> Option<Statement> {
    let choices = [
        (O::Pneumothorax, ["no pneumothorax", "no evidence of pneumothorax"]),
        (O::PleuralEffusion, ["no pleural effusion", "no evidence of pleural effusion"]),
        (O::Pneumonia, ["no evidence of pneumonia", "no radiographic evidence of pneumonia"]),
        (O::Edema, ["no pulmonary edema", "no evidence of pulmonary edema"]),
    ];
    let open: Vec<_> = choices.iter().filter(|(o, _)| !has(visit, *o)).collect();
    if open.is_empty() {
        return None;
    }
    let (observation, texts) = open[w.chance.index(open.len())];
    Some(denial(w.pick(texts), &[*observation]))
}
