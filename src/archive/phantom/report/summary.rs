//! What the impression says of each kind of finding: short.

use super::super::finding::{Finding, Kind};
use super::Statement;
use super::equipment::device;
use super::phrases::effusions;
use super::suspected::suspect;
use super::words::Words;
use crate::findings::Polarity;

/// A group of findings in the impression: short.
pub(super) fn summarize(group: &[Finding], w: &mut Words) -> Statement {
    let f = &group[0];
    if group.len() > 1 {
        return effusions(group, w);
    }
    let templates: &[&'static str] = match f.kind {
        Kind::Cardiomegaly => &["{grade} cardiomegaly", "{gradely} enlarged heart"],
        Kind::WideMediastinum => &["{grade} mediastinal widening", "widened mediastinum; CT is suggested"],
        Kind::Effusion => &["{size} {side} pleural effusion", "{side} pleural effusion, {size}"],
        Kind::Pneumothorax => &["{size} {side} pneumothorax", "{side} pneumothorax, {size}"],
        Kind::Consolidation(_) => &["consolidation in the {lobe}", "{lobe} consolidation"],
        Kind::Pneumonia(_) => &[
            "{lobe} pneumonia",
            "findings consistent with pneumonia in the {lobe}",
            "pneumonia in the {lobe}; follow-up to resolution is advised",
        ],
        Kind::Opacity(_) => &["nonspecific opacity in the {zone}", "hazy opacity in the {lobe}"],
        Kind::Edema => &["{grade} pulmonary edema", "{grade} edema of the lungs"],
        Kind::Atelectasis => &["{side} basilar atelectasis", "atelectasis at the {side} lung base"],
        Kind::Nodule(_) => &["nodule in the {lobe}; CT of the chest is recommended", "{lobe} nodule"],
        Kind::Mass(_) => {
            &["mass in the {lobe}, suspicious for malignancy", "{lobe} mass; CT of the chest is recommended"]
        }
        Kind::RibFracture(_) => &["{side} rib fracture", "rib fracture on the {side}"],
        Kind::ClavicleFracture => &["{side} clavicle fracture", "fracture of the {side} clavicle"],
        Kind::Thickening => &["{side} pleural thickening", "pleural thickening on the {side}"],
        Kind::Plaques => &["{side} calcified pleural plaques", "calcified pleural plaques, {side}"],
        Kind::Device(d) => return device(d, f, w),
    };
    if w.doubts(f) {
        return suspect(f, w);
    }
    w.tell(templates, f, Polarity::Present)
}
