//! Tubes: ribs, vessels, airways, catheters. A tube is a chain of elliptical cylinders cut where they meet by the plane that halves the
//! angle, so that a ray's length inside is counted once.

use super::solids::{Ray, Span, half_space};
use super::vector::{Frame, Vec3};

/// A piece of a tube.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub from: Vec3,
    pub to: Vec3,
    cut_from: Vec3,
    cut_to: Vec3,
    frame: Frame,
    /// Half-widths along the second and third axis of the frame.
    pub a: f32,
    pub b: f32,
}

impl Segment {
    /// Where the ray is inside, with the cross-section narrowed by `shell` all round.
    #[inline]
    pub fn span(&self, ray: &Ray, shell: f32) -> Option<Span> {
        let (a, b) = (self.a - shell, self.b - shell);
        if a <= 0.0 || b <= 0.0 {
            return None;
        }
        let o = ray.origin - self.from;
        let (ou, ov) = (o.dot(self.frame.b) / a, o.dot(self.frame.c) / b);
        let (du, dv) = (ray.along.dot(self.frame.b) / a, ray.along.dot(self.frame.c) / b);
        let qa = du * du + dv * dv;
        let h = ou * du + ov * dv;
        let disc = h * h - qa * (ou * ou + ov * ov - 1.0);
        if disc <= 0.0 || qa < 1e-12 {
            return None;
        }
        let q = disc.sqrt();
        let (mut t0, mut t1) = ((-h - q) / qa, (-h + q) / qa);
        for (p, n) in [(self.from, self.cut_from), (self.to, self.cut_to * -1.0)] {
            let (c, d) = half_space(ray, p, n)?;
            t0 = t0.max(c);
            t1 = t1.min(d);
        }
        (t1 > t0).then_some((t0, t1))
    }

    /// The larger half-width.
    pub fn reach(&self) -> f32 {
        self.a.max(self.b)
    }
}

/// Chain through `points`; `section(i)` gives the half-widths at point `i`: along the direction nearest to `up(i)`, and across it.
pub(super) fn chain(
    points: &[Vec3],
    up: impl Fn(usize) -> Vec3,
    section: impl Fn(usize) -> (f32, f32),
) -> Vec<Segment> {
    let dir = |i: usize| (points[i + 1] - points[i]).unit();
    (0..points.len().saturating_sub(1))
        .map(|i| {
            let t = dir(i);
            let cut_from = if i == 0 { t } else { (t + dir(i - 1)).unit() };
            let cut_to = if i + 2 == points.len() { t } else { (t + dir(i + 1)).unit() };
            let ((a0, b0), (a1, b1)) = (section(i), section(i + 1));
            Segment {
                from: points[i],
                to: points[i + 1],
                cut_from,
                cut_to,
                frame: Frame::along(t, up(i)),
                a: (a0 + a1) / 2.0,
                b: (b0 + b1) / 2.0,
            }
        })
        .collect()
}

/// A round tube whose radius goes evenly from `r0` to `r1`.
pub(super) fn round(points: &[Vec3], r0: f32, r1: f32) -> Vec<Segment> {
    let n = points.len().max(2) as f32 - 1.0;
    let up = |i: usize| {
        let t = points[i + 1] - points[i];
        if t.y.abs() > t.z.abs() { Vec3 { x: 0.0, y: 0.0, z: 1.0 } } else { Vec3 { x: 0.0, y: 1.0, z: 0.0 } }
    };
    chain(points, up, |i| {
        let r = r0 + (r1 - r0) * i as f32 / n;
        (r, r)
    })
}

/// A smooth curve (Catmull-Rom) through `knots`, `steps` points for each gap.
pub(super) fn curve(knots: &[Vec3], steps: usize) -> Vec<Vec3> {
    let last = knots.len() - 1;
    let mut out = Vec::with_capacity(last * steps + 1);
    for i in 0..last {
        let (p0, p1, p2, p3) = (knots[i.saturating_sub(1)], knots[i], knots[i + 1], knots[(i + 2).min(last)]);
        for s in 0..steps {
            let t = s as f32 / steps as f32;
            let (t2, t3) = (t * t, t * t * t);
            out.push(
                (p1 * 2.0
                    + (p2 - p0) * t
                    + (p0 * 2.0 - p1 * 5.0 + p2 * 4.0 - p3) * t2
                    + (p1 * 3.0 - p0 - p2 * 3.0 + p3) * t3)
                    * 0.5,
            );
        }
    }
    out.push(knots[last]);
    out
}

#[cfg(test)]
mod tests {
    use super::super::vector::v;
    use super::*;

    #[test]
    fn a_bent_tube_is_counted_once() {
        let points = curve(&[v(-5.0, 0.0, 0.0), v(0.0, 1.0, 0.0), v(5.0, 0.0, 0.0)], 8);
        let tube = round(&points, 1.0, 1.0);
        for i in -40..40 {
            let x = i as f32 / 10.0 + 0.037;
            let y = points.iter().min_by(|p, q| (p.x - x).abs().total_cmp(&(q.x - x).abs())).map_or(0.0, |p| p.y);
            let ray = Ray { origin: v(x, y, -20.0), along: v(0.0, 0.0, 1.0) };
            let length: f32 = tube.iter().filter_map(|s| s.span(&ray, 0.0)).map(|(a, b)| b - a).sum();
            assert!((length - 2.0).abs() < 0.1, "{x}: {length}");
        }
    }
}
