//! The model that is part of the program: trained by us on public films and sentences, so that the first search needs no
//! training. `models/recipes/film` makes it, `models/weights/film/MODEL_CARD.md` says what it can and cannot find.

use std::path::Path;

use candle_core::Device;

use crate::encoder::{CONFIG_FILE, Encoder, TOKENIZER_FILE, WEIGHTS_FILE};
use crate::error::ModelError;

/// Its name.
pub const NAME: &str = "film";

const CONFIG: &str = include_str!("../weights/film/config.toml");
const TOKENIZER: &str = include_str!("../weights/film/tokenizer.json");
/// Half precision; in memory the weights are `f32`.
const WEIGHTS: &[u8] = include_bytes!("../weights/film/model.safetensors");

/// Size of its weights in the program, in bytes.
pub const fn size() -> usize {
    WEIGHTS.len()
}

/// Writes its files into a folder, as a model folder has them.
///
/// # Errors
/// The folder cannot be written.
pub fn unpack(dir: &Path) -> Result<(), ModelError> {
    let files = [(CONFIG_FILE, CONFIG.as_bytes()), (TOKENIZER_FILE, TOKENIZER.as_bytes()), (WEIGHTS_FILE, WEIGHTS)];
    files.into_iter().try_for_each(|(name, bytes)| {
        let path = dir.join(name);
        fs_err::write(&path, bytes).map_err(ModelError::io(&path))
    })
}

/// Its encoder. The fingerprint is that of the same files in a folder.
///
/// # Errors
/// The device cannot hold it.
pub fn encoder(device: &Device) -> Result<Encoder, ModelError> {
    Encoder::from_parts(CONFIG, TOKENIZER, WEIGHTS, device)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn it_is_the_folder_of_the_same_files() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights").join(NAME);
        let (built_in, read) = (encoder(&Device::Cpu).unwrap(), Encoder::load(&folder, &Device::Cpu).unwrap());
        assert_eq!(built_in.fingerprint(), read.fingerprint());
        assert!(size() <= 25_000_000, "{}", size());
        let card = fs_err::read_to_string(folder.join("MODEL_CARD.md")).unwrap();
        assert!(card.contains(built_in.fingerprint()), "the card is of another model");
        let texts = ["left pleural effusion", "no pneumothorax"];
        assert_eq!(built_in.embed_texts(&texts).unwrap(), read.embed_texts(&texts).unwrap());
    }

    #[test]
    fn it_knows_what_is_said() {
        let model = encoder(&Device::Cpu).unwrap();
        let texts = ["cardiomegaly", "the heart is enlarged", "no cardiomegaly", "pneumothorax", "zebra xylophone"];
        let vectors = model.embed_texts(&texts).unwrap();
        let [is, also, is_not, other, nonsense] = vectors.as_slice() else { panic!("five texts") };
        // Cosines lie close together: the projections have no bias, and what all texts share is not taken away.
        assert!(dot(is, also) > dot(is, is_not) + 0.02, "a denial is farther off than another wording");
        assert!(dot(is, also) > dot(is, other) + 0.02, "so is another finding");
        assert!(nonsense.iter().all(|v| v.is_finite()));
        let unknown = model.tokenizer().unknown();
        assert!(!model.tokenizer().ids("zebra xylophone").unwrap().contains(&unknown), "any word can be spelled");
    }
}
