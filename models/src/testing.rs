//! A tiny model and a tiny problem for the tests: squares and discs on the left or right, and sentences that name them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::borrow::Cow;

use image::{DynamicImage, GrayImage, Luma};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::{Augmentation, Config};
use crate::tokenizer::Tokenizer;
use crate::train::{ImageSource, SourceError, TextSource};

pub(crate) const SENTENCES: [(&str, [f32; 4]); 8] = [
    ("there is a square on the left", [1.0, 0.0, 1.0, 0.0]),
    ("a square is seen at the right", [1.0, 0.0, 0.0, 1.0]),
    ("a disc lies on the left side", [0.0, 1.0, 1.0, 0.0]),
    ("the disc is on the right", [0.0, 1.0, 0.0, 1.0]),
    ("no square", [-1.0, 0.0, 0.0, 0.0]),
    ("no disc", [0.0, -1.0, 0.0, 0.0]),
    ("left disc", [0.0, 1.0, 1.0, 0.0]),
    ("right square", [1.0, 0.0, 0.0, 1.0]),
];

/// 16 x 16 pixels, shifted windows in both stages, two text layers averaged.
pub(crate) fn tiny() -> Config {
    let mut config = Config::preset("demo").unwrap();
    config.name = "tiny".to_owned();
    let v = config.vision.as_swin_mut().unwrap();
    (v.image_size, v.patch_size, v.embed_dim, v.window, v.mlp_ratio) = (16, 2, 8, 2, 2.0);
    (v.depths, v.heads) = (vec![2, 2], vec![2, 2]);
    let t = &mut config.text;
    (t.vocab_size, t.layers, t.hidden, t.heads, t.intermediate, t.max_tokens) = (120, 2, 12, 3, 16, 12);
    t.pooled_layers = vec![1, -1];
    t.layer_norm_eps = 1e-5;
    config.projection.dimension = 8;
    let t = &mut config.training;
    (t.image_batch, t.text_batch, t.learning_rate, t.auxiliary_weight) = (8, 8, 5e-3, 0.5);
    t.augmentation = Augmentation::none();
    config.validate().unwrap();
    config
}

pub(crate) fn tokenizer() -> Tokenizer {
    Tokenizer::train(SENTENCES.iter().map(|(s, _)| *s), 120, 12).unwrap()
}

/// Films of the four combinations, with a little noise.
pub(crate) struct Films {
    pub(crate) films: Vec<(GrayImage, [f32; 4])>,
    /// Films that fail to load.
    pub(crate) broken: Vec<usize>,
}

impl Films {
    pub(crate) fn new(count: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let films = (0..count)
            .map(|i| {
                let (disc, right) = (i % 2 == 1, i / 2 % 2 == 1);
                let (cx, cy) =
                    (if right { 11.5 } else { 3.5 } + rng.random_range(-0.5..0.5), rng.random_range(6.0..9.0f32));
                let film = GrayImage::from_fn(16, 16, |x, y| {
                    let (dx, dy) = ((x as f32 - cx).abs(), (y as f32 - cy).abs());
                    let inside = if disc { dx * dx + dy * dy < 12.0 } else { dx < 3.0 && dy < 3.0 };
                    Luma([if inside { 200 } else { 40 } + rng.random_range(0..20)])
                });
                let sign = |there: bool| if there { 1.0 } else { -1.0 };
                (film, [sign(!disc), sign(disc), sign(!right), sign(right)])
            })
            .collect();
        Self { films, broken: Vec::new() }
    }
}

impl ImageSource for Films {
    fn len(&self) -> usize {
        self.films.len()
    }

    fn load(&self, index: usize) -> Result<DynamicImage, SourceError> {
        if self.broken.contains(&index) {
            return Err("the file is cut".into());
        }
        Ok(DynamicImage::ImageLuma8(self.films[index].0.clone()))
    }

    fn labels(&self, index: usize) -> &[f32] {
        &self.films[index].1
    }

    /// Three films of each patient.
    fn group(&self, index: usize) -> Option<u64> {
        Some(index as u64 / 3)
    }

    /// The sentence that names what is there and where.
    fn pairs(&self, index: usize) -> &[usize] {
        &[[0], [2], [1], [3]][index % 4]
    }

    fn mirrored(&self, labels: &[f32]) -> Option<Vec<f32>> {
        Some(vec![labels[0], labels[1], labels[3], labels[2]])
    }
}

/// The sentences.
pub(crate) struct Lines;

impl TextSource for Lines {
    fn len(&self) -> usize {
        SENTENCES.len()
    }

    fn text(&self, index: usize) -> Cow<'_, str> {
        SENTENCES[index].0.into()
    }

    fn labels(&self, index: usize) -> &[f32] {
        &SENTENCES[index].1
    }

    /// Left becomes right and the other way round.
    fn flipped(&self, index: usize, _rng: &mut dyn rand::RngCore) -> Option<(String, Vec<f32>)> {
        let (text, [a, b, left, right]) = SENTENCES[index];
        let (from, to) = if text.contains("left") { ("left", "right") } else { ("right", "left") };
        text.contains(from).then(|| (text.replace(from, to), vec![a, b, right, left]))
    }
}
