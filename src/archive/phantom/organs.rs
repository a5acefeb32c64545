//! The shapes of torso, mediastinum, heart, great vessels and stomach bubble.

use super::chance::Chance;
use super::loft::{Loft, Ring};
use super::patient::{Body, Technique};
use super::solids::Ellipsoid;
use super::vector::{Frame, v};
use crate::archive::study::View;

/// The torso, and what of it lies inside the fat.
pub(super) fn torso(body: &Body, technique: &Technique) -> (Loft, Loft) {
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

/// The middle of the chest without the heart and the great vessels.
pub(super) fn mediastinum() -> Loft {
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
pub(super) fn organs(body: &Body, up: f32) -> (Vec<Ellipsoid>, usize) {
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

/// Gas of the stomach under the left hemidiaphragm, and of the bowel, each with the height of its fluid level.
pub(super) fn gas(technique: &Technique, left_dome: f32, c: &mut Chance) -> Vec<(Ellipsoid, f32)> {
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
