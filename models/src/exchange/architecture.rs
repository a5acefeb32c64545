//! The configuration of a published checkpoint.
//!
//! Shapes tell almost everything. What they don't tell comes from Hugging Face's `config.json` beside the checkpoint:
//! the size of the image, the number of attention heads of BERT, the epsilons of the norms. Without it they are those of
//! the published models: 224 pixels, heads of 64, 1e-5 and 1e-12.

use std::collections::HashMap;
use std::path::Path;

use candle_core::Tensor;
use serde::Deserialize;

use crate::config::{Config, EfficientNetConfig, Pooling, ResnetConfig, SwinConfig, Text, Vision};
use crate::error::ModelError;
use crate::medclip::MedClip;
use crate::weights::names::{TEXT, Tower, VISION, VISION_PROJECTION};

/// What we read of Hugging Face's `config.json`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Published {
    image_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    num_attention_heads: Option<usize>,
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    /// Kept of a model that can do more than one can see from its tensors.
    model_type: Option<String>,
}

impl Published {
    /// Reads `config.json` in `dir`, if it is there.
    pub(super) fn beside(dir: &Path) -> Result<Self, ModelError> {
        let path = dir.join("config.json");
        if !path.is_file() {
            return Ok(Self::default());
        }
        let text = fs_err::read_to_string(&path).map_err(ModelError::io(&path))?;
        let published: Self = serde_json::from_str(&text)
            .map_err(|e| ModelError::Unreadable { path: path.clone(), reason: e.to_string() })?;
        let refuse = |what: &str, value: &str| {
            Err(ModelError::Unreadable { path: path.clone(), reason: format!("{what} '{value}' is not supported") })
        };
        match (&published.hidden_act, &published.position_embedding_type) {
            (Some(act), _) if act != "gelu" => refuse("hidden_act", act),
            (_, Some(kind)) if kind != "absolute" => refuse("position_embedding_type", kind),
            _ => Ok(published),
        }
    }

    /// The settings, if they are those of a model of type `kind`.
    pub(super) fn of(&self, kind: &str) -> Option<&Self> {
        (self.model_type.as_deref() == Some(kind)).then_some(self)
    }
}

/// Shapes of the tensors of one encoder, by their names without prefix.
struct Shapes<'a> {
    tensors: &'a HashMap<String, Tensor>,
    prefix: &'static str,
}

impl Shapes<'_> {
    fn dims(&self, name: &str) -> Result<&[usize], ModelError> {
        let name = format!("{}{name}", self.prefix);
        match self.tensors.get(&name) {
            Some(tensor) => Ok(tensor.dims()),
            None => {
                Err(ModelError::Data(format!("the checkpoint has no tensor {name}, so its architecture is unknown")))
            }
        }
    }

    /// One size of a tensor's shape.
    fn size(&self, name: &str, axis: usize) -> Result<usize, ModelError> {
        let dims = self.dims(name)?;
        dims.get(axis).copied().ok_or_else(|| {
            ModelError::Data(format!("tensor {name} has shape {dims:?}, which is none of a known encoder"))
        })
    }

    /// How many numbers follow on each other from 0 on in `before<number>.`.
    fn count(&self, before: &str) -> usize {
        let before = format!("{}{before}", self.prefix);
        let there = |i: usize| self.tensors.keys().any(|name| name.starts_with(&format!("{before}{i}.")));
        (0..).take_while(|&i| there(i)).count()
    }
}

/// The configuration of the image encoder.
pub(super) fn vision(
    tensors: &HashMap<String, Tensor>,
    tower: Tower,
    published: &Published,
) -> Result<Vision, ModelError> {
    let shapes = Shapes { tensors, prefix: VISION };
    match tower {
        Tower::Swin => swin(&shapes, published.of("swin")).map(Vision::Swin),
        Tower::ResNet => resnet(&shapes).map(Vision::Resnet),
        Tower::EfficientNet => efficientnet(&shapes).map(Vision::EfficientnetLite),
        Tower::Bert => Err(ModelError::Data("BERT is no image encoder".to_owned())),
    }
}

fn swin(shapes: &Shapes<'_>, published: Option<&Published>) -> Result<SwinConfig, ModelError> {
    const PATCHES: &str = "embeddings.patch_embeddings.projection.weight";
    let stages = shapes.count("encoder.layers.");
    let depths: Vec<usize> = (0..stages).map(|i| shapes.count(&format!("encoder.layers.{i}.blocks."))).collect();
    let table = |i: usize| format!("encoder.layers.{i}.blocks.0.attention.self.relative_position_bias_table");
    let heads = (0..stages).map(|i| shapes.size(&table(i), 1)).collect::<Result<_, _>>()?;
    let embed_dim = shapes.size(PATCHES, 0)?;
    let hidden = shapes.size("encoder.layers.0.blocks.0.intermediate.dense.weight", 0)?;
    Ok(SwinConfig {
        image_size: published.and_then(|p| p.image_size).unwrap_or(224),
        patch_size: shapes.size(PATCHES, 2)?,
        channels: shapes.size(PATCHES, 1)?,
        embed_dim,
        depths,
        heads,
        // The table has (2 window - 1)^2 rows.
        window: shapes.size(&table(0), 0)?.isqrt().div_ceil(2),
        mlp_ratio: hidden as f64 / embed_dim.max(1) as f64,
        layer_norm_eps: published.and_then(|p| p.layer_norm_eps).unwrap_or(1e-5),
    })
}

fn resnet(shapes: &Shapes<'_>) -> Result<ResnetConfig, ModelError> {
    if shapes.dims("layer1.0.conv3.weight").is_err() {
        let reason = "a ResNet without bottlenecks (ResNet-18 or -34) is not supported; ResNet-50, -101 and -152 are";
        return Err(ModelError::Data(reason.to_owned()));
    }
    Ok(ResnetConfig {
        image_size: 224,
        channels: shapes.size("conv1.weight", 1)?,
        width: shapes.size("conv1.weight", 0)?,
        depths: (1..).map(|i| shapes.count(&format!("layer{i}."))).take_while(|&n| n > 0).collect(),
        norm_eps: 1e-5,
    })
}

/// Width, depth and image size of Lite0 to Lite4.
const LITE: [(f64, f64, usize); 5] =
    [(1.0, 1.0, 224), (1.0, 1.1, 240), (1.1, 1.2, 260), (1.2, 1.4, 280), (1.4, 1.8, 300)];

fn efficientnet(shapes: &Shapes<'_>) -> Result<EfficientNetConfig, ModelError> {
    let channels = shapes.size("_conv_stem.weight", 1)?;
    for (width, depth, image_size) in LITE {
        let config = EfficientNetConfig { image_size, channels, width, depth, norm_eps: 1e-3, taps: Vec::new() };
        let expected = MedClip::vision_shapes(&Vision::EfficientnetLite(config.clone()))?;
        let fits = |(name, shape): (&String, &Vec<usize>)| {
            shapes.tensors.get(&format!("{VISION}{name}")).is_some_and(|t| t.dims() == shape)
        };
        if expected.iter().all(fits) {
            return Ok(config);
        }
    }
    Err(ModelError::Data("the tensors are none of EfficientNet-Lite0 to Lite4".to_owned()))
}

/// The configuration of the text encoder.
pub(super) fn text(tensors: &HashMap<String, Tensor>, published: &Published) -> Result<Text, ModelError> {
    let shapes = Shapes { tensors, prefix: TEXT };
    let published = published.of("bert");
    let hidden = shapes.size("embeddings.word_embeddings.weight", 1)?;
    let layers = shapes.count("encoder.layer.");
    let positions = shapes.size("embeddings.position_embeddings.weight", 0)?;
    Ok(Text {
        vocab_size: shapes.size("embeddings.word_embeddings.weight", 0)?,
        layers,
        hidden,
        heads: published.and_then(|p| p.num_attention_heads).unwrap_or((hidden / 64).max(1)),
        intermediate: shapes.size("encoder.layer.0.intermediate.dense.weight", 0)?,
        // MedCLIP cuts texts at 77 tokens.
        max_tokens: positions.min(77),
        // One text alone gives the same with either; with a batch, only this doesn't depend on the other texts.
        pooling: Pooling::Masked,
        pooled_layers: if layers > 2 { vec![1, 2, -1] } else { vec![1, -1] },
        positions: Some(positions),
        layer_norm_eps: published.and_then(|p| p.layer_norm_eps).unwrap_or(1e-12),
    })
}

/// The configuration of a model of these two encoders; the joint space has the dimension of the projection, else 512.
pub(super) fn model(tensors: &HashMap<String, Tensor>, vision: Vision, text: Text) -> Result<Config, ModelError> {
    let mut config = Config::preset("medclip")?;
    (config.vision, config.text) = (vision, text);
    if let Some(dimension) = tensors.get(VISION_PROJECTION).and_then(|t| t.dims().first()) {
        config.projection.dimension = *dimension;
    }
    config.validate()?;
    Ok(config)
}
