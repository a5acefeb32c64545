//! How radiologists word each observation: the tables behind prompts and training texts.

use super::observation::Observation;

/// How an observation is worded.
pub(crate) struct Wording {
    /// Names that take a side and a severity in front: "small left pleural effusion".
    pub nouns: &'static [&'static str],
    /// Severities that are used with the nouns.
    pub grades: &'static [&'static str],
    /// Sides and places that are used in front of the nouns.
    pub places: &'static [&'static str],
    /// Further positive phrases, used as they are.
    pub phrases: &'static [&'static str],
    /// Names that are denied: "no ...", "without ...".
    pub denied: &'static [&'static str],
    /// Further negative phrases, used as they are.
    pub denials: &'static [&'static str],
}

const SIDES: &[&str] = &["left", "right", "bilateral"];
const LOBES: &[&str] = &[
    "left",
    "right",
    "bilateral",
    "left lower lobe",
    "right lower lobe",
    "left upper lobe",
    "right upper lobe",
    "right middle lobe",
    "bibasilar",
];
const DEGREES: &[&str] = &["mild", "moderate", "severe"];

/// The wording of `observation`.
#[rustfmt::skip] // tables
pub(crate) fn wording(observation: Observation) -> Wording {
    match observation {
        Observation::NoFinding => Wording {
            nouns: &[],
            grades: &[],
            places: &[],
            phrases: &[
                "normal chest", "normal chest radiograph", "normal chest x-ray",
                "no acute cardiopulmonary abnormality", "no acute cardiopulmonary process",
                "no acute cardiopulmonary disease", "no active disease", "no acute findings", "no acute abnormality",
                "unremarkable chest radiograph", "unremarkable chest", "negative chest", "chest is normal",
                "no evidence of acute cardiopulmonary disease", "no evidence of active disease",
            ],
            denied: &[],
            denials: &[],
        },
        Observation::EnlargedCardiomediastinum => Wording {
            nouns: &["mediastinal widening", "enlarged cardiomediastinum"],
            grades: &["mild"],
            places: &[],
            phrases: &[
                "widened mediastinum", "the mediastinum is widened", "mediastinum is wide", "wide mediastinum",
                "enlarged mediastinum", "prominent mediastinal contour", "widening of the mediastinum",
                "cardiomediastinal enlargement", "mediastinal enlargement", "prominence of the superior mediastinum",
                "the mediastinal contour is prominent", "mediastinal lymphadenopathy",
            ],
            denied: &["mediastinal widening", "widening of the mediastinum", "mediastinal enlargement"],
            denials: &[
                "mediastinum is normal", "normal mediastinum", "mediastinal contours are normal",
                "mediastinum is unremarkable", "mediastinal contours are within normal limits",
                "mediastinum is not widened",
            ],
        },
        Observation::Cardiomegaly => Wording {
            nouns: &["cardiomegaly", "cardiac enlargement", "enlargement of the cardiac silhouette"],
            grades: &["mild", "moderate", "marked", "severe"],
            places: &[],
            phrases: &[
                "enlarged heart", "heart is enlarged", "the heart is mildly enlarged", "large heart",
                "heart size is enlarged", "big heart", "cardiac silhouette is enlarged",
                "enlarged cardiac silhouette", "the cardiac silhouette is moderately enlarged", "enlarged heart size",
                "heart enlargement", "stable cardiomegaly", "increased cardiothoracic ratio",
                "the heart is markedly enlarged", "the cardiac silhouette is severely enlarged",
                "cardiomegaly is present",
            ],
            denied: &["cardiomegaly", "cardiac enlargement"],
            denials: &[
                "heart size is normal", "normal heart size", "heart is normal in size", "heart is not enlarged",
                "normal heart", "cardiac silhouette is normal in size", "heart size within normal limits",
                "the cardiac silhouette is within normal limits", "heart size is unremarkable",
            ],
        },
        Observation::LungOpacity => Wording {
            nouns: &["opacity", "opacities", "airspace opacity", "airspace disease", "infiltrate", "infiltrates"],
            grades: &["mild", "small"],
            places: LOBES,
            phrases: &[
                "patchy opacity", "hazy opacity", "ground glass opacity", "airspace opacities",
                "patchy airspace disease", "lung opacity", "focal opacity in the left lower lobe",
                "opacity at the right base", "opacities in both lungs", "increased interstitial markings",
                "streaky basilar opacities", "interstitial opacities", "retrocardiac opacity", "perihilar opacities",
            ],
            denied: &[
                "opacity", "focal opacity", "airspace disease", "focal airspace disease", "infiltrate",
                "focal infiltrate", "airspace opacity",
            ],
            denials: &["lungs are free of focal airspace disease", "lungs clear of infiltrate"],
        },
        Observation::LungLesion => Wording {
            nouns: &["nodule", "pulmonary nodule", "lung mass", "mass"],
            grades: &["small", "large"],
            places: &[
                "left", "right", "left upper lobe", "right upper lobe", "left lower lobe", "right lower lobe",
                "right middle lobe",
            ],
            phrases: &[
                "lung nodule", "solitary pulmonary nodule", "multiple pulmonary nodules", "lung nodules",
                "bilateral pulmonary nodules", "cavitary lesion", "lung lesion", "noncalcified nodule",
                "spiculated mass", "pulmonary metastases", "lung tumor", "coin lesion",
                "mass in the right upper lobe", "nodule in the left lung", "lung cancer",
            ],
            denied: &["nodule", "mass", "pulmonary nodule", "suspicious nodule", "lung mass", "nodules or masses"],
            denials: &[],
        },
        Observation::Edema => Wording {
            nouns: &["pulmonary edema", "interstitial edema", "edema"],
            grades: DEGREES,
            places: &["bilateral"],
            phrases: &[
                "alveolar edema", "interstitial pulmonary edema", "early pulmonary edema", "pulmonary oedema",
                "Kerley B lines", "cardiogenic pulmonary edema", "worsening pulmonary edema",
                "improving pulmonary edema", "edema is present",
            ],
            denied: &["edema", "pulmonary edema", "overt pulmonary edema", "interstitial edema"],
            denials: &[
                "pulmonary vascularity is normal", "normal pulmonary vascularity", "pulmonary vasculature is normal",
            ],
        },
        Observation::Consolidation => Wording {
            nouns: &["consolidation"],
            grades: &["mild", "extensive"],
            places: LOBES,
            phrases: &[
                "focal consolidation", "lobar consolidation", "airspace consolidation", "dense consolidation",
                "air bronchograms", "multifocal consolidation", "patchy consolidation",
                "consolidation in the right lower lobe", "consolidation at the left base", "alveolar consolidation",
            ],
            denied: &["consolidation", "focal consolidation", "airspace consolidation", "lobar consolidation"],
            denials: &[],
        },
        Observation::Pneumonia => Wording {
            nouns: &["pneumonia"],
            grades: &["mild", "severe"],
            places: LOBES,
            phrases: &[
                "lobar pneumonia", "multifocal pneumonia", "bronchopneumonia", "bacterial pneumonia",
                "viral pneumonia", "pneumonitis", "aspiration pneumonia", "pneumonia in the right lower lobe",
                "findings consistent with pneumonia", "atypical pneumonia",
            ],
            denied: &["pneumonia", "lobar pneumonia", "focal pneumonia"],
            denials: &[],
        },
        Observation::Atelectasis => Wording {
            nouns: &["atelectasis"],
            grades: &["mild", "minimal", "moderate"],
            places: LOBES,
            phrases: &[
                "basilar atelectasis", "subsegmental atelectasis", "linear atelectasis", "plate-like atelectasis",
                "discoid atelectasis", "lobar collapse", "collapse of the left lower lobe",
                "atelectasis at the right base", "right upper lobe collapse", "atelectatic changes",
            ],
            denied: &["atelectasis", "collapse", "lobar collapse"],
            denials: &[],
        },
        Observation::Pneumothorax => Wording {
            nouns: &["pneumothorax", "apical pneumothorax"],
            grades: &["small", "tiny", "moderate", "large"],
            places: &["left", "right", "bilateral"],
            phrases: &[
                "PTX", "PTX left", "PTX right", "tension pneumothorax", "pneumothorax on the left",
                "pneumothorax on the right", "hydropneumothorax on the left", "residual pneumothorax",
                "pneumothorax is present", "left PTX", "right PTX", "bilateral pneumothoraces",
            ],
            denied: &["pneumothorax", "PTX", "residual pneumothorax"],
            denials: &["pneumothorax has resolved", "pneumothorax is not seen", "resolved pneumothorax"],
        },
        Observation::PleuralEffusion => Wording {
            nouns: &["pleural effusion", "effusion"],
            grades: &["small", "trace", "moderate", "large", "massive"],
            places: SIDES,
            phrases: &[
                "pleural effusions", "bilateral effusions", "pleural fluid", "loculated pleural effusion",
                "effusion on the left", "effusion on the right", "parapneumonic effusion",
                "layering pleural effusion", "small bilateral pleural effusions", "subpulmonic effusion",
                "hemothorax",
            ],
            denied: &["effusion", "pleural effusion", "pleural effusions", "pleural fluid"],
            denials: &[
                "costophrenic angles are sharp", "costophrenic angles are clear", "pleural effusion has resolved",
                "resolved pleural effusion",
            ],
        },
        Observation::PleuralOther => Wording {
            nouns: &["pleural thickening", "pleural plaque", "pleural scarring"],
            grades: &["mild"],
            places: &["left", "right", "bilateral", "biapical"],
            phrases: &[
                "apical pleural thickening", "calcified pleural plaques", "pleural plaques", "apical capping",
                "fibrothorax", "pleural calcification", "thickening of the pleura", "apical pleural capping",
            ],
            denied: &["pleural thickening", "pleural plaques"],
            denials: &[],
        },
        Observation::Fracture => Wording {
            nouns: &["rib fracture", "rib fractures", "clavicle fracture"],
            grades: &[],
            places: &["left", "right", "acute", "old", "healed"],
            phrases: &[
                "fracture", "fractures", "displaced rib fracture", "vertebral compression fracture",
                "compression fracture", "fractured rib", "humeral fracture", "multiple rib fractures",
                "healing rib fractures", "broken ribs", "fracture of the left clavicle",
            ],
            denied: &["fracture", "rib fracture", "acute fracture", "displaced fracture", "rib fractures"],
            denials: &[
                "no acute bony abnormality", "no acute osseous abnormality", "bony structures are intact",
                "osseous structures are intact",
            ],
        },
        Observation::SupportDevices => Wording {
            nouns: &[
                "PICC line", "chest tube", "central venous catheter", "port catheter", "subclavian line",
                "internal jugular catheter",
            ],
            grades: &[],
            places: &["left", "right"],
            phrases: &[
                "pacemaker", "cardiac pacemaker", "left chest pacemaker", "pacemaker leads", "ICD", "PICC", "ET tube",
                "endotracheal tube", "NG tube", "nasogastric tube", "feeding tube", "central line", "tracheostomy",
                "sternotomy wires", "surgical clips", "prosthetic valve", "support devices", "lines and tubes",
                "intubated", "tracheostomy tube", "Swan-Ganz catheter", "valve replacement", "spinal hardware",
            ],
            denied: &["pacemaker", "central line", "tubes", "chest tube", "support devices", "endotracheal tube"],
            denials: &["chest tube has been removed", "interval removal of the central line"],
        },
    }
}
