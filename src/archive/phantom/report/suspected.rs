//! What is said of a subtle finding that the reader does not commit to.

use super::super::finding::{Finding, Kind};
use super::Statement;
use super::words::Words;
use crate::findings::Polarity;

/// A subtle finding that the reader does not commit to.
pub(super) fn suspect(f: &Finding, w: &mut Words) -> Statement {
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
