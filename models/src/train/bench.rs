//! For the benchmarks only: one tower alone.

use candle_core::{DType, Device, Tensor};

pub use super::learner::{Batch, Learner};
use super::optimizer::AdamW;
use crate::bert::Bert;
use crate::config::Config;
use crate::error::ModelError;
use crate::loss;
use crate::ops;
use crate::parameters::{Constants, Parameters};
use crate::preprocess::Pixels;
use crate::tokenizer::TokenBatch;
use crate::vision;

/// What a tower gets.
pub enum Inputs {
    /// Films at the model's size.
    Films(Vec<Pixels>),
    /// Token ids.
    Sentences(TokenBatch),
}

impl Inputs {
    /// `count` films of arbitrary values.
    pub fn films(config: &Config, count: usize) -> Self {
        let side = config.vision.image_size();
        let film = |i: usize| (0..side * side).map(|k| ((k * 31 + i * 17) % 251) as u8).collect();
        Self::Films((0..count).filter_map(|i| Pixels::new(side, film(i)).ok()).collect())
    }

    /// `count` sentences of `tokens` arbitrary tokens, without padding.
    pub fn sentences(config: &Config, count: usize, tokens: usize) -> Self {
        let vocabulary = config.text.vocab_size;
        let ids = (0..count * tokens).map(|k| ((k * 7919 + 11) % vocabulary) as u32).collect();
        Self::Sentences(TokenBatch { ids, lengths: vec![tokens; count], tokens })
    }
}

enum Model {
    Image(Box<vision::Tower>),
    Text(Box<Bert>),
}

/// A tower with random weights of the size that `config` says.
pub struct Tower {
    config: Config,
    model: Model,
    inputs: Inputs,
    /// The optimiser, its parameters and steps done.
    training: Option<(AdamW, Parameters, u64)>,
}

impl Tower {
    /// For embedding.
    pub fn frozen(config: &Config, inputs: Inputs) -> Result<Self, ModelError> {
        let vb = Constants(Parameters::new(1)).builder(DType::F32, &Device::Cpu);
        Ok(Self { config: config.clone(), model: Model::new(config, &inputs, &vb)?, inputs, training: None })
    }

    /// For training.
    pub fn in_training(config: &Config, inputs: Inputs) -> Result<Self, ModelError> {
        let parameters = Parameters::new(1);
        let model = Model::new(config, &inputs, &parameters.builder(DType::F32, &Device::Cpu))?;
        let optimizer = AdamW::new(&parameters.all(), 0.01, 1.0)?;
        Ok(Self { config: config.clone(), model, inputs, training: Some((optimizer, parameters, 0)) })
    }

    /// One forward pass, or one step: forward, mean square of the features, backward, AdamW. Returns that mean.
    pub fn run(&mut self) -> Result<f32, ModelError> {
        let features = match (&self.model, &self.inputs) {
            (Model::Image(tower), Inputs::Films(films)) => {
                tower.forward(&vision::Tower::input(films, &self.config, &Device::Cpu)?, None)?
            }
            (Model::Text(bert), Inputs::Sentences(batch)) => bert.forward(batch)?,
            _ => return Err(ModelError::Data("inputs of another tower".to_owned())),
        };
        let loss = features.sqr()?.mean_all()?;
        let value = loss::scalar(&loss)?;
        if let Some((optimizer, parameters, steps)) = &mut self.training {
            let mut store = ops::backward(&loss)?;
            drop((features, loss));
            let gradients: Vec<Option<Tensor>> = parameters.all().iter().map(|(_, var)| store.remove(var)).collect();
            *steps += 1;
            optimizer.step(&gradients, *steps, 1e-5)?;
        }
        Ok(value)
    }
}

impl Model {
    fn new(config: &Config, inputs: &Inputs, vb: &candle_nn::VarBuilder<'_>) -> Result<Self, ModelError> {
        Ok(match inputs {
            Inputs::Films(_) => Self::Image(Box::new(vision::Tower::new(&config.vision, vb)?)),
            Inputs::Sentences(_) => Self::Text(Box::new(Bert::new(&config.text, vb)?)),
        })
    }
}
