//! What is said of each kind of finding: in the findings section, and again in the impression.

use super::super::finding::{Device, Finding, Kind};
use super::words::{Words, sentence, side_word, sizes};
use super::{Claim, Statement};
use crate::findings::{Observation, Polarity, Severity, Side};

/// Of mild findings, some are only suspected.
fn doubt(f: &Finding, w: &mut Words) -> bool {
    f.severity == Severity::Mild && w.chance.happens(0.3)
}

/// A group of findings (one, or the effusions of both sides) in the findings section.
pub(super) fn describe(group: &[Finding], w: &mut Words) -> Statement {
    let f = &group[0];
    if group.len() > 1 {
        return effusions(group, w);
    }
    let hedge = !matches!(f.kind, Kind::Device(_) | Kind::Thickening | Kind::Plaques | Kind::Mass(_)) && doubt(f, w);
    if hedge {
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
                    " The underlying lung is collapsed.",
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

/// A subtle finding that the reader does not commit to.
fn suspect(f: &Finding, w: &mut Words) -> Statement {
    let templates: &[&'static str] = match f.kind {
        Kind::Cardiomegaly => &[
            "heart size is at the upper limit of normal and mild cardiomegaly is possible",
            "borderline heart size, possibly mild cardiomegaly",
        ],
        Kind::WideMediastinum => {
            &["questionable mild widening of the mediastinum", "mild mediastinal widening cannot be excluded"]
        }
        Kind::Effusion => &[
            "blunting of the {side} costophrenic angle may represent a small pleural effusion",
            "a small {side} pleural effusion cannot be excluded",
            "possible trace {side} pleural effusion",
        ],
        Kind::Pneumothorax => &[
            "questionable tiny {side} apical pneumothorax",
            "a small {side} pneumothorax cannot be excluded",
            "a faint line at the {side} apex may represent a small pneumothorax",
        ],
        Kind::Consolidation(_) => &[
            "subtle density in the {lobe} may represent consolidation",
            "early consolidation in the {lobe} cannot be excluded",
        ],
        Kind::Pneumonia(_) => &[
            "subtle density in the {lobe} may represent early pneumonia",
            "pneumonia in the {lobe} cannot be excluded",
            "possible developing pneumonia in the {zone}",
        ],
        Kind::Opacity(_) => &["possible faint opacity in the {zone}", "questionable hazy opacity in the {zone}"],
        Kind::Edema => &[
            "prominent vessels may represent mild pulmonary edema",
            "mild interstitial edema cannot be excluded",
            "possible minimal pulmonary edema",
        ],
        Kind::Atelectasis => &[
            "a linear density at the {side} base may represent atelectasis",
            "probable minimal atelectasis at the {side} lung base",
        ],
        Kind::Nodule(_) => &[
            "a possible small nodule projects over the {zone}",
            "questionable nodule in the {lobe}",
            "a nodular density in the {zone} may represent a pulmonary nodule",
        ],
        _ => &["a {side} fracture cannot be excluded", "possible nondisplaced fracture on the {side}"],
    };
    let mut s = w.tell(templates, f, Polarity::Uncertain);
    s.claims[0].severity = None;
    s
}

fn effusions(group: &[Finding], w: &mut Words) -> Statement {
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

fn device(device: Device, f: &Finding, w: &mut Words) -> Statement {
    let templates: &[&'static str] = match device {
        Device::Pacemaker => &[
            "a {side} chest wall pacemaker is in place with its leads over the heart",
            "{side}-sided pacemaker with its leads in the expected position",
            "cardiac pacing device in the {side} chest wall",
        ],
        Device::CentralLine => &[
            "{side} internal jugular central venous catheter ends in the superior vena cava",
            "a {side} central line is in place with its tip over the superior vena cava",
            "the tip of the {side} central venous catheter projects over the cavoatrial junction",
        ],
        Device::Picc => &[
            "a {side} PICC ends in the superior vena cava",
            "{side} upper extremity PICC with its tip near the cavoatrial junction",
        ],
        Device::Port => {
            &["a {side} chest port is in place", "{side} chest wall Port-A-Cath ends in the superior vena cava"]
        }
        Device::EndotrachealTube => &[
            "the endotracheal tube ends above the carina",
            "endotracheal tube in satisfactory position above the carina",
            "the tip of the ET tube lies about 4 cm above the carina",
        ],
        Device::NasogastricTube => &[
            "a nasogastric tube courses into the stomach",
            "enteric tube with its tip below the diaphragm",
            "the NG tube ends in the stomach",
        ],
        Device::ChestTube => &["a {side} chest tube is in place", "{side}-sided thoracostomy tube is present"],
        Device::SternotomyWires => &[
            "median sternotomy wires are intact",
            "sternotomy wires are aligned",
            "there are sternal wires from prior surgery",
        ],
        Device::ValveProsthesis => &["a prosthetic heart valve is noted", "prosthetic cardiac valve is in place"],
    };
    w.tell(templates, f, Polarity::Present)
}

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
    if f.severity == Severity::Mild
        && !matches!(f.kind, Kind::Thickening | Kind::Plaques | Kind::Mass(_))
        && w.chance.happens(0.2)
    {
        return suspect(f, w);
    }
    w.tell(templates, f, Polarity::Present)
}
