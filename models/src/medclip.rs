//! MedCLIP (Wang et al., EMNLP 2022): two towers, two projections without bias, a learnable logit scale.

use std::collections::BTreeMap;

use candle_core::{D, Result, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::bert::Bert;
use crate::config::Config;
use crate::layers::Linear;
use crate::parameters::Recorder;
use crate::vision::Tower;

/// The whole model. The names of its weights are those of the published checkpoint.
pub(crate) struct MedClip {
    pub(crate) vision: Tower,
    pub(crate) text: Bert,
    vision_projection: Linear,
    text_projection: Linear,
    /// Logarithm of the factor on the cosines.
    pub(crate) logit_scale: Tensor,
}

/// Name of the logit scale's tensor.
pub(crate) const LOGIT_SCALE: &str = "logit_scale";

impl MedClip {
    pub(crate) fn new(config: &Config, vb: &VarBuilder<'_>) -> Result<Self> {
        let (vision, text) = (vb.pp("vision_model"), vb.pp("text_model"));
        let dimension = config.projection.dimension;
        let head = "projection_head";
        let init = Init::Const(config.projection.logit_scale_init);
        Ok(Self {
            vision: Tower::new(&config.vision, &vision.pp("model"))?,
            text: Bert::new(&config.text, &text.pp("model"))?,
            vision_projection: Linear::without_bias(config.vision.output_dim(), dimension, &vision.pp(head))?,
            text_projection: Linear::without_bias(config.text.hidden, dimension, &text.pp(head))?,
            logit_scale: vb.get_with_hints((), LOGIT_SCALE, init)?,
        })
    }

    /// Names and shapes of all tensors of a model with this configuration.
    pub(crate) fn shapes(config: &Config) -> Result<BTreeMap<String, Vec<usize>>> {
        let recorder = Recorder::default();
        Self::new(config, &recorder.builder())?;
        Ok(recorder.shapes())
    }

    /// Features of images to unit vectors of the joint space.
    pub(crate) fn project_images(&self, features: &Tensor) -> Result<Tensor> {
        unit(&self.vision_projection.forward(features)?)
    }

    /// Features of images to the joint space, before they are scaled to length 1.
    pub(crate) fn project_images_raw(&self, features: &Tensor) -> Result<Tensor> {
        self.vision_projection.forward(features)
    }

    /// Features of texts to unit vectors of the joint space.
    pub(crate) fn project_texts(&self, features: &Tensor) -> Result<Tensor> {
        unit(&self.text_projection.forward(features)?)
    }
}

/// Rows of length 1.
fn unit(x: &Tensor) -> Result<Tensor> {
    // The small term keeps a row of zeros from becoming NaN.
    let norm = (x.sqr()?.sum_keepdim(D::Minus1)? + 1e-12)?.sqrt()?;
    x.broadcast_div(&norm)
}
