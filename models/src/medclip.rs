//! MedCLIP (Wang et al., EMNLP 2022): two towers, two projections without bias, a learnable logit scale.

use std::collections::BTreeMap;

use candle_core::{D, Result, Tensor};
use candle_nn::{Init, VarBuilder};

use crate::bert::Bert;
use crate::config::{Config, Vision};
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
        let ([vision_projection, text_projection], logit_scale) = Self::joint(config, vb)?;
        Ok(Self {
            vision: Tower::new(&config.vision, &vision.pp("model"))?,
            text: Bert::new(&config.text, &text.pp("model"))?,
            vision_projection,
            text_projection,
            logit_scale,
        })
    }

    /// What joins the encoders: both projections and the logit scale.
    pub(crate) fn joint(config: &Config, vb: &VarBuilder<'_>) -> Result<([Linear; 2], Tensor)> {
        let projection = |width: usize, side: &str| {
            Linear::without_bias(width, config.projection.dimension, &vb.pp(side).pp("projection_head"))
        };
        let vision = projection(config.vision.output_dim(), "vision_model")?;
        let text = projection(config.text.hidden, "text_model")?;
        let init = Init::Const(config.projection.logit_scale_init);
        Ok(([vision, text], vb.get_with_hints((), LOGIT_SCALE, init)?))
    }

    /// Names and shapes of an image encoder's tensors, without the prefix of the whole model.
    pub(crate) fn vision_shapes(config: &Vision) -> Result<BTreeMap<String, Vec<usize>>> {
        let recorder = Recorder::default();
        Tower::new(config, &recorder.builder())?;
        Ok(recorder.shapes())
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
