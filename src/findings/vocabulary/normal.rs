//! Statements of normality: of the lungs, and of the chest as a whole.

use super::Entry;
use super::Says::{Excludes, Mask, Normal};
use crate::findings::observation::Observation::{
    self, Atelectasis, Cardiomegaly, Consolidation, Edema, EnlargedCardiomediastinum, Fracture, LungLesion,
    LungOpacity, PleuralEffusion, PleuralOther, Pneumonia, Pneumothorax,
};

/// What clear lungs exclude.
const CLEAR: &[Observation] = &[LungOpacity, LungLesion, Edema, Consolidation, Pneumonia, Atelectasis];
/// What the absence of acute disease excludes.
const ACUTE: &[Observation] = &[Edema, Consolidation, Pneumonia, Pneumothorax];
/// What a normal chest excludes.
const CHEST: &[Observation] = &[
    EnlargedCardiomediastinum,
    Cardiomegaly,
    LungOpacity,
    LungLesion,
    Edema,
    Consolidation,
    Pneumonia,
    Atelectasis,
    Pneumothorax,
    PleuralEffusion,
    PleuralOther,
    Fracture,
];

#[rustfmt::skip] // one phrase a line
pub(super) const PHRASES: &[Entry] = &[
    // The lungs
    ("lung|lungs|pulmonary ...5 clear", Excludes(CLEAR)),
    ("lung|lungs fields|parenchyma|bases? ..4 clear|normal|unremarkable", Excludes(CLEAR)),
    ("lung|lungs ...4 normal|unremarkable", Excludes(CLEAR)),
    ("lung|lungs ..3 normally aerated", Excludes(CLEAR)),
    ("clear ..1 lungs|lung", Excludes(CLEAR)),
    ("normal|unremarkable lungs", Excludes(CLEAR)),
    ("lung|lungs volumes ..4 low? normal", Mask),
    ("normal lung volumes", Mask),
    ("left|right ..2 lung|base|lobe ...4 clear|normal", Mask),
    ("clear left|right lung", Mask),
    ("lung|lungs ...4 clear of", Mask),
    ("retrosternal clear", Mask),
    ("clear cut", Mask),
    ("pulmonary vascular* ..5 clear|normal|unremarkable", Excludes(&[Edema])),
    ("normal pulmonary vascular*", Excludes(&[Edema])),
    ("pulmonary vascular* ..4 within ..1 normal", Excludes(&[Edema])),
    ("vascularity|vasculature ..3 normal|unremarkable", Excludes(&[Edema])),

    // The chest
    ("no|without ..4 acute|active ...2 cardiopulmonary|cardiac|pulmonary|intrathoracic|thoracic|cardiothoracic|chest|lung|pleural|pleuropulmonary ..4 disease|abnormalit*|process*|finding*|pathology|changes|change|issue", Normal(ACUTE)),
    ("no|without ..3 acute|active disease|abnormalit*|process*|finding*|pathology|change|changes", Normal(ACUTE)),
    ("no|without ..3 cardiopulmonary|cardiothoracic|intrathoracic ..2 disease|abnormalit*|process*|finding*|pathology", Normal(ACUTE)),
    ("no ..2 radiographic ..1 abnormalit*", Normal(ACUTE)),
    ("no abnormalit*", Normal(ACUTE)),
    ("no ..2 significant|pathologic|abnormal finding*|abnormalit*", Normal(ACUTE)),
    ("no finding|findings", Normal(CHEST)),
    ("negative for acute ..3 disease|abnormalit*|process*|finding*", Normal(ACUTE)),
    ("no ..2 acute|active ..1 bony|osseous|bone|skeletal ..2 abnormalit*|finding*|process|injury|lesion*", Excludes(&[Fracture])),
    ("normal ..2 chest|cxr", Normal(CHEST)),
    ("normal ..1 radiograph|xray|film|study|exam|examination", Normal(CHEST)),
    ("normal x ray", Normal(CHEST)),
    ("unremarkable|negative ..2 chest|cxr", Normal(CHEST)),
    ("unremarkable|negative ..1 radiograph|xray|film|study|exam|examination", Normal(CHEST)),
    ("chest|cxr ..2 normal|unremarkable|negative", Normal(CHEST)),
    ("healthy ..1 chest|patient|subject|person", Normal(CHEST)),
    ("healthy lungs", Excludes(CLEAR)),
    ("within normal limits chest", Normal(CHEST)),
    ("views|view|radiographs|radiograph|films|film|images|portions|parts|xxxx|structures|bones|skeleton|tissues of the? chest ..2 normal|unremarkable|negative", Mask),
    ("chest show|shows|showing|demonstrate|demonstrates|reveal|reveals ..1 normal|unremarkable", Mask),
    ("no finding|findings of|for|to|suggest*|suspicious|concerning|consistent|indicative|that", Mask),
    ("no abnormalit* of|in|to|within", Mask),
    ("osseous|bony|bones|bone|skeletal|skeleton|ribs|spine ...16 no|without ..2 acute ..2 abnormalit*|finding*|process|injury", Excludes(&[Fracture])),
    ("abdomen|abdominal|bowel ...8 no|without ..2 acute ..2 abnormalit*|finding*|process", Mask),
    ("no bony|osseous abnormalit*", Excludes(&[Fracture])),
];
