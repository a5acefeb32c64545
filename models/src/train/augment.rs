//! Random changes of a film in training. Flipping is apart from the rest, as the labels must follow it.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::config::Augmentation;
use crate::preprocess::Pixels;

/// A changed copy of `pixels`. The same generator state gives the same copy.
pub(super) fn augment(pixels: &Pixels, how: &Augmentation, rng: &mut ChaCha8Rng) -> Pixels {
    let side = pixels.side();
    let mut values = geometry(pixels.values(), side, how, rng);
    let tones = tones(how, rng);
    for v in &mut values {
        *v = tones[usize::from(*v)];
    }
    noise(&mut values, how.noise, rng);
    if rng.random_bool(f64::from(how.cutout)) {
        cut_out(&mut values, side, rng);
    }
    // The number of values is the same as before.
    Pixels::new(side, values).unwrap_or_else(|_| pixels.clone())
}

/// The film flipped left to right.
pub(super) fn mirror(pixels: &Pixels) -> Pixels {
    let side = pixels.side();
    let values = pixels.values().chunks_exact(side).flat_map(|row| row.iter().rev().copied()).collect();
    // The number of values is the same as before.
    Pixels::new(side, values).unwrap_or_else(|_| pixels.clone())
}

/// Within `-range..=range`.
fn around(range: f32, rng: &mut ChaCha8Rng) -> f32 {
    range * (2.0 * rng.random::<f32>() - 1.0)
}

/// Turns, scales and shifts, with bilinear interpolation; what comes from outside is black.
fn geometry(values: &[u8], side: usize, how: &Augmentation, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let (sin, cos) = around(how.rotation, rng).to_radians().sin_cos();
    let scale = 1.0 / (1.0 + around(how.scale, rng));
    let extent = side as f32;
    let (dx, dy) = (around(how.shift, rng) * extent, around(how.shift, rng) * extent);
    if sin == 0.0 && scale == 1.0 && dx == 0.0 && dy == 0.0 {
        return values.to_vec();
    }
    let centre = (extent - 1.0) / 2.0;
    let at = |x: i32, y: i32| -> f32 {
        match (usize::try_from(x), usize::try_from(y)) {
            (Ok(x), Ok(y)) if x < side && y < side => f32::from(values[y * side + x]),
            _ => 0.0,
        }
    };
    let mut out = Vec::with_capacity(values.len());
    for y in 0..side {
        for x in 0..side {
            let (u, v) = (x as f32 - centre - dx, y as f32 - centre - dy);
            let (sx, sy) = (scale * (cos * u + sin * v) + centre, scale * (cos * v - sin * u) + centre);
            let (x0, y0) = (sx.floor(), sy.floor());
            let (fx, fy) = (sx - x0, sy - y0);
            let (x0, y0) = (x0 as i32, y0 as i32);
            let top = at(x0, y0) * (1.0 - fx) + at(x0 + 1, y0) * fx;
            let bottom = at(x0, y0 + 1) * (1.0 - fx) + at(x0 + 1, y0 + 1) * fx;
            out.push((top * (1.0 - fy) + bottom * fy + 0.5) as u8);
        }
    }
    out
}

/// Gamma, contrast around the middle and brightness as one table. Black stays black: it is the padding.
fn tones(how: &Augmentation, rng: &mut ChaCha8Rng) -> [u8; 256] {
    let gamma = (1.0 + how.gamma).powf(around(1.0, rng));
    let contrast = 1.0 + around(how.contrast, rng);
    let brightness = around(how.brightness, rng);
    let mut table = [0u8; 256];
    for (i, slot) in table.iter_mut().enumerate().skip(1) {
        let v = (i as f32 / 255.0).powf(gamma);
        *slot = (255.0 * ((v - 0.5) * contrast + 0.5 + brightness) + 0.5).clamp(0.0, 255.0) as u8;
    }
    table
}

/// Adds noise of about normal distribution.
fn noise(values: &mut [u8], std: f32, rng: &mut ChaCha8Rng) {
    if std <= 0.0 {
        return;
    }
    // The sum of four bytes has mean 510 and a standard deviation of 147.8.
    let scale = std * 255.0 / 147.8;
    for v in values {
        let sum: i32 = rng.random::<u32>().to_le_bytes().iter().map(|&b| i32::from(b)).sum();
        *v = (f32::from(*v) + (sum - 510) as f32 * scale + 0.5).clamp(0.0, 255.0) as u8;
    }
}

/// Blanks a square of a tenth to a quarter of the side.
fn cut_out(values: &mut [u8], side: usize, rng: &mut ChaCha8Rng) {
    let size = rng.random_range(side / 10..=side / 4).max(1);
    let (left, top) = (rng.random_range(0..=side - size), rng.random_range(0..=side - size));
    for row in values.chunks_exact_mut(side).skip(top).take(size) {
        row[left..left + size].fill(0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand::SeedableRng;

    fn gradient(side: usize) -> Pixels {
        Pixels::new(side, (0..side * side).map(|i| (i % side * 255 / side) as u8).collect()).unwrap()
    }

    #[test]
    fn nothing_to_change_changes_nothing() {
        let pixels = gradient(16);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(augment(&pixels, &Augmentation::none(), &mut rng), pixels);
    }

    #[test]
    fn the_same_seed_gives_the_same_film() {
        let pixels = gradient(32);
        let draw = |seed| augment(&pixels, &Augmentation::default(), &mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn sides_are_never_swapped() {
        // Brighter to the right before, so brighter to the right after.
        let pixels = gradient(32);
        for seed in 0..50 {
            let out = augment(&pixels, &Augmentation::default(), &mut ChaCha8Rng::seed_from_u64(seed));
            let half = |right: bool| -> u32 {
                out.values()
                    .chunks(32)
                    .flat_map(|r| if right { &r[16..] } else { &r[..16] })
                    .map(|&v| u32::from(v))
                    .sum()
            };
            assert!(half(true) > half(false), "seed {seed}");
        }
    }

    #[test]
    fn a_mirror_swaps_the_columns() {
        let pixels = Pixels::new(2, vec![1, 2, 3, 4]).unwrap();
        assert_eq!(mirror(&pixels).values(), [2, 1, 4, 3]);
        assert_eq!(mirror(&mirror(&pixels)), pixels);
    }

    #[test]
    fn a_shift_moves_by_whole_pixels() {
        let mut values = vec![0u8; 64];
        values[3 * 8 + 3] = 200;
        let how = Augmentation { shift: 0.25, ..Augmentation::none() };
        let out = augment(&Pixels::new(8, values).unwrap(), &how, &mut ChaCha8Rng::seed_from_u64(4));
        let sum: i32 = out.values().iter().map(|&v| i32::from(v)).sum();
        assert!((sum - 200).abs() <= 4, "bilinear shifting keeps the sum: {sum}");
    }
}
