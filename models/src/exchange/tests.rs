#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};

use super::{Import, describe, export, import};
use crate::Encoder;
use crate::config::Vision;
use crate::encoder::random;
use crate::testing::{Films, SENTENCES, tiny, tokenizer};
use crate::train::ImageSource;
use crate::weights::{self, Storage};

fn model(seed: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    random(&tiny(), &tokenizer(), seed, dir.path()).unwrap();
    dir
}

fn whole(path: PathBuf) -> Import {
    Import { whole: Some(path), name: "imported".to_owned(), ..Default::default() }
}

fn tensors(path: &Path) -> HashMap<String, Vec<f32>> {
    let read = weights::read(path, &Device::Cpu).unwrap().tensors;
    read.into_iter().map(|(n, t)| (n, t.flatten_all().unwrap().to_vec1().unwrap())).collect()
}

#[test]
fn export_and_import_give_the_same_model_to_the_bit() {
    let original = model(1);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out.safetensors");
    export(original.path(), &file, Storage::F32).unwrap();
    let imported = import(&whole(file.clone()), &dir.path().join("again")).unwrap();
    assert!(imported.fresh.is_empty() && imported.ignored.is_empty());
    let (a, b) = (original.path().join("model.safetensors"), dir.path().join("again/model.safetensors"));
    assert_eq!(fs_err::read(a).unwrap(), fs_err::read(b).unwrap());
    let load = |dir: &Path| Encoder::load(dir, &Device::Cpu).unwrap();
    let (before, after) = (load(original.path()), load(&dir.path().join("again")));
    assert_eq!(before.fingerprint(), after.fingerprint());
    assert_eq!(after.fingerprint(), imported.fingerprint);
    let description = describe(&dir.path().join("again")).unwrap();
    assert_eq!(description.fingerprint, imported.fingerprint);
    assert_eq!(description.parameters, imported.parameters);
    assert_eq!(description.card.unwrap().notes["imported_from"], "out.safetensors");
    assert_eq!(description.config.name, "imported");
    assert!(import(&whole(file), &dir.path().join("again")).is_err(), "a model is never written over");
}

#[test]
fn half_precision_is_half_the_size_and_nearly_the_same() {
    let original = model(1);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("half.safetensors");
    export(original.path(), &file, Storage::F16).unwrap();
    import(&whole(file), &dir.path().join("half")).unwrap();
    let load = |dir: &Path| Encoder::load(dir, &Device::Cpu).unwrap();
    let (before, after) = (load(original.path()), load(&dir.path().join("half")));
    assert_ne!(before.fingerprint(), after.fingerprint());
    let films = Films::new(2, 1);
    let films: Vec<_> = (0..2).map(|i| before.preprocess(&films.load(i).unwrap()).unwrap()).collect();
    for (a, b) in before.embed_images(&films).unwrap().iter().zip(after.embed_images(&films).unwrap()) {
        let worst = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst > 0.0 && worst < 5e-3, "{worst}");
    }
}

/// Writes the tensors of one encoder of a model under bare published names.
fn tower(model: &Path, prefix: &str, published: &str, out: &Path) {
    let tensors = weights::read(&model.join("model.safetensors"), &Device::Cpu).unwrap().tensors;
    let tensors: BTreeMap<String, Tensor> =
        tensors.into_iter().filter_map(|(n, t)| Some((format!("{published}{}", n.strip_prefix(prefix)?), t))).collect();
    weights::save(out, &tensors, Storage::F32, None).unwrap();
}

#[test]
fn two_encoders_become_a_model_with_fresh_projections() {
    let original = model(3);
    let dir = tempfile::tempdir().unwrap();
    let (swin, bert) = (dir.path().join("swin"), dir.path().join("bert"));
    for (path, config) in [
        (&swin, r#"{"model_type": "swin", "image_size": 16, "layer_norm_eps": 1e-5, "hidden_act": "gelu"}"#),
        (&bert, r#"{"model_type": "bert", "num_attention_heads": 3, "layer_norm_eps": 1e-5, "hidden_act": "gelu"}"#),
    ] {
        fs_err::create_dir(path).unwrap();
        fs_err::write(path.join("config.json"), config).unwrap();
    }
    tower(original.path(), "vision_model.model.", "swin.", &swin.join("model.safetensors"));
    tower(original.path(), "text_model.model.", "bert.", &bert.join("model.safetensors"));
    fs_err::write(bert.join("tokenizer.json"), tokenizer().to_json()).unwrap();
    let what = Import { vision: Some(swin.clone()), text: Some(bert), name: "two".to_owned(), ..Default::default() };
    let out = dir.path().join("two");
    let imported = import(&what, &out).unwrap();
    assert_eq!(
        imported.fresh,
        ["logit_scale", "text_model.projection_head.weight", "vision_model.projection_head.weight"]
    );
    let encoder = Encoder::load(&out, &Device::Cpu).unwrap();
    assert_eq!(encoder.dimension(), 512);
    let (mut got, want) = (encoder.config().clone(), tiny());
    got.text.max_tokens = want.text.max_tokens;
    assert_eq!(got.vision, want.vision);
    assert_eq!(got.text.pooled_layers, [1, -1]);
    assert_eq!((got.text.heads, got.text.layers), (want.text.heads, want.text.layers));
    let (a, b) = (tensors(&original.path().join("model.safetensors")), tensors(&out.join("model.safetensors")));
    let shared = a.iter().filter(|(n, _)| !imported.fresh.contains(n));
    assert!(shared.clone().count() > 40 && shared.clone().all(|(n, v)| b[n] == *v));
    assert_eq!(encoder.embed_texts(&[SENTENCES[0].0]).unwrap()[0].len(), 512);
    // One encoder alone is no model.
    let alone = import(&whole(swin), &dir.path().join("alone")).unwrap_err().to_string();
    assert!(alone.contains("holds no text encoder; name one with --text"), "{alone}");
    assert!(!dir.path().join("alone").exists());
}

#[test]
fn what_is_missing_is_named() {
    let original = model(1);
    let dir = tempfile::tempdir().unwrap();
    let path = original.path().join("model.safetensors");
    let mut all: BTreeMap<_, _> = weights::read(&path, &Device::Cpu).unwrap().tensors.into_iter().collect();
    all.remove("vision_model.projection_head.weight");
    all.remove("text_model.model.encoder.layer.1.output.dense.bias");
    all.insert("vision_model.model.head.weight".to_owned(), Tensor::new(&[1f32], &Device::Cpu).unwrap());
    let file = dir.path().join("cut.safetensors");
    weights::save(&file, &all, Storage::F32, None).unwrap();
    let what = Import { tokenizer: Some(original.path().join("tokenizer.json")), ..whole(file) };
    let message = import(&what, &dir.path().join("cut")).unwrap_err().to_string();
    for part in [
        "text_model.model.encoder.layer.1.output.dense.bias [12]",
        "vision_model.projection_head.weight [512, 16]",
        "1 tensor unknown to this configuration: vision_model.model.head.weight",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_resnet_s_projection_is_exported_under_its_published_name() {
    let mut config = tiny();
    let toml = "kind = 'resnet'\nimage_size = 32\nchannels = 3\nwidth = 4\ndepths = [1, 1, 1, 1]";
    config.vision = toml::from_str::<Vision>(toml).unwrap();
    let dir = tempfile::tempdir().unwrap();
    random(&config, &tokenizer(), 1, &dir.path().join("m")).unwrap();
    let file = dir.path().join("out.safetensors");
    export(&dir.path().join("m"), &file, Storage::F32).unwrap();
    let names = tensors(&file);
    assert!(names.contains_key("vision_model.model.fc.weight"));
    assert!(!names.contains_key("vision_model.projection_head.weight"));
    let imported = import(&whole(file), &dir.path().join("again")).unwrap();
    assert_eq!(imported.architecture, "resnet + bert");
    let load = |name: &str| Encoder::load(&dir.path().join(name), &Device::Cpu).unwrap().fingerprint().to_owned();
    assert_eq!(load("m"), load("again"));
}
