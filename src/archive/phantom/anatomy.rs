//! The soft parts: torso, lungs, heart, great vessels, diaphragm.
//!
//! The standard thorax is that of an adult in full inspiration; the origin lies at the carina in the middle of the chest. It is scaled to
//! the patient by the camera, so that the solids stay ellipsoids.

use super::chance::Chance;
use super::loft::{Loft, Ring};
use super::lung::{Lung, PLEURA};
use super::organs::{gas, mediastinum, organs, torso};
use super::patient::{Body, Technique};
use super::solids::{Capsule, Ellipsoid, Ray, Spans, half_space};
use super::vector::{Frame, v};
use crate::archive::study::View;

/// Lengths of a ray, centimetres.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lengths {
    /// Aerated lung, right and left.
    pub lung: [f32; 2],
    /// Free air in the pleural space, right and left.
    pub air: [f32; 2],
    /// Visceral pleura seen edge on, right and left.
    pub pleura: [f32; 2],
}

/// The soft parts of one patient at one visit.
#[derive(Clone, Debug)]
pub(super) struct Thorax {
    pub torso: Loft,
    /// Inside the fat.
    pub muscle: Loft,
    pub breasts: Vec<Ellipsoid>,
    pub arms: Vec<Capsule>,
    /// Right, left.
    pub lungs: [Lung; 2],
    pub mediastinum: Loft,
    /// Heart and great vessels.
    pub organs: Vec<Ellipsoid>,
    /// How many of the organs, at the front, are the heart.
    pub heart: usize,
    /// Gas in the stomach and bowel, each with the height of a fluid level.
    pub gas: Vec<(Ellipsoid, f32)>,
}

impl Thorax {
    pub fn new(body: &Body, technique: &Technique, c: &mut Chance) -> Self {
        let up = (1.0 - technique.inspiration) * 3.2 + if technique.supine { 0.7 } else { 0.0 };
        let flat = 1.0 - 0.05 * body.shape[5];
        let right = -15.5 + up + 0.5 * body.shape[0];
        let left = right - 0.9 + 0.35 * body.shape[1];
        let dome = |side: f32, y: f32| Ellipsoid::upright(v(side * 6.35, y, 1.4), v(7.35, 6.0 * flat, 9.3));
        let spread = -0.5 * (1.0 - technique.inspiration);
        let lungs = [Lung::new(-1.0, dome(-1.0, right), spread), Lung::new(1.0, dome(1.0, left), spread)];
        let (torso, muscle) = torso(body, technique);
        let lateral = technique.view == View::Lateral;
        let breasts = if body.breast > 0.0 {
            let b = body.breast;
            let low = if technique.supine { 1.0 } else { 0.0 };
            [-1.0, 1.0]
                .map(|s| {
                    let at = v(s * (7.6 + low * 0.8), -6.0 - 2.6 * b + low * 2.0, 8.7 + body.fat * 0.7);
                    // leaning back, so that it fades out at the top and has an edge below
                    let lean = Frame::along(v(1.0, 0.0, 0.15 * s), v(0.0, 0.9, -0.42));
                    Ellipsoid::tilted(at, lean, v(6.2 * b.max(0.8), 6.4 * b.max(0.7), 4.6 * b * (1.0 - 0.3 * low)))
                })
                .to_vec()
        } else {
            Vec::new()
        };
        let arms = if lateral {
            Vec::new()
        } else {
            let (x, r) = (23.0 + body.fat * 0.5, 4.4 + 0.5 * body.fat);
            let down = if technique.view == View::Pa { v(4.5, -8.0, 2.0) } else { v(1.6, -22.0, -1.0) };
            [-1.0, 1.0]
                .map(|s| Capsule {
                    from: v(s * (x - 4.2), 7.0, -1.0),
                    to: v(s * (x + down.x), down.y, down.z),
                    radius: r,
                })
                .to_vec()
        };
        let (organs, heart) = organs(body, up);
        let gas = gas(technique, left, c);
        Self { torso, muscle, breasts, arms, lungs, mediastinum: mediastinum(), organs, heart, gas }
    }

    /// Moves heart and mediastinum sideways, most at the level of the heart.
    pub fn shift(&mut self, by: f32) {
        for o in &mut self.organs {
            *o = o.moved(v(by, 0.0, 0.0));
        }
        self.mediastinum = self.mediastinum.changed(|y, r| Ring { x: r.x + by * shift_share(y), ..r });
    }

    /// Cuts the ray by the lungs and what displaces them; `middle` gives the spans in heart and mediastinum, asked for only where needed.
    #[inline]
    pub fn lengths(&self, ray: &Ray, middle: impl Fn() -> Spans) -> Lengths {
        let mut out = Lengths::default();
        let mut displaced: Option<Spans> = None;
        for (i, lung) in self.lungs.iter().enumerate() {
            let Some(cavity) = lung.cavity.span(ray) else { continue };
            let above = half_space(ray, lung.dome.centre, v(0.0, 1.0, 0.0));
            let mut left = Spans::of(Some(cavity)).and(above).minus(lung.dome.span(ray));
            if left.is_empty() {
                continue;
            }
            if let Some(bowl) = &lung.bowl {
                let over = half_space(ray, bowl.centre, v(0.0, 1.0, 0.0));
                let wet = left.minus(bowl.span(ray)).minus(over);
                left = left.minus_all(&wet);
            }
            if let Some(z) = lung.layer {
                left = left.and(half_space(ray, v(0.0, 0.0, z), v(0.0, 0.0, 1.0)));
            }
            left = left.minus_all(displaced.get_or_insert_with(&middle));
            match &lung.surface {
                None => out.lung[i] = left.length(),
                Some(surface) => {
                    let skin = surface.span(ray);
                    let inside = left.and(skin).length();
                    if lung.air {
                        out.air[i] = left.length() - inside;
                        let inner = skin.and_then(|_| surface.shrunk_span(ray, PLEURA));
                        out.pleura[i] = inside - left.and(inner).length();
                    }
                    out.lung[i] = inside;
                }
            }
        }
        out
    }
}

/// How much of a mediastinal shift a height feels: all at the heart, none in the neck.
pub(super) fn shift_share(y: f32) -> f32 {
    ((13.0 - y) / 12.0).clamp(0.0, 1.0)
}
