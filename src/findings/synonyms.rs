//! Words of chest radiography that mean the same, for keyword search: other names, abbreviations, plurals that no stemmer knows,
//! British and American spelling.
//!
//! The groups hold what a radiologist would accept as the same statement, not what implies it: "effusion" and "pleural fluid", not
//! "blunted costophrenic angle". Terms: Fleischner Society glossary (Hansell et al., Radiology 2008; Bankier et al., Radiology 2024),
//! RadLex preferred names and synonyms, and the abbreviations of intensive care (ETT, NGT, PICC).

/// Each line means one thing; American spelling.
#[rustfmt::skip] // one notion a line
pub const GROUPS: &[&[&str]] = &[
    // heart and vessels
    &["cardiomegaly", "enlarged heart", "heart enlarged", "cardiac enlargement", "enlargement heart", "enlarged cardiac silhouette", "enlarged cardiopericardial silhouette", "big heart", "cmg"],
    &["congestive heart failure", "chf", "heart failure", "cardiac failure", "cardiac decompensation"],
    &["pulmonary edema", "lung edema", "edema lungs"],
    &["vascular congestion", "pulmonary venous congestion", "pulmonary congestion", "vascular engorgement", "cephalization"],
    &["coronary artery bypass", "cabg", "coronary bypass"],
    &["median sternotomy", "sternotomy wires", "sternal wires"],
    &["aortic tortuosity", "tortuous aorta", "unfolded aorta"],
    &["aortic calcification", "calcified aorta", "atherosclerotic aorta", "aortic atherosclerosis"],
    &["pulmonary embolism", "pulmonary embolus", "pulmonary emboli"],
    &["pulmonary hypertension", "pulmonary arterial hypertension", "pah"],
    &["pericardial effusion", "pericardial fluid"],
    // mediastinum and hila
    &["widened mediastinum", "mediastinal widening", "wide mediastinum", "enlarged mediastinum", "enlarged cardiomediastinum"],
    &["hilar", "hilum", "hila", "hilus"],
    &["lymphadenopathy", "adenopathy", "enlarged lymph nodes", "enlarged nodes"],
    &["pneumomediastinum", "mediastinal emphysema", "mediastinal air"],
    &["hiatal hernia", "hiatus hernia"],
    // pleura
    &["pneumothorax", "ptx", "pnx", "pneumothoraces", "collapsed lung"],
    &["pleural effusion", "pleural fluid", "pleural effusions", "fluid pleural space"],
    &["hemothorax", "hemothoraces", "pleural blood"],
    &["hydropneumothorax", "hydropneumothoraces"],
    &["empyema", "pyothorax"],
    &["chylothorax", "chylothoraces"],
    &["pleural thickening", "thickened pleura", "apical capping", "apical cap"],
    &["costophrenic angle", "costophrenic sulcus", "cp angle", "costophrenic recess"],
    // lung
    &["atelectasis", "atelectases", "atelectatic", "volume loss"],
    &["consolidation", "airspace disease", "air space disease", "airspace opacity", "airspace opacification"],
    &["opacity", "opacification", "density", "infiltrate", "infiltration"],
    &["pneumonia", "pna", "pneumonic", "bronchopneumonia"],
    &["nodule", "nodular opacity", "nodular density", "coin lesion"],
    &["metastasis", "metastases", "metastatic disease", "mets"],
    &["lung cancer", "bronchogenic carcinoma", "bronchial carcinoma", "lung carcinoma"],
    &["tumor", "neoplasm", "neoplastic"],
    &["chronic obstructive pulmonary disease", "copd", "chronic obstructive lung disease"],
    &["emphysema", "emphysematous"],
    &["hyperinflation", "hyperinflated", "hyperexpanded", "hyperexpansion", "hyperaeration"],
    &["interstitial lung disease", "ild"],
    &["pulmonary fibrosis", "lung fibrosis", "ipf", "fibrotic changes"],
    &["scarring", "scar", "fibrosis"],
    &["granuloma", "granulomata", "granulomatous"],
    &["tuberculosis", "tb", "tuberculous"],
    &["acute respiratory distress syndrome", "ards"],
    &["bronchiectasis", "bronchiectatic"],
    &["bulla", "bullae", "bullous"],
    &["cavity", "cavitation", "cavitary"],
    &["peribronchial thickening", "peribronchial cuffing", "bronchial wall thickening"],
    &["ground glass", "groundglass", "ggo"],
    &["apex", "apices", "apical"],
    &["base", "basilar", "basal"],
    // regions
    &["right upper lobe", "rul"],
    &["right middle lobe", "rml"],
    &["right lower lobe", "rll"],
    &["left upper lobe", "lul"],
    &["left lower lobe", "lll"],
    &["bilateral", "both sides"],
    // bones and soft tissue
    &["fracture", "broken", "fx"],
    &["vertebra", "vertebrae", "vertebral"],
    &["degenerative joint disease", "djd", "osteoarthritis"],
    &["osteopenia", "osteopenic", "demineralization"],
    &["scoliosis", "scoliotic", "spinal curvature"],
    &["subcutaneous emphysema", "subcutaneous air", "subcutaneous gas", "surgical emphysema"],
    &["pneumoperitoneum", "free air", "free intraperitoneal air", "free subdiaphragmatic air"],
    &["elevated hemidiaphragm", "hemidiaphragm elevation", "elevated diaphragm", "raised hemidiaphragm"],
    // devices
    &["endotracheal tube", "ett", "et tube", "breathing tube"],
    &["nasogastric tube", "ngt", "ng tube", "enteric tube", "orogastric tube", "ogt", "feeding tube", "dobhoff tube"],
    &["peripherally inserted central catheter", "picc", "picc line"],
    &["central venous catheter", "cvc", "central line", "central venous line", "cvl"],
    &["chest tube", "thoracostomy tube", "pleural drain", "intercostal drain", "pigtail catheter", "chest drain"],
    &["pacemaker", "ppm", "pacing device", "cardiac pacer"],
    &["implantable cardioverter defibrillator", "icd", "aicd", "defibrillator"],
    &["port a cath", "portacath", "mediport", "port catheter"],
    &["swan ganz catheter", "pulmonary artery catheter"],
    &["tracheostomy tube", "tracheostomy", "trach"],
    &["intra aortic balloon pump", "iabp", "aortic balloon pump"],
    &["surgical clips", "surgical staples"],
    // the chest as a whole
    &["chest x ray", "chest radiograph", "cxr", "chest film", "chest xray"],
    &["no acute cardiopulmonary disease", "no acute cardiopulmonary abnormality", "no acute cardiopulmonary process"],
    &["shortness of breath", "sob", "dyspnea"],
    &["intensive care unit", "icu"],
];

/// British beginnings of words and the American ones.
const BRITISH: &[(&str, &str)] = &[
    ("oedem", "edem"),
    ("haemat", "hemat"),
    ("haemo", "hemo"),
    ("oesoph", "esoph"),
    ("anaem", "anem"),
    ("ischaem", "ischem"),
    ("hypoxaem", "hypoxem"),
    ("bacteraem", "bacterem"),
    ("leukaem", "leukem"),
    ("tumour", "tumor"),
    ("paediatr", "pediatr"),
    ("orthopaed", "orthoped"),
    ("caecum", "cecum"),
    ("aetiolog", "etiolog"),
    ("dyspnoea", "dyspnea"),
    ("apnoea", "apnea"),
    ("diarrhoea", "diarrhea"),
    ("foetal", "fetal"),
    ("centre", "center"),
    ("fibre", "fiber"),
    ("calibre", "caliber"),
    ("colour", "color"),
    ("grey", "gray"),
    ("catheteris", "catheteriz"),
    ("localis", "localiz"),
    ("visualis", "visualiz"),
    ("hospitalis", "hospitaliz"),
    ("demineralis", "demineraliz"),
    ("cephalis", "cephaliz"),
    ("organis", "organiz"),
    ("generalis", "generaliz"),
    ("stabilis", "stabiliz"),
    ("normalis", "normaliz"),
];

/// A text in lower case with American spelling.
pub fn american(text: &str) -> String {
    swap(text, |(british, american)| (british, american))
}

/// A text in lower case with British spelling, as far as the beginnings of its words tell.
pub fn british(text: &str) -> String {
    swap(text, |(british, american)| (american, british))
}

fn swap(text: &str, way: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str)) -> String {
    let word = |word: &str| {
        let mut pairs = BRITISH.iter().map(|pair| way(*pair));
        let turned = pairs.find_map(|(from, to)| Some(format!("{to}{}", word.strip_prefix(from)?)));
        turned.unwrap_or_else(|| word.to_owned())
    };
    text.to_lowercase().split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Words that carry no notion of their own: "the heart is enlarged" asks for a heart and for enlarged.
pub const FUNCTION_WORDS: &[&str] = &[
    "a", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "for", "from", "has", "have", "in", "is",
    "it", "no", "nor", "not", "of", "on", "or", "show", "shows", "seen", "than", "that", "the", "there", "these",
    "this", "to", "was", "were", "which", "with", "without",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_two_members_and_no_word_is_in_two() {
        let mut seen = std::collections::HashSet::new();
        for group in GROUPS {
            assert!(group.len() > 1, "{group:?}");
            for name in *group {
                assert!(seen.insert(*name), "{name} stands twice");
                assert_eq!(*name, american(name), "American spelling, in lower case");
            }
        }
    }

    #[test]
    fn spelling() {
        assert_eq!(american("Pulmonary Oedema"), "pulmonary edema");
        assert_eq!(british("hemothorax tumors"), "haemothorax tumours");
        assert_eq!(american("haemothorax tumours"), "hemothorax tumors");
        assert_eq!(british("left hemidiaphragm"), "left hemidiaphragm");
        assert_eq!(american("hemidiaphragm"), "hemidiaphragm");
    }
}
