//! Airways, and the vessels of the lungs: trees that grow from the hila until they reach the pleura.

use super::chance::Chance;
use super::finding::{Finding, Kind};
use super::lung::Lung;
use super::scene::{Blob, Layer, Scene, Tube, mu};
use super::tubes::{curve, round};
use super::vector::{Vec3, v};
use crate::findings::Severity;

/// Trachea and main bronchi: air in soft tissue.
pub(super) fn airways(scene: &mut Scene) {
    let line = curve(&scene.trachea, 4);
    let Some(&carina) = line.last() else { return };
    scene.tubes.push(Tube::solid(round(&line, 0.95, 0.9), -mu::SOFT * 0.97, Layer::Dense));
    let right = curve(&[carina, carina + v(-1.6, -1.7, -0.2), carina + v(-3.2, -3.2, -0.4)], 3);
    let left = curve(&[carina, carina + v(2.3, -1.7, -0.2), carina + v(4.4, -2.6, -0.6)], 3);
    scene.tubes.push(Tube::solid(round(&right, 0.7, 0.5), -mu::SOFT * 0.9, Layer::Dense));
    scene.tubes.push(Tube::solid(round(&left, 0.6, 0.42), -mu::SOFT * 0.9, Layer::Dense));
}

struct Tree<'a> {
    lung: &'a Lung,
    index: usize,
    c: &'a mut Chance,
    /// Width of the vessels above and below the hilum, against the upright norm.
    upper: f32,
    lower: f32,
    tubes: Vec<Tube>,
}

impl Tree<'_> {
    fn grow(&mut self, from: Vec3, along: Vec3, radius: f32, length: f32, left: u32) {
        let bend = v(self.c.gauss(), self.c.gauss(), self.c.gauss()) * 0.16;
        let steps = 3;
        let mut points = vec![from];
        let mut dir = along;
        let mut stopped = false;
        for _ in 0..steps {
            dir = (dir + bend * 0.5).unit();
            let p = points[points.len() - 1] + dir * (length / steps as f32);
            let edge = p + dir * 0.25;
            if !self.lung.contains(edge) && p.x * self.lung.side > 4.5 {
                stopped = true;
                break;
            }
            points.push(p);
        }
        let end = points[points.len() - 1];
        let narrow = radius * 0.87;
        if points.len() > 1 {
            let placed: Vec<Vec3> = points.iter().map(|p| self.lung.place(*p)).collect();
            let width = if end.y > 0.0 { self.upper } else { self.lower };
            self.tubes.push(Tube::solid(
                round(&placed, radius * width, narrow * width),
                mu::VESSEL,
                Layer::Lung(self.index),
            ));
        }
        if stopped || left == 0 {
            return;
        }
        // a side branch and the main one, or an even fork
        let even = self.c.happens(0.5);
        let axis = v(self.c.gauss(), self.c.gauss(), self.c.gauss());
        let across = dir.cross(axis).unit();
        let (turn0, turn1) = if even { (0.42, 0.42) } else { (0.18, 0.75) };
        let (r0, r1) = if even { (0.78, 0.76) } else { (0.9, 0.55) };
        let l = length * self.c.between(0.76, 0.98);
        for (turn, r, sign) in [(turn0, r0, 1.0), (turn1, r1, -1.0)] {
            let d = (dir + across * (turn * sign * self.c.between(0.75, 1.25))).unit();
            let radius = narrow * r;
            if radius > 0.02 {
                self.grow(end, d, radius, l, left - 1);
            }
        }
    }
}

/// Grows arteries and veins of both lungs.
pub(super) fn grow(scene: &mut Scene, findings: &[Finding], shift: f32, c: &mut Chance) {
    let edema = findings.iter().find(|f| f.kind == Kind::Edema).map(|f| f.severity);
    let (upper, lower) = match edema {
        None => (0.86, 1.0),
        Some(Severity::Mild) => (1.25, 1.08),
        Some(Severity::Moderate) => (1.4, 1.15),
        Some(Severity::Severe) => (1.5, 1.2),
    };
    for index in 0..2 {
        let lung = scene.thorax.lungs[index].clone();
        let s = lung.side;
        let hilum = v(s * 3.1 + shift, if s > 0.0 { 1.0 } else { 0.0 }, -0.9);
        let mut tree = Tree { lung: &lung, index, c, upper, lower, tubes: Vec::new() };
        // direction and radius of the lobar and segmental arteries
        let trunks = [
            (v(s * 0.35, 1.0, -0.1), 0.40),
            (v(s * 0.7, 0.8, -0.35), 0.34),
            (v(s * 0.75, 0.6, 0.55), 0.30),
            (v(s * 1.0, 0.15, 0.25), 0.30),
            (v(s * 1.0, -0.1, -0.6), 0.32),
            (v(s * 0.85, -0.5, 0.6), 0.36),
            (v(s * 0.45, -1.0, 0.2), 0.50),
            (v(s * 0.5, -0.95, -0.45), 0.46),
            (v(s * 0.2, -1.0, -0.25), 0.42),
            (v(s * 0.8, -0.75, -0.15), 0.40),
        ];
        for (d, r) in trunks {
            let start = hilum + v(0.0, if d.y < -0.3 { -1.0 } else { 0.2 }, 0.0);
            tree.grow(start, d.unit(), r * 1.25, 3.2, 6);
        }
        // veins come level into the left atrium
        let atrium = v(s * 2.4 + shift, -2.4, -1.6);
        for d in [v(s, 0.35, 0.2), v(s, -0.12, -0.2), v(s, -0.35, 0.3), v(s, -0.3, -0.4)] {
            tree.grow(atrium, d.unit(), 0.42, 3.0, 5);
        }
        let tubes = tree.tubes;
        scene.tubes.extend(tubes);
        // the hilum itself
        let descend = curve(
            &[
                hilum + v(-s * 0.4, 0.9, 0.0),
                hilum + v(s * 0.7, -0.3, 0.0),
                hilum + v(s * 1.2, -2.8, -0.3),
                hilum + v(s * 1.7, -4.8, -0.5),
            ]
            .map(|p| lung.place(p)),
            4,
        );
        scene.tubes.push(Tube::solid(round(&descend, 0.85, 0.5), mu::VESSEL, Layer::Lung(index)));
        for _ in 0..7 {
            let p = hilum + v(s * c.between(-0.2, 1.5), c.between(-2.2, 1.6), c.between(-0.8, 0.8));
            scene.blobs.push(Blob {
                centre: lung.place(p),
                sigma: c.between(0.5, 0.85),
                density: 0.35,
                lung: index,
                floor: -100.0,
                ceiling: 100.0,
            });
        }
    }
}
