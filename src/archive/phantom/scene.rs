//! All that one visit puts between the source and the detector.

use super::anatomy::Thorax;
use super::chance::Chance;
use super::patient::Visit;
use super::solids::{Ellipsoid, Planes};
use super::tubes::Segment;
use super::vector::{Vec3, v};
use super::{devices, lesions, reshape, skeleton, vessels};
use crate::archive::study::View;

/// Attenuation per centimetre at the mean energy of the beam. Solids other than the torso give what they add to soft tissue.
pub(super) mod mu {
    pub const SOFT: f32 = 0.19;
    pub const FAT: f32 = 0.165;
    /// A normal lung in inspiration.
    pub const LUNG: f32 = 0.058;
    /// The visceral pleura, against the lung about it.
    pub const PLEURA: f32 = 0.30;
    /// A vessel, against the lung about it.
    pub const VESSEL: f32 = SOFT - LUNG;
    pub const TRABECULAR: f32 = 0.07;
    pub const CORTEX: f32 = 0.38;
    pub const METAL: f32 = 5.0;
    /// Plastic with barium.
    pub const CATHETER: f32 = 1.3;
}

/// Where a thing can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// Adds to whatever is there.
    Dense,
    /// Lies in a lung (0 right, 1 left) and shows as far as the lung about it is aerated.
    Lung(usize),
}

/// A tube of one material with a shell of another.
#[derive(Clone, Debug)]
pub(super) struct Tube {
    pub segments: Vec<Segment>,
    pub shell: f32,
    pub in_shell: f32,
    pub in_core: f32,
    pub layer: Layer,
}

impl Tube {
    /// The same stuff throughout.
    pub fn solid(segments: Vec<Segment>, mu: f32, layer: Layer) -> Self {
        Self { segments, shell: 0.0, in_shell: mu, in_core: mu, layer }
    }

    pub fn bone(segments: Vec<Segment>, shell: f32, density: f32) -> Self {
        Self { segments, shell, in_shell: mu::CORTEX * density, in_core: mu::TRABECULAR * density, layer: Layer::Dense }
    }
}

/// A compact thing.
#[derive(Clone, Debug)]
pub(super) struct Solid {
    pub shape: Shape,
    pub mu: f32,
    pub layer: Layer,
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    Ellipsoid(Ellipsoid),
    /// Planes with a centre and a reach.
    Planes(Planes, Vec3, f32),
}

impl Solid {
    pub fn ellipsoid(shape: Ellipsoid, mu: f32, layer: Layer) -> Self {
        Self { shape: Shape::Ellipsoid(shape), mu, layer }
    }
}

/// A soft-edged filling of airspace: a Gaussian ball.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blob {
    pub centre: Vec3,
    pub sigma: f32,
    /// Share of the air replaced at the centre.
    pub density: f32,
    /// 0 right, 1 left.
    pub lung: usize,
    /// Sharp lower and upper border: a fissure.
    pub floor: f32,
    pub ceiling: f32,
}

/// The scene.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub thorax: Thorax,
    pub tubes: Vec<Tube>,
    pub solids: Vec<Solid>,
    pub blobs: Vec<Blob>,
    /// Where the airways are, as a polyline from the neck to the carina; tubes follow it.
    pub trachea: Vec<Vec3>,
}

impl Scene {
    /// The scene of a visit, for a frontal or a lateral film.
    pub fn new(visit: &Visit, view: View) -> Self {
        let body = &visit.patient.body;
        let mut technique = visit.technique;
        technique.view = view;
        technique.supine = technique.supine && view != View::Lateral;
        let mut c = Chance::new(visit.patient.anatomy, 1);
        let mut thorax = Thorax::new(body, &technique, &mut c);
        let shift = reshape::reshape(&mut thorax, &visit.findings, technique.supine);
        thorax.shift(shift);
        let trachea: Vec<Vec3> = [
            v(0.0, 20.0, -0.5),
            v(0.0, 14.0, -0.6),
            v(-0.1, 9.0, -1.4),
            v(0.35 - 0.5 * body.aorta, 5.0, -2.2),
            v(0.1, 0.6, -2.8),
        ]
        .map(|p| p + v(shift * super::anatomy::shift_share(p.y) * 0.8, 0.0, 0.0))
        .to_vec();
        let mut scene = Self { thorax, tubes: Vec::new(), solids: Vec::new(), blobs: Vec::new(), trachea };
        skeleton::build(&mut scene, body, &technique, &visit.findings);
        vessels::airways(&mut scene);
        vessels::grow(&mut scene, &visit.findings, shift, &mut Chance::new(visit.patient.anatomy, 2));
        lesions::fill(&mut scene, &visit.findings, technique.supine);
        devices::place(&mut scene, &visit.findings);
        scene
    }
}
