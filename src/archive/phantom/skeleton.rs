//! The bones: spine, ribs, sternum, clavicles, scapulae, humeri.

use super::finding::{Finding, Kind};
use super::patient::{Body, Technique};
use super::scene::{Layer, Scene, Shape, Solid, Tube, mu};
use super::solids::{Ellipsoid, Planes};
use super::tubes::{chain, curve, round};
use super::vector::{Vec3, v};
use crate::archive::study::View;
use crate::findings::{Severity, Side};

/// Height of the middle of thoracic vertebra `n`; 13 and on are lumbar, 0 and below cervical.
pub(super) fn vertebra(n: i32) -> f32 {
    let d = (5 - n) as f32;
    0.4 + d * if n < 5 { 2.2 } else { 2.35 }
}

/// Depth of the vertebral bodies: the kyphosis of the spine.
fn spine_depth(y: f32) -> f32 {
    -7.0 + 0.011 * (y - 0.5) * (y - 0.5)
}

/// Puts the bones into the scene, broken where the findings say so.
pub(super) fn build(scene: &mut Scene, body: &Body, technique: &Technique, findings: &[Finding]) {
    spine(scene, body);
    for side in [-1.0, 1.0] {
        let here = if side > 0.0 { Side::Left } else { Side::Right };
        for n in 1..=12 {
            let broken = findings
                .iter()
                .filter(|f| f.on(here))
                .find_map(|f| (f.kind == Kind::RibFracture(n as u8)).then_some((f.severity, f.shape)));
            rib(scene, body, side, n, broken);
        }
        let broken = findings.iter().find(|f| f.kind == Kind::ClavicleFracture && f.on(here)).map(|f| f.severity);
        clavicle(scene, body, technique, side, broken);
        shoulder(scene, body, technique, side);
    }
    let top = v(0.0, 7.2, 6.4);
    let points = curve(&[top, v(0.0, 3.5, 8.0), v(0.0, -1.5, 9.2), v(0.0, -6.5, 9.6)], 4);
    let n = points.len();
    let sternum = chain(&points, |_| v(1.0, 0.0, 0.0), |i| (if i < n / 4 { 2.3 } else { 1.5 }, 0.55));
    scene.tubes.push(Tube::bone(sternum, 0.1, 0.6 * body.bone));
}

fn spine(scene: &mut Scene, body: &Body) {
    for n in -3..=15 {
        let y = vertebra(n);
        let z = spine_depth(y.min(9.0));
        let size = 1.0 + 0.035 * (n as f32 - 5.0);
        let half = v(1.45 * size, 0.86, 1.25 * size);
        let ends = [v(0.0, y - half.y, z), v(0.0, y, z), v(0.0, y + half.y, z)];
        let waist = |i: usize| if i == 1 { 0.9 } else { 1.04 };
        let bodies = chain(&ends, |_| v(1.0, 0.0, 0.0), |i| (half.x * waist(i), half.z * waist(i)));
        scene.tubes.push(Tube::bone(bodies, 0.08, 0.6 * body.bone));
        // end plates
        for dy in [-half.y, half.y] {
            let plate = Ellipsoid::upright(v(0.0, y + dy, z), v(half.x, 0.1, half.z));
            scene.solids.push(Solid::ellipsoid(plate, mu::CORTEX * 0.3 * body.bone, Layer::Dense));
        }
        for s in [-1.0, 1.0] {
            // pedicle, then transverse process
            let pedicle = Ellipsoid::upright(v(s * 1.0 * size, y + 0.25, z - 1.6), v(0.38, 0.5, 0.7));
            scene.solids.push(Solid::ellipsoid(pedicle, 0.2 * body.bone, Layer::Dense));
            let from = v(s * 1.0, y + 0.2, z - 2.2);
            let process = round(&[from, from + v(s * 1.9, 0.25, -0.6)], 0.5, 0.4);
            scene.tubes.push(Tube::bone(process, 0.1, 0.5 * body.bone));
        }
        let spinous = Ellipsoid::upright(v(0.0, y - 0.9, z - 3.3), v(0.33, 0.95, 1.3));
        scene.solids.push(Solid::ellipsoid(spinous, 0.12 * body.bone, Layer::Dense));
    }
}

/// The middle line of a rib from spine to cartilage, and the outward direction at each point.
fn rib_path(scene: &Scene, body: &Body, side: f32, n: i32) -> Vec<(Vec3, Vec3)> {
    const DROP: [f32; 12] = [3.0, 4.8, 6.2, 7.3, 8.3, 9.2, 9.9, 10.3, 10.0, 8.6, 5.5, 3.2];
    const REACH: [f32; 12] = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.98, 0.94, 0.88, 0.8, 0.55, 0.38];
    let i = (n - 1) as usize;
    let cavity = &scene.thorax.lungs[usize::from(side > 0.0)].cavity;
    let start = vertebra(n) + 0.5;
    let drop = DROP[i] * (1.08 + 0.1 * body.shape[2]);
    let (from, to) = (-1.33_f32, 0.98 + 0.12 * (6 - n).max(0) as f32 / 5.0);
    let steps = 26;
    let head = v(side * 1.7, start, spine_depth(start) - 1.1);
    let mut out = vec![(head, v(0.0, 0.0, -1.0))];
    for k in 0..=steps {
        let s = k as f32 / steps as f32 * REACH[i];
        let angle = from + (to - from) * s;
        let y = start + 0.45 * (s * 9.0).min(1.0) - 0.45 - drop * (0.3 * s + 0.7 * s * s * (3.0 - 2.0 * s));
        let ring = cavity.ring(y.clamp(-13.0, 8.6));
        let (ca, sa) = (angle.cos(), angle.sin());
        let out_by = 0.45;
        let p = v(ring.x + side * (ring.a + out_by) * ca, y, ring.z + (ring.b + out_by) * sa);
        let normal = v(side * ca * ring.b, 0.0, sa * ring.a).unit();
        out.push((p, normal));
    }
    out
}

fn rib(scene: &mut Scene, body: &Body, side: f32, n: i32, broken: Option<(Severity, u64)>) {
    let path = rib_path(scene, body, side, n);
    let size = match n {
        1 => 0.95,
        11 | 12 => 0.75,
        _ => 1.0,
    };
    let half = |i: usize, count: usize| {
        let s = i as f32 / count as f32;
        (size * (0.52 + 0.2 * s), size * (0.40 - 0.06 * s))
    };
    let mut push = |points: &[(Vec3, Vec3)], offset: Vec3, first: usize| {
        let line: Vec<Vec3> = points.iter().map(|p| p.0 + offset).collect();
        let count = path.len();
        let up = |i: usize| {
            let t = line[(i + 1).min(line.len() - 1)] - line[i];
            points[i].1.cross(t)
        };
        let segments = chain(&line, up, |i| half(first + i, count));
        scene.tubes.push(Tube::bone(segments, 0.12, body.bone));
    };
    match broken {
        None => push(&path, Vec3::default(), 0),
        Some((severity, shape)) => {
            // the lateral arc breaks; the piece in front steps down and in
            let at = 8 + (shape % 6) as usize;
            let step = match severity {
                Severity::Mild => 0.5,
                Severity::Moderate => 1.0,
                Severity::Severe => 1.6,
            };
            push(&path[..=at], Vec3::default(), 0);
            push(&path[at..], path[at].1 * (-0.35 * step) + v(0.0, -step, 0.0), at);
        }
    }
    if (2..=10).contains(&n) {
        // calcified end of the cartilage
        if let Some((end, _)) = path.last() {
            let knob = Ellipsoid::upright(*end, v(0.55, 0.6, 0.4));
            scene.solids.push(Solid::ellipsoid(knob, 0.07, Layer::Dense));
        }
    }
}

fn clavicle(scene: &mut Scene, body: &Body, technique: &Technique, side: f32, broken: Option<Severity>) {
    let lift = 0.7 * body.shape[3] + if technique.view == View::Ap { 0.9 } else { 0.0 };
    let path = curve(
        &[
            v(side * 1.7, 7.0, 6.3),
            v(side * 4.5, 7.7 + 0.3 * lift, 6.6),
            v(side * 9.0, 9.0 + 0.7 * lift, 4.6),
            v(side * 13.0, 9.8 + lift, 0.9),
            v(side * 16.6, 9.7 + lift, -2.0),
        ],
        6,
    );
    let n = path.len();
    let section = |i: usize| {
        let s = i as f32 / n as f32;
        (0.75 - 0.45 * s * (1.0 - s) * 2.0, 0.68 - 0.2 * s)
    };
    let up = |_: usize| v(0.0, 1.0, 0.0);
    match broken {
        None => scene.tubes.push(Tube::bone(chain(&path, up, section), 0.17, body.bone)),
        Some(severity) => {
            let step = match severity {
                Severity::Mild => 0.6,
                Severity::Moderate => 1.1,
                Severity::Severe => 1.8,
            };
            let at = n * 11 / 20;
            let outer: Vec<Vec3> = path[at..].iter().map(|p| *p + v(-side * 0.8, -step, 0.0)).collect();
            scene.tubes.push(Tube::bone(chain(&path[..=at], up, section), 0.17, body.bone));
            scene.tubes.push(Tube::bone(chain(&outer, up, |i| section(at + i)), 0.17, body.bone));
        }
    }
}

fn shoulder(scene: &mut Scene, body: &Body, technique: &Technique, side: f32) {
    let lateral = technique.view == View::Lateral;
    let out = match technique.view {
        View::Pa => 2.9,
        View::Ap => 0.6,
        View::Lateral => 0.0,
    };
    let at = |x: f32, y: f32, z: f32| v(side * (x + out), y, z);
    let (upper, lower, glenoid) = (at(8.6, 8.8, -8.6), at(11.2, -4.0, -9.4), at(15.6, 6.6, -4.4));
    let reach = 8.0;
    let middle = (upper + lower + glenoid) * (1.0 / 3.0);
    let plate = Planes::plate(upper, lower, glenoid, 0.42);
    let bone = 0.8 * body.bone;
    scene.solids.push(Solid { shape: Shape::Planes(plate, middle, reach), mu: 0.3 * bone, layer: Layer::Dense });
    let mut tube = |points: &[Vec3], r0: f32, r1: f32, shell: f32| {
        scene.tubes.push(Tube::bone(round(points, r0, r1), shell, 0.75 * bone));
    };
    tube(&curve(&[upper, upper.lerp(lower, 0.5) + v(side * -0.5, 0.0, 0.0), lower], 5), 0.25, 0.35, 0.1);
    tube(&curve(&[lower, lower.lerp(glenoid, 0.5), glenoid + v(0.0, -1.4, 0.0)], 5), 0.35, 0.65, 0.1);
    tube(&curve(&[upper, upper.lerp(glenoid, 0.5) + v(0.0, 0.9, 0.0), glenoid + v(0.0, 1.2, 0.0)], 5), 0.25, 0.5, 0.1);
    // spine of the scapula to the acromion, and the coracoid
    let acromion = at(17.4, 9.3, -3.4);
    tube(
        &curve(&[upper.lerp(lower, 0.2), at(13.0, 8.9, -7.6), acromion, acromion + v(side * 0.6, -0.2, 1.6)], 4),
        0.35,
        0.75,
        0.13,
    );
    tube(&curve(&[glenoid + v(0.0, 1.0, 0.0), at(14.6, 8.3, -2.2), at(14.2, 7.6, -0.6)], 4), 0.7, 0.5, 0.12);
    let socket = Ellipsoid::upright(glenoid + v(side * -0.3, 0.0, 0.0), v(0.9, 1.8, 1.3));
    scene.solids.push(Solid::ellipsoid(socket, 0.13 * bone, Layer::Dense));
    if lateral {
        return;
    }
    let head = at(18.2, 6.6, -3.2);
    let cap = Ellipsoid::upright(head, v(2.25, 2.3, 2.2));
    scene.solids.push(Solid::ellipsoid(cap, 0.10 * body.bone, Layer::Dense));
    if let Some(arm) = scene.thorax.arms.get(usize::from(side > 0.0)) {
        let (from, to) = (head + v(side * 0.4, -1.2, 0.0), arm.to);
        let shaft = curve(&[from, from.lerp(to, 0.25), to], 5);
        let mut tube = Tube::bone(round(&shaft, 1.7, 1.1), 0.38, body.bone);
        tube.in_core = 0.03;
        scene.tubes.push(tube);
    }
}
