//! What the findings section says of each kind of finding.

use super::super::finding::{Finding, Kind};
use super::equipment::device;
use super::suspected::suspect;
use super::words::{Words, sentence, side_word, sizes};
use super::{Claim, Statement};
use crate::findings::{Observation, Polarity, Severity, Side};

/// A group of findings (one, or the effusions of both sides) in the findings section.
pub(super) fn describe(group: &[Finding], w: &mut Words) -> Statement {
    let f = &group[0];
    if group.len() > 1 {
        return effusions(group, w);
    }
    if w.doubts(f) {
        return suspect(f, w);
    }
    match f.kind {
        Kind::Cardiomegaly => w.tell(
            &[
                "the heart is {gradely} enlarged",
                "{grade} cardiomegaly is present",
                "there is {grade} enlargement of the cardiac silhouette",
                "the cardiac silhouette is {gradely} enlarged",
                "heart size is {gradely} increased",
                "there is {grade} cardiomegaly",
            ],
            f,
            Polarity::Present,
        ),
        Kind::WideMediastinum => w.tell(
            &[
                "there is {grade} widening of the superior mediastinum",
                "the mediastinum is {gradely} widened",
                "{grade} mediastinal widening is noted",
                "the mediastinal silhouette is {gradely} enlarged",
                "the upper mediastinal contour is {gradely} widened",
            ],
            f,
            Polarity::Present,
        ),
        Kind::Effusion => w.tell(
            &[
                "there is a {size} {side} pleural effusion",
                "a {size} {side} pleural effusion is present",
                "a {size} {side} effusion layers in the pleural space",
                "{size} pleural effusion on the {side}",
                "blunting of the {side} costophrenic angle is in keeping with a {size} pleural effusion",
            ],
            f,
            Polarity::Present,
        ),
        Kind::Pneumothorax => {
            let mut s = w.tell(
                &[
                    "there is a {size} {side} pneumothorax",
                    "a {size} {side} pneumothorax is present with a visible visceral pleural line",
                    "{size} {side} apical pneumothorax is seen",
                    "{size} pneumothorax on the {side}",
                    "a pleural line without lung markings beyond it indicates a {size} {side} pneumothorax",
                ],
                f,
                Polarity::Present,
            );
            if f.severity == Severity::Severe && w.chance.happens(0.6) {
                s.text.push_str(w.pick(&[
                    " The mediastinum is displaced away from it.",
                    " The edge of the lung is displaced medially.",
                    " There is mediastinal shift.",
                ]));
            }
            s
        }
        Kind::Consolidation(_) => w.tell(
            &[
                "there is {grade} consolidation in the {lobe}",
                "consolidation is present in the {lobe}",
                "{grade} airspace consolidation involves the {lobe}",
                "a dense focal consolidation is seen in the {zone}",
                "{grade} consolidation of the {lobe} is noted",
            ],
            f,
            Polarity::Present,
        ),
        Kind::Pneumonia(_) => {
            let opacity = w.chance.happens(0.5);
            let (templates, observation): (&[&'static str], _) = if opacity {
                (
                    &[
                        "there is a patchy opacity in the {lobe}",
                        "{grade} airspace opacity is present in the {lobe}",
                        "fluffy airspace opacities are seen in the {zone}",
                        "a focal opacity is noted in the {lobe}",
                    ],
                    Observation::LungOpacity,
                )
            } else {
                (
                    &[
                        "there is {grade} consolidation in the {lobe}",
                        "focal consolidation is present in the {lobe}",
                        "{grade} airspace consolidation is seen in the {zone}",
                    ],
                    Observation::Consolidation,
                )
            };
            let template = w.pick(templates);
            let mut s = w.fill(template, f, observation, Polarity::Present);
            if w.chance.happens(0.5) {
                let more = w.pick(&[", consistent with pneumonia", ", compatible with pneumonia", " due to pneumonia"]);
                s.text = sentence(&format!("{}{more}", s.text.trim_end_matches('.')));
                s.claims.push(Claim { observation: Observation::Pneumonia, severity: None, ..s.claims[0] });
            }
            s
        }
        Kind::Opacity(_) => w.tell(
            &[
                "there is a hazy opacity in the {zone}",
                "{grade} hazy opacity is present in the {zone}",
                "an ill-defined opacity projects over the {zone}",
                "{grade} ground-glass opacity is seen in the {lobe}",
            ],
            f,
            Polarity::Present,
        ),
        Kind::Edema => w.tell(
            &[
                "there is {grade} pulmonary edema",
                "{grade} pulmonary edema is present with perihilar haze",
                "perihilar haziness and septal lines indicate {grade} pulmonary edema",
                "{grade} interstitial edema with cephalization of the pulmonary vessels",
                "indistinct vessels and Kerley B lines are in keeping with {grade} pulmonary edema",
            ],
            f,
            Polarity::Present,
        ),
        Kind::Atelectasis => {
            let templates: &[&'static str] = if f.severity == Severity::Mild {
                &[
                    "there is {grade} linear atelectasis at the {side} lung base",
                    "plate-like atelectasis is seen at the {side} base",
                    "{grade} subsegmental atelectasis at the {side} lung base",
                    "discoid atelectasis in the {side} lower lung",
                ]
            } else {
                &[
                    "there is {grade} atelectasis at the {side} lung base with elevation of the hemidiaphragm",
                    "{grade} {side} basilar atelectasis with volume loss",
                    "bands of {grade} atelectasis are seen at the {side} base and the {side} hemidiaphragm is elevated",
                ]
            };
            w.tell(templates, f, Polarity::Present)
        }
        Kind::Nodule(_) | Kind::Mass(_) => lesion(f, w),
        Kind::RibFracture(n) => {
            let nth = ordinal(n);
            let way = match f.severity {
                Severity::Mild => w.pick(&["minimally displaced", "mildly displaced"]),
                Severity::Moderate => w.pick(&["displaced", "moderately displaced"]),
                Severity::Severe => w.pick(&["severely displaced", "markedly displaced"]),
            };
            let template = w.pick(&[
                "there is a {way} fracture of the {side} {nth} rib",
                "a {way} {side} lateral {nth} rib fracture is present",
                "{way} fracture of the lateral {side} {nth} rib",
            ]);
            let graded = way != "displaced";
            let text = template.replace("{way}", way).replace("{nth}", nth);
            let mut s = w.fill(&text, f, Observation::Fracture, Polarity::Present);
            s.claims[0].severity = graded.then_some(f.severity);
            s
        }
        Kind::ClavicleFracture => w.tell(
            &[
                "there is a displaced fracture of the {side} clavicle",
                "a {side} midshaft clavicle fracture is present",
                "fracture of the {side} clavicle with a step-off",
            ],
            f,
            Polarity::Present,
        ),
        Kind::Thickening => w.tell(
            &[
                "there is {grade} {side} pleural thickening",
                "{grade} thickening of the pleura is seen along the {side} chest wall",
                "{grade} {side} apical and lateral pleural thickening",
            ],
            f,
            Polarity::Present,
        ),
        Kind::Plaques => w.tell(
            &[
                "{side} calcified pleural plaques are present",
                "there are calcified {side} pleural plaques",
                "pleural plaques with calcification are seen, {side}",
            ],
            f,
            Polarity::Present,
        ),
        Kind::Device(d) => device(d, f, w),
    }
}

/// The effusions of both sides in one sentence.
pub(super) fn effusions(group: &[Finding], w: &mut Words) -> Statement {
    let (a, b) = (&group[0], &group[1]);
    let (text, severity) = if a.severity == b.severity {
        let size = w.pick(sizes(a.severity));
        let template = w.pick(&[
            "there are {size} bilateral pleural effusions",
            "{size} bilateral pleural effusions are present",
            "{size} pleural effusions on both sides",
        ]);
        (template.replace("{size}", size), Some(a.severity))
    } else {
        let (sa, sb) = (w.pick(sizes(a.severity)), w.pick(sizes(b.severity)));
        let (la, lb) = (a.side.map_or("", side_word), b.side.map_or("", side_word));
        let text = match w.chance.index(3) {
            0 => format!("there are {sa} {la} and {sb} {lb} pleural effusions"),
            1 => format!("{sa} {la} and {sb} {lb} pleural effusions are seen"),
            _ => format!("bilateral pleural effusions, {sa} on the {la} and {sb} on the {lb}"),
        };
        (text, None)
    };
    let claims = match severity {
        Some(_) => vec![Claim {
            observation: Observation::PleuralEffusion,
            polarity: Polarity::Present,
            side: Some(Side::Bilateral),
            severity,
        }],
        None => group
            .iter()
            .map(|f| Claim {
                observation: Observation::PleuralEffusion,
                polarity: Polarity::Present,
                side: f.side,
                severity: Some(f.severity),
            })
            .collect(),
    };
    Statement { text: sentence(&text), claims }
}

/// About how large a lesion is, in words.
fn measure(f: &Finding) -> &'static str {
    match (f.kind, f.severity) {
        (Kind::Mass(_), Severity::Mild) => "3.5 cm",
        (Kind::Mass(_), Severity::Moderate) => "5 cm",
        (Kind::Mass(_), Severity::Severe) => "7 cm",
        (_, Severity::Mild) => "11 mm",
        (_, Severity::Moderate) => "17 mm",
        (_, Severity::Severe) => "2.5 cm",
    }
}

fn lesion(f: &Finding, w: &mut Words) -> Statement {
    let noun = if matches!(f.kind, Kind::Mass(_)) { "mass" } else { "nodule" };
    let template = w.pick(&[
        "there is a {cm} {noun} in the {lobe}",
        "a {noun} of about {cm} is seen in the {lobe}",
        "a rounded {cm} {noun} projects over the {zone}",
        "a spiculated {noun} measuring about {cm} in the {lobe}",
        "solitary pulmonary {noun} in the {zone}, about {cm}",
    ]);
    let text = template.replace("{cm}", measure(f)).replace("{noun}", noun);
    w.fill(&text, f, Observation::LungLesion, Polarity::Present)
}

fn ordinal(n: u8) -> &'static str {
    const WORDS: [&str; 12] = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
        "twelfth",
    ];
    WORDS[usize::from(n.clamp(1, 12) - 1)]
}
