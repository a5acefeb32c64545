//! What a patient has, film by film: a disease, its findings at the first film, and how they change.

use super::chance::Chance;
use super::finding::{Device, Finding, Kind, Zone};
use crate::findings::{Severity, Side};

/// Why the patient is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disease {
    Well,
    HeartFailure,
    Infection,
    IntensiveCare,
    Trauma,
    Tumour,
    Aorta,
    Pleura,
    AfterSurgery,
    Unclear,
}

impl Disease {
    /// Shares of the patients; about a third of the films then shows nothing.
    pub fn draw(c: &mut Chance) -> Self {
        const ALL: [(Disease, f32); 10] = [
            (Disease::Well, 0.26),
            (Disease::HeartFailure, 0.145),
            (Disease::Infection, 0.13),
            (Disease::IntensiveCare, 0.09),
            (Disease::Trauma, 0.08),
            (Disease::Tumour, 0.07),
            (Disease::Aorta, 0.035),
            (Disease::Pleura, 0.03),
            (Disease::AfterSurgery, 0.045),
            (Disease::Unclear, 0.03),
        ];
        ALL[c.weighted(&ALL.map(|a| a.1))].0
    }

    /// Chance that the patient lies in bed for the film.
    pub fn bedside(self) -> f32 {
        match self {
            Disease::IntensiveCare => 0.97,
            Disease::AfterSurgery | Disease::Trauma => 0.5,
            Disease::HeartFailure => 0.4,
            Disease::Infection => 0.25,
            _ => 0.12,
        }
    }
}

fn severity(c: &mut Chance) -> Severity {
    [Severity::Mild, Severity::Moderate, Severity::Severe][c.weighted(&[0.42, 0.36, 0.22])]
}

fn side(c: &mut Chance) -> Side {
    if c.happens(0.5) { Side::Left } else { Side::Right }
}

fn zone(c: &mut Chance) -> Zone {
    [Zone::Upper, Zone::Middle, Zone::Lower][c.weighted(&[0.3, 0.22, 0.48])]
}

/// Collects findings, each kind once a side.
struct Draw<'a> {
    c: &'a mut Chance,
    list: Vec<Finding>,
}

impl Draw<'_> {
    fn add(&mut self, kind: Kind, side: Option<Side>, severity: Severity) {
        let same = |f: &Finding| std::mem::discriminant(&f.kind) == std::mem::discriminant(&kind);
        let device = |f: &Finding| f.kind == kind;
        let twice = self.list.iter().any(|f| match kind {
            Kind::Device(_) => device(f),
            // one lung is not both consolidated twice over
            _ => same(f) && f.side == side,
        });
        if !twice {
            let shape = self.c.seed();
            self.list.push(Finding { kind, side, severity, shape });
        }
    }

    fn maybe(&mut self, p: f32, kind: Kind, side: Option<Side>) {
        let (yes, s) = (self.c.happens(p), severity(self.c));
        if yes {
            self.add(kind, side, s);
        }
    }

    fn device(&mut self, p: f32, device: Device) {
        let (yes, s) = (self.c.happens(p), side(self.c));
        let side = match device {
            Device::Pacemaker => Some(if self.c.happens(0.85) { Side::Left } else { Side::Right }),
            Device::CentralLine | Device::Picc | Device::Port => {
                Some(if self.c.happens(0.7) { Side::Right } else { s })
            }
            Device::ChestTube => {
                self.list.iter().find(|f| f.kind == Kind::Pneumothorax).and_then(|f| f.side).or(Some(s))
            }
            _ => None,
        };
        if yes {
            self.add(Kind::Device(device), side, Severity::Mild);
        }
    }

    fn effusions(&mut self, both: f32, one: f32) {
        if self.c.happens(both) {
            let (l, r) = (severity(self.c), severity(self.c));
            self.add(Kind::Effusion, Some(Side::Left), l);
            self.add(Kind::Effusion, Some(Side::Right), r);
        } else {
            let s = side(self.c);
            self.maybe(one, Kind::Effusion, Some(s));
        }
    }
}

/// The findings of the first film. `age` in years.
pub(super) fn onset(disease: Disease, age: f32, c: &mut Chance) -> Vec<Finding> {
    let mut d = Draw { c, list: Vec::new() };
    let (s, z) = (side(d.c), zone(d.c));
    let here = Some(s);
    let rib = 3 + d.c.index(7) as u8;
    match disease {
        Disease::Well => {
            d.device(0.03, Device::Port);
            d.device(0.02, Device::Pacemaker);
            d.maybe(if age > 65.0 { 0.05 } else { 0.01 }, Kind::Cardiomegaly, None);
        }
        Disease::HeartFailure => {
            d.maybe(0.86, Kind::Cardiomegaly, None);
            d.maybe(0.6, Kind::Edema, Some(Side::Bilateral));
            d.effusions(0.35, 0.4);
            d.maybe(0.15, Kind::Atelectasis, here);
            d.device(0.25, Device::Pacemaker);
            d.device(0.25, Device::SternotomyWires);
            d.device(0.08, Device::ValveProsthesis);
        }
        Disease::Infection => {
            d.maybe(0.9, Kind::Pneumonia(z), here);
            let other = Some(if s == Side::Left { Side::Right } else { Side::Left });
            let far = zone(d.c);
            d.maybe(0.2, Kind::Pneumonia(far), other);
            d.maybe(0.25, Kind::Effusion, here);
            d.maybe(0.1, Kind::Atelectasis, here);
            d.device(0.08, Device::Picc);
        }
        Disease::IntensiveCare => {
            d.maybe(0.4, Kind::Edema, Some(Side::Bilateral));
            d.effusions(0.2, 0.3);
            d.maybe(0.25, Kind::Consolidation(z), here);
            d.maybe(0.4, Kind::Atelectasis, here);
            d.maybe(0.1, Kind::Pneumothorax, here);
            d.maybe(0.25, Kind::Cardiomegaly, None);
            d.device(0.75, Device::EndotrachealTube);
            d.device(0.65, Device::NasogastricTube);
            d.device(0.65, Device::CentralLine);
            d.device(0.15, Device::ChestTube);
        }
        Disease::Trauma => {
            d.maybe(0.68, Kind::Pneumothorax, here);
            d.maybe(0.45, Kind::RibFracture(rib), here);
            d.maybe(0.1, Kind::ClavicleFracture, here);
            d.maybe(0.15, Kind::Effusion, here);
            d.maybe(0.15, Kind::Consolidation(z), here);
            d.device(0.25, Device::ChestTube);
        }
        Disease::Tumour => {
            let mass = d.c.happens(0.45);
            d.maybe(0.88, if mass { Kind::Mass(z) } else { Kind::Nodule(z) }, here);
            d.maybe(0.25, Kind::WideMediastinum, None);
            d.maybe(0.25, Kind::Effusion, here);
            d.maybe(0.12, Kind::Atelectasis, here);
            d.device(0.3, Device::Port);
        }
        Disease::Aorta => {
            d.maybe(0.92, Kind::WideMediastinum, None);
            d.maybe(0.35, Kind::Cardiomegaly, None);
            d.device(0.2, Device::SternotomyWires);
        }
        Disease::Pleura => {
            d.maybe(0.6, Kind::Thickening, here);
            let plaques = d.c.happens(0.5);
            d.maybe(if plaques { 0.9 } else { 0.0 }, Kind::Plaques, Some(Side::Bilateral));
            d.maybe(0.15, Kind::Effusion, here);
        }
        Disease::AfterSurgery => {
            d.maybe(0.85, Kind::Atelectasis, here);
            d.maybe(0.4, Kind::Effusion, here);
            d.maybe(0.12, Kind::Pneumothorax, here);
            d.maybe(0.3, Kind::Cardiomegaly, None);
            d.device(0.7, Device::SternotomyWires);
            d.device(0.4, Device::CentralLine);
            d.device(0.2, Device::ChestTube);
            d.device(0.15, Device::ValveProsthesis);
        }
        Disease::Unclear => {
            d.maybe(0.6, Kind::Opacity(z), here);
            d.maybe(0.3, Kind::Consolidation(z), here);
            d.maybe(0.2, Kind::Nodule(z), here);
        }
    }
    // old fractures turn up in anyone
    d.maybe(if age > 60.0 { 0.03 } else { 0.008 }, Kind::RibFracture(rib), here);
    d.list
}

/// The findings of the next film, from those of the one before.
pub(super) fn next(disease: Disease, age: f32, before: &[Finding], c: &mut Chance) -> Vec<Finding> {
    let mut now: Vec<Finding> = Vec::new();
    for f in before {
        let fast = matches!(
            f.kind,
            Kind::Effusion
                | Kind::Pneumothorax
                | Kind::Consolidation(_)
                | Kind::Pneumonia(_)
                | Kind::Opacity(_)
                | Kind::Edema
                | Kind::Atelectasis
        );
        let tube = matches!(
            f.kind,
            Kind::Device(
                Device::EndotrachealTube
                    | Device::NasogastricTube
                    | Device::CentralLine
                    | Device::ChestTube
                    | Device::Picc
            )
        );
        let (roll, mut f) = (c.between(0.0, 1.0), *f);
        if fast {
            match roll {
                r if r < 0.30 => match f.severity {
                    Severity::Mild => continue,
                    Severity::Moderate => f.severity = Severity::Mild,
                    Severity::Severe => f.severity = Severity::Moderate,
                },
                r if r < 0.40 => continue,
                r if r < 0.58 => {
                    f.severity = match f.severity {
                        Severity::Mild => Severity::Moderate,
                        _ => Severity::Severe,
                    }
                }
                _ => {}
            }
        } else if tube && roll < 0.3 {
            continue;
        }
        now.push(f);
    }
    // something new, as the disease brings it
    if c.happens(0.3) {
        for f in onset(disease, age, c) {
            let taken = now.iter().chain(before).any(|o| o.observation() == f.observation());
            let tube = matches!(f.kind, Kind::Device(_));
            if !taken && !tube && c.happens(0.5) {
                now.push(f);
            }
        }
    }
    now
}
