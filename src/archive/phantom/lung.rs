//! A lung in its pleural cavity.

use super::loft::{Loft, Ring};
use super::solids::Ellipsoid;
use super::vector::{Vec3, v};

/// Top of the lungs.
pub(super) const APEX: f32 = 11.85;

/// Thickness of the visceral pleura, somewhat more than nature's so that a pixel shows it.
pub(super) const PLEURA: f32 = 0.11;

/// One lung in its pleural cavity.
#[derive(Clone, Debug)]
pub(super) struct Lung {
    /// +1 on the patient's left, -1 on the right.
    pub side: f32,
    /// What the ribs and the parietal pleura enclose.
    pub cavity: Loft,
    /// The visceral surface where it has left the wall.
    pub surface: Option<Loft>,
    /// Whether the gap between both holds air; otherwise it is thick pleura.
    pub air: bool,
    /// The hemidiaphragm: the upper half of an ellipsoid; the lung ends at the height of its centre.
    pub dome: Ellipsoid,
    /// The dry space above a free effusion, a bowl open to the top.
    pub bowl: Option<Ellipsoid>,
    /// Fluid behind this depth in a patient who lies.
    pub layer: Option<f32>,
    /// Attenuation against that of a normal lung.
    pub density: f32,
}

impl Lung {
    /// A healthy lung on a hemidiaphragm; `spread` moves the lower side wall out.
    pub fn new(side: f32, dome: Ellipsoid, spread: f32) -> Self {
        // height, lateral wall, medial wall, depth of the centre, half-depth
        const KNOTS: [(f32, f32, f32, f32, f32); 13] = [
            (-17.0, 12.7, -1.0, -0.4, 9.2),
            (-12.0, 13.2, -1.0, -0.5, 9.2),
            (-8.0, 13.25, -1.0, -0.6, 9.0),
            (-4.0, 12.9, -0.8, -0.8, 8.7),
            (0.0, 12.4, -0.4, -1.0, 8.2),
            (4.0, 11.6, 0.3, -1.4, 7.3),
            (7.0, 10.4, 0.9, -2.0, 6.1),
            (9.0, 9.1, 1.4, -2.4, 4.9),
            (10.2, 7.8, 1.9, -2.7, 3.7),
            (11.0, 6.6, 2.6, -2.9, 2.6),
            (11.5, 5.7, 3.2, -3.0, 1.7),
            (11.77, 5.0, 3.9, -3.0, 0.8),
            (APEX, 4.6, 4.3, -3.0, 0.2),
        ];
        let knots: Vec<(f32, Ring)> = KNOTS
            .iter()
            .map(|&(y, l, m, z, b)| {
                let l = l + spread * (8.0 - y).max(0.0) / 20.0;
                (y, Ring { x: side * (l + m) / 2.0, a: (l - m) / 2.0, z, b })
            })
            .collect();
        Self { side, cavity: Loft::new(&knots), surface: None, air: false, dome, bowl: None, layer: None, density: 1.0 }
    }

    /// Lets the lung come off the wall: `top` down from the apex, `wall` in from the side.
    pub fn detach(&mut self, top: f32, wall: f32, base: f32, air: bool) {
        let side = self.side;
        let low = self.cavity.lowered(-4.0, APEX - top);
        let surface = low.changed(|y, r| {
            let up = ((y + 13.0) / 16.0).clamp(0.0, 1.0);
            let w = (base + (wall - base) * up).min(r.a * 0.9);
            Ring { x: r.x - side * w / 2.0, a: r.a - w / 2.0, z: r.z, b: r.b - 0.45 * w }
        });
        self.surface = Some(surface);
        self.air = air;
    }

    /// Where a point of the expanded lung has gone.
    pub fn place(&self, p: Vec3) -> Vec3 {
        let Some(surface) = &self.surface else { return p };
        let y = if p.y > -4.0 { -4.0 + (p.y + 4.0) * (surface.top + 4.0) / (APEX + 4.0) } else { p.y };
        let (from, to) = (self.cavity.ring(p.y), surface.ring(y));
        v(to.x + (p.x - from.x) * to.a / from.a, y, to.z + (p.z - from.z) * to.b / from.b)
    }

    /// Inside the expanded lung.
    pub fn contains(&self, p: Vec3) -> bool {
        self.cavity.contains(p) && p.y > self.dome.centre.y && !self.dome.contains(p)
    }
}
