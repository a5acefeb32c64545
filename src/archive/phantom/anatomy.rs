//! The soft parts: torso, lungs, heart, great vessels, diaphragm.
//!
//! The standard thorax is that of an adult in full inspiration; the origin lies at the carina in the middle of the chest. It is scaled to
//! the patient by the camera, so that the solids stay ellipsoids.

use super::chance::Chance;
use super::loft::{Loft, Ring};
use super::patient::{Body, Technique};
use super::solids::{Capsule, Ellipsoid, Ray, Spans, half_space};
use super::vector::{Frame, Vec3, v};
use crate::archive::study::View;

/// Top of the lungs.
pub(super) const APEX: f32 = 11.85;

/// Thickness of the visceral pleura, somewhat more than nature's so that a pixel shows it.
const PLEURA: f32 = 0.11;

/// One lung in its pleural cavity.
#[derive(Clone, Debug)]
pub(super) struct Lung {
    /// +1 on the patient's left, -1 on the right.
    pub side: f32,
    /// What the ribs and the parietal pleura enclose.
    pub cavity: Loft,
    /// The visceral surface where it has left the wall.
    pub surface: Option<Loft>,
    /// Whether the gap between both holds air; otherwise it is thick pleura.
    pub air: bool,
    /// The hemidiaphragm.
    pub dome: Ellipsoid,
    /// The dry space above a free effusion, a bowl open to the top.
    pub bowl: Option<Ellipsoid>,
    /// Fluid behind this depth in a patient who lies.
    pub layer: Option<f32>,
    /// Attenuation against that of a normal lung.
    pub density: f32,
}

impl Lung {
    fn new(side: f32, dome: Ellipsoid, spread: f32) -> Self {
        // height, lateral wall, medial wall, depth of the centre, half-depth
        const KNOTS: [(f32, f32, f32, f32, f32); 13] = [
            (-17.0, 12.7, -1.0, -0.4, 9.2),
            (-12.0, 13.2, -1.0, -0.5, 9.2),
            (-8.0, 13.25, -1.0, -0.6, 9.0),
            (-4.0, 12.9, -0.8, -0.8, 8.7),
            (0.0, 12.4, -0.4, -1.0, 8.2),
            (4.0, 11.6, 0.3, -1.4, 7.3),
            (7.0, 10.4, 0.9, -2.0, 6.1),
            (9.0, 9.1, 1.4, -2.4, 4.9),
            (10.2, 7.8, 1.9, -2.7, 3.7),
            (11.0, 6.6, 2.6, -2.9, 2.6),
            (11.5, 5.7, 3.2, -3.0, 1.7),
            (11.77, 5.0, 3.9, -3.0, 0.8),
            (APEX, 4.6, 4.3, -3.0, 0.2),
        ];
        let knots: Vec<(f32, Ring)> = KNOTS
            .iter()
            .map(|&(y, l, m, z, b)| {
                let l = l + spread * (8.0 - y).max(0.0) / 20.0;
                (y, Ring { x: side * (l + m) / 2.0, a: (l - m) / 2.0, z, b })
            })
            .collect();
        Self { side, cavity: Loft::new(&knots), surface: None, air: false, dome, bowl: None, layer: None, density: 1.0 }
    }

    /// Lets the lung come off the wall: `top` down from the apex, `wall` in from the side.
    pub fn detach(&mut self, top: f32, wall: f32, base: f32, air: bool) {
        let side = self.side;
        let low = self.cavity.lowered(-4.0, APEX - top);
        let surface = low.changed(|y, r| {
            let up = ((y + 13.0) / 16.0).clamp(0.0, 1.0);
            let w = (base + (wall - base) * up).min(r.a * 1.2);
            Ring { x: r.x - side * w / 2.0, a: r.a - w / 2.0, z: r.z, b: r.b - 0.45 * w }
        });
        self.surface = Some(surface);
        self.air = air;
    }

    /// Where a point of the expanded lung has gone.
    pub fn place(&self, p: Vec3) -> Vec3 {
        let Some(surface) = &self.surface else { return p };
        let y = if p.y > -4.0 { -4.0 + (p.y + 4.0) * (surface.top + 4.0) / (APEX + 4.0) } else { p.y };
        let (from, to) = (self.cavity.ring(p.y), surface.ring(y));
        v(to.x + (p.x - from.x) * to.a / from.a, y, to.z + (p.z - from.z) * to.b / from.b)
    }

    /// Inside the expanded lung.
    pub fn contains(&self, p: Vec3) -> bool {
        self.cavity.contains(p) && !self.dome.contains(p)
    }
}

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
                    let at = v(s * (7.6 + low * 0.8), -6.5 - 2.2 * b + low * 2.0, 9.2 + body.fat * 0.7);
                    Ellipsoid::upright(at, v(6.0 * b.max(0.8), 5.2 * b.max(0.7), 4.4 * b * (1.0 - 0.35 * low)))
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
            let mut left = Spans::of(Some(cavity)).minus(lung.dome.span(ray));
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

fn torso(body: &Body, technique: &Technique) -> (Loft, Loft) {
    let lateral = technique.view == View::Lateral;
    // height, half-width, half-depth, depth of the centre
    const KNOTS: [(f32, f32, f32, f32); 13] = [
        (-30.0, 16.4, 10.4, 0.0),
        (-20.0, 16.2, 10.6, -0.2),
        (-12.0, 16.4, 10.8, -0.4),
        (-4.0, 17.0, 10.7, -0.6),
        (2.0, 18.2, 10.2, -0.8),
        (6.0, 19.4, 9.4, -1.0),
        (8.5, 20.2, 8.6, -1.3),
        (10.3, 19.6, 7.8, -1.6),
        (11.8, 16.6, 6.9, -1.9),
        (13.2, 11.6, 6.0, -2.1),
        (14.8, 8.0, 5.6, -2.2),
        (17.0, 6.2, 5.6, -2.0),
        (28.0, 5.9, 6.0, -1.5),
    ];
    let make = |fat: f32| {
        let knots: Vec<(f32, Ring)> = KNOTS
            .iter()
            .map(|&(y, a, b, z)| {
                let low = ((8.0 - y) / 20.0).clamp(0.0, 1.0);
                let neck = if y > 12.5 { 0.4 } else { 1.0 };
                let a = if lateral && y > 2.0 { a - (a - 14.0).max(0.0) * 0.7 } else { a };
                let front = fat * (0.5 + 0.9 * low) * neck;
                let back = fat * 0.6 * neck;
                (
                    y,
                    Ring {
                        x: 0.0,
                        a: a + fat * (0.8 + 0.5 * low) * neck,
                        z: z + (front - back) / 2.0,
                        b: b + (front + back) / 2.0,
                    },
                )
            })
            .collect();
        Loft::new(&knots)
    };
    (make(body.fat), make(-0.4))
}

fn mediastinum() -> Loft {
    const KNOTS: [(f32, f32, f32, f32); 9] = [
        (-20.0, 4.0, -1.5, 8.6),
        (-10.0, 3.2, -1.2, 8.7),
        (-6.0, 2.5, -1.2, 8.6),
        (0.0, 2.2, -1.0, 8.4),
        (4.0, 2.1, -0.6, 8.0),
        (7.0, 2.3, -0.6, 7.0),
        (9.0, 2.8, -0.8, 6.0),
        (11.0, 3.5, -1.0, 5.0),
        (14.0, 4.0, -1.2, 5.0),
    ];
    Loft::new(&KNOTS.map(|(y, a, z, b)| (y, Ring { x: 0.0, a, z, b })))
}

/// Heart chambers first; returns also how many they are.
fn organs(body: &Body, up: f32) -> (Vec<Ellipsoid>, usize) {
    let wide = 1.06 * body.heart * (1.0 + 0.025 * up);
    let lift = 0.55 * up;
    let axis = v(0.80 + 0.03 * up, -0.58 + 0.04 * up, 0.28);
    let heart = [
        // left ventricle, right atrium, right ventricle and the infundibulum, left atrium
        Ellipsoid::tilted(
            v(2.9 * wide, -6.5 + lift, 2.4),
            Frame::along(axis, v(0.0, 0.0, 1.0)),
            v(5.3 * wide, 4.2 * wide, 4.7 * wide),
        ),
        Ellipsoid::upright(v(-0.9, -5.2 + lift, 1.6), v(3.2 * wide, 4.9 * wide, 4.2)),
        Ellipsoid::upright(v(1.6, -7.4 + lift, 3.8), v(5.2 * wide, 4.6 * wide, 4.4)),
        Ellipsoid::upright(v(0.6, -2.4 + lift, -1.8), v(3.6 * wide, 2.7, 3.0)),
    ];
    let k = 1.0 + 0.35 * body.aorta;
    let vessels = [
        // superior vena cava, ascending aorta, arch, descending aorta, pulmonary trunk, left subclavian
        Ellipsoid::upright(v(-1.5, 3.2, 0.6), v(1.3, 6.5, 1.4)),
        Ellipsoid::upright(v(-0.9 - 0.6 * body.aorta, 1.2, 2.2), v(1.9 * k, 4.6, 1.9)),
        Ellipsoid::tilted(
            v(2.05 + 0.4 * body.aorta, 4.3 + 0.5 * body.aorta, -1.2),
            Frame::along(v(0.35, 0.0, -0.94), v(0.0, 1.0, 0.0)),
            v(3.4, 1.75 * k, 1.5 * k),
        ),
        Ellipsoid::upright(v(1.5 + 1.0 * body.aorta, -5.0, -4.6), v(1.3 * k, 12.0, 1.3 * k)),
        Ellipsoid::upright(v(2.2, 1.3 + 0.3 * lift, 1.4), v(2.0, 2.0, 2.4)),
        Ellipsoid::upright(v(2.2, 8.5, -1.2), v(1.0, 4.0, 1.2)),
    ];
    let count = heart.len();
    (heart.into_iter().chain(vessels).collect(), count)
}

fn gas(technique: &Technique, left_dome: f32, c: &mut Chance) -> Vec<(Ellipsoid, f32)> {
    let mut out = Vec::new();
    let top = left_dome + 6.0;
    if c.happens(0.8) {
        let size = c.between(0.5, 1.15);
        let half = v(3.2 * size, 1.7 * size, 3.0 * size);
        let at = v(6.2 + c.normal(0.0, 0.8), top - 0.9 - half.y - c.between(0.0, 0.6), 1.0 + c.normal(0.0, 0.8));
        let level = if technique.supine { -100.0 } else { at.y + c.between(-0.9, 0.3) * half.y };
        out.push((Ellipsoid::upright(at, half), level));
    }
    for _ in 0..c.count(0, 5) {
        let half = v(c.between(0.6, 1.8), c.between(0.5, 1.2), c.between(0.7, 1.4));
        let at = v(c.between(3.0, 11.0), top - c.between(4.5, 11.0), c.between(-1.0, 4.0));
        out.push((Ellipsoid::upright(at, half), -100.0));
    }
    out
}
