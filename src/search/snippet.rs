//! The words of a report that match: one sentence, and which of its words the query asks for.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use thorax_index::Highlighter;
use utoipa::ToSchema;

use crate::archive::Study;
use crate::findings::query::Wanted;
use crate::findings::{self, Mention, Polarity};
use crate::indexing::document::sentences;

/// A sentence of a report, and the words in it that the query asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snippet {
    /// The sentence.
    pub text: String,
    /// Where the words stand: begin and end in characters (Unicode scalar values), in order and apart.
    pub marks: Vec<(usize, usize)>,
}

impl Snippet {
    /// The sentence with the words in asterisks, for where there is no other emphasis.
    pub fn marked(&self) -> String {
        let letters: Vec<char> = self.text.chars().collect();
        let mut out = String::with_capacity(self.text.len() + 2 * self.marks.len());
        for (at, letter) in letters.iter().chain([&' ']).enumerate() {
            out.extend(self.marks.iter().filter(|(from, to)| *from == at || *to == at).map(|_| '*'));
            out.push(*letter);
        }
        out.pop();
        out
    }
}

/// The sentence to show: one that states what is wanted present, else one that states it absent, else the one with most of the
/// query's words, else the one whose embedding is nearest; `None` where nothing points to one.
pub(super) fn snippet(study: &Study, wanted: &[Wanted], words: &Highlighter, nearest: Option<&str>) -> Option<Snippet> {
    let all: Vec<_> = sentences(study).into_iter().map(|s| (findings::label(&s.text).mentions, s)).collect();
    let stating = |polarity| {
        let states = |m: &Mention| m.polarity == polarity && is_wanted(m, wanted, Some(polarity));
        all.iter().find(|(mentions, _)| mentions.iter().any(states))
    };
    let most = || {
        let terms =
            |text: &str| words.find(text).into_iter().map(|found| found.term).collect::<BTreeSet<usize>>().len();
        let counted = all.iter().map(|sentence| (terms(&sentence.1.text), sentence)).filter(|(terms, _)| *terms > 0);
        // of equals the first
        counted.rev().max_by_key(|(terms, _)| *terms).map(|(_, sentence)| sentence)
    };
    let (mentions, found) = stating(Polarity::Present)
        .or_else(|| stating(Polarity::Absent))
        .or_else(most)
        .or_else(|| all.iter().find(|(_, s)| Some(s.key.as_str()) == nearest))?;
    let mut ranges: Vec<Range<usize>> = words.find(&found.text).into_iter().map(|found| found.range).collect();
    ranges.extend(mentions.iter().filter(|m| is_wanted(m, wanted, None)).map(|m| m.phrase.clone()));
    Some(Snippet { marks: marks(&found.text, ranges), text: found.text.clone() })
}

/// Whether a mention names a wanted finding on a wanted side; one that is wanted with this polarity, or with any.
fn is_wanted(mention: &Mention, wanted: &[Wanted], polarity: Option<Polarity>) -> bool {
    wanted.iter().any(|w| {
        w.observation == mention.observation
            && polarity.is_none_or(|polarity| w.polarity == polarity)
            && (w.side.is_none() || mention.side.is_none() || w.side == mention.side)
    })
}

/// Byte ranges as ranges of characters; neighbours are one.
fn marks(text: &str, mut ranges: Vec<Range<usize>>) -> Vec<(usize, usize)> {
    ranges.retain(|range| text.get(range.clone()).is_some_and(|words| !words.is_empty()));
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            // also where nothing but a space stands between
            Some(last) if text.get(last.end..range.start).unwrap_or_default().trim().is_empty() => {
                last.end = last.end.max(range.end);
            }
            _ => apart.push(range),
        }
    }
    let characters = |byte: usize| text.get(..byte).map_or(0, |before| before.chars().count());
    apart.into_iter().map(|range| (characters(range.start), characters(range.end))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::archive::{Report, Section};
    use crate::search::language::notions::notions;

    fn study(text: &str) -> Study {
        let section = Section { name: "findings".to_owned(), text: text.to_owned() };
        let report = Report { sections: vec![section] };
        Study {
            id: "a/1".to_owned(),
            source: "a".to_owned(),
            patient: "a/p".to_owned(),
            date: None,
            offset: None,
            age: None,
            sex: None,
            images: Vec::new(),
            reports: vec![report],
            labels: Vec::new(),
        }
    }

    fn found(report: &str, query: &str, nearest: Option<&str>) -> Option<(String, Vec<String>)> {
        let wanted = findings::understand(query).findings;
        let terms: Vec<_> = notions(query).into_iter().map(|notion| notion.term).collect();
        let snippet = snippet(&study(report), &wanted, &Highlighter::new(&terms), nearest)?;
        let letters: Vec<char> = snippet.text.chars().collect();
        let marked = snippet.marks.iter().map(|(from, to)| letters[*from..*to].iter().collect()).collect();
        Some((snippet.text, marked))
    }

    #[test]
    fn the_sentence_that_states_what_is_wanted_with_its_words_marked() {
        let report = "Größe der Lungen normal. There is a small left pleural effusion. No pneumothorax.";
        let (text, marked) = found(report, "left effusion", None).unwrap();
        assert_eq!(text, "There is a small left pleural effusion.");
        assert_eq!(marked.join("|"), "left pleural effusion");
        assert_eq!(Snippet { marks: vec![(0, 1), (2, 5)], text: "é bcd".to_owned() }.marked(), "*é* *bcd*");
        let (text, marked) = found(report, "no pneumothorax", None).unwrap();
        assert_eq!((text.as_str(), marked.join("|").contains("pneumothorax")), ("No pneumothorax.", true));
    }

    #[test]
    fn synonyms_are_marked_and_marks_count_characters() {
        let (text, marked) = found("Clear. Größe: cardiomegaly is seen.", "enlarged heart", None).unwrap();
        assert_eq!((text.as_str(), marked.join("|").as_str()), ("Größe: cardiomegaly is seen.", "cardiomegaly"));
    }

    #[test]
    fn words_come_before_what_is_near_and_nothing_points_nowhere() {
        let report = "The heart is normal. Sternotomy wires are seen.";
        let near = Some("a/1#s0");
        assert_eq!(found(report, "sternotomy", near).unwrap().0, "Sternotomy wires are seen.");
        let other = found(report, "xyz", near).unwrap();
        assert_eq!(other, ("The heart is normal.".to_owned(), Vec::new()));
        assert!(found(report, "xyz", None).is_none());
    }

    #[test]
    fn overlapping_marks_become_one() {
        assert_eq!(marks("ab, cd ef", vec![4..6, 0..2, 4..9, 2..2]), [(0, 2), (4, 9)]);
    }
}
