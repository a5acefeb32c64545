//! Findings that fill the airspace or lie in it: consolidation, edema, atelectasis, nodules, plaques.

use super::chance::Chance;
use super::finding::{Finding, Kind, Zone};
use super::reshape::by;
use super::scene::{Blob, Layer, Scene, Solid, Tube, mu};
use super::solids::Ellipsoid;
use super::tubes::round;
use super::vector::{Frame, Vec3, v};
use crate::findings::{Severity, Side};

/// Middle of a zone of a lung, and the fissures that bound it (floor, ceiling).
fn region(zone: Zone, side: f32, c: &mut Chance) -> (Vec3, f32, f32) {
    let jitter = v(c.normal(0.0, 0.7), c.normal(0.0, 0.6), c.normal(0.0, 0.8));
    let (at, floor, ceiling) = match zone {
        Zone::Upper => (v(side * 6.2, 6.4, -0.6), if side < 0.0 { 0.6 } else { -100.0 }, 100.0),
        Zone::Middle => (v(side * 6.4, -4.6, 4.6), -100.0, if side < 0.0 { 0.4 } else { 100.0 }),
        Zone::Lower => (v(side * 7.3, -7.4, -4.0), -100.0, 100.0),
    };
    (at + jitter, floor, ceiling)
}

/// Fills airspace and adds compact lesions.
pub(super) fn fill(scene: &mut Scene, findings: &[Finding], supine: bool) {
    for f in findings {
        let mut c = Chance::new(f.shape, 2);
        for index in 0..2 {
            let side = if index == 0 { Side::Right } else { Side::Left };
            if !f.on(side) {
                continue;
            }
            let s = scene.thorax.lungs[index].side;
            match f.kind {
                Kind::Consolidation(z) | Kind::Pneumonia(z) => airspace(scene, index, z, f.severity, &mut c),
                Kind::Opacity(z) => {
                    let (at, floor, ceiling) = region(z, s, &mut c);
                    let (reach, density) = by(f.severity, [(2.0, 0.20), (2.8, 0.26), (3.6, 0.32)]);
                    cloud(scene, index, at, v(reach, reach, reach), (14, 1.5), density, (floor, ceiling), &mut c);
                }
                Kind::Edema => edema(scene, index, f.severity, &mut c),
                Kind::Atelectasis => bands(scene, index, f.severity, supine, &mut c),
                Kind::Nodule(z) => {
                    let radius = by(f.severity, [0.6, 0.9, 1.3]) * c.between(0.92, 1.1);
                    lesion(scene, index, z, radius, false, &mut c);
                }
                Kind::Mass(z) => {
                    let radius = by(f.severity, [1.7, 2.3, 3.2]) * c.between(0.95, 1.1);
                    lesion(scene, index, z, radius, true, &mut c);
                }
                Kind::Plaques => plaques(scene, index, f.severity, &mut c),
                _ => {}
            }
        }
    }
}

/// `count` blobs of about `sigma` in an ellipsoid about `at`, kept inside the lung.
#[allow(clippy::too_many_arguments)]
fn cloud(
    scene: &mut Scene,
    index: usize,
    at: Vec3,
    reach: Vec3,
    (count, sigma): (usize, f32),
    density: f32,
    (floor, ceiling): (f32, f32),
    c: &mut Chance,
) {
    let lung = scene.thorax.lungs[index].clone();
    let mut tries = 0;
    let mut left = count;
    while left > 0 && tries < count * 8 {
        tries += 1;
        let p = at + v(c.gauss() * reach.x, c.gauss() * reach.y, c.gauss() * reach.z) * 0.6;
        if !lung.contains(p) {
            continue;
        }
        left -= 1;
        scene.blobs.push(Blob {
            centre: lung.place(p),
            sigma: sigma * c.between(0.55, 1.25),
            density: density * c.between(0.5, 1.4),
            lung: index,
            floor,
            ceiling,
        });
    }
}

fn airspace(scene: &mut Scene, index: usize, zone: Zone, severity: Severity, c: &mut Chance) {
    let (at, floor, ceiling) = region(zone, scene.thorax.lungs[index].side, c);
    let (reach, density, count) = by(severity, [(2.1, 0.30, 26), (3.0, 0.36, 46), (4.4, 0.42, 85)]);
    cloud(scene, index, at, v(reach, reach * 0.95, reach * 0.85), (count, 1.15), density, (floor, ceiling), c);
    // patches away from the core
    let wide = v(reach * 1.7, reach * 1.5, reach);
    cloud(scene, index, at, wide, (count / 3, 0.7), density * 0.8, (floor, ceiling), c);
}

fn edema(scene: &mut Scene, index: usize, severity: Severity, c: &mut Chance) {
    let s = scene.thorax.lungs[index].side;
    let density = by(severity, [0.075, 0.15, 0.27]);
    let at = v(s * 5.2, -1.6, -0.5);
    let reach = by(severity, [v(2.8, 4.2, 3.5), v(3.4, 5.0, 4.0), v(4.4, 6.0, 4.5)]);
    cloud(scene, index, at, reach, (70, 1.35), density, (-100.0, 100.0), c);
    // septal lines (Kerley B): short, level, at the pleura of the lower zone
    let lung = scene.thorax.lungs[index].clone();
    for k in 0..by(severity, [7, 12, 12]) {
        let y = -9.5 + k as f32 * 0.62 + c.between(-0.15, 0.15);
        let angle = c.between(-0.25, 0.25);
        let angle = if s > 0.0 { angle } else { std::f32::consts::PI - angle };
        let outer = lung.cavity.surface(y, angle, -0.2);
        let inner = outer + v(-s * c.between(1.2, 2.2), c.between(-0.1, 0.25), 0.0);
        let line = round(&[lung.place(outer), lung.place(inner)], 0.075, 0.06);
        scene.tubes.push(Tube::solid(line, 0.5, Layer::Lung(index)));
    }
    // thickened walls of bronchi near the hilum
    for _ in 0..by(severity, [3, 5, 6]) {
        let p = v(s * c.between(3.4, 6.0), c.between(-3.5, 3.0), c.between(-1.5, 2.0));
        let cuff = Ellipsoid::upright(p, v(0.48, 0.48, 0.6));
        let hole = Ellipsoid::upright(p, v(0.27, 0.27, 0.6));
        scene.solids.push(Solid::ellipsoid(cuff, 0.20, Layer::Lung(index)));
        scene.solids.push(Solid::ellipsoid(hole, -0.24, Layer::Lung(index)));
    }
}

/// Plate atelectasis, and with more loss of volume a dense base.
fn bands(scene: &mut Scene, index: usize, severity: Severity, supine: bool, c: &mut Chance) {
    let lung = scene.thorax.lungs[index].clone();
    let s = lung.side;
    let top = lung.dome.centre.y + lung.dome.semi().y;
    for k in 0..by(severity, [1, 2, 3]) {
        let y = top + 0.9 + 1.5 * k as f32 + c.between(0.0, 0.7);
        let at = v(s * c.between(5.5, 8.5), y, c.between(-1.0, 2.0));
        let tilt = c.between(-0.05, 0.38);
        let along = v(s, tilt, 0.0);
        let half = v(by(severity, [2.6, 3.2, 3.8]) * c.between(0.85, 1.15), c.between(0.14, 0.22), c.between(1.4, 2.4));
        let plate = Ellipsoid::tilted(at, Frame::along(along, v(0.0, 1.0, 0.05)), half);
        scene.solids.push(Solid::ellipsoid(plate, mu::VESSEL, Layer::Lung(index)));
    }
    if severity != Severity::Mild || supine {
        let at = v(s * 5.4, top + 0.4, -4.2);
        let (density, count) = by(severity, [(0.14, 10), (0.24, 20), (0.42, 36)]);
        cloud(scene, index, at, v(3.0, 1.5, 2.5), (count, 1.2), density, (-100.0, 100.0), c);
    }
}

fn lesion(scene: &mut Scene, index: usize, zone: Zone, radius: f32, mass: bool, c: &mut Chance) {
    let lung = scene.thorax.lungs[index].clone();
    let s = lung.side;
    let mut at = v(s * 7.0, 0.0, 0.0);
    for _ in 0..40 {
        let (middle, _, _) = region(zone, s, c);
        let p = middle + v(c.normal(1.0 * s, 1.5), c.normal(0.0, 1.6), c.normal(0.0, 2.0));
        let inside = |d: Vec3| lung.contains(p + d * (radius * 0.8));
        if p.x * s > 5.6 && inside(v(s, 0.0, 0.0)) && inside(v(0.0, -1.0, 0.0)) && inside(v(0.0, 1.0, 0.0)) {
            at = p;
            break;
        }
    }
    let at = lung.place(at);
    let mut add = |centre: Vec3, half: Vec3, mu: f32| {
        let frame = Frame::along(v(c.gauss(), c.gauss(), c.gauss()), v(0.0, 1.0, 0.0));
        let ball = Ellipsoid::tilted(centre, frame, half);
        scene.solids.push(Solid::ellipsoid(ball, mu, Layer::Lung(index)));
    };
    let base = if mass { mu::VESSEL * 0.62 } else { mu::VESSEL * 1.6 };
    add(at, v(1.05, 0.92, 1.0) * radius, base);
    if mass {
        // lobulated
        for k in 0..4 {
            let a = k as f32 * 1.6 + 0.4;
            add(
                at + v(a.cos(), a.sin(), 0.3 * (a * 2.0).sin()) * (radius * 0.42),
                v(0.66, 0.6, 0.62) * radius,
                mu::VESSEL * 0.3,
            );
        }
    }
    // spicules
    let rays = if mass { 14 } else { 5 };
    for _ in 0..rays {
        let d = v(c.gauss(), c.gauss(), c.gauss()).unit();
        let line = round(&[at + d * (radius * 0.85), at + d * (radius * c.between(1.25, 1.7))], 0.1, 0.03);
        scene.tubes.push(Tube::solid(line, mu::VESSEL, Layer::Lung(index)));
    }
}

fn plaques(scene: &mut Scene, index: usize, severity: Severity, c: &mut Chance) {
    let lung = scene.thorax.lungs[index].clone();
    let s = lung.side;
    for _ in 0..by(severity, [3, 5, 8]) {
        let angle = c.between(0.1, 1.25);
        let angle = if s > 0.0 { angle } else { std::f32::consts::PI - angle };
        let y = c.between(-8.0, 4.0);
        let at = lung.cavity.surface(y, angle, -0.05);
        let normal = v(angle.cos(), 0.0, angle.sin());
        let half = v(0.17, c.between(0.7, 1.6), c.between(0.6, 1.3));
        let plate = Ellipsoid::tilted(at, Frame::along(normal, v(c.between(-0.5, 0.5), 1.0, 0.0)), half);
        scene.solids.push(Solid::ellipsoid(plate, 0.55, Layer::Dense));
    }
    // on top of the diaphragm
    let dome = lung.dome;
    let at = dome.centre + v(s * c.between(-1.0, 2.0), dome.semi().y, 0.0);
    let plate = Ellipsoid::upright(at, v(c.between(1.2, 2.2), 0.12, 1.2));
    scene.solids.push(Solid::ellipsoid(plate, 0.5, Layer::Dense));
}
