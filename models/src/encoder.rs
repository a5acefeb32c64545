//! Inference: a trained model folder becomes embeddings of films and texts.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use image::DynamicImage;
use rayon::prelude::*;

use crate::config::Config;
use crate::error::ModelError;
use crate::medclip::MedClip;
use crate::parameters::Parameters;
use crate::preprocess::{self, PREPROCESSING_VERSION, Pixels};
use crate::tokenizer::Tokenizer;
use crate::vision::Tower;
use crate::weights::{self, Storage};

/// Configuration of a model folder.
pub(crate) const CONFIG_FILE: &str = "config.toml";
/// Tokenizer of a model folder.
pub(crate) const TOKENIZER_FILE: &str = "tokenizer.json";
/// Weights of a model folder.
pub(crate) const WEIGHTS_FILE: &str = "model.safetensors";
/// How its training went.
pub(crate) const CURVES_FILE: &str = "curves.jsonl";
/// What the model was trained on.
pub(crate) const CARD_FILE: &str = "card.json";
/// State of a run that isn't finished.
pub(crate) const CHECKPOINT_FILE: &str = "checkpoint.safetensors";

/// Items of one forward pass on the CPU; more don't make it faster and need more memory.
const CPU_BATCH: usize = 8;
/// Items of one forward pass on a GPU.
const GPU_BATCH: usize = 128;

/// A trained model, ready to embed. It can be shared between threads.
pub struct Encoder {
    config: Config,
    model: MedClip,
    tokenizer: Tokenizer,
    device: Device,
    fingerprint: String,
    logit_scale: f32,
}

/// The tokens of a film in the joint space.
///
/// A film's embedding is the projection of the mean of its tokens, scaled to length 1; as the projection is linear, it is
/// the weighted sum of the tokens' own projections: `embedding = sum_i weights[i] * vectors[i]`. So for the unit vector `q` of a
/// text, `vectors[i] . q` is the cosine of place `i` alone, and `weights[i] * (vectors[i] . q)` is exactly what it adds to the
/// cosine of the film. A token has seen more of the film than its own place: with attention and deep convolutions nearly
/// all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    /// Rows of the grid on the padded, square film.
    pub rows: usize,
    /// Columns of the grid.
    pub columns: usize,
    /// A unit vector of the joint space for each place, row after row.
    pub vectors: Vec<Vec<f32>>,
    /// The factor of each place's vector in the film's embedding, 0 or more.
    pub weights: Vec<f32>,
}

impl Regions {
    /// From projected tokens, row after row of a square grid.
    fn new(side: usize, mut tokens: Vec<Vec<f32>>) -> Self {
        let length = |v: &[f32]| v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt().max(1e-12);
        let mut sum = vec![0.0f32; tokens.first().map_or(0, Vec::len)];
        for token in &tokens {
            sum.iter_mut().zip(token).for_each(|(s, v)| *s += v);
        }
        let whole = length(&sum);
        let weights = tokens
            .iter_mut()
            .map(|token| {
                let own = length(token);
                token.iter_mut().for_each(|v| *v = (f64::from(*v) / own) as f32);
                (own / whole) as f32
            })
            .collect();
        Self { rows: side, columns: side, vectors: tokens, weights }
    }
}

impl Encoder {
    /// Loads the folder that training wrote.
    pub fn load(dir: &Path, device: &Device) -> Result<Self, ModelError> {
        for file in [CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE] {
            if !dir.join(file).is_file() {
                let unfinished = dir.join(CHECKPOINT_FILE).is_file();
                let hint = if unfinished { "; its training is not finished" } else { "" };
                return Err(ModelError::NotAModel { dir: dir.to_owned(), file, hint });
            }
        }
        let config = Config::load(&dir.join(CONFIG_FILE))?;
        let tokenizer = Tokenizer::load(&dir.join(TOKENIZER_FILE), config.text.max_tokens)?;
        let path = dir.join(WEIGHTS_FILE);
        let mut hasher = fingerprint_start(&config, &tokenizer)?;
        let tensors = weights::read_hashed(&path, device, &mut hasher)?.tensors;
        let fingerprint = hasher.finalize().to_hex().to_string();
        Self::assemble(config, tokenizer, tensors, &path, device, fingerprint)
    }

    /// An encoder of weights that are still in training, to validate them. It has no fingerprint.
    pub(crate) fn of_tensors(
        config: &Config,
        tokenizer: &Tokenizer,
        weights: &BTreeMap<String, Tensor>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let tensors = weights.iter().map(|(name, tensor)| (name.clone(), tensor.clone())).collect();
        let path = Path::new("weights in training");
        Self::assemble(config.clone(), tokenizer.clone(), tensors, path, device, String::new())
    }

    /// From the contents of a model folder's three files, for a model that is part of the program.
    pub(crate) fn from_parts(
        config: &str,
        tokenizer: &str,
        weights: &[u8],
        device: &Device,
    ) -> Result<Self, ModelError> {
        let config = Config::parse(config, Path::new(CONFIG_FILE))?;
        let tokenizer = Tokenizer::from_json(tokenizer.to_owned(), config.text.max_tokens)?;
        let mut hasher = fingerprint_start(&config, &tokenizer)?;
        hasher.update(&(weights.len() as u64).to_le_bytes()).update(weights);
        let fingerprint = hasher.finalize().to_hex().to_string();
        let path = Path::new(WEIGHTS_FILE);
        let tensors = weights::parse(weights, path, device)?.tensors;
        Self::assemble(config, tokenizer, tensors, path, device, fingerprint)
    }

    fn assemble(
        config: Config,
        tokenizer: Tokenizer,
        tensors: HashMap<String, Tensor>,
        path: &Path,
        device: &Device,
        fingerprint: String,
    ) -> Result<Self, ModelError> {
        if tokenizer.vocab_size() > config.text.vocab_size {
            let (have, max) = (tokenizer.vocab_size(), config.text.vocab_size);
            return Err(ModelError::Tokenizer(format!("it has {have} tokens, the model knows {max}")));
        }
        weights::check(&tensors, &MedClip::shapes(&config)?, path)?;
        let model = MedClip::new(&config, &VarBuilder::from_tensors(tensors, DType::F32, device))?;
        let logit_scale = model.logit_scale.to_scalar::<f32>()?.exp();
        Ok(Self { config, model, tokenizer, device: device.clone(), fingerprint, logit_scale })
    }

    /// Hash of everything that an embedding depends on, in hex: architecture, weights, tokenizer, preprocessing.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Dimension of the embeddings.
    pub fn dimension(&self) -> usize {
        self.config.projection.dimension
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The learned factor on cosines, 1 or more. For ranking it is of no importance.
    pub fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    /// Prepares a film.
    pub fn preprocess(&self, image: &DynamicImage) -> Result<Pixels, ModelError> {
        preprocess::prepare(image, &self.config)
    }

    /// Unit vectors of films, in their order.
    pub fn embed_images(&self, images: &[Pixels]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.in_batches(images, |batch| {
            let features = self.model.vision.forward(&self.input(batch)?, None)?;
            Ok(self.model.project_images(&features)?.to_vec2()?)
        })
    }

    /// Features of films before the projection, in their order: the mean of the image encoder's tokens, of width
    /// `config().vision.output_dim()`. What a classifier on the image encoder starts from.
    pub fn image_features(&self, images: &[Pixels]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.in_batches(images, |batch| Ok(self.model.vision.forward(&self.input(batch)?, None)?.to_vec2()?))
    }

    /// What each place of each film adds to its embedding; see [`Regions`].
    pub fn embed_regions(&self, images: &[Pixels]) -> Result<Vec<Regions>, ModelError> {
        self.in_batches(images, |batch| {
            let tokens = self.model.vision.tokens(&self.input(batch)?, None)?;
            let projected = self.model.project_images_raw(&tokens)?.to_vec3()?;
            Ok(projected.into_iter().map(|tokens| Regions::new(self.config.vision.grid(), tokens)).collect())
        })
    }

    /// Output of the first `frozen` layers of the image encoder for a film, in half precision in main memory.
    pub(crate) fn trunk(&self, film: &Pixels, frozen: usize) -> Result<Tensor, ModelError> {
        let output = self.model.vision.trunk(&self.input(std::slice::from_ref(film))?, frozen)?;
        Ok(output.to_dtype(DType::F16)?.to_device(&Device::Cpu)?.contiguous()?)
    }

    /// Unit vectors of texts, in their order, with features that are kept from earlier calls: `kept` finds them by the text's
    /// ids, `keep` takes what had to be computed.
    pub(crate) fn embed_texts_keeping(
        &self,
        texts: &[String],
        kept: impl Fn(&[u32]) -> Option<Tensor> + Sync,
        keep: impl Fn(&[u32], &Tensor) + Sync,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let features = texts
            .par_iter()
            .map(|text| {
                let ids = self.tokenizer.ids(text)?;
                if let Some(features) = kept(&ids) {
                    return Ok(features);
                }
                let features = self.model.text.forward(&self.tokenizer.batch(std::slice::from_ref(&ids)))?;
                keep(&ids, &features);
                Ok(features)
            })
            .collect::<Result<Vec<Tensor>, ModelError>>()?;
        if features.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.model.project_texts(&Tensor::cat(&features, 0)?)?.to_vec2()?)
    }

    /// Unit vectors of films whose first `frozen` layers are done, in their order.
    pub(crate) fn embed_trunks(&self, trunks: &[Tensor], frozen: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        self.in_batches(trunks, |batch| {
            let trunk = Tensor::cat(batch, 0)?.to_device(&self.device)?.to_dtype(DType::F32)?;
            let features = self.model.vision.head(&trunk, frozen, None)?;
            Ok(self.model.project_images(&features)?.to_vec2()?)
        })
    }

    fn input(&self, images: &[Pixels]) -> Result<Tensor, ModelError> {
        Tower::input(images, &self.config, &self.device)
    }

    /// Unit vectors of texts, in their order. An empty text has a vector too, of no meaning.
    pub fn embed_texts<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut tokens = texts
            .par_iter()
            .enumerate()
            .map(|(i, text)| Ok((i, self.tokenizer.ids(text.as_ref())?)))
            .collect::<Result<Vec<_>, ModelError>>()?;
        // Texts of similar length share a batch, so that little is padded.
        tokens.sort_by_key(|(_, ids)| ids.len());
        let (order, ids): (Vec<usize>, Vec<Vec<u32>>) = tokens.into_iter().unzip();
        let sorted = self.in_batches(&ids, |batch| {
            let features = self.model.text.forward(&self.tokenizer.batch(batch))?;
            Ok(self.model.project_texts(&features)?.to_vec2()?)
        })?;
        let mut vectors = vec![Vec::new(); texts.len()];
        for (i, vector) in order.into_iter().zip(sorted) {
            if let Some(slot) = vectors.get_mut(i) {
                *slot = vector;
            }
        }
        Ok(vectors)
    }

    /// On the CPU the batches run in parallel, because many of Candle's operations use one thread only.
    fn in_batches<T: Sync, R: Send>(
        &self,
        items: &[T],
        embed: impl Fn(&[T]) -> Result<Vec<R>, ModelError> + Sync + Send,
    ) -> Result<Vec<R>, ModelError> {
        let batches = if self.device.is_cpu() {
            let size = items.len().div_ceil(rayon::current_num_threads()).clamp(1, CPU_BATCH);
            items.par_chunks(size).map(&embed).collect::<Result<Vec<_>, _>>()?
        } else {
            items.chunks(GPU_BATCH).map(&embed).collect::<Result<Vec<_>, _>>()?
        };
        Ok(batches.into_iter().flatten().collect())
    }
}

/// The fingerprint up to the tensor file, whose length and bytes are still to be added. See [`Encoder::fingerprint`].
fn fingerprint_start(config: &Config, tokenizer: &Tokenizer) -> Result<blake3::Hasher, ModelError> {
    let parts = (&config.vision, &config.text, &config.projection, &config.preprocessing, PREPROCESSING_VERSION);
    let architecture = serde_json::to_vec(&parts).map_err(|e| ModelError::Data(e.to_string()))?;
    let mut hasher = blake3::Hasher::new();
    for part in [&architecture, tokenizer.to_json().as_bytes()] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    Ok(hasher)
}

/// See [`Encoder::fingerprint`]. `weights` is the tensor file.
pub(crate) fn fingerprint(config: &Config, tokenizer: &Tokenizer, weights: &Path) -> Result<String, ModelError> {
    let mut hasher = fingerprint_start(config, tokenizer)?;
    let file = fs_err::File::open(weights).map_err(ModelError::io(weights))?;
    hasher.update(&file.metadata().map_err(ModelError::io(weights))?.len().to_le_bytes());
    hasher.update_reader(file).map_err(ModelError::io(weights))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Writes an untrained model to `dir`: what training starts from. Its embeddings are arbitrary but reproducible.
pub fn random(config: &Config, tokenizer: &Tokenizer, seed: u64, dir: &Path) -> Result<(), ModelError> {
    let mut config = config.clone();
    config.text.vocab_size = tokenizer.vocab_size().max(8);
    config.validate()?;
    let parameters = Parameters::new(seed);
    MedClip::new(&config, &parameters.builder(DType::F32, &Device::Cpu))?;
    let tensors = parameters.all().into_iter().map(|(name, var)| (name, var.as_tensor().clone())).collect();
    fs_err::create_dir_all(dir).map_err(ModelError::io(dir))?;
    write_model(dir, &config, tokenizer, &tensors)?;
    Ok(())
}

/// Writes the three files of a model, the weights last and as `f32`; returns its fingerprint.
pub(crate) fn write_model(
    dir: &Path,
    config: &Config,
    tokenizer: &Tokenizer,
    tensors: &BTreeMap<String, Tensor>,
) -> Result<String, ModelError> {
    write_model_as(dir, config, tokenizer, tensors, Storage::F32)
}

/// As [`write_model`], with weights in `storage`; they are `f32` in memory whatever they are on disk.
pub(crate) fn write_model_as(
    dir: &Path,
    config: &Config,
    tokenizer: &Tokenizer,
    tensors: &BTreeMap<String, Tensor>,
    storage: Storage,
) -> Result<String, ModelError> {
    let weights = dir.join(WEIGHTS_FILE);
    weights::write_atomically(&dir.join(CONFIG_FILE), config.to_toml()?.as_bytes())?;
    weights::write_atomically(&dir.join(TOKENIZER_FILE), tokenizer.to_json().as_bytes())?;
    weights::save(&weights, tensors, storage, None)?;
    fingerprint(config, tokenizer, &weights)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::testing::{Films, SENTENCES, tiny, tokenizer};
    use crate::train::ImageSource;

    fn model(seed: u64) -> (tempfile::TempDir, Encoder) {
        let dir = tempfile::tempdir().unwrap();
        random(&tiny(), &tokenizer(), seed, dir.path()).unwrap();
        let encoder = Encoder::load(dir.path(), &Device::Cpu).unwrap();
        (dir, encoder)
    }

    fn films(encoder: &Encoder, count: usize) -> Vec<Pixels> {
        let films = Films::new(count, 9);
        (0..count).map(|i| encoder.preprocess(&films.load(i).unwrap()).unwrap()).collect()
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_shared_encoder_is_possible() {
        fn shared<T: Send + Sync>() {}
        shared::<Encoder>();
    }

    #[test]
    fn embeddings_are_unit_vectors_of_the_dimension() {
        let (_dir, encoder) = model(1);
        let images = encoder.embed_images(&films(&encoder, 3)).unwrap();
        let texts = encoder.embed_texts(&["a disc", ""]).unwrap();
        assert_eq!((images.len(), texts.len()), (3, 2));
        for vector in images.iter().chain(&texts) {
            assert_eq!(vector.len(), encoder.dimension());
            let norm: f32 = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
            assert!((norm - 1.0).abs() < 1e-5, "{norm}");
        }
        assert!(encoder.embed_images(&[]).unwrap().is_empty());
        assert!((encoder.logit_scale() - 1.0 / 0.07).abs() < 1e-3);
    }

    #[test]
    fn an_item_does_not_depend_on_its_batch() {
        let (_dir, encoder) = model(1);
        let images = films(&encoder, 8);
        let together = encoder.embed_images(&images).unwrap();
        for (one, all) in images.chunks(1).zip(&together) {
            assert!(distance(&encoder.embed_images(one).unwrap()[0], all) < 1e-6);
        }
        let texts: Vec<&str> = SENTENCES.iter().map(|(s, _)| *s).collect();
        let features = |texts: &[&str]| {
            let ids: Vec<Vec<u32>> = texts.iter().map(|t| encoder.tokenizer.ids(t).unwrap()).collect();
            encoder.model.text.forward(&encoder.tokenizer.batch(&ids)).unwrap().to_vec2::<f32>().unwrap()
        };
        // In one batch the short ones are padded to the longest.
        for (text, all) in texts.iter().zip(features(&texts)) {
            assert!(distance(&features(&[text])[0], &all) < 1e-5);
        }
        let embedded = encoder.embed_texts(&texts).unwrap();
        for (text, all) in texts.iter().zip(&embedded) {
            assert!(distance(&encoder.embed_texts(&[text]).unwrap()[0], all) < 1e-6, "the order is kept");
        }
    }

    #[test]
    fn the_fingerprint_follows_what_an_embedding_depends_on() {
        let ((dir, a), (_b_dir, b), (_c_dir, c)) = (model(1), model(1), model(2));
        assert_eq!(a.fingerprint(), b.fingerprint());
        assert_ne!(a.fingerprint(), c.fingerprint());
        assert_eq!(a.fingerprint().len(), 64);
        let file = dir.path().join(CONFIG_FILE);
        let text = fs_err::read_to_string(&file).unwrap();
        fs_err::write(&file, text.replace("learning_rate = 0.005", "learning_rate = 0.004")).unwrap();
        assert_eq!(Encoder::load(dir.path(), &Device::Cpu).unwrap().fingerprint(), a.fingerprint());
        let mut config = Config::load(&file).unwrap();
        config.preprocessing.mean = 0.4;
        fs_err::write(&file, config.to_toml().unwrap()).unwrap();
        assert_ne!(Encoder::load(dir.path(), &Device::Cpu).unwrap().fingerprint(), a.fingerprint());
    }

    #[test]
    fn a_folder_that_is_no_model_is_an_error_that_says_why() {
        let complaint = |dir: &Path| Encoder::load(dir, &Device::Cpu).err().unwrap().to_string();
        let (dir, encoder) = model(1);
        let weights = dir.path().join(WEIGHTS_FILE);
        let bytes = fs_err::read(&weights).unwrap();
        fs_err::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
        assert!(complaint(dir.path()).contains("no intact safetensors file"));
        fs_err::write(&weights, &bytes).unwrap();
        let mut config = encoder.config().clone();
        config.projection.dimension = 5;
        fs_err::write(dir.path().join(CONFIG_FILE), config.to_toml().unwrap()).unwrap();
        let message = complaint(dir.path());
        assert!(message.contains("projection_head.weight has shape [8, 12]"), "{message}");
        fs_err::write(dir.path().join(CONFIG_FILE), "name = 3").unwrap();
        assert!(complaint(dir.path()).contains("config.toml"));
        fs_err::remove_file(&weights).unwrap();
        assert!(complaint(dir.path()).contains("model.safetensors is missing"));
    }

    #[test]
    fn regions_add_up_to_the_embedding() {
        let (_dir, encoder) = model(1);
        let films = films(&encoder, 3);
        let (embedded, features) = (encoder.embed_images(&films).unwrap(), encoder.image_features(&films).unwrap());
        assert_eq!(features[0].len(), encoder.config().vision.output_dim());
        for (regions, whole) in encoder.embed_regions(&films).unwrap().iter().zip(&embedded) {
            assert_eq!((regions.rows, regions.columns, regions.vectors.len()), (4, 4, 16));
            let mut sum = vec![0.0f32; whole.len()];
            for (vector, weight) in regions.vectors.iter().zip(&regions.weights) {
                assert!((vector.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
                sum.iter_mut().zip(vector).for_each(|(s, v)| *s += weight * v);
            }
            assert!(distance(&sum, whole) < 1e-5);
        }
        // Different places of a film differ.
        let regions = &encoder.embed_regions(&films).unwrap()[0];
        assert!(distance(&regions.vectors[0], &regions.vectors[10]) > 1e-3);
    }

    #[test]
    fn pixels_of_another_model_are_refused() {
        let (_dir, encoder) = model(1);
        let wrong = Pixels::new(8, vec![0; 64]).unwrap();
        let error = encoder.embed_images(&[wrong]).unwrap_err();
        assert!(matches!(error, ModelError::PixelSize { expected: 16, found: 8 }));
    }
}
