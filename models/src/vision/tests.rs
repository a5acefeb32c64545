//! What every tower must do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use candle_core::{DType, Var};

use super::*;
use crate::config::{EfficientNetConfig, ResnetConfig};
use crate::ops::backward;
use crate::ops::testing::{assert_close, random};
use crate::parameters::Parameters;
use crate::preprocess::prepare;
use crate::testing::{Films, tiny};
use crate::train::ImageSource;

/// A small tower of each kind.
fn towers() -> Vec<Vision> {
    vec![
        tiny().vision,
        Vision::EfficientnetLite(EfficientNetConfig {
            image_size: 40,
            channels: 1,
            width: 0.25,
            depth: 0.5,
            norm_eps: 1e-3,
            taps: Vec::new(),
        }),
        Vision::EfficientnetLite(EfficientNetConfig {
            image_size: 64,
            channels: 1,
            width: 0.25,
            depth: 0.5,
            norm_eps: 1e-3,
            taps: vec![2, 4, 5],
        }),
        Vision::Resnet(ResnetConfig {
            image_size: 36,
            channels: 3,
            width: 4,
            depths: vec![2, 1, 1, 1],
            norm_eps: 1e-5,
        }),
    ]
}

fn build(vision: &Vision, dtype: DType) -> (Tower, Vec<(String, Var)>) {
    let parameters = Parameters::new(3);
    let tower = Tower::new(vision, &parameters.builder(dtype, &Device::Cpu)).unwrap();
    // Running statistics as if the network had seen something.
    for (i, (name, var)) in parameters.all().iter().enumerate() {
        let noise = random(var.dims(), i as u64).to_dtype(dtype).unwrap();
        if name.ends_with("running_mean") {
            var.set(&(noise * 0.2).unwrap()).unwrap();
        } else if name.ends_with("running_var") {
            var.set(&((noise * 0.5).unwrap() + 1.0).unwrap()).unwrap();
        }
    }
    (tower, parameters.all())
}

fn input(vision: &Vision, count: usize) -> Tensor {
    let mut config = tiny();
    config.vision = vision.clone();
    let films = Films::new(count, 4);
    let pixels: Vec<Pixels> = (0..count).map(|i| prepare(&films.load(i).unwrap(), &config).unwrap()).collect();
    Tower::input(&pixels, &config, &Device::Cpu).unwrap()
}

fn flat(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn a_tower_can_be_cut_anywhere() {
    for vision in towers() {
        let (tower, _) = build(&vision, DType::F32);
        let input = input(&vision, 2);
        let whole = tower.forward(&input, None).unwrap();
        let tokens = tower.tokens(&input, None).unwrap();
        assert_eq!(tokens.dims(), [2, vision.grid().pow(2), vision.output_dim()], "{}", vision.name());
        assert!(tower.layers() > 2);
        for frozen in 0..=tower.layers() + 1 {
            let trunk = tower.trunk(&input, frozen).unwrap();
            let cut = tower.head(&trunk, frozen, None).unwrap();
            assert_close(&cut, &whole, 1e-6, &format!("{} cut at {frozen}", vision.name()));
        }
    }
}

#[test]
fn every_parameter_receives_a_gradient_but_running_statistics() {
    for vision in towers() {
        let (tower, parameters) = build(&vision, DType::F32);
        let features = tower.forward(&input(&vision, 3), None).unwrap();
        let loss = (&features * random(features.dims(), 8)).unwrap().sum_all().unwrap();
        let gradients = backward(&loss).unwrap();
        for (name, var) in &parameters {
            let gradient = gradients.get(var).map(flat);
            if name.contains("running_") {
                assert!(gradient.is_none(), "{name}");
                continue;
            }
            let gradient = gradient.unwrap_or_else(|| panic!("{}: {name} has no gradient", vision.name()));
            let silent = name.ends_with("key.bias");
            assert!(gradient.iter().all(|g| g.is_finite()), "{name}");
            assert!(silent || gradient.iter().any(|g| *g != 0.0), "{}: the gradient of {name} is 0", vision.name());
        }
    }
}

#[test]
fn fused_and_plain_operations_agree() {
    for vision in towers() {
        let ((fast, fast_vars), (plain, plain_vars)) = (build(&vision, DType::F32), build(&vision, DType::F64));
        let input = input(&vision, 2);
        let a = fast.forward(&input, None).unwrap();
        let b = plain.forward(&input.to_dtype(DType::F64).unwrap(), None).unwrap();
        assert_close(&a, &b, 1e-5, vision.name());
        let weights = random(a.dims(), 8);
        let ga = backward(&(&a * &weights).unwrap().sum_all().unwrap()).unwrap();
        let gb = backward(&(&b * weights.to_dtype(DType::F64).unwrap()).unwrap().sum_all().unwrap()).unwrap();
        for ((name, va), (_, vb)) in fast_vars.iter().zip(&plain_vars) {
            if let (Some(ga), Some(gb)) = (ga.get(va), gb.get(vb)) {
                let (ga, gb) = (flat(ga), flat(gb));
                let scale = gb.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
                let worst = ga.iter().zip(&gb).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
                assert!(worst < 1e-4 * scale, "{}: {name} differs by {worst:e} of {scale:e}", vision.name());
            }
        }
    }
}

#[test]
fn weights_that_do_not_train_give_the_same() {
    for vision in towers() {
        let (tower, parameters) = build(&vision, DType::F32);
        let tensors = parameters.iter().map(|(name, var)| (name.clone(), var.as_tensor().detach())).collect();
        let frozen = Tower::new(&vision, &VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu)).unwrap();
        let input = input(&vision, 2);
        let (a, b) = (tower.forward(&input, None).unwrap(), frozen.forward(&input, None).unwrap());
        assert_close(&b, &a, 1e-6, vision.name());
        // The second time from what was folded before.
        assert_close(&frozen.forward(&input, None).unwrap(), &a, 1e-6, vision.name());
    }
}
