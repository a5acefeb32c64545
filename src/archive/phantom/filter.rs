//! Filters of the detector and its software.

/// Dynamic range compression, as every digital system applies it: part of the coarse picture is taken out, so that lungs and mediastinum are
/// readable at one setting.
pub(super) fn compress(depth: &mut [f32], n: usize, share: f32) {
    let coarse = 64.min(n);
    let mut small = shrink(n, coarse, |i| depth[i].max(0.9));
    blur(&mut small, coarse, coarse as f32 * 0.085);
    let large = enlarge(&small, coarse, n);
    for (d, low) in depth.iter_mut().zip(large) {
        *d -= share * (low - 2.0);
    }
}

/// Scattered radiation: born where much is absorbed of a strong beam (`tau e^-tau`), spread over several centimetres.
pub(super) fn scatter(attenuation: &[f32], n: usize) -> Vec<f32> {
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
pub(super) fn blur(picture: &mut [f32], n: usize, sigma: f32) {
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
