//! A text cut into stemmed words. Queries, documents and highlighting all do it here.

use std::cell::RefCell;
use std::ops::Range;

use tantivy::tokenizer::{Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, TextAnalyzer, Token};

/// Bytes of the longest word that is kept.
const LONGEST: usize = 40;
/// Between sentences: no phrase reaches over.
const GAP: u32 = 100;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its stem, in lower case.
    pub stem: String,
    /// Bytes of the text.
    pub range: Range<usize>,
    /// Its number, with a jump where a sentence ends.
    pub position: u32,
}

impl Word {
    pub(crate) fn token(self) -> Token {
        let Range { start, end } = self.range;
        Token {
            offset_from: start,
            offset_to: end,
            position: self.position as usize,
            text: self.stem,
            position_length: 1,
        }
    }
}

thread_local! {
    static ANALYZER: RefCell<TextAnalyzer> = RefCell::new(
        TextAnalyzer::builder(SimpleTokenizer::default())
            .filter(RemoveLongFilter::limit(LONGEST))
            .filter(LowerCaser)
            .filter(Stemmer::new(Language::English))
            .build(),
    );
}

/// The words of a text: runs of letters and digits, in lower case, reduced to their stems by Porter's English stemmer.
pub fn words(text: &str) -> Vec<Word> {
    ANALYZER.with_borrow_mut(|analyzer| {
        let mut words: Vec<Word> = Vec::new();
        let mut jumped = 0;
        let mut stream = analyzer.token_stream(text);
        while let Some(token) = stream.next() {
            let range = token.offset_from..token.offset_to;
            let before = words.last().and_then(|last| text.get(last.range.end..range.start));
            jumped += if before.is_some_and(ends_sentence) { GAP } else { 0 };
            words.push(Word { stem: token.text.clone(), range, position: token.position as u32 + jumped });
        }
        words
    })
}

/// What stands between two words ends a sentence: a stop and a blank, or a line without words.
fn ends_sentence(between: &str) -> bool {
    let stop = between.find(['.', ';', '!', '?']);
    stop.is_some_and(|at| between.get(at..).is_some_and(|rest| rest.contains(char::is_whitespace)))
        || between.matches('\n').count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_ranges_and_positions() {
        let text = "Pleural EFFUSIONS, 2.5 cm. Oedèmes\n\nlast";
        let found = words(text);
        let stems: Vec<&str> = found.iter().map(|w| w.stem.as_str()).collect();
        assert_eq!(stems, ["pleural", "effus", "2", "5", "cm", "oedèm", "last"]);
        let positions: Vec<u32> = found.iter().map(|w| w.position).collect();
        assert_eq!(positions, [0, 1, 2, 3, 4, 105, 206]);
        assert!(found.iter().all(|w| text.get(w.range.clone()).is_some()));
        assert!(words("...").is_empty());
    }
}
