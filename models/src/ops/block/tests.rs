//! Both blocks in f32 against their tensor operations in f64, and those against finite differences.
#![allow(clippy::unwrap_used)]

use candle_core::Tensor;

use super::super::Windows;
use super::super::testing::{assert_close, check_gradients, random};
use super::{Dense, Mlp, Norm, Place, SelfAttention};

/// Weights of a norm and of layers of `(outputs, inputs)`.
fn parameters(width: usize, layers: &[(usize, usize)]) -> Vec<Tensor> {
    let norm = [(random(&[width], 90) + 1.0).unwrap(), random(&[width], 91)];
    let layer = |(i, &(n, k)): (usize, &(usize, usize))| {
        let seed = 2 * i as u64;
        [(random(&[n, k], seed) / (k as f64).sqrt()).unwrap(), random(&[n], seed + 1)]
    };
    norm.into_iter().chain(layers.iter().enumerate().flat_map(layer)).collect()
}

fn dense(t: &[Tensor]) -> Dense {
    Dense::new(t[0].clone(), t[1].clone()).unwrap()
}

fn norm(t: &[Tensor], place: Place) -> Norm {
    Norm { weight: t[0].clone(), bias: t[1].clone(), eps: 1e-5, place }
}

fn mlp(t: &[Tensor], place: Place) -> Mlp {
    Mlp { norm: norm(t, place), up: dense(&t[2..]), down: dense(&t[4..]) }
}

fn attention(t: &[Tensor], place: Place, heads: usize) -> SelfAttention {
    let inputs = [dense(&t[2..]), dense(&t[4..]), dense(&t[6..])];
    SelfAttention { norm: norm(t, place), inputs, output: dense(&t[8..]), heads }
}

#[test]
fn mlp_gradients() {
    let mut inputs = parameters(6, &[(10, 6), (6, 10)]);
    inputs.push(random(&[3, 7, 6], 50));
    for place in [Place::Before, Place::After] {
        check_gradients(&inputs, |t| mlp(t, place).forward(&t[6], None).unwrap());
        check_gradients(&inputs, |t| mlp(t, place).forward(&t[6], Some(vec![1.25, 0.0, 0.5])).unwrap());
    }
}

#[test]
fn mlp_of_several_groups() {
    let mut inputs = parameters(5, &[(7, 5), (5, 7)]);
    inputs.push(random(&[2, 263, 5], 51));
    check_gradients(&inputs, |t| mlp(t, Place::After).forward(&t[6], None).unwrap());
}

fn attention_parameters(width: usize) -> Vec<Tensor> {
    parameters(width, &[(width, width); 4])
}

#[test]
fn attention_gradients_of_shifted_windows_with_bias() {
    let windows = Windows::grid(4, 2, 1).unwrap();
    let mut inputs = attention_parameters(6);
    inputs.extend([random(&[2, 16, 6], 52), random(&[2, 4, 4], 53)]);
    for factors in [None, Some(vec![2.0, 0.5])] {
        check_gradients(&inputs, |t| {
            attention(t, Place::Before, 2).forward(&t[10], Some(&t[11]), &windows, factors.clone()).unwrap()
        });
    }
}

#[test]
fn attention_gradients_of_padded_sequences() {
    let windows = Windows::sequences(&[5, 2], 5);
    let mut inputs = attention_parameters(6);
    inputs.push(random(&[2, 5, 6], 54));
    check_gradients(&inputs, |t| attention(t, Place::After, 3).forward(&t[10], None, &windows, None).unwrap());
}

#[test]
fn attention_gradients_over_several_groups() {
    // Strips of 98 rows, shifted, in groups of one.
    let windows = Windows::grid(14, 7, 3).unwrap();
    let mut inputs = attention_parameters(4);
    inputs.extend([random(&[3, 196, 4], 55), random(&[2, 49, 49], 56)]);
    check_gradients(&inputs, |t| attention(t, Place::Before, 2).forward(&t[10], Some(&t[11]), &windows, None).unwrap());
    // Five sequences in groups of two.
    let windows = Windows::sequences(&[70, 33, 2, 70, 69], 70);
    let mut inputs = attention_parameters(12);
    inputs.push(random(&[5, 70, 12], 57));
    check_gradients(&inputs, |t| attention(t, Place::After, 2).forward(&t[10], None, &windows, None).unwrap());
}

#[test]
fn constants_take_the_packed_path() {
    let t = attention_parameters(6);
    let x = random(&[2, 5, 6], 58);
    let windows = Windows::sequences(&[5, 3], 5);
    let reference = |t: &[Tensor], x: &Tensor| attention(t, Place::After, 3).forward(x, None, &windows, None).unwrap();
    let t64: Vec<Tensor> = t.iter().map(|t| t.to_dtype(candle_core::DType::F64).unwrap()).collect();
    let x64 = x.to_dtype(candle_core::DType::F64).unwrap();
    assert_close(&reference(&t, &x), &reference(&t64, &x64), 2e-6, "attention");
    let t = parameters(6, &[(10, 6), (6, 10)]);
    let t64: Vec<Tensor> = t.iter().map(|t| t.to_dtype(candle_core::DType::F64).unwrap()).collect();
    let (a, b) = (mlp(&t, Place::Before), mlp(&t64, Place::Before));
    assert_close(&a.forward(&x, None).unwrap(), &b.forward(&x64, None).unwrap(), 2e-6, "mlp");
}

#[test]
fn padding_has_no_influence() {
    let t = attention_parameters(6);
    let x = random(&[1, 5, 6], 4);
    let layer = attention(&t, Place::Before, 2);
    let short = layer.forward(&x.narrow(1, 0, 3).unwrap(), None, &Windows::sequences(&[3], 3), None).unwrap();
    let padded = layer.forward(&x, None, &Windows::sequences(&[3], 5), None).unwrap();
    assert_close(&padded.narrow(1, 0, 3).unwrap(), &short, 1e-6, "padded");
}

#[test]
fn a_lost_gradient_is_an_error() {
    let t: Vec<_> = parameters(6, &[(10, 6), (6, 10)])
        .iter()
        .map(|t| candle_core::Var::from_tensor(t).unwrap().as_tensor().clone())
        .collect();
    let y = mlp(&t, Place::Before).forward(&random(&[1, 2, 6], 1), None).unwrap();
    let error = y.sum_all().unwrap().backward().unwrap_err().to_string();
    assert!(error.contains("ops::backward"), "{error}");
}

#[test]
fn what_does_not_fit_is_an_error() {
    let t = attention_parameters(6);
    let windows = Windows::sequences(&[5, 2], 5);
    let forward =
        |x: &Tensor, bias: Option<&Tensor>, heads| attention(&t, Place::Before, heads).forward(x, bias, &windows, None);
    assert!(forward(&random(&[2, 4, 6], 1), None, 1).is_err());
    assert!(forward(&random(&[3, 5, 6], 1), None, 1).is_err());
    assert!(forward(&random(&[2, 5, 8], 1), None, 1).is_err());
    assert!(forward(&random(&[2, 5, 6], 1), None, 4).is_err());
    assert!(forward(&random(&[2, 5, 6], 1), Some(&random(&[1, 4, 4], 2)), 1).is_err());
    assert!(mlp(&parameters(6, &[(10, 6), (6, 10)]), Place::After).forward(&random(&[2, 5, 7], 1), None).is_err());
}
