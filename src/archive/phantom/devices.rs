//! Support devices. Positions are those of the standard thorax.

use super::chance::Chance;
use super::finding::{Device, Finding, Kind};
use super::scene::{Layer, Scene, Solid, Tube, mu};
use super::solids::Ellipsoid;
use super::tubes::{curve, round};
use super::vector::{Frame, Vec3, v};
use crate::findings::Side;

/// Puts the devices among the findings into the scene.
pub(super) fn place(scene: &mut Scene, findings: &[Finding]) {
    for f in findings {
        let Kind::Device(device) = f.kind else { continue };
        let mut c = Chance::new(f.shape, 3);
        let side = if f.side == Some(Side::Right) { -1.0 } else { 1.0 };
        match device {
            Device::Pacemaker => pacemaker(scene, side, &mut c),
            Device::CentralLine => {
                let neck = v(side * 4.6, 17.0, 0.5);
                line(scene, &[neck, v(side * 3.6, 11.5, 0.6), v(side * 2.2, 8.0, 1.2)], side, 0.11, &mut c);
            }
            Device::Picc => {
                let arm = v(side * 24.0, -6.0, 0.5);
                let path = [
                    arm,
                    v(side * 20.0, 5.0, 0.0),
                    v(side * 15.0, 9.2, 0.5),
                    v(side * 8.0, 8.3, 2.6),
                    v(side * 2.6, 7.2, 2.2),
                ];
                line(scene, &path, side, 0.08, &mut c);
            }
            Device::Port => {
                let pocket = v(side * 8.5, 4.2, 9.0);
                let disc = Ellipsoid::upright(pocket, v(1.25, 1.25, 0.45));
                let hole = Ellipsoid::upright(pocket, v(0.75, 0.75, 0.5));
                scene.solids.push(Solid::ellipsoid(disc, 1.0, Layer::Dense));
                scene.solids.push(Solid::ellipsoid(hole, -0.55, Layer::Dense));
                let path = [
                    pocket + v(-side * 1.1, 0.5, 0.0),
                    v(side * 7.0, 7.2, 8.0),
                    v(side * 4.6, 9.4, 5.0),
                    v(side * 2.4, 7.6, 2.2),
                ];
                line(scene, &path, side, 0.11, &mut c);
            }
            Device::EndotrachealTube => {
                let (mut path, tip) = (scene.trachea.clone(), c.between(3.2, 5.5));
                if let Some(last) = path.last_mut() {
                    last.y += tip;
                }
                path.retain({
                    let end = path.last().map_or(0.0, |p| p.y);
                    move |p| p.y >= end
                });
                let line = curve(&path, 6);
                let wall = |dx: f32| -> Vec<Vec3> { line.iter().map(|p| *p + v(dx, 0.0, 0.3)).collect() };
                for (dx, r, m) in [(0.45, 0.10, 2.4), (-0.45, 0.08, 1.4)] {
                    scene.tubes.push(Tube::solid(round(&wall(dx), r, r), m, Layer::Dense));
                }
                scene.tubes.push(Tube::solid(round(&line, 0.5, 0.5), 0.08, Layer::Dense));
            }
            Device::NasogastricTube => {
                let end = v(c.between(5.0, 8.0), -14.5 - c.between(0.0, 2.0), 2.0);
                let path = curve(
                    &[
                        v(0.3, 20.0, -2.0),
                        v(0.5, 12.0, -3.5),
                        v(0.6, 4.0, -4.2),
                        v(0.7, -4.0, -4.0),
                        v(1.6, -10.0, -2.0),
                        v(3.4, -13.6, 0.5),
                        end,
                    ],
                    6,
                );
                scene.tubes.push(Tube::solid(round(&path, 0.15, 0.15), mu::CATHETER, Layer::Dense));
            }
            Device::ChestTube => {
                let high = c.happens(0.6);
                let tip = if high { v(side * 5.6, 7.8, -2.0) } else { v(side * 4.6, -6.5, -5.0) };
                let path = curve(
                    &[
                        v(side * 20.0, -9.5, 1.0),
                        v(side * 15.6, -6.0, 1.0),
                        v(side * 11.8, -2.5, -0.5),
                        v(side * 9.2, 2.6, -2.0),
                        tip,
                    ],
                    6,
                );
                for d in [0.28, -0.28] {
                    let wall: Vec<Vec3> = path.iter().map(|p| *p + v(d * 0.7, d, 0.0)).collect();
                    scene.tubes.push(Tube::solid(round(&wall, 0.08, 0.08), mu::CATHETER * 1.2, Layer::Dense));
                }
                scene.tubes.push(Tube::solid(round(&path, 0.36, 0.36), 0.09, Layer::Dense));
            }
            Device::SternotomyWires => wires(scene, &mut c),
            Device::ValveProsthesis => ring(scene, v(0.4, -3.4, 2.2), 1.25, v(0.5, 0.8, 0.35)),
        }
    }
}

/// A catheter that goes on through the superior vena cava.
fn line(scene: &mut Scene, path: &[Vec3], side: f32, radius: f32, c: &mut Chance) {
    let mut knots = path.to_vec();
    if side > 0.0 {
        knots.push(v(-0.4, 5.6, 2.2));
    }
    knots.push(v(-1.9, 4.2, 1.2));
    knots.push(v(-2.1, 1.0 - c.between(0.0, 2.2), 0.8));
    let points = curve(&knots, 6);
    scene.tubes.push(Tube::solid(round(&points, radius, radius), mu::CATHETER * 1.6, Layer::Dense));
}

fn pacemaker(scene: &mut Scene, side: f32, c: &mut Chance) {
    let at = v(side * c.between(8.8, 10.2), c.between(4.6, 6.2), 9.0);
    let frame = Frame::along(v(1.0, c.between(-0.3, 0.3), 0.0), v(0.0, 1.0, 0.0));
    let can = Ellipsoid::tilted(at, frame, v(2.3, 2.0, 0.42));
    scene.solids.push(Solid::ellipsoid(can, 1.6, Layer::Dense));
    let head = Ellipsoid::tilted(at + v(-side * 0.2, 1.6, 0.0), frame, v(1.5, 0.7, 0.4));
    scene.solids.push(Solid::ellipsoid(head, 0.8, Layer::Dense));
    let out = at + v(side * 0.9, 1.9, 0.0);
    let vein = [out, v(side * 9.2, 8.6, 6.0), v(side * 5.5, 8.7, 4.2), v(side * 2.2, 7.2, 2.4)];
    let mut ends =
        vec![vec![v(-2.2, 1.5, 0.9), v(-2.7, -3.0, 1.2), v(-1.2, -7.4, 2.8), v(3.0, -8.6, 4.4), v(5.0, -8.2, 4.8)]];
    if c.happens(0.7) {
        ends.push(vec![v(-2.0, 1.5, 0.9), v(-2.6, -3.6, 1.4), v(-1.7, -4.9, 3.0), v(-1.9, -3.4, 4.2)]);
    }
    for (k, end) in ends.into_iter().enumerate() {
        let mut knots: Vec<Vec3> = vein.iter().map(|p| *p + v(0.12, -0.14, 0.0) * k as f32).collect();
        if side > 0.0 {
            knots.push(v(-0.6, 5.6, 2.2));
        }
        knots.extend(end);
        let tip = knots[knots.len() - 1];
        scene.tubes.push(Tube::solid(round(&curve(&knots, 6), 0.09, 0.09), mu::METAL * 0.8, Layer::Dense));
        let ball = Ellipsoid::upright(tip, v(0.2, 0.2, 0.2));
        scene.solids.push(Solid::ellipsoid(ball, mu::METAL, Layer::Dense));
    }
}

/// Six or seven wire loops through the sternum, each with its twist.
fn wires(scene: &mut Scene, c: &mut Chance) {
    for k in 0..c.count(5, 7) {
        let y = 6.2 - 2.1 * k as f32;
        let z = 6.9 + (6.2 - y) * 0.28;
        let x = c.normal(0.0, 0.12);
        let width = c.between(0.75, 1.0);
        let points: Vec<Vec3> = (0..=12)
            .map(|i| {
                let a = i as f32 / 12.0 * std::f32::consts::TAU;
                v(x + width * a.sin(), y + 0.42 * a.cos() + 0.1 * (2.0 * a).sin(), z.min(10.2) + 0.6 * a.cos())
            })
            .collect();
        scene.tubes.push(Tube::solid(round(&points, 0.055, 0.055), mu::METAL * 1.6, Layer::Dense));
        let twist = [v(x, y + 0.45, z), v(x + 0.15, y + 0.1, z + 0.3)];
        scene.tubes.push(Tube::solid(round(&twist, 0.1, 0.1), mu::METAL * 1.6, Layer::Dense));
    }
}

/// The ring of a heart valve, facing `axis`.
fn ring(scene: &mut Scene, at: Vec3, radius: f32, axis: Vec3) {
    let frame = Frame::along(axis, v(0.0, 1.0, 0.0));
    let points: Vec<Vec3> = (0..=16)
        .map(|i| {
            let a = i as f32 / 16.0 * std::f32::consts::TAU;
            at + frame.global(v(0.0, radius * a.cos(), radius * a.sin()))
        })
        .collect();
    scene.tubes.push(Tube::solid(round(&points, 0.14, 0.14), mu::METAL * 0.7, Layer::Dense));
}
