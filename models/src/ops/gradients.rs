//! Gradients of the parameters of fused blocks.
//!
//! A custom operation of Candle has at most three inputs, and each gradient that it returns is added to a tensor of zeros on
//! one thread. A fused block has up to a dozen parameters, so it hands their gradients over here instead, and [`backward`]
//! puts them into the store. A backward pass that isn't run by it fails instead of losing them.

use std::cell::RefCell;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, bail};

thread_local! {
    /// What the pass that runs on this thread has found.
    static FOUND: RefCell<Option<Vec<(Tensor, Tensor)>>> = const { RefCell::new(None) };
}

/// Gradients of the scalar `loss` by every variable, those of fused blocks included.
pub(crate) fn backward(loss: &Tensor) -> Result<GradStore> {
    let outer = FOUND.replace(Some(Vec::new()));
    let store = loss.backward();
    let found = FOUND.replace(outer);
    let mut store = store?;
    for (parameter, gradient) in found.into_iter().flatten() {
        let sum = match store.remove(&parameter) {
            Some(sum) => (sum + gradient)?,
            None => gradient,
        };
        store.insert(&parameter, sum);
    }
    Ok(store)
}

/// Hands over the gradient of a parameter. Called from the backward pass of a fused block.
pub(super) fn give(parameter: &Tensor, gradient: Vec<f32>) -> Result<()> {
    if !parameter.is_variable() {
        bail!("the parameters of a fused block must be variables or constants")
    }
    let gradient = Tensor::from_vec(gradient, parameter.shape(), parameter.device())?;
    FOUND.with_borrow_mut(|found| match found {
        Some(found) => {
            found.push((parameter.clone(), gradient));
            Ok(())
        }
        None => bail!("the backward pass of a fused block must be run by ops::backward"),
    })
}
