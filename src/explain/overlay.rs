//! A heat map drawn over its film.

use image::{DynamicImage, Rgb, RgbImage};

use super::heat_map::HeatMap;

/// Opacity of the map where it is highest.
const OPACITY: f32 = 0.6;

/// The colours from low to high: dark violet, red, yellow (after matplotlib's inferno; lighter is more, so that it can be
/// read without telling colours apart).
const COLOURS: [[f32; 3]; 5] =
    [[20.0, 11.0, 53.0], [87.0, 16.0, 110.0], [188.0, 55.0, 84.0], [249.0, 142.0, 9.0], [252.0, 255.0, 164.0]];

/// The film in gray with the map over it, and a ring around the peak.
pub fn overlay(film: &DynamicImage, map: &HeatMap) -> RgbImage {
    let gray = film.to_luma8();
    let (low, high) = map.range();
    let span = if high > low { high - low } else { 1.0 };
    let peak = map.peak();
    let size = gray.width().max(gray.height()) as f32;
    let (radius, thickness) = (size * 0.03, (size * 0.004).max(1.0));
    RgbImage::from_fn(gray.width(), gray.height(), |x, y| {
        let level = gray.get_pixel(x, y).0.first().copied().unwrap_or(0);
        let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
        let distance = (px - peak.x).hypot(py - peak.y);
        if (distance - radius).abs() < thickness {
            return Rgb([255, 255, 255]);
        }
        // Below the middle the film stays as it is.
        let heat = ((map.at(px, py) - low) / span).clamp(0.0, 1.0);
        let cover = OPACITY * ((heat - 0.4) / 0.6).max(0.0);
        let colour = colour(heat);
        Rgb(std::array::from_fn(|channel| {
            let over = colour.get(channel).copied().unwrap_or(0.0);
            (f32::from(level) * (1.0 - cover) + over * cover).round() as u8
        }))
    })
}

fn colour(heat: f32) -> [f32; 3] {
    let at = heat.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f32;
    let below = (at.floor() as usize).min(COLOURS.len() - 2);
    let share = at - below as f32;
    std::array::from_fn(|c| COLOURS[below][c] * (1.0 - share) + COLOURS[below + 1][c] * share)
}

#[cfg(test)]
mod tests {
    use image::GrayImage;

    use super::*;

    #[test]
    fn the_film_shows_through_where_the_map_is_low_and_not_where_it_is_high() {
        let film = DynamicImage::ImageLuma8(GrayImage::from_pixel(200, 100, image::Luma([90])));
        let mut values = vec![0.0; 16];
        values[7] = 1.0;
        let drawn = overlay(&film, &HeatMap::of_values(4, 4, values, (200, 100)));
        assert_eq!(drawn.dimensions(), (200, 100));
        assert_eq!(drawn.get_pixel(20, 80).0, [90, 90, 90]);
        let [red, _, blue] = drawn.get_pixel(175, 25).0;
        assert!(red > 150 && red > blue, "the peak is warm");
        assert!(drawn.pixels().any(|p| p.0 == [255; 3]), "the ring");
    }

    #[test]
    fn the_colours_go_from_dark_to_light() {
        let light = |heat| colour(heat).iter().sum::<f32>();
        assert!((0..10).all(|i| light(i as f32 / 10.0) < light((i + 1) as f32 / 10.0)));
        assert_eq!(colour(1.0), [252.0, 255.0, 164.0]);
    }
}
