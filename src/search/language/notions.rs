//! Words as terms of keyword search: notions of several words, their synonyms, both spellings, and whether the words ask for
//! something present or absent.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use thorax_index::text::words::{Word, words};
use thorax_index::{Said, Spelling, Term};

use crate::findings::denied_in_query;
use crate::findings::synonyms::{FUNCTION_WORDS, GROUPS, american, british};

/// What a mention in other words counts: a bit less than one in the query's own.
const SYNONYM: f32 = 0.8;
/// Words that may stand between those of a notion: "heart is mildly enlarged".
const APART: u32 = 2;

/// Groups by the stems of each member.
static BY_STEMS: LazyLock<HashMap<Vec<String>, usize>> = LazyLock::new(|| {
    let members = GROUPS.iter().enumerate().flat_map(|(group, members)| members.iter().map(move |m| (stems(m), group)));
    members.collect()
});

/// Words of the longest member.
static LONGEST: LazyLock<usize> = LazyLock::new(|| BY_STEMS.keys().map(Vec::len).max().unwrap_or(1));

fn stems(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.stem).collect()
}

/// A notion of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Notion {
    /// It in all spellings, in statements of the polarity that is asked for.
    pub term: Term,
    /// Its words, each for itself, where it has several.
    pub single: Vec<Term>,
    /// Bytes of the prose.
    pub range: Range<usize>,
}

impl Notion {
    /// True where the words ask for its absence: "no effusion".
    pub fn is_denied(&self) -> bool {
        self.term.said == Said::Denied
    }
}

/// The notions of a run of words, from left to right, the longest that the table knows first; other words stand for themselves.
pub fn notions(prose: &str) -> Vec<Notion> {
    let denied = denied_in_query(prose);
    let is_function = |word: &Word| {
        prose.get(word.range.clone()).is_some_and(|word| FUNCTION_WORDS.contains(&word.to_lowercase().as_str()))
    };
    let content: Vec<Word> = words(prose).into_iter().filter(|word| !is_function(word)).collect();
    let is_denied =
        |word: &Word| denied.iter().any(|range| range.start < word.range.end && word.range.start < range.end);
    let text = |words: &[Word]| {
        let each = words.iter().filter_map(|word| prose.get(word.range.clone()));
        each.collect::<Vec<_>>().join(" ").to_lowercase()
    };
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = content.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, group) = longest(rest, text, &is_denied);
        let own = rest.get(..length).unwrap_or_default();
        let said = if own.first().is_some_and(is_denied) { Said::Denied } else { Said::Affirmed };
        let range = own.first().map_or(0, |w| w.range.start)..own.last().map_or(0, |w| w.range.end);
        let single = match own {
            [_] => Vec::new(),
            own => own.iter().map(|word| term(&text(std::slice::from_ref(word)), None, said)).collect(),
        };
        found.push(Notion { term: term(&text(own), group, said), single, range });
        at += length;
    }
    found
}

/// How many words the notion that begins here has, and its group.
fn longest(
    rest: &[Word],
    text: impl Fn(&[Word]) -> String,
    is_denied: &impl Fn(&Word) -> bool,
) -> (usize, Option<usize>) {
    for length in (1..=(*LONGEST).min(rest.len())).rev() {
        let Some(own) = rest.get(..length) else { continue };
        let close = own.windows(2).all(|pair| {
            let (a, b) = (pair.first(), pair.last());
            a.zip(b).is_some_and(|(a, b)| b.position - a.position <= 1 + APART && is_denied(a) == is_denied(b))
        });
        let group = BY_STEMS.get(&stems(&american(&text(own))));
        if close && (group.is_some() || length == 1) {
            return (length, group.copied());
        }
    }
    (1, None)
}

/// A text and all that means the same.
fn term(own: &str, group: Option<usize>, said: Said) -> Term {
    let mut spellings: Vec<Spelling> = Vec::new();
    let members = group.and_then(|group| GROUPS.get(group)).copied().unwrap_or_default();
    let others = members.iter().map(|member| (*member, SYNONYM));
    for (text, weight) in std::iter::once((own, 1.0)).chain(others) {
        for text in [text.to_owned(), american(text), british(text)] {
            let stems = stems(&text);
            if spellings.iter().all(|known| self::stems(&known.text) != stems) {
                let apart = if stems.len() > 1 { APART } else { 0 };
                spellings.push(Spelling { text, weight, apart });
            }
        }
    }
    Term { spellings, said }
}

/// A phrase as it stands, in any statement.
pub fn phrase(text: &str) -> Term {
    Term { spellings: vec![Spelling::exact(text)], said: Said::Anyhow }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(prose: &str) -> Vec<(&str, Said, usize)> {
        let shown = |n: Notion| (prose.get(n.range).unwrap(), n.term.said, n.term.spellings.len());
        notions(prose).into_iter().map(shown).collect()
    }

    fn spellings(prose: &str) -> Vec<String> {
        notions(prose).into_iter().flat_map(|n| n.term.spellings).map(|s| s.text).collect()
    }

    #[test]
    fn the_longest_notion_first() {
        let found = read("the heart is enlarged with small PICC lines");
        let texts: Vec<&str> = found.iter().map(|(text, _, _)| *text).collect();
        assert_eq!(texts, ["heart is enlarged", "small", "PICC lines"]);
        assert_eq!(found[1].2, 1);
        assert!(spellings("enlarged heart").contains(&"cardiomegaly".to_owned()));
        assert!(spellings("PTX").contains(&"pneumothorax".to_owned()));
        assert!(spellings("pneumothoraces").contains(&"pneumothorax".to_owned()));
        assert!(spellings("ETT").contains(&"endotracheal tube".to_owned()));
    }

    #[test]
    fn own_words_come_first_and_count_most() {
        let notion = notions("Enlarged heart").remove(0);
        assert_eq!(notion.term.spellings[0], Spelling { text: "enlarged heart".to_owned(), weight: 1.0, apart: APART });
        assert!(notion.term.spellings[1..].iter().all(|s| s.weight < 1.0));
        assert_eq!(notion.single.len(), 2);
    }

    #[test]
    fn both_spellings_are_one_word() {
        for (word, other) in [("oedema", "edema"), ("haemothorax", "hemothorax"), ("tumors", "tumours")] {
            let notion = notions(word).remove(0);
            let full: Vec<&str> =
                notion.term.spellings.iter().filter(|s| s.weight == 1.0).map(|s| s.text.as_str()).collect();
            assert_eq!(full, [word, other]);
        }
        assert!(spellings("pulmonary oedema").contains(&"lung edema".to_owned()));
    }

    #[test]
    fn what_is_asked_for_as_absent() {
        let found = read("large right effusion, no pneumothorax or scoliosis");
        let said: Vec<(&str, Said)> = found.iter().map(|(text, said, _)| (*text, *said)).collect();
        let expected = [
            ("large", Said::Affirmed),
            ("right", Said::Affirmed),
            ("effusion", Said::Affirmed),
            ("pneumothorax", Said::Denied),
            ("scoliosis", Said::Denied),
        ];
        assert_eq!(said, expected);
        assert!(notions("").is_empty() && notions("is there any").is_empty());
    }
}
