//! Opacities, lesions, edema, consolidation, pneumonia, atelectasis.

use super::Entry;
use super::Says::{Excludes, Hints, Mask, Other, Shows, Suspects};
use crate::findings::observation::Observation::{
    Atelectasis, Consolidation, Edema, LungLesion, LungOpacity, PleuralEffusion, Pneumonia,
};

#[rustfmt::skip] // one phrase a line
pub(super) const PHRASES: &[Entry] = &[
    // Lung opacity
    ("opaci*", Shows(&[LungOpacity])),
    ("opaque", Shows(&[LungOpacity])),
    ("infiltrat*", Shows(&[LungOpacity])),
    ("airspace|airspaces|alveolar disease*|process|abnormalit*|opaci*|infiltrate*|density|densities|change|changes|filling", Shows(&[LungOpacity])),
    ("air space disease*|process|abnormalit*|opaci*|infiltrate*|density|densities|change|changes", Shows(&[LungOpacity])),
    ("density|densities", Shows(&[LungOpacity])),
    ("haziness|haze|hazy", Shows(&[LungOpacity])),
    ("whiteout", Shows(&[LungOpacity])),
    // lay words
    ("fluid|water in|on ..2 lung|lungs", Suspects(&[Edema, PleuralEffusion])),
    ("white out", Shows(&[LungOpacity])),
    ("ground glass", Shows(&[LungOpacity])),
    ("groundglass", Shows(&[LungOpacity])),
    ("ggo", Shows(&[LungOpacity])),
    ("increased|prominent|coarse|coarsened|accentuated|abnormal ..2 markings", Shows(&[LungOpacity])),
    ("increased|prominent|coarse|coarsened ..2 reticular|interstitial", Shows(&[LungOpacity])),
    ("prominence of the? interstitial|reticular ..1 markings?", Shows(&[LungOpacity])),
    ("interstitial ..1 markings ..3 increased|prominent|accentuated", Shows(&[LungOpacity])),
    ("interstitial lung? prominence|thickening|accentuation|disease|changes|abnormalit*|pattern|process|infiltrate*", Shows(&[LungOpacity])),
    ("reticulonodular|reticular pattern|changes|markings|opaci*|densit*|interstitial", Shows(&[LungOpacity])),
    ("bone|bony|osseous|sclerotic|cortical ..1 density|densities|opaci*", Other),
    ("soft tissue density|densities ..4 neck|axilla|breast|wall", Other),
    ("bone|bony density|mineral*", Mask),
    ("calcific|calcified|metallic|metal|radiopaque density|densities", Other),
    ("calcific|calcified|metallic opaci*", Other),
    ("bone mineral density", Mask),
    ("mediastin*|paratracheal density|opacity", Shows(&[LungOpacity])),
    ("foreign body density", Other),
    ("normal density", Mask),
    ("bronchovascular|bronchial|vascular|pulmonary crowding", Other),
    ("crowding", Other),

    // Lung lesion
    ("nodul*", Shows(&[LungLesion])),
    // the annotators of Open-I call a nodular opacity a round opacity, not a nodule
    ("nodular ..4 opaci*|density|densities", Shows(&[LungOpacity])),
    ("mass|masses", Shows(&[LungLesion])),
    ("masslike", Shows(&[LungLesion])),
    ("mass like", Shows(&[LungLesion])),
    ("masslike opaci*|consolidation*|density", Shows(&[LungLesion, LungOpacity])),
    ("lesion|lesions", Shows(&[LungLesion])),
    ("cavitary ..1 lesion*|nodule*|mass|masses|opacity", Shows(&[LungLesion])),
    ("cavitation|cavity|cavities|cavitary", Other),
    // a disease alone is no lesion on the film
    ("neoplas*|tumor|tumors|tumour*|malignan*|carcinoma|cancer|metasta*", Other),
    ("lung|pulmonary|bronchogenic neoplas*|tumor|tumors|tumour*|malignan*|carcinoma|cancer|metasta*", Shows(&[LungLesion])),
    ("coin lesion", Shows(&[LungLesion])),
    ("bone|bony|osseous|rib|ribs|lytic|blastic|sclerotic|skeletal ..2 lesion*|metasta*|nodule*|mass|masses", Other),
    ("lesion|lesions ..1 in|of|within|involving ..5 rib|ribs|humer*|clavic*|vertebra*|spine|scapula*|bone|bones|sternum", Other),
    ("expansile|lucent ..1 lesion*", Other),
    ("calcified|calcific|granulomatous ..4 nodule*|nodular|lesion*|mass|masses", Other),
    ("nodul* ..2 is|are|appear|appears ..3 calcified", Other),
    ("noncalcified ..2 nodule*|nodular", Shows(&[LungLesion])),
    ("uncalcified ..2 nodule*|nodular", Shows(&[LungLesion])),
    ("non calcified ..2 nodule*|nodular", Shows(&[LungLesion])),
    ("granuloma|granulomas|granulomata|granulomatous", Other),
    ("nipple shadow|shadows|marker|markers", Mask),
    ("thyroid|breast|adrenal|renal|abdominal|hepatic|splenic ..1 mass|masses|nodule*|lesion*", Other),
    ("mass|masses|nodule*|lesion* in|of|within ..2 breast|thyroid|liver|kidney|adrenal|neck|abdomen|axilla", Other),
    ("soft tissue mass|masses|nodule*|lesion*", Other),
    ("chest wall mass|masses|nodule*|lesion*", Other),
    ("body mass", Mask),
    ("nodul* ..1 liver|contour", Mask),

    // Edema
    ("edema|oedema", Shows(&[Edema])),
    ("pulmonary|interstitial|alveolar|cardiogenic ..2 edema|oedema", Shows(&[Edema])),
    ("heart|cardiac|ventricular failure", Hints(&[Edema])),
    ("chf", Hints(&[Edema])),
    ("cardiac decompensation", Hints(&[Edema])),
    ("vascular|venous|pulmonary ..1 congestion", Hints(&[Edema])),
    ("pulmonary vascular congestion", Hints(&[Edema])),
    ("congestion|congested", Hints(&[Edema])),
    ("congestive changes|change|failure|pattern", Hints(&[Edema])),
    ("volume|fluid overload", Other),
    ("vascular|venous engorgement ..4 within ..1 limits|normal", Excludes(&[Edema])),
    ("vascular|venous congestion ..4 within ..1 limits|normal", Excludes(&[Edema])),
    ("kerley b? lines?", Shows(&[Edema])),
    ("septal lines|thickening", Other),
    ("cephalization", Hints(&[Edema])),
    ("vascular|venous redistribution", Hints(&[Edema])),
    ("vascular|venous engorgement", Hints(&[Edema])),
    ("laryngeal|subcutaneous|peripheral|leg|ankle|cerebral|pedal edema|oedema", Mask),
    ("soft tissue edema|oedema", Mask),
    ("swelling", Mask),

    // Consolidation
    ("consolidat*", Shows(&[Consolidation])),
    ("airspace|alveolar|lobar consolidat*", Shows(&[Consolidation])),
    ("air space consolidat*", Shows(&[Consolidation])),
    ("air bronchogram*", Shows(&[Consolidation])),
    ("hepatization", Shows(&[Consolidation])),

    // Pneumonia
    ("pneumonia|pneumonias|pneumonitis|pneumonic|bronchopneumonia|pna", Shows(&[Pneumonia])),
    // a bare infection may be bronchitis, tuberculosis, an abscess: only one of the lung is a pneumonia
    ("pulmonary|lung|chest|lobar ..1 infection", Suspects(&[Pneumonia])),
    ("infection|infectious", Other),
    ("interstitial|hypersensitivity|radiation|idiopathic pneumonitis", Other),
    ("usual|nonspecific|idiopathic|desquamative interstitial pneumonia|pneumonias", Other),
    ("idiopathic interstitial pneumonitis", Other),
    ("prior|previous|old|remote ..4 pneumonia", Other),
    ("prior|previous|old|remote|healed|chronic ..1 infection|infectious|tuberculosis", Other),
    ("sequela|sequelae ..5 infection|infectious|pneumonia", Other),
    ("granulomatous infection|process|disease", Other),
    ("parapneumonic", Mask),

    // Atelectasis
    ("atelecta*", Shows(&[Atelectasis])),
    ("collapse|collapsed", Shows(&[Atelectasis])),
    ("lung|lobe|lobar|pulmonary ..2 collapse|collapsed", Shows(&[Atelectasis])),
    ("collapse of ..3 lung|lobe|lobes", Shows(&[Atelectasis])),
    ("volume loss", Hints(&[Atelectasis])),
    ("loss of ..1 volume", Hints(&[Atelectasis])),
    ("vertebral|body|bodies|compression ..1 collapse", Mask),
];
