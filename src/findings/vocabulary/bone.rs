//! Fractures, and bones called intact.

use super::Entry;
use super::Says::{Excludes, Mask, Other, Shows, Suspects};
use crate::findings::observation::Observation::Fracture;

#[rustfmt::skip] // one phrase a line
pub(super) const PHRASES: &[Entry] = &[
    ("fracture|fractures|fractured|fx|fxs", Shows(&[Fracture])),
    ("rib|ribs|clavicle|clavicular|vertebral|sternal|humerus|humeral|scapular|compression ..2 fracture*", Shows(&[Fracture])),
    ("broken rib|ribs|clavicle|bone|collarbone", Shows(&[Fracture])),
    ("compression deformity|deformities", Suspects(&[Fracture])),
    ("wedge|wedging ..2 deformity|vertebra*", Suspects(&[Fracture])),
    ("vertebral ..2 compression|collapse|wedging", Suspects(&[Fracture])),
    ("loss of ..2 vertebral height", Suspects(&[Fracture])),
    ("fractured ..3 wire|wires|lead|leads|sternotomy", Other),
    ("fracture ..3 wire|wires|lead|leads|sternotomy", Other),
    ("deformity|deformities", Other),
    ("fracture fragment*", Shows(&[Fracture])),
    ("healing|healed rib ..1 deformity|deformities", Suspects(&[Fracture])),
    ("callus", Suspects(&[Fracture])),

    ("no ..1 acute|displaced? bony|osseous|bone|skeletal ..2 abnormalit*|finding*|injury|lesion*|process", Excludes(&[Fracture])),
    ("bony|osseous|bones|skeletal|ribs|skeleton ..5 intact|normal|unremarkable", Excludes(&[Fracture])),
    ("intact bony|osseous|bones|skeletal|ribs", Excludes(&[Fracture])),
    ("unremarkable|normal bony|osseous|bones|skeletal", Excludes(&[Fracture])),
    ("bony|osseous abnormalit*|lesion*", Other),
    ("bone density", Mask),
];
