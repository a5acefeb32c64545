//! Weights and inputs that need no storage: a hash of a tensor's name and of an element's number.
//! `tests/parity/generate.py` is the same in Python, to the bit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Result, Shape, Tensor, Var, bail};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use rayon::prelude::*;

use crate::preprocess::Pixels;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// FNV-1a, 64 bits.
fn seed(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3))
}

/// SplitMix64 of `seed + (i + 1) * GOLDEN`.
fn mix(seed: u64, i: usize) -> u64 {
    let mut z = seed.wrapping_add((i as u64 + 1).wrapping_mul(GOLDEN));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn bits(name: &str, count: usize) -> impl Iterator<Item = u64> + use<> {
    let seed = seed(name);
    (0..count).map(move |i| mix(seed, i))
}

/// An odd multiple of 2^-24 between -1 and 1.
fn uniform(bits: u64) -> f64 {
    (2.0 * ((bits >> 40) as f64) + 1.0) / f64::from(1u32 << 24) - 1.0
}

/// A tensor of a model, scaled so that activations neither vanish nor grow.
pub(super) fn weights(name: &str, shape: &[usize]) -> Vec<f32> {
    let count: usize = shape.iter().product();
    let seed = seed(name);
    let fill = |f: &(dyn Fn(f64) -> f64 + Sync)| -> Vec<f32> {
        (0..count).into_par_iter().map(|i| f(uniform(mix(seed, i))) as f32).collect()
    };
    if name == "logit_scale" {
        vec![(1.0f64 / 0.07).ln() as f32; count]
    } else if name.ends_with("_embeddings.weight") {
        fill(&|u| 0.1 * u)
    } else if name.ends_with("relative_position_bias_table") {
        fill(&|u| 0.5 * u)
    } else if name.ends_with("running_var") || (shape.len() == 1 && name.ends_with("weight")) {
        fill(&|u| 1.0 + 0.2 * u)
    } else if shape.len() == 1 {
        fill(&|u| 0.1 * u)
    } else {
        let inputs: usize = shape[1..].iter().product();
        let scale = (3.0 / inputs as f64).sqrt();
        fill(&|u| scale * u)
    }
}

/// +1 or -1 for each element: what gradients are projected on.
pub(super) fn signs(name: &str) -> impl Iterator<Item = f64> + use<> {
    bits(&format!("sign:{name}"), usize::MAX).map(|b| if b & 1 == 1 { -1.0 } else { 1.0 })
}

/// Stripes of another direction for each film, and noise.
pub(super) fn film(number: usize, side: usize) -> Pixels {
    let values = bits(&format!("film:{number}"), side * side).enumerate().map(|(i, b)| {
        let (y, x) = (i / side, i % side);
        let stripes = (x * (1 + 3 * number) + y * (2 + 5 * number)) / 2;
        ((stripes + (b & 63) as usize) & 255) as u8
    });
    Pixels::new(side, values.collect()).unwrap()
}

/// Ids of one text; 0 is the padding and does not occur.
pub(super) fn tokens(number: usize, length: usize, vocabulary: usize) -> Vec<u32> {
    bits(&format!("text:{number}"), length).map(|b| 1 + (b % (vocabulary as u64 - 1)) as u32).collect()
}

/// Gives a model generated parameters under the names that it asks for.
#[derive(Clone, Default)]
pub(super) struct Generated {
    vars: Arc<Mutex<BTreeMap<String, Var>>>,
}

impl Generated {
    pub(super) fn builder(&self) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self.clone()), DType::F32, Device::Cpu)
    }

    pub(super) fn all(&self) -> BTreeMap<String, Var> {
        self.vars.lock().unwrap().clone()
    }
}

impl SimpleBackend for Generated {
    fn get(&self, shape: Shape, name: &str, _: Init, _: DType, device: &Device) -> Result<Tensor> {
        let var = Var::from_vec(weights(name, shape.dims()), shape, device)?;
        let tensor = var.as_tensor().clone();
        if self.vars.lock().unwrap().insert(name.to_owned(), var).is_some() {
            bail!("{name} is asked for twice")
        }
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        bail!("{name} is asked for without a shape")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}
