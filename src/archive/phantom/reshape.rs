//! Findings that change the shape of the thorax: heart, mediastinum, pleural space, hemidiaphragm.

use super::anatomy::Thorax;
use super::chance::Chance;
use super::finding::{Finding, Kind};
use super::loft::Ring;
use super::lung::Lung;
use super::solids::Ellipsoid;
use super::vector::v;
use crate::findings::{Severity, Side};

/// One of three values by severity.
pub(super) fn by<T: Copy>(severity: Severity, values: [T; 3]) -> T {
    match severity {
        Severity::Mild => values[0],
        Severity::Moderate => values[1],
        Severity::Severe => values[2],
    }
}

/// Changes the shapes of the thorax; returns how far the mediastinum is pushed or drawn to the patient's left, centimetres.
pub(super) fn reshape(thorax: &mut Thorax, findings: &[Finding], supine: bool) -> f32 {
    let mut shift = 0.0;
    for f in findings {
        let mut c = Chance::new(f.shape, 1);
        match f.kind {
            Kind::Cardiomegaly => enlarge_heart(thorax, by(f.severity, [1.17, 1.32, 1.52]) + c.between(-0.03, 0.04)),
            Kind::WideMediastinum => widen_mediastinum(thorax, by(f.severity, [1.1, 1.9, 3.0]), &mut c),
            _ => {}
        }
        for index in 0..2 {
            let side = if index == 0 { Side::Right } else { Side::Left };
            if !f.on(side) {
                continue;
            }
            let lung = &mut thorax.lungs[index];
            let away = -lung.side;
            match f.kind {
                Kind::Effusion => {
                    pour(lung, f.severity, supine, &mut c);
                    shift += away * by(f.severity, [0.0, 0.1, 0.9]);
                }
                Kind::Pneumothorax => {
                    let air = by(f.severity, [(1.5, 0.9), (2.8, 2.6), (7.5, 5.6)]);
                    lung.detach(air.0 * c.between(0.85, 1.2), air.1 * c.between(0.85, 1.2), 0.12 * air.1, true);
                    lung.density = by(f.severity, [1.1, 1.3, 2.0]);
                    shift += away * by(f.severity, [0.0, 0.3, 1.7]);
                    if f.severity == Severity::Severe {
                        lung.dome = lung.dome.moved(v(0.0, -1.0, 0.0));
                    }
                }
                Kind::Thickening if lung.surface.is_none() => {
                    let thick = by(f.severity, [0.7, 1.1, 1.7]);
                    lung.detach(thick * 0.9, thick, thick * 0.9, false);
                }
                Kind::Atelectasis => {
                    let up = by(f.severity, [0.8, 2.0, 3.6]);
                    lung.dome = lung.dome.moved(v(0.0, up, 0.0));
                    lung.density *= by(f.severity, [1.03, 1.08, 1.2]);
                    shift -= away * by(f.severity, [0.0, 0.5, 1.4]);
                }
                Kind::Edema => lung.density *= by(f.severity, [1.15, 1.38, 1.75]),
                _ => {}
            }
        }
    }
    shift
}

fn enlarge_heart(thorax: &mut Thorax, k: f32) {
    let heart = thorax.heart;
    for o in &mut thorax.organs[..heart] {
        // it grows to the left and down, the top stays
        let c = o.centre;
        let rise = (k - 1.0) * 1.5;
        *o = o.scaled(k, v(c.x * (1.0 + (k - 1.0) * 0.75), c.y + rise, c.z));
    }
}

fn widen_mediastinum(thorax: &mut Thorax, by: f32, c: &mut Chance) {
    let to_left = c.between(0.35, 0.75);
    thorax.mediastinum = thorax.mediastinum.changed(|y, r| {
        let here = by * (-((y - 5.0) / 5.5).powi(2)).exp();
        Ring { a: r.a + here, x: r.x + here * (2.0 * to_left - 1.0) * 0.7, ..r }
    });
    let heart = thorax.heart;
    for o in &mut thorax.organs[heart..] {
        // the great vessels unfold with it
        let out = by * if o.centre.x > 0.0 { to_left } else { to_left - 1.0 };
        *o = o.moved(v(out * 0.8, 0.1 * by, 0.0));
    }
}

/// A free effusion: upright a meniscus that climbs along the wall, lying a layer behind the lung.
fn pour(lung: &mut Lung, severity: Severity, supine: bool, c: &mut Chance) {
    if supine {
        lung.layer = Some(by(severity, [-5.6, -3.2, 0.6]) + c.between(-0.3, 0.3));
    }
    let top = lung.dome.centre.y + lung.dome.semi().y;
    let (bottom, rise) = if supine {
        by(severity, [(-3.3, 2.5), (-1.6, 4.0), (0.5, 6.0)])
    } else {
        by(severity, [(-2.2, 3.6), (1.2, 5.5), (7.0, 6.5)])
    };
    let bottom = top + bottom + c.between(-0.3, 0.4) * by(severity, [1.0, 1.5, 3.0]);
    let rise = rise * c.between(0.9, 1.15);
    let level = bottom + rise;
    let r = lung.cavity.ring(level);
    // it climbs along the outer wall, and in front and behind; towards the middle the bowl runs out
    let wide = r.a + 3.5;
    let centre = v(r.x + lung.side * (r.a - wide), level, r.z);
    lung.bowl = Some(Ellipsoid::upright(centre, v(wide, rise, r.b * 1.15)));
}
