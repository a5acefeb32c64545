//! Weights in the order in which the matrix kernel reads them.
//!
//! The kernel (`rten-gemm`, AVX-512 or AVX2 as the processor has it) copies its right side into panels before it
//! multiplies. For a weight that doesn't change this is done once: with the 64 rows of one sentence the product with a
//! packed weight is 1.5 times as fast. A weight in training is packed once for all blocks of rows of a step.

use candle_core::{Error, Result};
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

thread_local! {
    static KERNEL: GemmExecutor<f32, f32, f32> = GemmExecutor::new();
}

/// The right side of a product, `[k, n]`.
pub(crate) struct Packed {
    panels: PackedBMatrix<f32>,
    k: usize,
    n: usize,
}

impl Packed {
    /// `weight^T`, for `x weight^T`. `weight` is `[n, k]`, row after row.
    pub(crate) fn transposed(weight: &[f32], n: usize, k: usize) -> Result<Self> {
        let view = NdTensorView::try_from_data([n, k], weight).map_err(Error::wrap)?;
        Ok(Self { panels: KERNEL.with(|kernel| kernel.prepack_b(view.transposed())), k, n })
    }

    /// `weight` `[k, n]` itself.
    pub(crate) fn plain(weight: &[f32], k: usize, n: usize) -> Result<Self> {
        let view = NdTensorView::try_from_data([k, n], weight).map_err(Error::wrap)?;
        Ok(Self { panels: KERNEL.with(|kernel| kernel.prepack_b(view)), k, n })
    }

    /// `(k, n)`
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.k, self.n)
    }

    /// `y = beta y + a self`; `a` is `[rows, k]`, `y` `[rows, n]`.
    pub(crate) fn multiply(&self, a: &[f32], beta: f32, y: &mut [f32]) -> Result<()> {
        let rows = a.len() / self.k.max(1);
        product(a, rows, self.k, GemmInputB::Packed(&self.panels), beta, y)
    }
}

/// `y = beta y + a b`. `a` is `[rows, k]`, `b` `[k, n]` or, where `transposed`, `[n, k]`. Splits itself over the threads.
pub(super) fn multiply(
    (a, rows, k): (&[f32], usize, usize),
    (b, n, transposed): (&[f32], usize, bool),
    beta: f32,
    y: &mut [f32],
) -> Result<()> {
    let shape = if transposed { [n, k] } else { [k, n] };
    let view = NdTensorView::try_from_data(shape, b).map_err(Error::wrap)?;
    let view = if transposed { view.transposed() } else { view };
    product(a, rows, k, GemmInputB::Unpacked(view), beta, y)
}

fn product(a: &[f32], rows: usize, k: usize, b: GemmInputB<'_, f32>, beta: f32, y: &mut [f32]) -> Result<()> {
    let a = NdTensorView::try_from_data([rows, k], a).map_err(Error::wrap)?;
    let options = GemmOptions { beta, ..GemmOptions::default() };
    KERNEL.with(|kernel| kernel.gemm(y, GemmInputA::Unpacked(a), b, options)).map_err(Error::wrap)
}
