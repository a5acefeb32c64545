//! Line integrals of the soft parts: torso, lungs, heart, gas.

use super::anatomy::Thorax;
use super::camera::Camera;
use super::scene::mu;
use super::solids::{Ray, Spans, half_space};
use super::vector::{Vec3, v};

/// A rectangle of pixels outside which a thing cannot be.
#[derive(Clone, Copy, Debug)]
struct Window {
    low: (f32, f32),
    high: (f32, f32),
}

impl Window {
    fn about(camera: &Camera, from: Vec3, to: Vec3, reach: f32) -> Self {
        let (ax, ay, ak) = camera.project(from);
        let (bx, by, bk) = camera.project(to);
        let r = reach * ak.max(bk) + 1.0;
        Self { low: (ax.min(bx) - r, ay.min(by) - r), high: (ax.max(bx) + r, ay.max(by) + r) }
    }

    fn has(&self, x: f32, y: f32) -> bool {
        x >= self.low.0 && x <= self.high.0 && y >= self.low.1 && y <= self.high.1
    }
}

/// The thorax as one camera sees it.
pub(super) struct SoftParts<'a> {
    thorax: &'a Thorax,
    organs: Vec<Window>,
    breasts: Vec<Window>,
    arms: Vec<Window>,
    gas: Vec<Window>,
}

impl<'a> SoftParts<'a> {
    pub fn new(thorax: &'a Thorax, camera: &Camera) -> Self {
        let ball = |centre: Vec3, reach: f32| Window::about(camera, centre, centre, reach);
        Self {
            thorax,
            organs: thorax.organs.iter().map(|o| ball(o.centre, o.reach())).collect(),
            breasts: thorax.breasts.iter().map(|b| ball(b.centre, b.reach())).collect(),
            arms: thorax.arms.iter().map(|a| Window::about(camera, a.from, a.to, a.radius)).collect(),
            gas: thorax.gas.iter().map(|(g, _)| ball(g.centre, g.reach())).collect(),
        }
    }

    /// Attenuation along the ray of pixel `(x, y)`, and the centimetres of aerated lung on it, right and left.
    pub fn measure(&self, ray: &Ray, x: f32, y: f32) -> (f32, [f32; 2]) {
        let t = self.thorax;
        let near = |w: &Window| w.has(x, y);
        let mut body = Spans::of(t.torso.span(ray));
        for (breast, _) in t.breasts.iter().zip(&self.breasts).filter(|(_, w)| near(w)) {
            body = body.with(&Spans::of(breast.span(ray)).minus_all(&body));
        }
        for (arm, _) in t.arms.iter().zip(&self.arms).filter(|(_, w)| near(w)) {
            body = body.with(&Spans::of(arm.span(ray)).minus_all(&body));
        }
        if body.is_empty() {
            return (0.0, [0.0; 2]);
        }
        let lean = t.muscle.span(ray).map_or(0.0, |(a, b)| b - a);
        let mut tau = mu::FAT * body.length() + (mu::SOFT - mu::FAT) * lean;
        let lengths = t.lengths(ray, || {
            // heart and vessels overlap: the spans are kept disjoint
            t.organs
                .iter()
                .zip(&self.organs)
                .filter(|(_, w)| near(w))
                .fold(Spans::of(t.mediastinum.span(ray)), |all, (o, _)| {
                    all.with(&Spans::of(o.span(ray)).minus_all(&all))
                })
        });
        for side in 0..2 {
            let lung = lengths.lung[side];
            let grain = if lung > 0.0 { 1.0 + 0.14 * grain(ray) } else { 1.0 };
            tau -= mu::SOFT * lengths.air[side];
            tau -= (mu::SOFT - mu::LUNG * t.lungs[side].density * grain) * lung;
            tau += mu::PLEURA * lengths.pleura[side];
        }
        for ((bubble, level), _) in t.gas.iter().zip(&self.gas).filter(|(_, w)| near(w)) {
            let over = half_space(ray, v(0.0, *level, 0.0), v(0.0, 1.0, 0.0));
            tau -= mu::SOFT * Spans::of(bubble.span(ray)).and(over).length();
        }
        (tau, lengths.lung)
    }
}

/// Fine unevenness of the lungs: value noise across the beam, about -1 to 1.
fn grain(ray: &Ray) -> f32 {
    // where the ray passes the middle of the chest, seen from the front or from the side
    let frontal = ray.along.z.abs() > ray.along.x.abs();
    let t = if frontal { -ray.origin.z / ray.along.z } else { -ray.origin.x / ray.along.x };
    let p = ray.at(t);
    let (u, w) = (if frontal { p.x } else { p.z }, p.y);
    0.5 * noise(u * 0.8, w * 0.8) + 0.5 * noise(u * 2.1 + 31.0, w * 2.1) + 0.35 * noise(u * 4.7, w * 4.7 + 17.0)
}

/// Smooth noise on a unit grid, -1 to 1.
fn noise(x: f32, y: f32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i32, fy as i32);
    let ease = |s: f32| s * s * (3.0 - 2.0 * s);
    let (sx, sy) = (ease(x - fx), ease(y - fy));
    let at = |dx: i32, dy: i32| {
        let mut h =
            (ix + dx).wrapping_mul(0x2c1b_3c6d) as u32 ^ ((iy + dy).wrapping_mul(0x297a_2d39) as u32).rotate_left(13);
        h ^= h >> 15;
        h = h.wrapping_mul(0x85eb_ca6b);
        h ^= h >> 13;
        h as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    let top = at(0, 0) + (at(1, 0) - at(0, 0)) * sx;
    let low = at(0, 1) + (at(1, 1) - at(0, 1)) * sx;
    top + (low - top) * sy
}
