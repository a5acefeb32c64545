//! A small pattern language over words, so that the vocabulary can be tables, and its matcher.
//!
//! A pattern is a list of elements with blanks between them:
//! - `heart|cardiac` one of these words; `effusion*` a word that begins so
//! - `pleural?` a word that may be missing
//! - `..3` up to three words between; `...3` the same across "and", "or", commas and slashes
//!
//! A gap crosses a colon ("Heart: enlarged"), but never a word that turns the sentence ("no", "without", "but", "with", ...). "not" it may cross: the scope rules look at it.

use std::collections::HashMap;
use std::ops::Range;

use super::tokens::{Kind, Token};

/// Words that no gap crosses.
const TURNS: [&str; 12] =
    ["no", "without", "but", "however", "although", "except", "which", "with", "while", "there", "negative", "nor"];

enum Element {
    Words { words: Vec<(&'static str, bool)>, optional: bool },
    Gap { most: usize, commas: bool },
}

impl Element {
    fn parse(text: &'static str) -> Self {
        if let Some(most) = text.strip_prefix("...") {
            return Self::Gap { most: most.parse().unwrap_or(1), commas: true };
        }
        if let Some(most) = text.strip_prefix("..") {
            return Self::Gap { most: most.parse().unwrap_or(1), commas: false };
        }
        let optional = text.ends_with('?');
        let words =
            text.trim_end_matches('?').split('|').map(|w| (w.trim_end_matches('*'), w.ends_with('*'))).collect();
        Self::Words { words, optional }
    }
}

/// A set of patterns, each with what it stands for.
pub(crate) struct Patterns<T> {
    patterns: Vec<(Vec<Element>, T)>,
    by_word: HashMap<&'static str, Vec<usize>>,
    by_letter: HashMap<char, Vec<(&'static str, usize)>>,
}

/// Where a pattern matched.
#[derive(Clone, Debug)]
pub(crate) struct Match<T> {
    /// Tokens from the first to the last literal one.
    pub tokens: Range<usize>,
    /// The tokens that the pattern names (gaps left out), in order.
    pub literals: Vec<usize>,
    /// What the pattern stands for.
    pub value: T,
}

impl<T: Copy> Patterns<T> {
    /// Compiles the table.
    pub fn new(table: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        let mut all = Self { patterns: Vec::new(), by_word: HashMap::new(), by_letter: HashMap::new() };
        for (text, value) in table {
            let id = all.patterns.len();
            let elements: Vec<Element> = text.split_whitespace().map(Element::parse).collect();
            for element in &elements {
                let Element::Words { words, optional } = element else { break };
                for (word, prefix) in words {
                    if !prefix {
                        all.by_word.entry(word).or_default().push(id);
                    } else if let Some(letter) = word.chars().next() {
                        all.by_letter.entry(letter).or_default().push((word, id));
                    }
                }
                if !optional {
                    break;
                }
            }
            all.patterns.push((elements, value));
        }
        all
    }

    /// All matches, by first token; of one pattern at one token only the shortest reading of its gaps.
    pub fn find(&self, tokens: &[Token]) -> Vec<Match<T>> {
        let mut found = Vec::new();
        let mut ids: Vec<usize> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            if token.kind != Kind::Word {
                continue;
            }
            ids.clear();
            ids.extend(self.by_word.get(token.text.as_str()).into_iter().flatten());
            if let Some(letter) = token.text.chars().next() {
                let candidates = self.by_letter.get(&letter).into_iter().flatten();
                ids.extend(candidates.filter(|(w, _)| token.text.starts_with(w)).map(|(_, id)| id));
            }
            ids.sort_unstable();
            ids.dedup();
            for &id in &ids {
                let Some((elements, value)) = self.patterns.get(id) else { continue };
                let mut literals = Vec::with_capacity(elements.len());
                if walk(elements, tokens, at, &mut literals) {
                    let end = literals.last().map_or(at + 1, |last| last + 1);
                    found.push(Match { tokens: at..end, literals, value: *value });
                }
            }
        }
        found
    }

    /// The values, for tests of the tables.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.patterns.len()
    }
}

/// Matches `elements` from token `at` on; collects the named tokens.
fn walk(elements: &[Element], tokens: &[Token], at: usize, literals: &mut Vec<usize>) -> bool {
    let Some((first, rest)) = elements.split_first() else { return true };
    match first {
        Element::Words { words, optional } => {
            if tokens.get(at).is_some_and(|t| matches(words, t)) {
                literals.push(at);
                if walk(rest, tokens, at + 1, literals) {
                    return true;
                }
                literals.pop();
            }
            *optional && walk(rest, tokens, at, literals)
        }
        Element::Gap { most, commas } => {
            for skip in 0..=*most {
                if walk(rest, tokens, at + skip, literals) {
                    return true;
                }
                let crossable = tokens.get(at + skip).is_some_and(|t| match t.kind {
                    Kind::Word => {
                        !TURNS.contains(&t.text.as_str()) && (*commas || !matches!(t.text.as_str(), "and" | "or"))
                    }
                    Kind::Mark(c) => c == ':' || *commas && matches!(c, ',' | '/'),
                    Kind::Minus => false,
                });
                if !crossable {
                    return false;
                }
            }
            false
        }
    }
}

fn matches(words: &[(&'static str, bool)], token: &Token) -> bool {
    token.kind == Kind::Word
        && words.iter().any(|(w, prefix)| if *prefix { token.text.starts_with(w) } else { token.text == *w })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tokens::tokenize;
    use super::*;

    fn spans(pattern: &'static str, text: &str) -> Vec<String> {
        let tokens = tokenize(text, 0..text.len());
        let patterns = Patterns::new([(pattern, ())]);
        patterns
            .find(&tokens)
            .into_iter()
            .map(|m| text[tokens[m.tokens.start].range.start..tokens[m.tokens.end - 1].range.end].to_owned())
            .collect()
    }

    #[test]
    fn alternatives_prefixes_and_optional_words() {
        assert_eq!(
            spans("pleural? effusion*", "Pleural effusions or effusion"),
            ["Pleural effusions", "effusions", "effusion"]
        );
        assert_eq!(
            spans("heart|cardiac silhouette? enlarged", "cardiac silhouette enlarged"),
            ["cardiac silhouette enlarged"]
        );
    }

    #[test]
    fn gaps_stop_at_turns_and_commas() {
        assert_eq!(spans("heart ..3 enlarged", "heart is mildly enlarged"), ["heart is mildly enlarged"]);
        assert!(spans("heart ..3 enlarged", "heart, aorta enlarged").is_empty());
        assert_eq!(spans("heart ...3 enlarged", "heart, aorta enlarged"), ["heart, aorta enlarged"]);
        assert!(spans("heart ..3 enlarged", "heart without enlarged").is_empty());
        assert!(spans("heart ..1 enlarged", "heart is very much enlarged").is_empty());
    }

    #[test]
    fn literals_leave_gaps_out() {
        let text = "heart is mildly enlarged";
        let found = Patterns::new([("heart ..3 enlarged", 7)]).find(&tokenize(text, 0..text.len()));
        assert_eq!(found[0].literals, [0, 3]);
        assert_eq!(found[0].value, 7);
    }
}
