//! The lead letter that names the side: `L` at the patient's left (the right of the picture), `R` at the right.

use super::chance::Chance;
use crate::archive::study::View;

/// A lead letter on the detector.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    left: bool,
    /// Place and height, shares of the picture.
    at: (f32, f32),
    height: f32,
    tilt: f32,
}

impl Marker {
    /// Where the radiographer puts it; a lateral film is taken with the left side at the detector.
    pub fn draw(view: View, c: &mut Chance) -> Self {
        let lateral = view == View::Lateral;
        let left = c.happens(0.7) || lateral;
        let x = if lateral { c.between(0.06, 0.14) } else { c.between(0.87, 0.94) };
        Self {
            left,
            at: (if left || lateral { x } else { 1.0 - x }, c.between(0.05, 0.17)),
            height: c.between(0.028, 0.045),
            tilt: c.normal(0.0, 0.12),
        }
    }

    /// Whitens the pixels of an `n` x `n` picture that it covers.
    pub fn stamp(&self, pixels: &mut [f32], n: usize) {
        // strokes in a box of width 0.6 and height 1, y down
        const L: [[f32; 4]; 2] = [[0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.55, 1.0]];
        const R: [[f32; 4]; 5] = [
            [0.0, 0.0, 0.0, 1.0],
            [0.0, 0.0, 0.45, 0.08],
            [0.45, 0.08, 0.45, 0.45],
            [0.45, 0.45, 0.0, 0.5],
            [0.15, 0.5, 0.55, 1.0],
        ];
        let strokes: &[[f32; 4]] = if self.left { &L } else { &R };
        let size = n as f32;
        let h = self.height * size;
        let (sin, cos) = self.tilt.sin_cos();
        let place = |x: f32, y: f32| {
            let (x, y) = ((x - 0.3) * h, (y - 0.5) * h);
            (self.at.0 * size + x * cos - y * sin, self.at.1 * size + x * sin + y * cos)
        };
        let half = (0.085 * h).max(0.55);
        let reach = (1.6 * h) as i32 + 2;
        let (cx, cy) = ((self.at.0 * size) as i32, (self.at.1 * size) as i32);
        for y in (cy - reach).max(0)..(cy + reach).min(n as i32) {
            for x in (cx - reach).max(0)..(cx + reach).min(n as i32) {
                let near = strokes
                    .iter()
                    .map(|s| to_segment((x as f32, y as f32), place(s[0], s[1]), place(s[2], s[3])))
                    .fold(f32::MAX, f32::min);
                let cover = (half + 0.5 - near).clamp(0.0, 1.0);
                let p = &mut pixels[y as usize * n + x as usize];
                *p += (246.0 - *p) * cover;
            }
        }
    }
}

fn to_segment(p: (f32, f32), a: (f32, f32), b: (f32, f32)) -> f32 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let s = (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / (dx * dx + dy * dy).max(1e-6)).clamp(0.0, 1.0);
    (p.0 - a.0 - s * dx).hypot(p.1 - a.1 - s * dy)
}
