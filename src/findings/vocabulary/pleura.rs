//! Pleural effusion, pneumothorax, other pleural disease.

use super::Entry;
use super::Says::{Excludes, Hints, Mask, Other, Shows, Suspects};
use crate::findings::observation::Observation::{PleuralEffusion, PleuralOther, Pneumothorax};

#[rustfmt::skip] // one phrase a line
pub(super) const PHRASES: &[Entry] = &[
    // Pleural effusion
    ("effusion|effusions", Shows(&[PleuralEffusion])),
    ("pleural|parapneumonic|subpulmonic|loculated|pleura ..2 effusion*", Shows(&[PleuralEffusion])),
    ("pleural ..1 fluid|fluids|collection|collections", Shows(&[PleuralEffusion])),
    ("fluid ..2 pleural", Shows(&[PleuralEffusion])),
    ("fluid ..5 fissure*", Shows(&[PleuralEffusion])),
    ("loculated|subpulmonic|fissural ..1 fluid", Shows(&[PleuralEffusion])),
    ("hemothorax|haemothorax|hydrothorax|chylothorax|empyema|pyothorax", Shows(&[PleuralEffusion])),
    ("hydropneumothorax|hemopneumothorax|haemopneumothorax|pyopneumothorax", Shows(&[PleuralEffusion, Pneumothorax])),
    ("costophrenic|costodiaphragmatic ..4 blunted|blunting|obscured|obliterated|obscuration", Hints(&[PleuralEffusion])),
    ("blunting|obscuration|obliteration ..6 costophrenic|costodiaphragmatic|sulcus|sulci|cp|angle|angles|recess", Hints(&[PleuralEffusion])),
    ("blunted|obscured ..4 costophrenic|sulcus|sulci|cp|angle|angles", Hints(&[PleuralEffusion])),
    ("cp|cpa angle|angles ..3 blunted|blunting|obscured", Hints(&[PleuralEffusion])),
    ("sulcus|sulci ..2 blunted|blunting", Hints(&[PleuralEffusion])),
    ("pleural effusion* or|and|versus|vs ..1 thickening", Shows(&[PleuralEffusion, PleuralOther])),
    ("effusion* or|and|versus|vs ..1 thickening", Shows(&[PleuralEffusion, PleuralOther])),
    ("fluid or|and|versus|vs ..1 pleural? thickening", Shows(&[PleuralEffusion, PleuralOther])),
    ("pericardial effusion*|fluid", Other),
    ("pericardial or pleural effusion*", Shows(&[PleuralEffusion])),
    ("pleural or pericardial effusion*", Shows(&[PleuralEffusion])),
    ("pleural and pericardial effusion*", Shows(&[PleuralEffusion])),
    ("joint|knee|hip|elbow|shoulder|subdural|ear ..1 effusion*", Mask),
    ("effusion of? the? knee|joint", Mask),
    ("layering fluid", Shows(&[PleuralEffusion])),
    ("loculated|layering collection", Shows(&[PleuralEffusion])),

    // Pneumothorax
    ("pneumothorax|pneumothoraces|pneumothoraxes|pneumothoracies|ptx|ptxs|pnx", Shows(&[Pneumothorax])),
    ("pneumo thorax", Shows(&[Pneumothorax])),
    ("air ..2 pleural space|cavity", Shows(&[Pneumothorax])),
    ("pleural air collection?", Shows(&[Pneumothorax])),
    ("collapsed|punctured lung", Shows(&[Pneumothorax])),
    ("deep sulcus sign", Suspects(&[Pneumothorax])),
    ("visceral pleural line", Shows(&[Pneumothorax])),

    // Pleural other
    ("thickening or|and|versus|vs ..1 fluid", Shows(&[PleuralEffusion, PleuralOther])),
    ("pleural|fissural|pleura ..2 thickening|thickened|scarring|scar|scars|plaque|plaques|calcification*|nodularity|cap|capping|density|densities|disease|fibrosis|mass|abnormality|lesion*", Shows(&[PleuralOther])),
    ("pleuroparenchymal|pleuro ..2 thickening|scarring|scar|change|changes|fibrosis", Shows(&[PleuralOther])),
    ("pleuroparenchymal|pleural ..1 irregularity|irregularities", Other),
    ("pleural parenchymal ..2 scarring|scar|thickening|changes|fibrosis", Shows(&[PleuralOther])),
    ("thickening|scarring|plaques|calcification ..3 pleura|pleural|fissure*", Shows(&[PleuralOther])),
    ("thickened ..2 pleura|fissure*", Shows(&[PleuralOther])),
    ("pleura ..4 thickened|calcified", Shows(&[PleuralOther])),
    ("calcified pleural plaque*", Shows(&[PleuralOther])),
    ("apical|biapical ..1 cap|caps|capping", Shows(&[PleuralOther])),
    ("apical|biapical ..1 thickening", Shows(&[PleuralOther])),
    ("fibrothorax", Shows(&[PleuralOther])),
    ("mesothelioma", Shows(&[PleuralOther])),
    ("pleural based ..2 mass|masses|nodule*|opacity|density|lesion*", Shows(&[PleuralOther])),
    ("pleural abnormalit*|disease|process|lesion*", Shows(&[PleuralOther])),
    ("plaques", Shows(&[PleuralOther])),
    ("bronchial ..1 thickening", Other),
    ("peribronchial|bronchial|septal|wall|cuffing thickening", Other),
    ("paratracheal ..2 thickening", Mask),

    // The pleura called normal
    ("pleural space|spaces|surfaces|recesses ..4 clear|normal|unremarkable", Excludes(&[PleuralEffusion, Pneumothorax, PleuralOther])),
    ("pleura ..3 normal|unremarkable|clear", Excludes(&[PleuralEffusion, Pneumothorax, PleuralOther])),
    ("clear|normal pleural space|spaces|surfaces", Excludes(&[PleuralEffusion, Pneumothorax, PleuralOther])),
    ("costophrenic|cp ..3 clear|sharp|preserved|normal", Excludes(&[PleuralEffusion])),
    ("sulcus|sulci ..3 clear|sharp", Excludes(&[PleuralEffusion])),
    ("sharp|clear costophrenic", Excludes(&[PleuralEffusion])),
];
