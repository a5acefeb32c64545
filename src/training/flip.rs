//! Texts that say the contrary of another: the finding denied or stated, or the side swapped.
//!
//! They are the hard negatives of training: a bag of words tells "no effusion" from "effusion" badly. Rewriting is simple
//! and the labeler is the judge: a rewrite that it does not read as the exact contrary is dropped.

use super::labels::{mirrored, of_mentions, vector};
use crate::findings::{self, Labeled, Labels, Observation, Polarity};

/// Every rewrite of `text` that the labeler confirms, with its label vector. Mostly none to three.
pub fn flips(text: &str) -> Vec<(String, Vec<f32>)> {
    let labeled = findings::label(text);
    let before = vector(&of_mentions(&labeled));
    let mut found = Vec::new();
    let swapped = swap_sides(text);
    if swapped != text {
        let after = vector(&of_mentions(&findings::label(&swapped)));
        if after == mirrored(&before) && after != before {
            found.push((swapped, after));
        }
    }
    for rewrite in stated(text, &labeled).into_iter().chain(denied(text, &labeled)) {
        let read = findings::label(&rewrite);
        if contrary(&labeled.labels, &read.labels) {
            found.push((rewrite, vector(&of_mentions(&read))));
        }
    }
    found
}

/// Words that change places, with their case.
const SIDES: [(&str, &str); 6] =
    [("left", "right"), ("right", "left"), ("Left", "Right"), ("Right", "Left"), ("LEFT", "RIGHT"), ("RIGHT", "LEFT")];

/// Left for right and right for left, whole words only.
fn swap_sides(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
        let rest = piece.get(word.len()..).unwrap_or_default();
        out += SIDES.iter().find(|(from, _)| *from == word).map_or(word, |(_, to)| to);
        out += rest;
    }
    out
}

/// "No effusion" becomes "effusion", once for each negation.
fn stated(text: &str, labeled: &Labeled) -> Vec<String> {
    let mut cues: Vec<_> =
        labeled.mentions.iter().filter(|m| m.polarity == Polarity::Absent).filter_map(|m| m.cue.clone()).collect();
    cues.sort_by_key(|cue| cue.start);
    cues.dedup();
    // "No effusion or pneumothorax" denies both; without the "no", "or" would leave it open.
    let without = |cue: std::ops::Range<usize>| {
        let rest = text.get(cue.end..)?.replace(" or ", " and ").replace(" nor ", " and ");
        Some(tidy(&format!("{}{rest}", text.get(..cue.start)?)))
    };
    cues.into_iter().filter_map(without).collect()
}

/// "Effusion" becomes "no effusion".
fn denied(text: &str, labeled: &Labeled) -> Option<String> {
    let states = labeled.mentions.iter().all(|m| m.polarity == Polarity::Present && m.cue.is_none());
    if !states || labeled.mentions.is_empty() || labeled.sentences.len() > 1 {
        return None;
    }
    let text = text.trim();
    for (opening, denial) in
        [("There is a ", "There is no "), ("There is ", "There is no "), ("There are ", "There are no ")]
    {
        if let Some(rest) = text.get(opening.len()..).filter(|_| starts(text, opening)) {
            return Some(format!(
                "{}{rest}",
                if text.starts_with('t') { denial.to_lowercase() } else { denial.to_owned() }
            ));
        }
    }
    let rest = ["a ", "an ", "the "].iter().find(|a| starts(text, a)).map_or(Some(text), |a| text.get(a.len()..))?;
    let mut letters = rest.chars();
    let first = letters.next()?;
    // An abbreviation keeps its capitals.
    let word = letters.as_str().chars().next().is_some_and(char::is_lowercase);
    let first = if word { first.to_lowercase().to_string() } else { first.to_string() };
    let no = if text.starts_with(char::is_uppercase) { "No" } else { "no" };
    Some(format!("{no} {first}{}", letters.as_str()))
}

fn starts(text: &str, opening: &str) -> bool {
    text.get(..opening.len()).is_some_and(|head| head.eq_ignore_ascii_case(opening))
}

/// Single blanks, none before a full stop, and a capital where there was none left.
fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".").replace(" ,", ",")
}

/// The same observations, at least one with the other sign, and none merely changed into doubt. `No Finding` follows.
fn contrary(before: &Labels, after: &Labels) -> bool {
    let of = |labels: &Labels| -> Vec<(Observation, Polarity)> {
        labels.iter().filter(|(o, _)| *o != Observation::NoFinding).collect()
    };
    let (before, after) = (of(before), of(after));
    let opposite = |a: Polarity, b: Polarity| {
        matches!((a, b), (Polarity::Present, Polarity::Absent) | (Polarity::Absent, Polarity::Present))
    };
    before.len() == after.len()
        && before.iter().zip(&after).all(|((o, a), (p, b))| o == p && (a == b || opposite(*a, *b)))
        && before.iter().zip(&after).any(|((_, a), (_, b))| opposite(*a, *b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        flips(text).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn a_side_is_swapped_and_so_are_its_labels() {
        let found = flips("Small left pleural effusion.");
        let swapped = found.iter().find(|(text, _)| text == "Small right pleural effusion.");
        let before = vector(&of_mentions(&findings::label("Small left pleural effusion.")));
        assert_eq!(swapped.map(|(_, labels)| labels.clone()), Some(mirrored(&before)));
        assert_eq!(swap_sides("Left and right; left-sided, leftover"), "Right and left; right-sided, leftover");
    }

    #[test]
    fn a_finding_is_denied_and_stated() {
        assert!(texts("pleural effusion").contains(&"no pleural effusion".to_owned()));
        assert!(texts("There is a pneumothorax.").contains(&"There is no pneumothorax.".to_owned()));
        assert!(texts("no pneumothorax").contains(&"pneumothorax".to_owned()));
        assert!(texts("There is no evidence of pneumothorax.").iter().any(|t| !t.contains("no ")));
    }

    #[test]
    fn every_flip_reverses_what_is_said() {
        for text in
            ["no effusion or pneumothorax", "Cardiomegaly.", "left lower lobe consolidation", "no focal consolidation"]
        {
            let before = vector(&of_mentions(&findings::label(text)));
            let found = flips(text);
            assert!(!found.is_empty(), "{text}");
            for (flip, labels) in found {
                assert_ne!(labels, before, "{text} -> {flip}");
                assert_eq!(labels, vector(&of_mentions(&findings::label(&flip))), "{text} -> {flip}");
            }
        }
    }

    #[test]
    fn what_cannot_be_reversed_is_left_alone() {
        for text in ["", "The heart size is normal.", "Possible pneumonia.", "PA and lateral views."] {
            assert!(flips(text).is_empty(), "{text}: {:?}", texts(text));
        }
    }
}
