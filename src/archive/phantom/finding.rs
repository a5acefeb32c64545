//! What is put into a phantom, and the labels that follow from it.

use crate::archive::study::{LabelOrigin, LabelSet};
use crate::findings::{Labels, Observation, Polarity, Severity, Side};

/// A third of a lung; by lobe: upper, middle (lingula on the left), lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Upper,
    Middle,
    Lower,
}

/// A support device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    Pacemaker,
    /// Tip in the superior vena cava, from the neck.
    CentralLine,
    /// The same from the arm.
    Picc,
    Port,
    EndotrachealTube,
    NasogastricTube,
    ChestTube,
    SternotomyWires,
    ValveProsthesis,
}

impl Device {
    pub fn name(self) -> &'static str {
        match self {
            Device::Pacemaker => "pacemaker",
            Device::CentralLine => "central venous catheter",
            Device::Picc => "PICC",
            Device::Port => "port",
            Device::EndotrachealTube => "endotracheal tube",
            Device::NasogastricTube => "nasogastric tube",
            Device::ChestTube => "chest tube",
            Device::SternotomyWires => "sternotomy wires",
            Device::ValveProsthesis => "valve prosthesis",
        }
    }
}

/// What kind of thing a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cardiomegaly,
    WideMediastinum,
    Effusion,
    Pneumothorax,
    Consolidation(Zone),
    Pneumonia(Zone),
    /// A hazy opacity of no particular nature.
    Opacity(Zone),
    Edema,
    /// Bands at the base with loss of volume.
    Atelectasis,
    Nodule(Zone),
    Mass(Zone),
    /// A broken rib, 3 to 9.
    RibFracture(u8),
    ClavicleFracture,
    /// Thickened pleura.
    Thickening,
    /// Calcified pleural plaques.
    Plaques,
    Device(Device),
}

/// One finding of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub kind: Kind,
    /// The patient's side, where it has one.
    pub side: Option<Side>,
    pub severity: Severity,
    /// Seed of its exact shape and place; the same in every film of the patient.
    pub shape: u64,
}

impl Finding {
    pub fn on(&self, side: Side) -> bool {
        self.side == Some(side) || self.side == Some(Side::Bilateral)
    }

    /// The observation that it is; its parents are added by [`truth`].
    pub fn observation(&self) -> Observation {
        match self.kind {
            Kind::Cardiomegaly => Observation::Cardiomegaly,
            Kind::WideMediastinum => Observation::EnlargedCardiomediastinum,
            Kind::Effusion => Observation::PleuralEffusion,
            Kind::Pneumothorax => Observation::Pneumothorax,
            Kind::Consolidation(_) => Observation::Consolidation,
            Kind::Pneumonia(_) => Observation::Pneumonia,
            Kind::Opacity(_) => Observation::LungOpacity,
            Kind::Edema => Observation::Edema,
            Kind::Atelectasis => Observation::Atelectasis,
            Kind::Nodule(_) | Kind::Mass(_) => Observation::LungLesion,
            Kind::RibFracture(_) | Kind::ClavicleFracture => Observation::Fracture,
            Kind::Thickening | Kind::Plaques => Observation::PleuralOther,
            Kind::Device(_) => Observation::SupportDevices,
        }
    }

    pub fn zone(&self) -> Option<Zone> {
        match self.kind {
            Kind::Consolidation(z) | Kind::Pneumonia(z) | Kind::Opacity(z) | Kind::Nodule(z) | Kind::Mass(z) => Some(z),
            _ => None,
        }
    }

    /// `Pleural Effusion, left, severe`; `Consolidation (upper), right, mild`; `Support Devices (pacemaker), left`.
    pub fn line(&self) -> String {
        let mut line = self.observation().name().to_owned();
        let detail = match self.kind {
            Kind::Device(d) => Some(d.name().to_owned()),
            Kind::Nodule(z) => Some(format!("nodule, {}", zone_name(z))),
            Kind::Mass(z) => Some(format!("mass, {}", zone_name(z))),
            Kind::RibFracture(n) => Some(format!("rib {n}")),
            Kind::ClavicleFracture => Some("clavicle".to_owned()),
            Kind::Thickening => Some("thickening".to_owned()),
            Kind::Plaques => Some("plaques".to_owned()),
            _ => self.zone().map(|z| zone_name(z).to_owned()),
        };
        if let Some(d) = detail {
            line.push_str(&format!(" ({d})"));
        }
        if let Some(side) = self.side {
            line.push_str(match side {
                Side::Left => ", left",
                Side::Right => ", right",
                Side::Bilateral => ", bilateral",
            });
        }
        if !matches!(self.kind, Kind::Device(_)) {
            line.push_str(match self.severity {
                Severity::Mild => ", mild",
                Severity::Moderate => ", moderate",
                Severity::Severe => ", severe",
            });
        }
        line
    }
}

fn zone_name(zone: Zone) -> &'static str {
    match zone {
        Zone::Upper => "upper",
        Zone::Middle => "middle",
        Zone::Lower => "lower",
    }
}

/// All 14 observations stated. As in CheXpert's hierarchy every airspace finding and lesion is also a `Lung Opacity`, and pneumonia a
/// `Consolidation`; `Enlarged Cardiomediastinum` means a wide mediastinum and not a large heart. `No Finding` allows support devices.
pub(super) fn truth(findings: &[Finding]) -> LabelSet {
    let mut labels: Labels = Observation::ALL.into_iter().map(|o| (o, Polarity::Absent)).collect();
    for f in findings {
        let o = f.observation();
        labels.set(o, Polarity::Present);
        if o == Observation::Pneumonia {
            labels.set(Observation::Consolidation, Polarity::Present);
        }
        if matches!(
            o,
            Observation::Pneumonia
                | Observation::Consolidation
                | Observation::Edema
                | Observation::Atelectasis
                | Observation::LungLesion
        ) {
            labels.set(Observation::LungOpacity, Polarity::Present);
        }
    }
    if labels.with(Polarity::Present).all(|o| o == Observation::SupportDevices) {
        labels.set(Observation::NoFinding, Polarity::Present);
    }
    LabelSet { origin: LabelOrigin::Truth, labels, other: findings.iter().map(Finding::line).collect() }
}
