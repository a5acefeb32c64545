//! What a configuration must satisfy; each error names the field.

use super::{Config, EfficientNetConfig, Objective, ResnetConfig, SwinConfig, Text, Training, Vision};
use crate::error::ModelError;

fn check(ok: bool, field: &'static str, reason: impl FnOnce() -> String) -> Result<(), ModelError> {
    if ok { Ok(()) } else { Err(ModelError::Config { field, reason: reason() }) }
}

fn within(value: f64, low: f64, high: f64, field: &'static str) -> Result<(), ModelError> {
    check((low..=high).contains(&value), field, || format!("must lie within {low} to {high}, is {value}"))
}

impl Config {
    /// Checks that the parts fit together.
    pub fn validate(&self) -> Result<(), ModelError> {
        self.vision.validate()?;
        self.text.validate()?;
        check((1..=8192).contains(&self.projection.dimension), "projection.dimension", || {
            format!("must lie within 1 to 8192, is {}", self.projection.dimension)
        })?;
        within(self.projection.logit_scale_max, 0.0, 10.0, "projection.logit_scale_max")?;
        within(self.projection.logit_scale_init, 0.0, self.projection.logit_scale_max, "projection.logit_scale_init")?;
        within(f64::from(self.preprocessing.mean), 0.0, 1.0, "preprocessing.mean")?;
        within(f64::from(self.preprocessing.std), 1e-3, 10.0, "preprocessing.std")?;
        self.training.validate()
    }
}

impl Vision {
    fn validate(&self) -> Result<(), ModelError> {
        check(self.channels() == 1 || self.channels() == 3, "vision.channels", || {
            format!("must be 1 or 3, is {}", self.channels())
        })?;
        match self {
            Self::Swin(c) => c.validate(),
            Self::Resnet(c) => c.validate(),
            Self::EfficientnetLite(c) => c.validate(),
        }
    }
}

/// A network that halves its input five times.
fn convolutional(image_size: usize, norm_eps: f64) -> Result<(), ModelError> {
    check((32..=4096).contains(&image_size), "vision.image_size", || {
        format!("must lie within 32 to 4096, is {image_size}")
    })?;
    within(norm_eps, 1e-15, 1e-2, "vision.norm_eps")
}

impl ResnetConfig {
    fn validate(&self) -> Result<(), ModelError> {
        convolutional(self.image_size, self.norm_eps)?;
        check((1..=1024).contains(&self.width), "vision.width", || {
            format!("must lie within 1 to 1024, is {}", self.width)
        })?;
        check(self.depths.len() == 4 && self.depths.iter().all(|d| (1..=64).contains(d)), "vision.depths", || {
            format!("needs four stages of 1 to 64 blocks, has {:?}", self.depths)
        })
    }
}

impl EfficientNetConfig {
    fn validate(&self) -> Result<(), ModelError> {
        convolutional(self.image_size, self.norm_eps)?;
        within(self.width, 0.1, 4.0, "vision.width")?;
        within(self.depth, 0.1, 4.0, "vision.depth")?;
        let wrong = self.wrong_taps();
        check(wrong.is_none(), "vision.taps", || format!("{}, are {:?}", wrong.unwrap_or_default(), self.taps))
    }
}

impl SwinConfig {
    fn validate(&self) -> Result<(), ModelError> {
        check(!self.depths.is_empty() && self.depths.len() <= 8, "vision.depths", || {
            format!("needs 1 to 8 stages, has {}", self.depths.len())
        })?;
        check(self.depths.iter().all(|d| (1..=64).contains(d)), "vision.depths", || {
            format!("every stage needs 1 to 64 blocks, has {:?}", self.depths)
        })?;
        check(self.heads.len() == self.depths.len(), "vision.heads", || {
            format!("needs one number per stage ({}), has {}", self.depths.len(), self.heads.len())
        })?;
        check((1..=4096).contains(&self.embed_dim), "vision.embed_dim", || {
            format!("must lie within 1 to 4096, is {}", self.embed_dim)
        })?;
        within(self.mlp_ratio, 0.25, 16.0, "vision.mlp_ratio")?;
        within(self.layer_norm_eps, 1e-15, 1e-2, "vision.layer_norm_eps")?;
        check(self.patch_size >= 1 && self.image_size <= 4096, "vision.image_size", || {
            format!("patch {} and image {} must be 1 or more and 4096 or less", self.patch_size, self.image_size)
        })?;
        check(
            self.image_size >= self.patch_size && self.image_size.is_multiple_of(self.patch_size),
            "vision.image_size",
            || format!("{} is no multiple of the patch size {}", self.image_size, self.patch_size),
        )?;
        check(self.window >= 1, "vision.window", || "must be 1 or more".to_owned())?;
        let mut side = self.image_size / self.patch_size;
        for (stage, &heads) in self.heads.iter().enumerate() {
            let dim = self.embed_dim << stage;
            check(heads >= 1 && dim.is_multiple_of(heads), "vision.heads", || {
                format!("stage {stage}: {heads} heads do not divide the width {dim}")
            })?;
            check(side <= self.window || side.is_multiple_of(self.window), "vision.window", || {
                format!("stage {stage}: windows of {} do not tile {side} x {side} tokens", self.window)
            })?;
            if stage + 1 < self.heads.len() {
                check(side.is_multiple_of(2) && side >= 2, "vision.depths", || {
                    format!("stage {stage}: {side} x {side} tokens cannot be merged two by two")
                })?;
                side /= 2;
            }
        }
        Ok(())
    }
}

impl Text {
    fn validate(&self) -> Result<(), ModelError> {
        check((8..=1_000_000).contains(&self.vocab_size), "text.vocab_size", || {
            format!("must lie within 8 to 1000000, is {}", self.vocab_size)
        })?;
        check((1..=64).contains(&self.layers), "text.layers", || {
            format!("must lie within 1 to 64, is {}", self.layers)
        })?;
        check((1..=8192).contains(&self.hidden), "text.hidden", || {
            format!("must lie within 1 to 8192, is {}", self.hidden)
        })?;
        check((1..=65536).contains(&self.intermediate), "text.intermediate", || {
            format!("must lie within 1 to 65536, is {}", self.intermediate)
        })?;
        check(self.heads >= 1 && self.hidden.is_multiple_of(self.heads), "text.heads", || {
            format!("{} heads do not divide the width {}", self.heads, self.hidden)
        })?;
        within(self.layer_norm_eps, 1e-15, 1e-2, "text.layer_norm_eps")?;
        check((3..=4096).contains(&self.max_tokens), "text.max_tokens", || {
            format!("must lie within 3 to 4096, is {}", self.max_tokens)
        })?;
        check((self.max_tokens..=65536).contains(&self.position_rows()), "text.positions", || {
            format!("must be {} (max_tokens) or more, is {}", self.max_tokens, self.position_rows())
        })?;
        let pooled = self.pooled_indices();
        check(
            !pooled.is_empty() && pooled.len() == self.pooled_layers.len() && pooled.iter().all(|&l| l <= self.layers),
            "text.pooled_layers",
            || format!("{:?} names states that {} layers do not have", self.pooled_layers, self.layers),
        )
    }
}

impl Training {
    fn validate(&self) -> Result<(), ModelError> {
        check((2..=65536).contains(&self.image_batch), "training.image_batch", || {
            format!("must lie within 2 to 65536, is {}", self.image_batch)
        })?;
        check((2..=65536).contains(&self.text_batch), "training.text_batch", || {
            format!("must lie within 2 to 65536, is {}", self.text_batch)
        })?;
        within(self.learning_rate, 1e-9, 1.0, "training.learning_rate")?;
        within(self.weight_decay, 0.0, 1.0, "training.weight_decay")?;
        within(self.warmup, 0.0, 0.9, "training.warmup")?;
        within(self.clip_norm, 1e-6, 1e6, "training.clip_norm")?;
        within(f64::from(self.label_temperature), 0.01, 100.0, "training.label_temperature")?;
        within(self.matching_weight, 0.0, 100.0, "training.matching_weight")?;
        within(self.auxiliary_weight, 0.0, 100.0, "training.auxiliary_weight")?;
        within(self.question_weight, 0.0, 100.0, "training.question_weight")?;
        let weights = [self.matching_weight, self.auxiliary_weight, self.question_weight];
        check(weights.iter().any(|w| *w > 0.0), "training.matching_weight", || {
            "must be above 0 where auxiliary_weight and question_weight are 0: nothing would train".to_owned()
        })?;
        within(self.denial_weight, 0.0, 100.0, "training.denial_weight")?;
        within(self.ema_decay, 0.0, 0.99999, "training.ema_decay")?;
        within(self.pair_blending, 0.0, 1.0, "training.pair_blending")?;
        within(self.hard_negatives, 0.0, 0.5, "training.hard_negatives")?;
        within(self.flip, 0.0, 1.0, "training.flip")?;
        check(
            self.objective != Objective::InfoNce || self.image_batch == self.text_batch,
            "training.text_batch",
            || format!("must be image_batch ({}) with info-nce, is {}", self.image_batch, self.text_batch),
        )?;
        check(self.objective != Objective::InfoNce || self.hard_negatives == 0.0, "training.hard_negatives", || {
            "must be 0 with info-nce, which has a text for each film and no other".to_owned()
        })?;
        check(self.objective != Objective::InfoNce || self.flip == 0.0, "training.flip", || {
            "must be 0 with info-nce: the report of a film does not fit its mirror image".to_owned()
        })?;
        let free = self.text_batch as f64 * (1.0 - self.hard_negatives);
        check(!self.wants_pairs() || free >= self.image_batch as f64, "training.text_batch", || {
            let (texts, images) = (self.text_batch, self.image_batch);
            format!("of {texts} leaves no room for a text of each of {images} films beside the hard negatives")
        })?;
        check((1..=1024).contains(&self.frozen_views), "training.frozen_views", || {
            format!("must lie within 1 to 1024, is {}", self.frozen_views)
        })?;
        check(
            self.frozen_views > 1 || [0.0, 1.0].contains(&self.flip) || self.frozen == 0,
            "training.frozen_views",
            || format!("must be 2 or more with flip {}: one variant is flipped or not", self.flip),
        )?;
        check(self.loader_threads <= 256, "training.loader_threads", || {
            format!("must be 256 or less, is {}", self.loader_threads)
        })?;
        within(self.balance, 0.0, 1.0, "training.balance")?;
        within(self.drop_path, 0.0, 0.9, "training.drop_path")?;
        within(self.token_dropout, 0.0, 0.9, "training.token_dropout")?;
        let a = &self.augmentation;
        within(f64::from(a.scale), 0.0, 0.5, "training.augmentation.scale")?;
        within(f64::from(a.shift), 0.0, 0.5, "training.augmentation.shift")?;
        within(f64::from(a.rotation), 0.0, 45.0, "training.augmentation.rotation")?;
        within(f64::from(a.brightness), 0.0, 1.0, "training.augmentation.brightness")?;
        within(f64::from(a.contrast), 0.0, 0.9, "training.augmentation.contrast")?;
        within(f64::from(a.gamma), 0.0, 4.0, "training.augmentation.gamma")?;
        within(f64::from(a.noise), 0.0, 1.0, "training.augmentation.noise")?;
        within(f64::from(a.cutout), 0.0, 1.0, "training.augmentation.cutout")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn swin(config: &mut Config) -> &mut SwinConfig {
        config.vision.as_swin_mut().unwrap()
    }

    /// The message of the error after `change`.
    fn complaint(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::preset("small").unwrap();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn each_error_names_its_field_and_value() {
        type Change = fn(&mut Config);
        let cases: [(&str, &str, Change); 14] = [
            ("vision.heads", "stage 0: 5 heads", |c| swin(c).heads[0] = 5),
            ("vision.window", "windows of 6", |c| swin(c).window = 6),
            ("vision.image_size", "113", |c| swin(c).image_size = 113),
            ("vision.heads", "one number per stage (3)", |c| swin(c).heads.truncate(1)),
            ("vision.channels", "2", |c| swin(c).channels = 2),
            ("text.heads", "7 heads", |c| c.text.heads = 7),
            ("text.pooled_layers", "[99]", |c| c.text.pooled_layers = vec![99]),
            ("text.positions", "max_tokens", |c| c.text.positions = Some(3)),
            ("training.learning_rate", "NaN", |c| c.training.learning_rate = f64::NAN),
            ("training.ema_decay", "is 1", |c| c.training.ema_decay = 1.0),
            ("training.frozen_views", "2 or more", |c| {
                (c.training.frozen, c.training.frozen_views, c.training.flip) = (1, 1, 0.5);
            }),
            ("training.matching_weight", "nothing would train", |c| {
                let t = &mut c.training;
                (t.matching_weight, t.auxiliary_weight, t.question_weight) = (0.0, 0.0, 0.0);
            }),
            ("training.text_batch", "with info-nce, is 64", |c| c.training.objective = Objective::InfoNce),
            ("training.hard_negatives", "0.6", |c| c.training.hard_negatives = 0.6),
        ];
        for (field, part, change) in cases {
            let message = complaint(change);
            assert!(message.contains(field) && message.contains(part), "{message}");
        }
    }

    #[test]
    fn absurd_sizes_are_refused_without_arithmetic_overflow() {
        let message = complaint(|c| swin(c).depths = vec![1; 200]);
        assert!(message.contains("vision.depths"), "{message}");
        let message = complaint(|c| swin(c).embed_dim = usize::MAX);
        assert!(message.contains("vision.embed_dim"), "{message}");
    }
}
