//! Names of published checkpoints become ours.
//!
//! Ours are those of the authors' released MedCLIP: `vision_model.model.*` and `text_model.model.*` with the names of
//! Hugging Face (Swin, BERT) or torchvision (ResNet) behind, `*.projection_head.weight`, `logit_scale`.
//!
//! What is known:
//! - a whole MedCLIP; its ResNet variant calls the projection `vision_model.model.fc.weight`
//! - one tower alone, with or without `swin.` or `bert.` before its names
//! - `module.` before every name, as `DataParallel` leaves it
//! - BERT's norms as `gamma` and `beta`, as TensorFlow's conversion left them
//! - Swin as transformers 5 names it in `state_dict()` (`q_proj`, `mlp.fc1`, ...); its files have the older names
//!
//! What is left out, because no embedding depends on it, is listed in [`Tower::ignores`].

use std::collections::HashMap;

/// One of the encoders, by the names of its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tower {
    /// Hugging Face's Swin.
    Swin,
    /// torchvision's ResNet.
    ResNet,
    /// EfficientNet-Lite as the package `efficientnet_lite_pytorch` names it.
    EfficientNet,
    /// Hugging Face's BERT.
    Bert,
}

/// Before the names of the image encoder's tensors.
pub const VISION: &str = "vision_model.model.";
/// Before the names of the text encoder's tensors.
pub const TEXT: &str = "text_model.model.";
/// Projection of the image encoder.
pub const VISION_PROJECTION: &str = "vision_model.projection_head.weight";
/// The same in the released ResNet variant.
pub const RESNET_PROJECTION: &str = "vision_model.model.fc.weight";

impl Tower {
    /// The tower that has a tensor of this name (without the prefix of a whole model).
    fn with(name: &str) -> Option<Self> {
        match name.strip_prefix("swin.").or_else(|| name.strip_prefix("bert.")).unwrap_or(name) {
            "embeddings.patch_embeddings.projection.weight" => Some(Self::Swin),
            "embeddings.word_embeddings.weight" => Some(Self::Bert),
            "conv1.weight" => Some(Self::ResNet),
            "_conv_stem.weight" => Some(Self::EfficientNet),
            _ => None,
        }
    }

    /// What comes before its names in a whole model.
    pub fn prefix(self) -> &'static str {
        if self == Self::Bert { TEXT } else { VISION }
    }

    /// Tensors that no embedding of MedCLIP depends on: heads of other tasks, poolers that it doesn't use, masks of
    /// pretraining, indices that follow from the architecture, counters.
    pub fn ignores(self, name: &str) -> bool {
        let starts = |parts: &[&str]| parts.iter().any(|p| name.starts_with(p));
        match self {
            Self::Swin => {
                starts(&["pooler.", "classifier.", "decoder.", "embeddings.mask_token"])
                    || name.ends_with(".relative_position_index")
            }
            Self::Bert => {
                starts(&["pooler.", "cls.", "classifier.", "qa_outputs."])
                    || name == "embeddings.position_ids"
                    || name == "embeddings.token_type_ids"
            }
            Self::ResNet | Self::EfficientNet => starts(&["fc.", "_fc."]) || name.ends_with(".num_batches_tracked"),
        }
    }

    /// Our name for one of its tensors, without the prefix of a whole model.
    fn rename(self, name: &str) -> String {
        match self {
            Self::Bert => match name.strip_suffix("LayerNorm.gamma").or(name.strip_suffix("LayerNorm.beta")) {
                Some(stem) if name.ends_with("gamma") => format!("{stem}LayerNorm.weight"),
                Some(stem) => format!("{stem}LayerNorm.bias"),
                None => name.to_owned(),
            },
            Self::Swin => SWIN_5.iter().fold(name.to_owned(), |name, (new, old)| name.replace(new, old)),
            Self::ResNet | Self::EfficientNet => name.to_owned(),
        }
    }
}

/// Parts of Swin's names: in `state_dict()` of transformers 5, and in published files.
const SWIN_5: [(&str, &str); 7] = [
    (".attention.q_proj.", ".attention.self.query."),
    (".attention.k_proj.", ".attention.self.key."),
    (".attention.v_proj.", ".attention.self.value."),
    (".attention.o_proj.", ".attention.output.dense."),
    (".attention.relative_position_bias.", ".attention.self."),
    (".mlp.fc1.", ".intermediate.dense."),
    (".mlp.fc2.", ".output.dense."),
];

/// A checkpoint under our names.
pub struct Named<T> {
    /// The tensors, under our names.
    pub tensors: HashMap<String, T>,
    /// The towers that are there.
    pub towers: Vec<Tower>,
    /// Published names of what was left out, sorted.
    pub ignored: Vec<String>,
}

/// Renames the tensors of a checkpoint; what is not recognised keeps its name, so that it can be named as extra.
pub fn canonical<T>(tensors: HashMap<String, T>) -> Named<T> {
    let plain = |name: &str| name.strip_prefix("module.").unwrap_or(name).to_owned();
    let tensors: HashMap<String, T> = tensors.into_iter().map(|(name, t)| (plain(&name), t)).collect();
    let whole = tensors.keys().any(|name| name.starts_with("vision_model.") || name.starts_with("text_model."));
    let under = |prefix: &str| tensors.keys().find_map(|name| Tower::with(name.strip_prefix(prefix)?));
    let towers: Vec<Tower> = if whole {
        [under(VISION), under(TEXT)].into_iter().flatten().collect()
    } else {
        under("").into_iter().collect()
    };
    let has_projection = tensors.contains_key(VISION_PROJECTION);
    let mut named = Named { tensors: HashMap::new(), towers, ignored: Vec::new() };
    for (name, tensor) in tensors {
        if name == RESNET_PROJECTION && !has_projection {
            named.tensors.insert(VISION_PROJECTION.to_owned(), tensor);
            continue;
        }
        let part = named.towers.iter().find_map(|&tower| {
            let local = if whole { name.strip_prefix(tower.prefix())? } else { bare(&name) };
            Some((tower, local))
        });
        match part {
            Some((tower, local)) if tower.ignores(local) => named.ignored.push(name),
            Some((tower, local)) => {
                named.tensors.insert(format!("{}{}", tower.prefix(), tower.rename(local)), tensor);
            }
            None => {
                named.tensors.insert(name, tensor);
            }
        }
    }
    named.ignored.sort();
    named
}

/// Without the prefix of a published tower.
fn bare(name: &str) -> &str {
    ["swin.", "bert."].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn named(names: &[&str]) -> (Vec<String>, Vec<Tower>, Vec<String>) {
        let named = canonical(names.iter().map(|n| ((*n).to_owned(), ())).collect());
        let mut keys: Vec<String> = named.tensors.into_keys().collect();
        keys.sort();
        (keys, named.towers, named.ignored)
    }

    #[test]
    fn the_released_medclip_keeps_its_names() {
        let names = [
            "logit_scale",
            "text_model.model.embeddings.position_ids",
            "text_model.model.embeddings.word_embeddings.weight",
            "text_model.model.pooler.dense.weight",
            "text_model.projection_head.weight",
            "vision_model.model.embeddings.patch_embeddings.projection.weight",
            "vision_model.model.encoder.layers.0.blocks.0.attention.self.relative_position_index",
            "vision_model.model.layernorm.weight",
            "vision_model.projection_head.weight",
        ];
        let (keys, towers, ignored) = named(&names);
        assert_eq!(towers, [Tower::Swin, Tower::Bert]);
        assert_eq!(ignored, [names[1], names[3], names[6]]);
        assert_eq!(keys, [names[0], names[2], names[4], names[5], names[7], names[8]]);
    }

    #[test]
    fn the_resnet_variant_s_fc_is_the_projection_but_a_classifier_s_is_none() {
        let (keys, towers, ignored) = named(&["vision_model.model.conv1.weight", RESNET_PROJECTION]);
        assert_eq!(keys, ["vision_model.model.conv1.weight", VISION_PROJECTION]);
        assert!(towers == [Tower::ResNet] && ignored.is_empty());
        let (keys, _, ignored) = named(&["conv1.weight", "bn1.num_batches_tracked", "fc.weight", "fc.bias"]);
        assert_eq!(keys, ["vision_model.model.conv1.weight"]);
        assert_eq!(ignored, ["bn1.num_batches_tracked", "fc.bias", "fc.weight"]);
    }

    #[test]
    fn towers_alone() {
        let (keys, towers, ignored) = named(&[
            "module.bert.embeddings.word_embeddings.weight",
            "module.bert.embeddings.LayerNorm.gamma",
            "module.bert.encoder.layer.0.output.LayerNorm.beta",
            "module.cls.predictions.bias",
        ]);
        assert_eq!(towers, [Tower::Bert]);
        assert_eq!(ignored, ["cls.predictions.bias"]);
        let expected = [
            "text_model.model.embeddings.LayerNorm.weight",
            "text_model.model.embeddings.word_embeddings.weight",
            "text_model.model.encoder.layer.0.output.LayerNorm.bias",
        ];
        assert_eq!(keys, expected);
        let (keys, ..) = named(&[
            "swin.embeddings.patch_embeddings.projection.weight",
            "swin.encoder.layers.0.blocks.1.attention.q_proj.weight",
            "swin.encoder.layers.0.blocks.1.attention.relative_position_bias.relative_position_bias_table",
            "swin.encoder.layers.0.blocks.1.mlp.fc2.bias",
            "classifier.weight",
        ]);
        let blocks = "vision_model.model.encoder.layers.0.blocks.1.";
        let expected = [
            "vision_model.model.embeddings.patch_embeddings.projection.weight".to_owned(),
            format!("{blocks}attention.self.query.weight"),
            format!("{blocks}attention.self.relative_position_bias_table"),
            format!("{blocks}output.dense.bias"),
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn what_is_not_recognised_keeps_its_name() {
        assert_eq!(named(&["foo.bar", "baz"]).0, ["baz", "foo.bar"]);
    }
}
