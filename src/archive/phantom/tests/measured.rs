//! Findings are measured on the films.

use super::super::finding::{Device, Finding, Kind, Zone};
use super::super::vector::v;
use super::super::*;
use crate::findings::{Severity, Side};

const LEVELS: [Severity; 3] = [Severity::Mild, Severity::Moderate, Severity::Severe];

/// Upright PA visits of people without findings, for others to be put in.
fn well(count: usize) -> Vec<Visit> {
    let visits: Vec<Visit> = (0..)
        .map(|i| patient::visit(11, i))
        .filter(|v| v.technique.view == View::Pa && v.findings.is_empty() && v.technique.inspiration > 0.7)
        .take(count)
        .collect();
    assert_eq!(visits.len(), count);
    visits
}

fn with(visit: &Visit, findings: &[(Kind, Option<Side>, Severity)]) -> Visit {
    let mut out = visit.clone();
    out.findings = findings.iter().map(|&(kind, side, severity)| Finding { kind, side, severity, shape: 77 }).collect();
    out
}

fn shot(visit: &Visit) -> GrayImage {
    film(visit, visit.technique.view, 128)
}

/// Mean gray about a point of the standard thorax, in a square of 2 x `reach` + 1 pixels.
fn gray_at(visit: &Visit, image: &GrayImage, point: vector::Vec3, reach: i32) -> f32 {
    let mut c = Chance::new(visit.technique.film, 0);
    let e = Exposure::draw(visit.technique.view, &mut c);
    let camera = Camera::new(&visit.patient.body, &visit.technique, visit.technique.view, image.width(), e.zoom, e.off);
    let (px, py, _) = camera.project(point);
    let mut sum = 0.0;
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let (x, y) = (px.round() as i32 + dx, py.round() as i32 + dy);
            sum += f32::from(
                image.get_pixel((x.max(0) as u32).min(image.width() - 1), (y.max(0) as u32).min(image.height() - 1))[0],
            );
        }
    }
    sum / ((2 * reach + 1) * (2 * reach + 1)) as f32
}

/// Width of the heart over that of the thorax, measured on the picture: rows through the lower third of the lungs, the middle run of pixels
/// brighter than halfway between lung and mediastinum.
fn cardiothoracic_ratio(visit: &Visit, image: &GrayImage) -> f32 {
    let n = image.width() as i32;
    let mut c = Chance::new(visit.technique.film, 0);
    let e = Exposure::draw(View::Pa, &mut c);
    let camera = Camera::new(&visit.patient.body, &visit.technique, View::Pa, image.width(), e.zoom, e.off);
    let wall = |s: f32| camera.project(v(s * 13.2, -7.0, -0.6)).0;
    let (middle, y0) = (camera.project(v(0.0, -7.0, 0.0)).0 as i32, camera.project(v(0.0, -4.0, 0.0)).1 as i32);
    let y1 = camera.project(v(0.0, -8.0, 0.0)).1 as i32;
    let mut widest = 0;
    for y in y0..=y1 {
        let row: Vec<f32> = (0..n)
            .map(|x| {
                let near = (x - 1).max(0)..=(x + 1).min(n - 1);
                near.map(|i| f32::from(image.get_pixel(i as u32, y as u32)[0])).sum::<f32>() / 3.0
            })
            .collect();
        let dark = row[wall(-1.0) as usize..wall(1.0) as usize].iter().copied().fold(f32::MAX, f32::min);
        let cut = (dark + row[middle as usize]) / 2.0;
        let left = (0..middle).rev().take_while(|x| row[*x as usize] > cut).count();
        let right = (middle..n).take_while(|x| row[*x as usize] > cut).count();
        widest = widest.max(left + right);
    }
    widest as f32 / (wall(1.0) - wall(-1.0))
}

#[test]
fn the_cardiothoracic_ratio_rises_with_cardiomegaly() {
    let visits = well(6);
    let mean = |findings: &[(Kind, Option<Side>, Severity)]| {
        let ratios = visits.iter().map(|v| with(v, findings)).map(|v| cardiothoracic_ratio(&v, &shot(&v)));
        ratios.sum::<f32>() / visits.len() as f32
    };
    let normal = mean(&[]);
    let large = LEVELS.map(|s| mean(&[(Kind::Cardiomegaly, None, s)]));
    assert!((0.36..0.5).contains(&normal), "{normal} {large:?}");
    assert!(large[0] > normal + 0.03 && large[1] > large[0] + 0.03 && large[2] > large[1] + 0.03, "{normal} {large:?}");
    assert!(large[1] > 0.5, "{large:?}");
}

#[test]
fn an_effusion_whitens_the_costophrenic_angle_of_its_side_only() {
    for visit in well(4) {
        let angles = |findings: &[(Kind, Option<Side>, Severity)]| {
            let v = with(&visit, findings);
            let image = shot(&v);
            [-1.0, 1.0].map(|s| gray_at(&v, &image, vector::v(s * 12.2, -10.6, -2.0), 2))
        };
        let [right, left] = angles(&[]);
        let mut before = 0.0;
        for level in LEVELS {
            let [r, l] = angles(&[(Kind::Effusion, Some(Side::Right), level)]);
            // relative to the other side, since exposure adapts
            let gain = (r - l) - (right - left);
            assert!(gain > 25.0 && gain > before - 12.0, "right {level:?}: {gain}");
            before = gain;
            let [r, l] = angles(&[(Kind::Effusion, Some(Side::Left), level)]);
            let gain = (l - r) - (left - right);
            assert!(gain > 25.0, "left {level:?}: {gain}");
        }
    }
}

#[test]
fn a_pneumothorax_darkens_and_a_consolidation_whitens_its_side() {
    for visit in well(3) {
        let gray = |findings: &[(Kind, Option<Side>, Severity)], x: f32, y: f32, z: f32| {
            let v = with(&visit, findings);
            let image = shot(&v);
            gray_at(&v, &image, vector::v(x, y, z), 3) - gray_at(&v, &image, vector::v(-x, y, z), 3)
        };
        for (side, s) in [(Side::Left, 1.0), (Side::Right, -1.0)] {
            let here = Some(side);
            let air = gray(&[(Kind::Pneumothorax, here, Severity::Severe)], s * 9.4, 6.0, -2.0);
            let none = gray(&[], s * 9.4, 6.0, -2.0);
            assert!(air < none - 6.0, "{air} {none}");
            for (zone, x, y, z) in
                [(Zone::Upper, 6.2, 6.4, -0.6), (Zone::Middle, 7.5, -4.2, 4.6), (Zone::Lower, 7.6, -7.2, -4.0)]
            {
                let none = gray(&[], s * x, y, z);
                let white = LEVELS.map(|l| gray(&[(Kind::Consolidation(zone), here, l)], s * x, y, z) - none);
                assert!(white[0] > 4.0 && white[2] > white[0] && white[2] > 20.0, "{side:?} {zone:?} {white:?}");
            }
        }
    }
}

/// Largest change of a 3 x 3 mean between two films.
fn greatest_change(a: &GrayImage, b: &GrayImage) -> f32 {
    let n = a.width();
    let mean = |image: &GrayImage, x: u32, y: u32| {
        let square = (0..9).map(|i| f32::from(image.get_pixel(x + i % 3, y + i / 3)[0]));
        square.sum::<f32>() / 9.0
    };
    let places = (0..n - 2).flat_map(|y| (0..n - 2).map(move |x| (x, y)));
    places.map(|(x, y)| mean(a, x, y) - mean(b, x, y)).fold(0.0, f32::max)
}

#[test]
fn lesions_and_edema_show_according_to_their_severity() {
    let visits = well(3);
    let over = |kind: Kind, side: Side| {
        LEVELS.map(|level| {
            let rise = visits.iter().map(|visit| {
                let clean = shot(&with(visit, &[]));
                greatest_change(&shot(&with(visit, &[(kind, Some(side), level)])), &clean)
            });
            rise.sum::<f32>() / visits.len() as f32
        })
    };
    for zone in [Zone::Upper, Zone::Middle, Zone::Lower] {
        let nodule = over(Kind::Nodule(zone), Side::Left);
        assert!(nodule[0] > 8.0 && nodule[2] > nodule[0], "nodule {zone:?} {nodule:?}");
        let mass = over(Kind::Mass(zone), Side::Right);
        assert!(mass[0] > 20.0, "mass {zone:?} {mass:?}");
    }
    for visit in &visits {
        // both lungs beside the hila against the soft tissue of the shoulder
        let haze = |findings: &[(Kind, Option<Side>, Severity)]| {
            let v = with(visit, findings);
            let image = shot(&v);
            [-1.0, 1.0].map(|s| {
                gray_at(&v, &image, vector::v(s * 6.5, -2.5, 0.0), 4)
                    - gray_at(&v, &image, vector::v(s * 14.6, 4.0, 0.0), 2)
            })
        };
        let none = haze(&[]);
        let levels = LEVELS.map(|l| haze(&[(Kind::Edema, Some(Side::Bilateral), l)]));
        for side in 0..2 {
            let rise = levels.map(|l| l[side] - none[side]);
            assert!(rise[0] > 2.0 && rise[1] > rise[0] && rise[2] > rise[1] && rise[2] > 20.0, "{side} {rise:?}");
        }
    }
}

#[test]
fn a_finding_of_the_left_changes_the_right_of_the_picture() {
    let kinds = [
        Kind::Effusion,
        Kind::Pneumothorax,
        Kind::Consolidation(Zone::Upper),
        Kind::Pneumonia(Zone::Lower),
        Kind::Opacity(Zone::Upper),
        Kind::Atelectasis,
        Kind::Nodule(Zone::Upper),
        Kind::Mass(Zone::Upper),
        Kind::RibFracture(5),
        Kind::ClavicleFracture,
        Kind::Thickening,
        Kind::Plaques,
        Kind::Device(Device::Pacemaker),
        Kind::Device(Device::ChestTube),
        Kind::Device(Device::Port),
        Kind::Device(Device::Picc),
    ];
    for visit in well(2) {
        let clean = shot(&with(&visit, &[]));
        for kind in kinds {
            for (side, left) in [(Side::Left, true), (Side::Right, false)] {
                let image = shot(&with(&visit, &[(kind, Some(side), Severity::Moderate)]));
                let mut halves = [0.0; 2];
                for (i, (a, b)) in image.pixels().zip(clean.pixels()).enumerate() {
                    let d = (f32::from(a[0]) - f32::from(b[0])).abs();
                    // noise and exposure are not the finding
                    halves[usize::from(i % 128 >= 64)] += (d - 6.0).max(0.0);
                }
                let (there, other) = if left { (halves[1], halves[0]) } else { (halves[0], halves[1]) };
                assert!(there > 40.0 && there > 1.3 * other, "{kind:?} {side:?}: {there} against {other}");
            }
        }
    }
}

#[test]
fn a_lying_patients_heart_is_magnified() {
    let visit = &well(1)[0];
    let mut bed = visit.clone();
    bed.technique.view = View::Ap;
    bed.technique.supine = true;
    let width = |visit: &Visit| {
        let technique = &visit.technique;
        let camera = Camera::new(&visit.patient.body, technique, technique.view, 256, 1.0, (0.0, 0.0));
        let x = |at: vector::Vec3| camera.project(at).0;
        // heart at the front against the ribs at the side
        (x(v(8.0, -6.0, 4.0)) - x(v(-4.0, -6.0, 4.0))) / (x(v(13.0, -6.0, -0.6)) - x(v(-13.0, -6.0, -0.6)))
    };
    assert!(width(&bed) > 1.04 * width(visit));
}
