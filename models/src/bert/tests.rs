//! Against candle-transformers' BERT with the same random weights.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config as Reference};

use super::Bert;
use crate::parameters::Parameters;
use crate::testing::tiny;
use crate::tokenizer::TokenBatch;

#[test]
fn the_last_hidden_state_equals_candle_transformers() {
    let mut config = tiny().text;
    config.layer_norm_eps = 1e-12;
    config.positions = Some(20);
    config.pooled_layers = vec![0, 1, -1];
    let parameters = Parameters::new(3);
    let ours = Bert::new(&config, &parameters.builder(DType::F32, &Device::Cpu)).unwrap();
    let tensors = parameters.all().into_iter().map(|(n, v)| (n, v.as_tensor().clone())).collect();
    let reference = Reference {
        vocab_size: config.vocab_size,
        hidden_size: config.hidden,
        num_hidden_layers: config.layers,
        num_attention_heads: config.heads,
        intermediate_size: config.intermediate,
        max_position_embeddings: 20,
        ..Reference::default()
    };
    let theirs = BertModel::load(VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu), &reference).unwrap();

    // Two texts of five and three tokens.
    let ids = vec![2u32, 17, 30, 41, 3, 2, 50, 3, 0, 0];
    let batch = TokenBatch { ids: ids.clone(), lengths: vec![5, 3], tokens: 5 };
    let states = ours.hidden_states(&batch).unwrap();
    assert_eq!(states.len(), config.layers + 1);
    let ids = Tensor::from_vec(ids, (2, 5), &Device::Cpu).unwrap();
    let mask = Tensor::new(&[[1f32, 1., 1., 1., 1.], [1., 1., 1., 0., 0.]], &Device::Cpu).unwrap();
    let expected = theirs.forward(&ids, &ids.zeros_like().unwrap(), Some(&mask)).unwrap();
    for (item, length) in [(0, 5), (1, 3)] {
        let part = |t: &Tensor| t.get(item).unwrap().narrow(0, 0, length).unwrap().to_vec2::<f32>().unwrap().concat();
        let (a, b) = (part(&states[2]), part(&expected));
        let worst = a.iter().zip(&b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(worst < 2e-6, "text {item} differs by {worst:e}");
    }

    // Pooling by its definition: the mean of the states over the tokens that are there, then over the states.
    let pooled = ours.forward(&batch).unwrap().to_vec2::<f32>().unwrap();
    for (item, length) in [(0usize, 5usize), (1, 3)] {
        for k in 0..config.hidden {
            let mut sum = 0.0;
            for state in &states {
                let state = state.get(item).unwrap().to_vec2::<f32>().unwrap();
                sum += (0..length).map(|t| state[t][k]).sum::<f32>() / length as f32;
            }
            assert!((pooled[item][k] - sum / 3.0).abs() < 1e-6);
        }
    }
}
