//! WordPiece: trained on the archive's own sentences, kept as `tokenizer.json`.

use std::path::Path;

use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, TokenizerBuilder, TruncationParams};

use crate::error::ModelError;

const PAD: &str = "[PAD]";
const UNKNOWN: &str = "[UNK]";
const START: &str = "[CLS]";
const END: &str = "[SEP]";

/// Token ids of several texts, padded to the longest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenBatch {
    /// `lengths.len() * tokens` ids, text after text.
    pub ids: Vec<u32>,
    /// Tokens of each text, [CLS] and [SEP] included.
    pub lengths: Vec<usize>,
    /// Width of the batch: the longest text.
    pub tokens: usize,
}

/// Splits text into the tokens of a model.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    json: String,
    pad: u32,
    unknown: u32,
}

fn fault(error: impl std::fmt::Display) -> ModelError {
    ModelError::Tokenizer(error.to_string())
}

/// A tokenizer with BERT's normalisation, trained on `sentences`; `named` get the first ids.
fn learn<S: AsRef<str> + Send>(
    sentences: impl Iterator<Item = S> + Send,
    vocab_size: usize,
    letters: usize,
    named: &[String],
) -> Result<tokenizers::Tokenizer, ModelError> {
    let model = WordPiece::builder().unk_token(UNKNOWN.to_owned()).build().map_err(fault)?;
    let mut tokenizer = TokenizerBuilder::new()
        .with_model(model)
        .with_normalizer(Some(BertNormalizer::new(true, true, Some(true), true)))
        .with_pre_tokenizer(Some(BertPreTokenizer))
        .with_post_processor(None::<BertProcessing>)
        .with_decoder(Some(tokenizers::decoders::wordpiece::WordPiece::default()))
        .build()
        .map_err(fault)?;
    let mut trainer = WordPieceTrainer::builder()
        .vocab_size(vocab_size)
        .min_frequency(2)
        .limit_alphabet(letters)
        .show_progress(false)
        .special_tokens(named.iter().map(|t| AddedToken::from(t.as_str(), true)).collect())
        .build();
    tokenizer.train(&mut trainer, sentences).map_err(fault)?;
    tokenizers::Tokenizer::from_bytes(tokenizer.to_string(false).map_err(fault)?).map_err(fault)
}

impl Tokenizer {
    /// Learns a vocabulary of at most `vocab_size` tokens. Lower-cases, strips accents, splits at punctuation.
    /// The same sentences give the same tokenizer; they are gone through twice.
    pub fn train<S: AsRef<str> + Send>(
        sentences: impl Iterator<Item = S> + Send + Clone,
        vocab_size: usize,
        max_tokens: usize,
    ) -> Result<Self, ModelError> {
        // The trainer numbers the letters within words in the order of a hash map, and ties between merges by number.
        // Naming these letters beforehand, sorted, makes the result reproducible.
        let special = [PAD, UNKNOWN, START, END].map(str::to_owned).to_vec();
        let alphabet = learn(sentences.clone(), 0, vocab_size / 4, &special)?;
        let mut letters: Vec<String> =
            alphabet.get_vocab(false).into_keys().filter(|t| t.starts_with("##") && t.chars().count() == 3).collect();
        letters.sort();
        let named = special.iter().cloned().chain(letters).collect::<Vec<_>>();
        let mut tokenizer = learn(sentences, vocab_size, vocab_size / 4, &named)?;

        let id = |t: &str| tokenizer.token_to_id(t).ok_or_else(|| fault(format!("{t} is missing")));
        let processor = BertProcessing::new((END.to_owned(), id(END)?), (START.to_owned(), id(START)?));
        tokenizer.with_post_processor(Some(processor));
        // The letters must not stay special.
        let mut json: serde_json::Value =
            serde_json::from_str(&tokenizer.to_string(false).map_err(fault)?).map_err(fault)?;
        if let Some(added) = json.get_mut("added_tokens").and_then(|a| a.as_array_mut()) {
            added.retain(|t| t.get("content").and_then(|c| c.as_str()).is_some_and(|c| special.iter().any(|s| s == c)));
        }
        // Read back, so that a trained and a loaded tokenizer are the same thing.
        Self::from_json(json.to_string(), max_tokens)
    }

    /// Reads a `tokenizer.json`; texts longer than `max_tokens` are cut.
    pub fn load(path: &Path, max_tokens: usize) -> Result<Self, ModelError> {
        let json = fs_err::read_to_string(path).map_err(ModelError::io(path))?;
        Self::from_json(json, max_tokens)
    }

    /// From the text of a `tokenizer.json`.
    pub fn from_json(json: String, max_tokens: usize) -> Result<Self, ModelError> {
        let mut inner = tokenizers::Tokenizer::from_bytes(json.as_bytes()).map_err(fault)?;
        let truncation = TruncationParams { max_length: max_tokens, ..Default::default() };
        inner.with_truncation(Some(truncation)).map_err(fault)?;
        inner.with_padding(None);
        let id = |token: &str| inner.token_to_id(token).ok_or_else(|| fault(format!("{token} is missing")));
        let (pad, unknown) = (id(PAD)?, id(UNKNOWN)?);
        Ok(Self { inner, json, pad, unknown })
    }

    /// The text of its `tokenizer.json`.
    pub fn to_json(&self) -> &str {
        &self.json
    }

    /// Size of the vocabulary: one more than the largest id.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab(true).values().max().map_or(0, |&id| id as usize + 1)
    }

    /// Id of `[UNK]`.
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Ids of one text, [CLS] and [SEP] included.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        Ok(self.inner.encode_fast(text, true).map_err(fault)?.get_ids().to_vec())
    }

    /// The text of `ids`, special tokens left out.
    pub fn text(&self, ids: &[u32]) -> Result<String, ModelError> {
        self.inner.decode(ids, true).map_err(fault)
    }

    /// Pads to the longest.
    pub fn batch(&self, texts: &[Vec<u32>]) -> TokenBatch {
        let tokens = texts.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut ids = Vec::with_capacity(tokens * texts.len());
        for text in texts {
            ids.extend_from_slice(text);
            ids.resize(ids.len() + tokens - text.len(), self.pad);
        }
        TokenBatch { ids, lengths: texts.iter().map(Vec::len).collect(), tokens }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    pub(crate) fn sample() -> Tokenizer {
        let lines = ["the red square is on the left", "the blue circle is on the right", "no red circle", "no square"];
        Tokenizer::train(lines.iter().cycle().take(40), 200, 8).unwrap()
    }

    #[test]
    fn known_words_are_one_token_and_come_back() {
        let t = sample();
        let ids = t.ids("The RED circle").unwrap();
        assert_eq!(ids.len(), 5);
        assert_eq!(t.text(&ids).unwrap(), "the red circle");
        assert_eq!(ids[0], t.inner.token_to_id(START).unwrap());
        assert_eq!(ids[4], t.inner.token_to_id(END).unwrap());
    }

    #[test]
    fn long_texts_are_cut_and_keep_their_end() {
        let t = sample();
        let ids = t.ids(&"circle ".repeat(50)).unwrap();
        assert_eq!(ids.len(), 8);
        assert_eq!(ids[7], t.inner.token_to_id(END).unwrap());
    }

    #[test]
    fn what_it_never_saw_is_unknown() {
        let t = sample();
        assert_eq!(t.ids("\u{4e2d}").unwrap()[1], t.unknown());
        assert_eq!(t.ids("").unwrap().len(), 2);
    }

    #[test]
    fn save_and_load_give_the_same_ids() {
        let t = sample();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokenizer.json");
        fs_err::write(&path, t.to_json()).unwrap();
        let again = Tokenizer::load(&path, 8).unwrap();
        assert_eq!(again.ids("no blue square").unwrap(), t.ids("no blue square").unwrap());
        assert_eq!(again.vocab_size(), t.vocab_size());
        assert_eq!(again.to_json(), t.to_json());
        assert!(t.vocab_size() <= 200);
    }

    #[test]
    fn training_is_deterministic() {
        let first = sample();
        for _ in 0..5 {
            assert_eq!(sample().to_json(), first.to_json());
        }
    }

    #[test]
    fn batches_are_padded_to_the_longest() {
        let t = sample();
        let batch = t.batch(&[vec![7, 8, 9], vec![5]]);
        assert_eq!(batch, TokenBatch { ids: vec![7, 8, 9, 5, t.pad, t.pad], lengths: vec![3, 1], tokens: 3 });
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        assert!(matches!(Tokenizer::from_json("{}".to_owned(), 8), Err(ModelError::Tokenizer(_))));
    }
}
