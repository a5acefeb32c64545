//! Where a text says what is looked for.

use std::collections::HashMap;
use std::ops::Range;

use super::scan::{in_order, near};
use super::term::Term;
use super::words::{Word, words};

/// A place of a text that says a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Bytes of the text: a word, or the words of a phrase with what stands between.
    pub range: Range<usize>,
    /// Number of the term.
    pub term: usize,
    /// Said in other words than the query's: the weight of the spelling is below 1.
    pub synonym: bool,
}

/// What is looked for, ready to be found in texts.
pub struct Highlighter {
    spellings: Vec<(usize, Vec<Word>, u32, bool)>,
}

impl Highlighter {
    /// For these terms; whether a text affirms or denies them plays no part.
    pub fn new(terms: &[Term]) -> Self {
        let each = |(number, term): (usize, &Term)| {
            let spelled = term.spellings.iter().map(move |s| (number, words(&s.text), s.apart, s.weight < 1.0));
            spelled.filter(|(_, words, _, _)| !words.is_empty()).collect::<Vec<_>>()
        };
        Self { spellings: terms.iter().enumerate().flat_map(each).collect() }
    }

    /// The places, in the order of the text, longer ones first; they may overlap.
    pub fn find(&self, text: &str) -> Vec<Found> {
        let here = words(text);
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (i, word) in here.iter().enumerate() {
            places.entry(&word.stem).or_default().push(i);
        }
        let mut found = Vec::new();
        for (term, spelled, apart, synonym) in &self.spellings {
            for (first, last) in stretches(&here, &places, spelled, *apart) {
                let ends = here.get(first).zip(here.get(last));
                found.extend(ends.map(|(first, last)| Found {
                    range: first.range.start..last.range.end,
                    term: *term,
                    synonym: *synonym,
                }));
            }
        }
        found.sort_by_key(|f| (f.range.start, std::cmp::Reverse(f.range.end), f.synonym, f.term));
        found.dedup();
        found
    }
}

/// First and last word of each place where the spelling stands.
fn stretches(here: &[Word], places: &HashMap<&str, Vec<usize>>, spelled: &[Word], apart: u32) -> Vec<(usize, usize)> {
    let Some(first) = spelled.first() else { return Vec::new() };
    let mut found = Vec::new();
    // every stretch begins with one of the words; of an ordered phrase with the first
    let begins = spelled.iter().take(if apart == 0 { 1 } else { spelled.len() });
    for start in begins.filter_map(|word| places.get(word.stem.as_str())).flatten() {
        let Some(at) = here.get(*start).map(|word| word.position) else { continue };
        let width = match apart {
            0 => spelled.last().map_or(1, |last| last.position - first.position + 1),
            apart => spelled.len() as u32 + apart,
        };
        let rest = here.get(*start..).unwrap_or_default();
        let reach = rest.iter().take_while(|word| word.position < at + width).count();
        let inside = rest.get(..reach).unwrap_or_default();
        let positions: Vec<Vec<u32>> = spelled
            .iter()
            .map(|s| inside.iter().filter(|word| word.stem == s.stem).map(|word| word.position).collect())
            .collect();
        let fits = if apart == 0 { in_order(&positions, spelled) } else { near(&positions, spelled, apart) };
        let last = inside.iter().rposition(|word| spelled.iter().any(|s| s.stem == word.stem));
        if let (true, Some(last)) = (fits > 0, last) {
            found.push((*start, start + last));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
