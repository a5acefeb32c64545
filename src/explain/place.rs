//! A point of a film, in words.

use serde::Serialize;
use utoipa::ToSchema;

/// A point of a film.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Place {
    /// Pixels from the left edge of the image.
    pub x: f32,
    /// Pixels from the top.
    pub y: f32,
    /// The part of the image that it lies in. Left and right are the image's: on a frontal film as it is usually shown, the
    /// image's left is the patient's right.
    pub words: String,
}

impl Place {
    /// A point of a film of `film` pixels, width and height.
    pub fn new(x: f32, y: f32, film: (u32, u32)) -> Self {
        Self { x, y, words: words(x / film.0.max(1) as f32, y / film.1.max(1) as f32) }
    }
}

/// The part of an image for a point in shares of its width and height.
fn words(across: f32, down: f32) -> String {
    let height = match down {
        d if d < 1.0 / 3.0 => "upper",
        d if d < 2.0 / 3.0 => "middle",
        _ => "lower",
    };
    let (side, patient) = match across {
        a if a < 0.4 => ("left", "right"),
        a if a > 0.6 => ("right", "left"),
        _ => return format!("the {height} part of the image, near the midline"),
    };
    format!("the image's {side} {height} part (the patient's {patient}, on a frontal film shown as usual)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_of_the_image_is_right_of_the_patient() {
        let place = Place::new(50.0, 190.0, (200, 200));
        assert_eq!(place.words, "the image's left lower part (the patient's right, on a frontal film shown as usual)");
        assert!(Place::new(150.0, 20.0, (200, 200)).words.starts_with("the image's right upper part"));
        assert_eq!(Place::new(100.0, 100.0, (200, 200)).words, "the middle part of the image, near the midline");
        assert!(Place::new(0.0, 0.0, (0, 0)).words.contains("upper"));
    }
}
