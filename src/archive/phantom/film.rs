//! From attenuation to a film: Beer-Lambert, scatter, quantum noise, detector response, collimation and the side marker.

use image::GrayImage;

use super::chance::Chance;
use super::filter::{blur, compress, scatter};
use super::marker::Marker;
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

impl Exposure {
    pub fn draw(view: View, c: &mut Chance) -> Self {
        let ap = view == View::Ap;
        let mut collimation = [0.0; 4];
        for side in &mut collimation {
            if c.happens(0.22) {
                *side = c.between(0.008, if ap { 0.05 } else { 0.03 });
            }
        }
        let marker = c.happens(0.93).then(|| Marker::draw(view, c));
        Self {
            photons: (c.normal(if ap { 10.4 } else { 11.2 }, 0.5)).exp(),
            scatter: if ap { c.between(0.35, 0.8) } else { c.between(0.12, 0.35) },
            contrast: if ap { c.normal(3.1, 0.5) } else { c.normal(3.8, 0.45) },
            middle: match view {
                View::Ap => c.normal(0.22, 0.07),
                View::Pa => c.normal(0.27, 0.045),
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
            marker.stamp(&mut pixels, n);
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
