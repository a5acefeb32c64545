//! How a run begins: from nothing, from another model, or from its own checkpoint.

use std::path::Path;

use super::options::Options;
use super::source::TextSource;
use crate::config::Config;
use crate::encoder::{CONFIG_FILE, TOKENIZER_FILE};
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;
use crate::weights;

/// Makes the tokenizer, or takes that of the model to start from, and writes what a resume needs.
pub(super) fn prepare(options: &Options, texts: &dyn TextSource) -> Result<(Config, Tokenizer), ModelError> {
    let mut config = options.config.clone();
    let tokenizer = match &options.from {
        Some(dir) => {
            let other = Config::load(&dir.join(CONFIG_FILE))?;
            config.text.vocab_size = other.text.vocab_size;
            Tokenizer::load(&dir.join(TOKENIZER_FILE), config.text.max_tokens)?
        }
        None => {
            let sentences = (0..texts.len()).map(|i| texts.text(i));
            let tokenizer = Tokenizer::train(sentences, config.text.vocab_size, config.text.max_tokens)?;
            config.text.vocab_size = tokenizer.vocab_size().max(8);
            tokenizer
        }
    };
    config.validate()?;
    weights::write_atomically(&options.out.join(TOKENIZER_FILE), tokenizer.to_json().as_bytes())?;
    weights::write_atomically(&options.out.join(CONFIG_FILE), config.to_toml()?.as_bytes())?;
    Ok((config, tokenizer))
}

/// Reads them again; the configuration must be the same.
pub(super) fn reopen(options: &Options, checkpoint: &Path) -> Result<(Config, Tokenizer), ModelError> {
    let stored = Config::load(&options.out.join(CONFIG_FILE))?;
    let mut wanted = options.config.clone();
    wanted.text.vocab_size = stored.text.vocab_size;
    if wanted != stored {
        return Err(ModelError::CheckpointMismatch {
            path: checkpoint.to_owned(),
            what: "the configuration",
            then: format!("as in {CONFIG_FILE} beside it"),
            now: "another".to_owned(),
        });
    }
    let tokenizer = Tokenizer::load(&options.out.join(TOKENIZER_FILE), stored.text.max_tokens)?;
    Ok((stored, tokenizer))
}
