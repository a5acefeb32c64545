//! A loft: ellipses stacked along the body axis. Torso, lungs and mediastinum are lofts.

use super::solids::{Ray, Span};
use super::vector::{Vec3, v};

/// An ellipse across the body: centre and half-widths.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ring {
    pub x: f32,
    pub a: f32,
    pub z: f32,
    pub b: f32,
}

/// Rings at even heights, linearly interpolated; made from a few knots by a smooth curve.
#[derive(Clone, Debug)]
pub(super) struct Loft {
    pub bottom: f32,
    pub top: f32,
    rings: Vec<Ring>,
}

const STEPS: usize = 160;

impl Loft {
    /// From knots `(y, ring)` in rising order of y, at least two.
    pub fn new(knots: &[(f32, Ring)]) -> Self {
        let (bottom, top) = (knots[0].0, knots[knots.len() - 1].0);
        let rings = (0..=STEPS)
            .map(|i| {
                let y = bottom + (top - bottom) * i as f32 / STEPS as f32;
                let at = |f: fn(&Ring) -> f32| smooth(knots, y, f);
                Ring { x: at(|r| r.x), a: at(|r| r.a).max(0.01), z: at(|r| r.z), b: at(|r| r.b).max(0.01) }
            })
            .collect();
        Self { bottom, top, rings }
    }

    /// Every ring changed by `change(y, ring)`; the heights stay.
    pub fn changed(&self, change: impl Fn(f32, Ring) -> Ring) -> Self {
        let mut out = self.clone();
        let step = (self.top - self.bottom) / STEPS as f32;
        for (i, ring) in out.rings.iter_mut().enumerate() {
            *ring = change(self.bottom + step * i as f32, *ring);
            ring.a = ring.a.max(0.01);
            ring.b = ring.b.max(0.01);
        }
        out
    }

    /// The same rings pressed down so that the top comes to `top`; below `fixed` nothing moves.
    pub fn lowered(&self, fixed: f32, top: f32) -> Self {
        let mut out = self.clone();
        out.top = top;
        let step = (top - self.bottom) / STEPS as f32;
        for (i, ring) in out.rings.iter_mut().enumerate() {
            let y = self.bottom + step * i as f32;
            let from = if y <= fixed { y } else { fixed + (y - fixed) * (self.top - fixed) / (top - fixed) };
            *ring = self.ring(from);
        }
        out
    }

    /// The ring at height `y`, clamped to the ends.
    #[inline]
    pub fn ring(&self, y: f32) -> Ring {
        let s = ((y - self.bottom) / (self.top - self.bottom)).clamp(0.0, 1.0) * STEPS as f32;
        let i = (s as usize).min(STEPS - 1);
        let f = s - i as f32;
        let (p, q) = (self.rings[i], self.rings[i + 1]);
        Ring { x: p.x + (q.x - p.x) * f, a: p.a + (q.a - p.a) * f, z: p.z + (q.z - p.z) * f, b: p.b + (q.b - p.b) * f }
    }

    pub fn contains(&self, p: Vec3) -> bool {
        let r = self.ring(p.y);
        let (dx, dz) = ((p.x - r.x) / r.a, (p.z - r.z) / r.b);
        p.y > self.bottom && p.y < self.top && dx * dx + dz * dz < 1.0
    }

    /// The ends of the ray in the cylinder on the ring, and by how much it meets it (below nil: not at all).
    #[inline]
    fn chord(ray: &Ray, r: &Ring, skin: f32) -> (f32, f32, f32) {
        let (wide, deep) = (1.0 / (r.a - skin).max(0.005), 1.0 / (r.b - skin).max(0.005));
        let (ox, oz) = ((ray.origin.x - r.x) * wide, (ray.origin.z - r.z) * deep);
        let (dx, dz) = (ray.along.x * wide, ray.along.z * deep);
        let a = 1.0 / (dx * dx + dz * dz);
        let h = (ox * dx + oz * dz) * a;
        let disc = h * h - a * (ox * ox + oz * oz - 1.0);
        let q = disc.max(0.0).sqrt();
        (-h - q, -h + q, disc / a)
    }

    /// The span of a ray that crosses the body (not one along its axis): each end is found by fixed-point iteration on its height, which
    /// settles at once because the beam is nearly level. The solid is taken to have one span, as every loft of the phantom has.
    pub fn span(&self, ray: &Ray) -> Option<Span> {
        self.shrunk_span(ray, 0.0)
    }

    /// The same within a skin of the given thickness.
    pub fn shrunk_span(&self, ray: &Ray, skin: f32) -> Option<Span> {
        let level = ray.along.x * ray.along.x + ray.along.z * ray.along.z;
        let nearest = -(ray.origin.x * ray.along.x + ray.origin.z * ray.along.z) / level;
        let y = ray.origin.y + ray.along.y * nearest;
        if y > self.top + 2.5 || y < self.bottom - 2.5 {
            return None;
        }
        let (mut near, mut far, mut meets) = Self::chord(ray, &self.ring(y), skin);
        if meets < -0.5 {
            return None;
        }
        let mut moved = f32::MAX;
        for _ in 0..3 {
            let (n, _, meets_near) = Self::chord(ray, &self.ring(ray.origin.y + ray.along.y * near), skin);
            let (_, f, meets_far) = Self::chord(ray, &self.ring(ray.origin.y + ray.along.y * far), skin);
            moved = (n - near).abs().max((f - far).abs());
            (near, far, meets) = (n, f, meets_near.min(meets_far));
            if moved < 0.02 {
                break;
            }
        }
        // near the top of a dome the iteration need not settle, or settles above it
        let over = (ray.origin.y + ray.along.y * near).max(ray.origin.y + ray.along.y * far) > self.top;
        if moved > 0.4 || (over && self.ring(self.top).a < 1.0) {
            return self.searched(ray, nearest);
        }
        if meets <= 0.0 {
            return None;
        }
        // keep to the heights of the loft
        if ray.along.y.abs() > 1e-6 {
            let t0 = (self.bottom - ray.origin.y) / ray.along.y;
            let t1 = (self.top - ray.origin.y) / ray.along.y;
            near = near.max(t0.min(t1));
            far = far.min(t0.max(t1));
        } else if ray.origin.y < self.bottom || ray.origin.y > self.top {
            return None;
        }
        (far > near).then_some((near, far))
    }

    /// The span, by looking along the ray within 10 cm of the axis.
    fn searched(&self, ray: &Ray, nearest: f32) -> Option<Span> {
        const STEP: f32 = 0.25;
        let mut inside = (-40..=40).map(|i| nearest + STEP * i as f32).filter(|t| self.contains(ray.at(*t)));
        let first = inside.next()?;
        let last = inside.next_back().unwrap_or(first);
        let edge = |within: f32, without: f32| {
            let (mut a, mut b) = (within, without);
            for _ in 0..6 {
                let m = (a + b) / 2.0;
                if self.contains(ray.at(m)) { a = m } else { b = m }
            }
            (a + b) / 2.0
        };
        Some((edge(first, first - STEP), edge(last, last + STEP)))
    }

    /// A point on the surface at height `y` and `angle` about the axis: 0 to the left, pi/2 to the front. `out` centimetres outside.
    pub fn surface(&self, y: f32, angle: f32, out: f32) -> Vec3 {
        let r = self.ring(y);
        v(r.x + (r.a + out) * angle.cos(), y, r.z + (r.b + out) * angle.sin())
    }
}

/// Monotone-ish cubic (Catmull-Rom on uneven knots) through one value of the knots.
fn smooth(knots: &[(f32, Ring)], y: f32, f: impl Fn(&Ring) -> f32) -> f32 {
    let last = knots.len() - 1;
    let i = knots.iter().rposition(|k| k.0 <= y).unwrap_or(0).min(last - 1);
    let slope = |j: usize| {
        let (l, h) = (j.saturating_sub(1), (j + 1).min(last));
        (f(&knots[h].1) - f(&knots[l].1)) / (knots[h].0 - knots[l].0)
    };
    let (y0, y1) = (knots[i].0, knots[i + 1].0);
    let (p0, p1) = (f(&knots[i].1), f(&knots[i + 1].1));
    let w = y1 - y0;
    let s = ((y - y0) / w).clamp(0.0, 1.0);
    let (m0, m1) = (slope(i) * w, slope(i + 1) * w);
    let (s2, s3) = (s * s, s * s * s);
    p0 * (2.0 * s3 - 3.0 * s2 + 1.0) + m0 * (s3 - 2.0 * s2 + s) + p1 * (3.0 * s2 - 2.0 * s3) + m1 * (s3 - s2)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn cone() -> Loft {
        let ring = |a| Ring { x: 0.0, a, z: 0.0, b: a };
        Loft::new(&[(0.0, ring(4.0)), (5.0, ring(3.0)), (10.0, ring(2.0))])
    }

    #[test]
    fn a_level_ray_sees_the_ring_of_its_height() {
        let ray = Ray { origin: v(0.0, 5.0, -50.0), along: v(0.0, 0.0, 1.0) };
        let (a, b) = cone().span(&ray).unwrap();
        assert!((b - a - 6.0).abs() < 0.01);
    }

    #[test]
    fn a_tilted_ray_sees_each_end_at_its_own_height() {
        let d = v(0.0, 0.1, 1.0).unit();
        let ray = Ray { origin: v(0.0, 0.0, -50.0), along: d };
        let (a, b) = cone().span(&ray).unwrap();
        for t in [a, b] {
            let p = ray.at(t);
            let r = cone().ring(p.y).a;
            assert!((p.z.abs() - r).abs() < 0.02, "{p:?} {r}");
        }
    }

    #[test]
    fn pressing_down_keeps_the_base() {
        let low = cone().lowered(2.0, 6.0);
        assert!((low.ring(1.0).a - cone().ring(1.0).a).abs() < 0.02);
        assert!((low.ring(6.0).a - 2.0).abs() < 0.05);
    }
}
