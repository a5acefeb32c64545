//! Geometry of the projection: a point source and a flat detector (cone beam), the body between them turned and scaled.
//!
//! The picture is that of the reader who faces the patient: the patient's left is at its right. In a lateral film the front is at its left.

use super::patient::{Body, Technique};
use super::solids::Ray;
use super::vector::{Frame, Vec3, v};
use crate::archive::study::View;

/// Source, detector, and the way from the patient's coordinates into the room.
#[derive(Clone, Debug)]
pub(super) struct Camera {
    size: u32,
    /// In room coordinates.
    source: Vec3,
    /// Depth of the detector along the beam.
    detector: f32,
    view: View,
    turn: Frame,
    scale: Vec3,
    /// Point of the detector at the middle of the picture, and the width of a pixel on it, centimetres.
    middle: (f32, f32),
    pixel: f32,
}

impl Camera {
    /// `zoom` widens the field of view, `off` moves it (cm).
    pub fn new(body: &Body, technique: &Technique, view: View, size: u32, zoom: f32, off: (f32, f32)) -> Self {
        let (sx, sy, sz) = body.scale;
        let scale = v(sx, sy, sz);
        // distance of the source from the detector, and of the detector from the middle of the chest
        let (far, gap) = match view {
            View::Pa => (183.0, 13.5 * sz),
            View::Ap if technique.supine => (105.0, 16.0 * sz),
            View::Ap => (150.0, 14.5 * sz),
            View::Lateral => (183.0, 20.0 * sx),
        };
        let width = match view {
            View::Lateral => 35.0 * (sz * 0.5 + sy * 0.5),
            View::Pa => 37.5 * (sx * 0.5 + sy * 0.5),
            View::Ap => 39.5 * (sx * 0.5 + sy * 0.5),
        } * zoom;
        let (yaw, pitch) = if view == View::Lateral { (technique.rotation.0, 0.0) } else { technique.rotation };
        let low = -1.8 * sy + off.1;
        let source = match view {
            View::Pa => v(0.0, low, gap - far),
            View::Ap => v(0.0, low, far - gap),
            View::Lateral => v(gap - far, low, 0.0),
        };
        let detector = if view == View::Ap { -gap } else { gap };
        Self {
            size,
            source,
            detector,
            view,
            turn: Frame::turned(yaw, pitch),
            scale,
            middle: (off.0, low),
            pixel: width / size as f32,
        }
    }

    /// Width of a pixel in the middle of the chest, centimetres.
    pub fn pixel(&self) -> f32 {
        self.pixel * 0.93
    }

    fn inward(&self, p: Vec3) -> Vec3 {
        let q = self.turn.global(p);
        v(q.x / self.scale.x, q.y / self.scale.y, q.z / self.scale.z)
    }

    /// The ray to the middle of pixel `(px, py)`, in the coordinates of the standard thorax.
    #[inline]
    pub fn ray(&self, px: f32, py: f32) -> Ray {
        let half = self.size as f32 / 2.0;
        let u = (px + 0.5 - half) * self.pixel + self.middle.0;
        let h = (half - py - 0.5) * self.pixel + self.middle.1;
        let target = match self.view {
            View::Lateral => v(self.detector, h, -u),
            _ => v(u, h, self.detector),
        };
        let along = (target - self.source).unit();
        Ray { origin: self.inward(self.source), along: self.inward(along) }
    }

    /// Where a point of the standard thorax falls, in pixels, and the pixels to a centimetre there.
    pub fn project(&self, p: Vec3) -> (f32, f32, f32) {
        let q = self.turn.local(p.times(self.scale));
        let half = self.size as f32 / 2.0;
        let (depth, across) = match self.view {
            View::Lateral => ((q.x - self.source.x) / (self.detector - self.source.x), -q.z),
            _ => ((q.z - self.source.z) / (self.detector - self.source.z), q.x),
        };
        let depth = depth.max(0.05);
        let (u, h) = (across / depth, (q.y - self.source.y) / depth + self.source.y);
        let px = (u - self.middle.0) / self.pixel + half - 0.5;
        let py = half - (h - self.middle.1) / self.pixel - 0.5;
        (px, py, 1.15 / (self.pixel * depth))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::patient::visit;
    use super::*;

    #[test]
    fn a_ray_passes_through_the_point_that_projects_to_its_pixel() {
        for (i, view) in [View::Pa, View::Ap, View::Lateral].into_iter().enumerate() {
            let visit = visit(3, i);
            let camera = Camera::new(&visit.patient.body, &visit.technique, view, 256, 1.02, (0.4, -0.3));
            let p = v(5.0, -3.0, 4.0);
            let (px, py, _) = camera.project(p);
            let ray = camera.ray(px, py);
            let off = p - ray.origin;
            let miss = off.cross(ray.along.unit()).length();
            assert!(miss < 0.01, "{view:?}: {miss}");
        }
    }

    #[test]
    fn the_patients_left_is_at_the_right_of_the_picture() {
        let visit = visit(3, 0);
        for view in [View::Pa, View::Ap] {
            let camera = Camera::new(&visit.patient.body, &visit.technique, view, 256, 1.0, (0.0, 0.0));
            assert!(camera.project(v(5.0, 0.0, 0.0)).0 > camera.project(v(-5.0, 0.0, 0.0)).0);
            assert!(camera.project(v(0.0, 5.0, 0.0)).1 < camera.project(v(0.0, -5.0, 0.0)).1);
        }
    }
}
