//! Operations with an analytic backward pass, fused on the CPU.
//!
//! Candle's own fast layer norm and softmax have no backward pass and its tensor-op versions are slow. Each operation here
//! runs fused for `f32` on the CPU and falls back to plain tensor operations for other types and devices.
//!
//! - [`math`]: `exp`, `erf` and row sums that the compiler can vectorise; [`simd`]: for which instruction set
//! - [`matmul`]: products of slices; [`packed`]: weights in the kernel's own order
//! - [`linear`]: matrix product plus bias
//! - [`layer_norm`], [`gelu`], [`drop_path`], [`embed`]
//! - [`conv`]: convolutions and pooling on rows of channels
//! - [`attention`]: softmax attention within windows of tokens, with relative position bias and mask
//! - [`block`]: the two halves of a transformer layer, each as one operation
//! - [`gradients`]: the backward pass with the gradients of blocks

mod attention;
mod block;
pub(crate) mod conv;
mod drop_path;
mod embed;
mod gelu;
mod gradients;
mod layer_norm;
mod linear;
mod math;
mod matmul;
pub(crate) mod packed;
mod simd;

use std::cell::RefCell;

use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Result, Storage, Tensor, bail};

pub(crate) use attention::Windows;
pub(crate) use block::{Dense, Mlp, Norm, Place, SelfAttention};
pub(crate) use drop_path::DropPath;
pub(crate) use embed::embed;
pub(crate) use gelu::gelu;
pub(crate) use gradients::backward;
pub(crate) use layer_norm::layer_norm;
pub(crate) use linear::linear;
pub(crate) use math::sum_of_squares;
pub(crate) use simd::vectorised;

/// True where the fused version applies.
fn fused(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// The values of contiguous CPU storage.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout, op: &'static str) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else { bail!("{op}: expects contiguous tensors") };
    match storage.as_slice::<f32>()?.get(start..end) {
        Some(slice) => Ok(slice),
        None => bail!("{op}: layout {layout:?} lies outside its storage"),
    }
}

/// Runs `f` on the values of contiguous CPU tensors.
pub(crate) fn with_values<const N: usize, R>(
    tensors: [&Tensor; N],
    op: &'static str,
    f: impl FnOnce([&[f32]; N]) -> Result<R>,
) -> Result<R> {
    let guards = tensors.map(Tensor::storage_and_layout);
    let mut slices: [&[f32]; N] = [&[]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&guards) {
        *slice = match &**storage {
            Storage::Cpu(cpu) => values(cpu, layout, op)?,
            _ => bail!("{op}: expects tensors on the CPU"),
        };
    }
    f(slices)
}

/// Runs `f` on the values of a contiguous `f32` tensor on the CPU, which it may change. Calls may be nested for tensors that
/// share no storage.
pub(crate) fn with_values_mut<R>(tensor: &Tensor, op: &'static str, f: impl FnOnce(&mut [f32]) -> R) -> Result<R> {
    let call = InPlace { op, f: RefCell::new(Some(f)), result: RefCell::new(None) };
    tensor.inplace_op1(&call)?;
    match call.result.into_inner() {
        Some(result) => Ok(result),
        None => bail!("{op}: the operation did not run"),
    }
}

struct InPlace<F, R> {
    op: &'static str,
    f: RefCell<Option<F>>,
    result: RefCell<Option<R>>,
}

impl<R, F: FnOnce(&mut [f32]) -> R> InplaceOp1 for InPlace<F, R> {
    fn name(&self) -> &'static str {
        self.op
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let op = self.op;
        let Some((start, end)) = layout.contiguous_offsets() else { bail!("{op}: expects contiguous tensors") };
        let CpuStorage::F32(values) = storage else { bail!("{op}: expects f32") };
        let Some(values) = values.get_mut(start..end) else {
            bail!("{op}: layout {layout:?} lies outside its storage")
        };
        *self.result.borrow_mut() = self.f.borrow_mut().take().map(|f| f(values));
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Comparing a fused operation with its tensor-op version and with finite differences.
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use candle_core::{DType, Device, Tensor, Var};
    use rand::{Rng, SeedableRng};

    pub fn random(shape: &[usize], seed: u64) -> Tensor {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn flat(t: &Tensor) -> Vec<f64> {
        t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    pub fn assert_close(a: &Tensor, b: &Tensor, tolerance: f64, what: &str) {
        assert_eq!(a.dims(), b.dims(), "{what}");
        let (a, b) = (flat(a), flat(b));
        let scale = b.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        let worst = a.iter().zip(&b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(worst <= tolerance * scale, "{what}: differs by {worst:e} on a scale of {scale:e}");
    }

    /// A scalar of `y` that weighs each element differently.
    fn weigh(y: &Tensor) -> Tensor {
        let weights = random(y.dims(), 99).to_dtype(y.dtype()).unwrap();
        (y * weights).unwrap().sum_all().unwrap()
    }

    /// `f` in f32 (fused) against `f` in f64 (tensor ops): values and gradients of every input; and the f64 gradients
    /// against central differences.
    pub fn check_gradients(inputs: &[Tensor], f: impl Fn(&[Tensor]) -> Tensor) {
        let vars32: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(t).unwrap()).collect();
        let vars64: Vec<Var> =
            inputs.iter().map(|t| Var::from_tensor(&t.to_dtype(DType::F64).unwrap()).unwrap()).collect();
        let tensors = |vars: &[Var]| vars.iter().map(|v| v.as_tensor().clone()).collect::<Vec<_>>();
        let (y32, y64) = (f(&tensors(&vars32)), f(&tensors(&vars64)));
        assert_close(&y32, &y64, 2e-6, "value");
        let (g32, g64) = (super::backward(&weigh(&y32)).unwrap(), super::backward(&weigh(&y64)).unwrap());
        for (i, (v32, v64)) in vars32.iter().zip(&vars64).enumerate() {
            let a = g32.get(v32).unwrap_or_else(|| panic!("input {i} has no fused gradient"));
            let b = g64.get(v64).unwrap_or_else(|| panic!("input {i} has no gradient"));
            assert_close(a, b, 1e-5, &format!("gradient of input {i}"));
            let (base, analytic) = (flat(v64), flat(b));
            let step = (base.len() / 17).max(1);
            for k in (0..base.len()).step_by(step) {
                let eps = 1e-5;
                let at = |delta: f64| {
                    let mut moved = base.clone();
                    moved[k] += delta;
                    let mut all = tensors(&vars64);
                    all[i] = Tensor::from_vec(moved, v64.dims(), &Device::Cpu).unwrap();
                    weigh(&f(&all)).to_scalar::<f64>().unwrap()
                };
                let numeric = (at(eps) - at(-eps)) / (2.0 * eps);
                assert!(
                    (numeric - analytic[k]).abs() <= 2e-6 + 5e-6 * numeric.abs(),
                    "input {i}, element {k}: {numeric} by differences, {} by backward",
                    analytic[k]
                );
            }
        }
    }
}
