//! Analytic solids and the spans of a ray inside them.

use super::vector::{Frame, Vec3, v};

/// A ray `origin + t * along`; `t` is in centimetres of the patient, whatever the length of `along`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ray {
    pub origin: Vec3,
    pub along: Vec3,
}

impl Ray {
    pub fn at(&self, t: f32) -> Vec3 {
        self.origin + self.along * t
    }
}

/// Where a ray is inside a solid.
pub(super) type Span = (f32, f32);

/// Disjoint spans in no order; at most [`Spans::MOST`], more than a ray through the phantom has; those beyond are dropped.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spans {
    spans: [Span; Spans::MOST],
    count: usize,
}

impl Spans {
    const MOST: usize = 6;

    pub fn of(span: Option<Span>) -> Self {
        let mut s = Self::default();
        if let Some(span) = span {
            s.push(span);
        }
        s
    }

    fn push(&mut self, (a, b): Span) {
        if b - a > 1e-4 && self.count < Self::MOST {
            self.spans[self.count] = (a, b);
            self.count += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        self.spans[..self.count].iter().copied()
    }

    /// Total length.
    pub fn length(&self) -> f32 {
        self.iter().map(|(a, b)| b - a).sum()
    }

    /// What is left outside `cut`.
    pub fn minus(&self, cut: Option<Span>) -> Self {
        let Some((c, d)) = cut else { return *self };
        let mut out = Self::default();
        for (a, b) in self.iter() {
            if d <= a || c >= b {
                out.push((a, b));
            } else {
                out.push((a, c));
                out.push((d, b));
            }
        }
        out
    }

    /// What is also inside `keep`.
    pub fn and(&self, keep: Option<Span>) -> Self {
        let mut out = Self::default();
        if let Some((c, d)) = keep {
            for (a, b) in self.iter() {
                out.push((a.max(c), b.min(d)));
            }
        }
        out
    }

    /// Both; the spans of `more` must be disjoint from these.
    pub fn with(mut self, more: &Spans) -> Self {
        for span in more.iter() {
            self.push(span);
        }
        self
    }

    /// What is outside every span of `cut`.
    pub fn minus_all(&self, cut: &Spans) -> Self {
        cut.iter().fold(*self, |left, span| left.minus(Some(span)))
    }
}

/// Both roots of `a t^2 + 2 h t + c = 0`.
#[inline]
fn roots(a: f32, h: f32, c: f32) -> Option<Span> {
    let disc = h * h - a * c;
    if disc <= 0.0 || a < 1e-12 {
        return None;
    }
    let q = disc.sqrt();
    Some(((-h - q) / a, (-h + q) / a))
}

/// The part of a ray on the side of the plane through `point` to which `normal` points.
#[inline]
pub(super) fn half_space(ray: &Ray, point: Vec3, normal: Vec3) -> Option<Span> {
    let slope = ray.along.dot(normal);
    let height = (ray.origin - point).dot(normal);
    if slope.abs() < 1e-7 {
        return (height > 0.0).then_some((-1e6, 1e6));
    }
    let t = -height / slope;
    Some(if slope > 0.0 { (t, 1e6) } else { (-1e6, t) })
}

/// An ellipsoid with its own axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ellipsoid {
    pub centre: Vec3,
    frame: Frame,
    semi: Vec3,
}

impl Ellipsoid {
    /// Axes along those of the patient.
    pub fn upright(centre: Vec3, semi: Vec3) -> Self {
        Self { centre, frame: Frame::PATIENT, semi }
    }

    pub fn tilted(centre: Vec3, frame: Frame, semi: Vec3) -> Self {
        Self { centre, frame, semi }
    }

    pub fn moved(mut self, by: Vec3) -> Self {
        self.centre = self.centre + by;
        self
    }

    /// Larger by `k`, with another centre.
    pub fn scaled(mut self, k: f32, centre: Vec3) -> Self {
        self.semi = self.semi * k;
        self.centre = centre;
        self
    }

    pub fn semi(&self) -> Vec3 {
        self.semi
    }

    /// A radius within which it lies.
    pub fn reach(&self) -> f32 {
        self.semi.x.max(self.semi.y).max(self.semi.z)
    }

    fn inward(&self, p: Vec3) -> Vec3 {
        let q = self.frame.local(p);
        v(q.x / self.semi.x, q.y / self.semi.y, q.z / self.semi.z)
    }

    #[inline]
    pub fn span(&self, ray: &Ray) -> Option<Span> {
        let o = self.inward(ray.origin - self.centre);
        let d = self.inward(ray.along);
        roots(d.dot(d), o.dot(d), o.dot(o) - 1.0)
    }

    pub fn contains(&self, p: Vec3) -> bool {
        let q = self.inward(p - self.centre);
        q.dot(q) < 1.0
    }
}

/// A sphere swept along a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capsule {
    pub from: Vec3,
    pub to: Vec3,
    pub radius: f32,
}

impl Capsule {
    pub fn span(&self, ray: &Ray) -> Option<Span> {
        let axis = (self.to - self.from).unit();
        let flat = |p: Vec3| p - axis * p.dot(axis);
        let (o, d) = (flat(ray.origin - self.from), flat(ray.along));
        let mut span = roots(d.dot(d), o.dot(d), o.dot(o) - self.radius * self.radius).and_then(|side| {
            let ends =
                Spans::of(Some(side)).and(half_space(ray, self.from, axis)).and(half_space(ray, self.to, axis * -1.0));
            ends.iter().next()
        });
        for end in [self.from, self.to] {
            let o = ray.origin - end;
            let cap = roots(ray.along.dot(ray.along), o.dot(ray.along), o.dot(o) - self.radius * self.radius);
            span = match (span, cap) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (s, None) => s,
                (None, c) => c,
            };
        }
        span
    }
}

/// A convex solid bounded by planes.
#[derive(Clone, Debug)]
pub(super) struct Planes(pub Vec<(Vec3, Vec3)>);

impl Planes {
    /// A plate of the given thickness on the triangle `a b c`.
    pub fn plate(a: Vec3, b: Vec3, c: Vec3, thickness: f32) -> Self {
        let n = (b - a).cross(c - a).unit();
        let middle = (a + b + c) * (1.0 / 3.0);
        let mut planes = vec![(a - n * (thickness / 2.0), n), (a + n * (thickness / 2.0), n * -1.0)];
        for (p, q) in [(a, b), (b, c), (c, a)] {
            let inward = n.cross(q - p).unit();
            let inward = if inward.dot(middle - p) > 0.0 { inward } else { inward * -1.0 };
            planes.push((p, inward));
        }
        Self(planes)
    }

    pub fn span(&self, ray: &Ray) -> Option<Span> {
        let mut out = (-1e6_f32, 1e6_f32);
        for (p, n) in &self.0 {
            let (a, b) = half_space(ray, *p, *n)?;
            out = (out.0.max(a), out.1.min(b));
            if out.0 >= out.1 {
                return None;
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const RAY: Ray = Ray { origin: v(0.0, 0.0, -10.0), along: v(0.0, 0.0, 1.0) };

    #[test]
    fn chord_through_an_ellipsoid_is_its_axis() {
        let (a, b) = Ellipsoid::upright(v(0.0, 0.0, 1.0), v(1.0, 2.0, 3.0)).span(&RAY).unwrap();
        assert!((a - 8.0).abs() < 1e-4 && (b - 14.0).abs() < 1e-4);
        assert!(Ellipsoid::upright(v(1.1, 0.0, 0.0), v(1.0, 2.0, 3.0)).span(&RAY).is_none());
    }

    #[test]
    fn a_capsule_is_round_at_its_ends() {
        let c = Capsule { from: v(0.0, -3.0, 0.0), to: v(0.0, 3.0, 0.0), radius: 1.0 };
        let (a, b) = c.span(&RAY).unwrap();
        assert!((b - a - 2.0).abs() < 1e-4);
        let above = Ray { origin: v(0.0, 3.6, -10.0), ..RAY };
        let (a, b) = c.span(&above).unwrap();
        assert!((b - a - 1.6).abs() < 1e-3);
    }

    #[test]
    fn spans_subtract_and_intersect() {
        let s = Spans::of(Some((0.0, 10.0))).minus(Some((2.0, 3.0))).minus(Some((9.0, 12.0)));
        assert!((s.length() - 8.0).abs() < 1e-5);
        assert!((s.and(Some((2.5, 4.0))).length() - 1.0).abs() < 1e-5);
        assert!((s.minus_all(&Spans::of(Some((-1.0, 5.0)))).length() - 4.0).abs() < 1e-5);
        assert!(s.and(None).is_empty());
    }

    #[test]
    fn a_plate_is_as_thick_as_asked() {
        let p = Planes::plate(v(-2.0, -2.0, 0.0), v(2.0, -2.0, 0.0), v(0.0, 4.0, 0.0), 0.5);
        let (a, b) = p.span(&RAY).unwrap();
        assert!((b - a - 0.5).abs() < 1e-5);
    }
}
