//! The tokenizer of a published BERT.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::ModelError;
use crate::tokenizer::Tokenizer;

/// What we read of `tokenizer_config.json`.
#[derive(Debug, Default, Deserialize)]
struct Settings {
    do_lower_case: Option<bool>,
    strip_accents: Option<bool>,
}

/// Reads the tokenizer in the folder or file `path`: `tokenizer.json`, or `vocab.txt`, one token a line.
///
/// A `vocab.txt` doesn't tell whether text is to be lower-cased. `lowercase` decides, else `do_lower_case` of
/// `tokenizer_config.json` beside it, else it is, as in transformers; also with the cased vocabulary of
/// Bio_ClinicalBERT, which comes without that file: MedCLIP was trained so.
///
/// # Errors
/// There is neither, or it is damaged.
pub(super) fn read(
    path: &Path,
    max_tokens: usize,
    lowercase: Option<bool>,
) -> Result<(Tokenizer, PathBuf), ModelError> {
    let file = find(path)?;
    let tokenizer = if file.extension().is_some_and(|e| e == "json") {
        Tokenizer::load(&file, max_tokens)?
    } else {
        let text = fs_err::read_to_string(&file).map_err(ModelError::io(&file))?;
        let settings = settings(file.parent().unwrap_or(Path::new("")))?;
        let lowercase = lowercase.or(settings.do_lower_case).unwrap_or(true);
        Tokenizer::from_json(word_pieces(&text, lowercase, settings.strip_accents)?, max_tokens)?
    };
    Ok((tokenizer, file))
}

fn find(path: &Path) -> Result<PathBuf, ModelError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let found = ["tokenizer.json", "vocab.txt"].iter().map(|f| path.join(f)).find(|f| f.is_file());
    found.ok_or_else(|| {
        ModelError::Tokenizer(format!(
            "there is no tokenizer.json or vocab.txt in {}; name the folder or file that has it with --tokenizer (the \
             released MedCLIP takes the vocabulary of Bio_ClinicalBERT)",
            path.display()
        ))
    })
}

fn settings(dir: &Path) -> Result<Settings, ModelError> {
    let path = dir.join("tokenizer_config.json");
    if !path.is_file() {
        return Ok(Settings::default());
    }
    let text = fs_err::read_to_string(&path).map_err(ModelError::io(&path))?;
    serde_json::from_str(&text).map_err(|e| ModelError::Unreadable { path, reason: e.to_string() })
}

/// A `tokenizer.json` that does what BERT's tokenizer does with this vocabulary.
fn word_pieces(text: &str, lowercase: bool, strip_accents: Option<bool>) -> Result<String, ModelError> {
    let mut vocabulary = Map::new();
    for (id, token) in text.lines().enumerate() {
        vocabulary.insert(token.to_owned(), id.into());
    }
    let id = |token: &str| -> Result<Value, ModelError> {
        vocabulary
            .get(token)
            .cloned()
            .ok_or_else(|| ModelError::Tokenizer(format!("the vocabulary has no {token}: it is none of BERT's")))
    };
    let mut special = Vec::new();
    for token in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] {
        if let Ok(id) = id(token) {
            special.push(json!({
                "id": id, "content": token, "special": true,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            }));
        }
    }
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": special,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": strip_accents, "lowercase": lowercase,
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", id("[SEP]")?], "cls": ["[CLS]", id("[CLS]")?] },
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary,
        },
    });
    Ok(tokenizer.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const WORDS: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\nlung\n##s\nThe\n,\nno";

    fn ids(settings: Option<&str>, lowercase: Option<bool>, text: &str) -> Vec<u32> {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("vocab.txt"), WORDS).unwrap();
        if let Some(settings) = settings {
            fs_err::write(dir.path().join("tokenizer_config.json"), settings).unwrap();
        }
        read(dir.path(), 16, lowercase).unwrap().0.ids(text).unwrap()
    }

    #[test]
    fn words_are_cut_as_bert_does_and_lower_cased_as_the_settings_say() {
        assert_eq!(ids(None, None, "The lungs, no"), [2, 4, 5, 6, 8, 9, 3]);
        assert_eq!(ids(Some(r#"{"do_lower_case": false}"#), None, "The lungs, no"), [2, 7, 5, 6, 8, 9, 3]);
        assert_eq!(ids(Some(r#"{"do_lower_case": false}"#), Some(true), "The lungs"), [2, 4, 5, 6, 3]);
        assert_eq!(ids(None, None, "x"), [2, 1, 3]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let complaint = |dir: &Path| read(dir, 16, None).err().unwrap().to_string();
        assert!(complaint(dir.path()).contains("--tokenizer"));
        fs_err::write(dir.path().join("vocab.txt"), "a\nb").unwrap();
        assert!(complaint(dir.path()).contains("[SEP]"));
    }
}
