//! What is said of support devices.

use super::super::finding::{Device, Finding};
use super::Statement;
use super::words::Words;
use crate::findings::Polarity;

/// A device and where it lies.
pub(super) fn device(device: Device, f: &Finding, w: &mut Words) -> Statement {
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
