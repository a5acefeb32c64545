//! From attenuation to a film: Beer-Lambert, scatter, quantum noise, detector response, collimation and the side marker.

use image::GrayImage;

use super::chance::Chance;
use crate::archive::study::View;

/// What differs from film to film.
#[derive(Clone, Debug)]
pub(super) struct Exposure {
    /// Photons a pixel counts at 256 pixels a side without a body.
    photons: f32,
    /// Scattered against primary radiation.
    scatter: f32,
    /// Slope and middle of the display curve.
    contrast: f32,
    middle: f32,
    /// Share of the coarse differences taken out.
    compression: f32,
    /// Width of the detector's blur, share of the picture.
    blur: f32,
    /// Closed part of the picture at the left, top, right, bottom; shares.
    collimation: [f32; 4],
    marker: Option<Marker>,
    /// Field of view and its centre, for the camera.
    pub zoom: f32,
    pub off: (f32, f32),
}

#[derive(Clone, Debug)]
struct Marker {
    left: bool,
    /// Place and height, shares of the picture.
    at: (f32, f32),
    height: f32,
    tilt: f32,
}

impl Exposure {
    pub fn draw(view: View, c: &mut Chance) -> Self {
        let ap = view == View::Ap;
        let mut collimation = [0.0; 4];
        for side in &mut collimation {
            if c.happens(0.22) {
                *side = c.between(0.008, if ap { 0.05 } else { 0.03 });
            }
        }
        let left = c.happens(0.7) || view == View::Lateral;
        let x = if view == View::Lateral { c.between(0.06, 0.14) } else { c.between(0.87, 0.94) };
        let marker = c.happens(0.93).then(|| Marker {
            left,
            at: (if left || view == View::Lateral { x } else { 1.0 - x }, c.between(0.05, 0.17)),
            height: c.between(0.028, 0.045),
            tilt: c.normal(0.0, 0.12),
        });
        Self {
            photons: (c.normal(if ap { 10.4 } else { 11.2 }, 0.5)).exp(),
            scatter: if ap { c.between(0.35, 0.8) } else { c.between(0.12, 0.35) },
            contrast: if ap { c.normal(3.7, 0.35) } else { c.normal(4.1, 0.4) },
            middle: match view {
                View::Ap => c.normal(0.26, 0.05),
                View::Pa => c.normal(0.29, 0.04),
                View::Lateral => c.normal(0.42, 0.04),
            },
            compression: c.between(0.38, 0.58),
            blur: c.between(0.0009, 0.0018),
            collimation,
            marker,
            zoom: c.normal(1.0, 0.035),
            off: (c.normal(0.0, 0.6), c.normal(0.0, 0.8)),
        }
    }

    /// Develops the film of `size` x `size` pixels.
    pub fn develop(&self, attenuation: &[f32], size: u32, c: &mut Chance) -> GrayImage {
        let n = size as usize;
        let scattered = scatter(attenuation, n);
        // photons to a pixel fall with its area
        let photons = self.photons * (256.0 / size as f32).powi(2);
        let mut depth: Vec<f32> = attenuation
            .iter()
            .zip(&scattered)
            .map(|(tau, s)| {
                let total = (-tau).exp() + self.scatter * s;
                let noisy = total + (total / photons).sqrt() * c.gauss().clamp(-4.0, 4.0);
                -noisy.max(1e-5).ln()
            })
            .collect();
        blur(&mut depth, n, self.blur * size as f32);
        compress(&mut depth, n, self.compression);
        let (dark, bright) = self.range(attenuation, &depth, n);
        let width = (bright - dark).max(1.0);
        let mut pixels: Vec<f32> = depth
            .iter()
            .zip(attenuation)
            .map(|(d, tau)| {
                let x = (d - dark) / width;
                let body = (tau / 0.7).min(1.0);
                body * 255.0 / (1.0 + (-self.contrast * (x - self.middle)).exp())
            })
            .collect();
        self.collimate(&mut pixels, n);
        if let Some(marker) = &self.marker {
            marker.draw(&mut pixels, n);
        }
        let bytes = pixels.iter().map(|p| p.round().clamp(0.0, 255.0) as u8).collect();
        GrayImage::from_raw(size, size, bytes).unwrap_or_else(|| GrayImage::new(size, size))
    }

    /// Dark and bright end of the body, as the automatic exposure of a digital detector finds them: in its inner part.
    fn range(&self, attenuation: &[f32], depth: &[f32], n: usize) -> (f32, f32) {
        let mut inside: Vec<f32> = (0..n * n)
            .step_by(3)
            .filter(|i| {
                let (x, y) = (i % n, i / n);
                x > n / 8 && x < n - n / 8 && y > n / 8 && attenuation[*i] > 0.8
            })
            .map(|i| depth[i])
            .collect();
        if inside.is_empty() {
            return (1.0, 4.0);
        }
        inside.sort_by(f32::total_cmp);
        let at = |q: f32| inside[((inside.len() - 1) as f32 * q) as usize];
        // white lungs must stay white: the dark end is never above that of a healthy chest by much
        (at(0.04).min(at(0.96) - 1.2), at(0.96))
    }

    fn collimate(&self, pixels: &mut [f32], n: usize) {
        let edge = |share: f32| (share * n as f32).round() as usize;
        let [l, t, r, b] = self.collimation.map(edge);
        for y in 0..n {
            for x in 0..n {
                if x < l || y < t || x >= n - r || y >= n - b {
                    pixels[y * n + x] = 1.0;
                }
            }
        }
    }
}

impl Marker {
    fn draw(&self, pixels: &mut [f32], n: usize) {
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

/// Dynamic range compression, as every digital system applies it: part of the coarse picture is taken out, so that lungs and mediastinum are
/// readable at one setting.
fn compress(depth: &mut [f32], n: usize, share: f32) {
    let coarse = 64.min(n);
    let mut small = shrink(n, coarse, |i| depth[i].max(0.9));
    blur(&mut small, coarse, coarse as f32 * 0.085);
    let large = enlarge(&small, coarse, n);
    for (d, low) in depth.iter_mut().zip(large) {
        *d -= share * (low - 2.0);
    }
}

/// Scattered radiation: born where much is absorbed of a strong beam (`tau e^-tau`), spread over several centimetres.
fn scatter(attenuation: &[f32], n: usize) -> Vec<f32> {
    let coarse = 64.min(n);
    let mut small = shrink(n, coarse, |i| 0.35 * attenuation[i] * (-attenuation[i]).exp());
    blur(&mut small, coarse, coarse as f32 * 0.09);
    enlarge(&small, coarse, n)
}

/// Means over the cells of a `coarse` x `coarse` grid.
fn shrink(n: usize, coarse: usize, value: impl Fn(usize) -> f32) -> Vec<f32> {
    let cell = |i: usize| (i * n / coarse, ((i + 1) * n / coarse).max(i * n / coarse + 1));
    (0..coarse * coarse)
        .map(|i| {
            let ((x0, x1), (y0, y1)) = (cell(i % coarse), cell(i / coarse));
            let sum: f32 = (y0..y1).flat_map(|y| (x0..x1).map(move |x| y * n + x)).map(&value).sum();
            sum / ((x1 - x0) * (y1 - y0)) as f32
        })
        .collect()
}

/// Bilinear enlargement to `n` x `n`.
fn enlarge(small: &[f32], coarse: usize, n: usize) -> Vec<f32> {
    let scale = coarse as f32 / n as f32;
    let at = |p: usize| (((p as f32 + 0.5) * scale) - 0.5).clamp(0.0, coarse as f32 - 1.001);
    (0..n * n)
        .map(|i| {
            let (x, y) = (at(i % n), at(i / n));
            let (ix, iy) = (x as usize, y as usize);
            let (fx, fy) = (x - ix as f32, y - iy as f32);
            let (jx, jy) = ((ix + 1).min(coarse - 1), (iy + 1).min(coarse - 1));
            let top = small[iy * coarse + ix] * (1.0 - fx) + small[iy * coarse + jx] * fx;
            let low = small[jy * coarse + ix] * (1.0 - fx) + small[jy * coarse + jx] * fx;
            top * (1.0 - fy) + low * fy
        })
        .collect()
}

/// Gaussian blur of a square picture, in place; edges repeat.
fn blur(picture: &mut [f32], n: usize, sigma: f32) {
    let reach = (3.0 * sigma).ceil() as i64;
    if reach < 1 {
        return;
    }
    let mut kernel: Vec<f32> = (-reach..=reach).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
    let sum: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|k| *k /= sum);
    let mut line = vec![0.0; n];
    for (step, stride) in [(1, n), (n, 1)] {
        for row in 0..n {
            for (i, out) in line.iter_mut().enumerate() {
                *out = kernel
                    .iter()
                    .enumerate()
                    .map(|(k, w)| {
                        let j = (i as i64 + k as i64 - reach).clamp(0, n as i64 - 1) as usize;
                        w * picture[row * stride + j * step]
                    })
                    .sum();
            }
            for (i, value) in line.iter().enumerate() {
                picture[row * stride + i * step] = *value;
            }
        }
    }
}
