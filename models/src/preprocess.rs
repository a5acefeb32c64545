//! From a film to the image encoder's input: gray, padded to a square, resized, normalised, cut into patches.

use image::imageops;
use image::{DynamicImage, GenericImageView, ImageBuffer, Luma};

use crate::config::{Config, Filter};
use crate::error::ModelError;

mod resize;

/// Part of every fingerprint: raised when the same film gives other pixels.
pub const PREPROCESSING_VERSION: u32 = 2;

/// A film ready for a model: a square of gray values, 0 is black.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    side: usize,
    values: Vec<u8>,
}

impl Pixels {
    /// `values` holds `side * side` gray values, row after row.
    pub fn new(side: usize, values: Vec<u8>) -> Result<Self, ModelError> {
        if side == 0 || values.len() != side * side {
            return Err(ModelError::Data(format!("{} values are no square of side {side}", values.len())));
        }
        Ok(Self { side, values })
    }

    /// Side of the square.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Gray values, row after row.
    pub fn values(&self) -> &[u8] {
        &self.values
    }
}

/// [`preprocess`] as a configuration wants it.
pub(crate) fn prepare(image: &DynamicImage, config: &Config) -> Result<Pixels, ModelError> {
    preprocess(image, config.vision.image_size(), config.preprocessing.filter)
}

/// Gray, padded with black to a centred square, resized as Pillow does it.
///
/// Colour becomes luma (Rec. 709) and alpha is ignored. Images of more than 8 bits keep their depth until after the resizing.
pub fn preprocess(image: &DynamicImage, side: usize, filter: Filter) -> Result<Pixels, ModelError> {
    let (width, height) = image.dimensions();
    if width == 0 || height == 0 {
        return Err(ModelError::EmptyImage { width, height });
    }
    if side == 0 {
        return Err(ModelError::Data("a film cannot be resized to nothing".to_owned()));
    }
    let deep = image.color().bytes_per_pixel() / image.color().channel_count() > 1;
    let values = if deep {
        let values = at_size(pad(image.to_luma16()), side, filter);
        values.into_iter().map(|v| ((u32::from(v) * 255 + 32_767) / 65_535) as u8).collect()
    } else {
        at_size(pad(image.to_luma8()), side, filter)
    };
    Pixels::new(side, values)
}

type Gray<T> = ImageBuffer<Luma<T>, Vec<T>>;

fn at_size<T: image::Primitive + resize::Sample>(square: Gray<T>, side: usize, filter: Filter) -> Vec<T>
where
    Luma<T>: image::Pixel<Subpixel = T>,
{
    let from = square.width() as usize;
    let values = square.into_raw();
    if from == side { values } else { resize::resize(&values, from, side, filter) }
}

fn pad<T: image::Primitive>(image: Gray<T>) -> Gray<T>
where
    Luma<T>: image::Pixel<Subpixel = T>,
{
    let (width, height) = image.dimensions();
    if width == height {
        return image;
    }
    let side = width.max(height);
    let mut square = Gray::<T>::new(side, side);
    imageops::replace(&mut square, &image, i64::from((side - width) / 2), i64::from((side - height) / 2));
    square
}

/// Appends the normalised values of one film, `[side / patch * side / patch, channels * patch * patch]`, to `out`: patch after
/// patch, row after row, within a patch channel after channel.
pub(crate) fn patches(pixels: &Pixels, config: &Config, patch: usize, out: &mut Vec<f32>) -> Result<(), ModelError> {
    let (expected, channels) = (config.vision.image_size(), config.vision.channels());
    if pixels.side != expected {
        return Err(ModelError::PixelSize { expected, found: pixels.side });
    }
    let (mean, std) = (config.preprocessing.mean, config.preprocessing.std);
    let normal = |v: u8| (f32::from(v) / 255.0 - mean) / std;
    let side = pixels.side;
    out.reserve(side * side * channels);
    if patch == 1 {
        out.extend(pixels.values.iter().flat_map(|&v| std::iter::repeat_n(normal(v), channels)));
        return Ok(());
    }
    for top in (0..side).step_by(patch) {
        for left in (0..side).step_by(patch) {
            for _ in 0..channels {
                for row in pixels.values.chunks_exact(side).skip(top).take(patch) {
                    out.extend(row.iter().skip(left).take(patch).map(|&v| normal(v)));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use image::GrayImage;

    use super::*;

    #[test]
    fn a_wide_image_is_padded_above_and_below() {
        // 4 x 2 becomes 4 x 4 with one black row above and below; halved by averaging 2 x 2 with a triangle filter.
        let gray = GrayImage::from_raw(4, 2, vec![200; 8]).unwrap();
        let same = preprocess(&DynamicImage::ImageLuma8(gray), 4, Filter::Bilinear).unwrap();
        let expected = [[0; 4], [200; 4], [200; 4], [0; 4]].concat();
        assert_eq!(same.values(), expected);
    }

    #[test]
    fn halving_uses_a_triangle_filter() {
        // Rows 0, 80, 160, 240. The triangle of radius 2 around 1.0 weighs the centres 0.5, 1.5 and 2.5 with
        // 0.75, 0.75 and 0.25: (0 * 0.75 + 80 * 0.75 + 160 * 0.25) / 1.75 = 57.1; by symmetry the other row is 182.9.
        let values: Vec<u8> = [0u8, 80, 160, 240].iter().flat_map(|&v| [v; 4]).collect();
        let gray = GrayImage::from_raw(4, 4, values).unwrap();
        let half = preprocess(&DynamicImage::ImageLuma8(gray), 2, Filter::Bilinear).unwrap();
        assert_eq!(half.values(), [57, 57, 183, 183]);
    }

    #[test]
    fn sixteen_bits_are_scaled_not_cut() {
        let deep = Gray::<u16>::from_raw(2, 2, vec![0, 32_768, 65_535, 257]).unwrap();
        let pixels = preprocess(&DynamicImage::ImageLuma16(deep), 2, Filter::Bilinear).unwrap();
        assert_eq!(pixels.values(), [0, 128, 255, 1]);
    }

    #[test]
    fn colour_becomes_luma() {
        let colour = image::RgbImage::from_raw(1, 1, vec![255, 255, 255]).unwrap();
        assert_eq!(preprocess(&DynamicImage::ImageRgb8(colour), 1, Filter::Bilinear).unwrap().values(), [255]);
    }

    #[test]
    fn an_empty_image_is_an_error() {
        let error = preprocess(&DynamicImage::new_luma8(0, 5), 8, Filter::Bilinear).unwrap_err();
        assert!(matches!(error, ModelError::EmptyImage { width: 0, height: 5 }));
    }

    #[test]
    fn patches_are_rows_within_squares_and_repeat_per_channel() {
        let mut config = Config::preset("small").unwrap();
        let v = config.vision.as_swin_mut().unwrap();
        (v.image_size, v.channels) = (4, 3);
        config.preprocessing.mean = 0.0;
        config.preprocessing.std = 1.0 / 255.0;
        let pixels = Pixels::new(4, (0..16).collect()).unwrap();
        let mut out = Vec::new();
        patches(&pixels, &config, 2, &mut out).unwrap();
        let rounded: Vec<i32> = out.iter().map(|v| v.round() as i32).collect();
        assert_eq!(rounded[..12], [0, 1, 4, 5, 0, 1, 4, 5, 0, 1, 4, 5]);
        assert_eq!(rounded[12..16], [2, 3, 6, 7]);
        assert_eq!(rounded.len(), 48);
        out.clear();
        patches(&pixels, &config, 1, &mut out).unwrap();
        let rounded: Vec<i32> = out.iter().map(|v| v.round() as i32).collect();
        assert_eq!(rounded[..7], [0, 0, 0, 1, 1, 1, 2]);
        config.vision.as_swin_mut().unwrap().image_size = 8;
        let error = patches(&pixels, &config, 2, &mut out).unwrap_err();
        assert!(matches!(error, ModelError::PixelSize { expected: 8, found: 4 }));
    }
}
