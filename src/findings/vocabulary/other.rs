//! Abnormalities outside the 14 observations, and look-alikes.

use super::Entry;
use super::Says::{Mask, Other};

#[rustfmt::skip] // one phrase a line
pub(super) const PHRASES: &[Entry] = &[
    // Lungs and airways
    ("emphysem*|copd|bronchiectasis|bronchiectatic|bulla|bullae|bullous|bleb|blebs|asthma|sarcoid*", Other),
    ("hyperinflat*|hyperexpan*|hyperlucen*|hyperaerat*|overinflat*|overexpan*|hypoinflat*|hypoventilat*|hypoaerat*|underinflat*|hypoexpan*", Other),
    ("low|decreased|diminished|small|reduced|shallow lung? volume|volumes|inspiration|aeration", Other),
    ("lung volumes ..2 low|decreased|small|diminished|reduced", Other),
    ("air trapping", Other),
    ("flattening|flattened ..3 diaphragm*|hemidiaphragm*", Other),
    ("diaphragm*|hemidiaphragm* ..3 flattened|flattening", Other),
    ("chronic ..2 changes|change|disease|obstructive", Other),
    ("scar|scars|scarring|fibrosis|fibrotic|cicatri*", Other),
    ("peribronchial|bronchial ..1 cuffing|thickening", Other),
    ("bronchitis|bronchitic|bronchiolitis", Other),
    ("interstitial|bronchovascular markings", Other),
    ("honeycomb*", Other),
    ("azygos lobe|fissure", Other),
    ("postsurgical|postoperative|postradiation|radiation change|changes", Other),
    ("lobectomy|pneumonectomy|mastectomy|resection", Other),
    // Diaphragm and abdomen
    ("elevated|elevation ..4 diaphragm*|hemidiaphragm*", Other),
    ("bihilar|hilar|perihilar prominence|fullness|enlargement", Other),
    ("diaphragm*|hemidiaphragm* ..3 elevated|elevation|eventration", Other),
    ("eventration", Other),
    ("hernia*", Other),
    ("pneumoperitoneum", Other),
    ("free|intraperitoneal ..2 air", Other),
    ("distended|dilated ..2 bowel|stomach|colon", Other),
    // Vessels, nodes, calcium
    ("tortuous|tortuosity|ectatic|ectasia|unfolded|unfolding|uncoiled|aneurysm*", Other),
    ("atherosclero*|arterioscler*|calcinosis|calcification*|calcified|calcific", Other),
    ("prominent|dilated|enlarged ..3 aorta|aortic|arch|artery|arteries|hilum|hila|hilar", Other),
    ("aorta|aortic|hila|hilum|hilar ..3 prominent|dilated|enlarged|prominence|enlargement", Other),
    ("prominence|enlargement|fullness ..3 hilum|hila|hilar|aorta|aortic|vascular*|vasculature", Other),
    ("vascular* ..3 prominent|accentuated|prominence|engorged", Other),
    ("prominent|accentuated|indistinct ..2 vascular*|vasculature", Other),
    ("prominent ..1 epicardial|pericardial fat", Other),
    ("adenopathy|lymphadenopathy", Other),
    ("pulmonary hypertension", Other),
    // Bones and soft tissue
    ("degenerat*|spondylo*|spondylosis|scolio*|kypho*|osteophyt*|spur|spurs|spurring|arthritis|arthritic|arthrosis|osteoarthritis|dextroscoliosis|levoscoliosis", Other),
    ("dextrocurvature|levocurvature|curvature|dish|syndesmophyte*|endplate|hyperostosis", Other),
    ("osteopeni*|osteoporo*|demineraliz*", Other),
    ("dislocat*|subluxation|separation", Other),
    ("subcutaneous emphysema|air|gas", Other),
    ("pneumomediastinum|pneumopericardium", Other),
    ("mediastinal|cardiomediastinal|tracheal shift|deviation", Other),
    ("foreign body|bodies", Other),
    ("bullet*|shrapnel|cholecystectomy", Other),
    ("implant|implants", Other),
    ("lucency|lucencies|fusion|contrast|suture|sutures", Other),
    ("cervical rib*", Other),
    ("anomaly|anomalies|anomalous|congenital", Other),
    ("cyst|cysts|cystic", Other),
    ("tuberculosis|tb", Other),
    // Look-alikes
    ("calcified granuloma*", Other),
    ("soft tissue|tissues", Mask),
];
