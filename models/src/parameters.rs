//! The trainable parameters: named variables, initialised from a seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Device, Result, Shape, Tensor, Var, bail};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Named variables in the order of their names.
///
/// The initial values depend on the seed and the name alone, so they don't change with the order in which a model asks for
/// them. (Candle's own random numbers cannot be seeded on the CPU.)
#[derive(Clone)]
pub(crate) struct Parameters {
    vars: Arc<Mutex<BTreeMap<String, Var>>>,
    seed: u64,
}

impl Parameters {
    pub(crate) fn new(seed: u64) -> Self {
        Self { vars: Arc::default(), seed }
    }

    /// A builder that makes what it is asked for.
    pub(crate) fn builder(&self, dtype: DType, device: &Device) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self.clone()), dtype, device.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Var>> {
        self.vars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All variables by name.
    pub(crate) fn all(&self) -> Vec<(String, Var)> {
        self.lock().iter().map(|(name, var)| (name.clone(), var.clone())).collect()
    }

    fn initial(&self, shape: &Shape, name: &str, init: Init) -> Result<Vec<f32>> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes()).update(name.as_bytes());
        let mut rng = ChaCha8Rng::from_seed(*hasher.finalize().as_bytes());
        let count = shape.elem_count();
        Ok(match init {
            Init::Const(value) => vec![value as f32; count],
            Init::Randn { mean, stdev } => (0..count).map(|_| (mean + stdev * normal(&mut rng)) as f32).collect(),
            _ => bail!("{name}: no such initialisation"),
        })
    }
}

/// A standard normal deviate (Box and Muller), cut at two standard deviations as in the published initialisations.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    loop {
        let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
        let z = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        if z.abs() <= 2.0 {
            return z;
        }
    }
}

impl SimpleBackend for Parameters {
    fn get(&self, shape: Shape, name: &str, init: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        if let Some(var) = self.lock().get(name) {
            if var.shape() != &shape {
                bail!("{name} is asked for as {shape:?} and as {:?}", var.shape())
            }
            // In another type than the variable's it is a conversion, through which gradients flow.
            return var.as_tensor().to_dtype(dtype);
        }
        let values = self.initial(&shape, name, init)?;
        let var = Var::from_tensor(&Tensor::from_vec(values, shape, device)?.to_dtype(dtype)?)?;
        let tensor = var.as_tensor().clone();
        self.lock().insert(name.to_owned(), var);
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        bail!("{name} is asked for without a shape")
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }
}

/// The same initial values, as constants that nobody keeps.
pub(crate) struct Constants(pub(crate) Parameters);

impl Constants {
    pub(crate) fn builder(self, dtype: DType, device: &Device) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self), dtype, device.clone())
    }
}

impl SimpleBackend for Constants {
    fn get(&self, shape: Shape, name: &str, init: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        Tensor::from_vec(self.0.initial(&shape, name, init)?, shape, device)?.to_dtype(dtype)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        bail!("{name} is asked for without a shape")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}

/// Records names and shapes instead of holding values.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    shapes: Arc<Mutex<BTreeMap<String, Vec<usize>>>>,
}

impl Recorder {
    pub(crate) fn builder(&self) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self.clone()), DType::F32, Device::Cpu)
    }

    pub(crate) fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.shapes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl SimpleBackend for Recorder {
    fn get(&self, shape: Shape, name: &str, _: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        shapes.insert(name.to_owned(), shape.dims().to_vec());
        // Broadcast from one value: nothing of the model's size is allocated. From a variable, as layers pack constants.
        Var::zeros((), dtype, device)?.broadcast_as(shape)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        bail!("{name} is asked for without a shape")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_recorder_hands_out_nothing_that_layers_pack() {
        let recorder = Recorder::default();
        let weight = recorder.builder().get((300, 200), "weight").unwrap();
        assert!(weight.track_op() && weight.stride() == [0, 0]);
        assert_eq!(recorder.shapes().into_iter().collect::<Vec<_>>(), [("weight".to_owned(), vec![300, 200])]);
    }

    #[test]
    fn initial_values_depend_on_seed_and_name_only() {
        let init = Init::Randn { mean: 0.0, stdev: 0.5 };
        let draw = |seed: u64, names: &[&str]| {
            let vb = Parameters::new(seed).builder(DType::F32, &Device::Cpu);
            let all: Vec<Vec<f32>> =
                names.iter().map(|n| vb.get_with_hints(400, n, init).unwrap().to_vec1().unwrap()).collect();
            all
        };
        let (ab, ba) = (draw(1, &["a", "b"]), draw(1, &["b", "a"]));
        assert_eq!(ab[0], ba[1]);
        assert_ne!(ab[0], ab[1]);
        assert_ne!(ab[0], draw(2, &["a"])[0]);
        let variance = ab[0].iter().map(|v| v * v).sum::<f32>() / 400.0;
        // Cutting at two standard deviations leaves 0.774 of the variance.
        assert!((variance - 0.25 * 0.774).abs() < 0.03, "{variance}");
        assert!(ab[0].iter().all(|v| v.abs() <= 1.0));
    }
}
