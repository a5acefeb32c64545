//! A query without what it denies. An embedding overlooks a "no": "effusion, no pneumothorax" is near films with a pneumothorax, so
//! films are ranked by the rest of the words, and what is denied is judged apart.

use std::ops::Range;

use crate::findings::Polarity;
use crate::findings::query::Wanted;

/// Words that deny what follows.
const CUES: [&str; 12] =
    ["no", "not", "without", "negative", "free", "absence", "absent", "except", "neither", "nor", "w/o", "excluding"];

/// Words that join, and say nothing at an end.
const JOINTS: [&str; 14] =
    ["and", "or", "but", "with", "of", "for", "nor", "the", "there", "is", "are", "evidence", "a", "on"];

/// The text without its denied findings; `None` where nothing that can be looked for is left.
pub fn positive(text: &str, wanted: &[Wanted]) -> Option<String> {
    if !wanted.iter().any(|want| want.polarity == Polarity::Absent) {
        return Some(text.to_owned());
    }
    // "left but not right effusion", "normal chest": the same words ask for one thing and deny another.
    let asks = |phrase: &Range<usize>| {
        let present = wanted.iter().filter(|want| want.polarity != Polarity::Absent);
        present.map(|want| &want.phrase).any(|other| other.start < phrase.end && phrase.start < other.end)
    };
    let mut wanted: Vec<&Wanted> = wanted.iter().collect();
    wanted.sort_by_key(|want| want.phrase.start);
    let mut kept = String::new();
    let (mut from, mut denying) = (0, false);
    for want in wanted {
        let denied = want.polarity == Polarity::Absent && !asks(&want.phrase);
        if !denied || want.phrase.start < from {
            denying &= denied;
            continue;
        }
        let before = text.get(from..want.phrase.start).unwrap_or_default();
        // "no effusion, pneumothorax or edema": one cue for all three.
        let end = last_cue(before).or(denying.then_some(0)).unwrap_or(before.len());
        kept.push_str(before.get(..end).unwrap_or_default());
        kept.push(' ');
        (from, denying) = (want.phrase.end, true);
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let empty = |word: &&str| {
        let word = plain(word);
        word.is_empty() || JOINTS.contains(&word.as_str()) || CUES.contains(&word.as_str())
    };
    let words: Vec<&str> = kept.split_whitespace().collect();
    let first = words.iter().position(|word| !empty(word))?;
    let last = words.iter().rposition(|word| !empty(word))?;
    let rest = words.get(first..=last)?.join(" ");
    Some(rest.trim_matches(|c: char| !c.is_alphanumeric() && c != ')' && c != '"').to_owned())
}

/// Where the last word that denies begins: "no", or the "-" before a word.
fn last_cue(text: &str) -> Option<usize> {
    let mut found = None;
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim().trim_matches(|c: char| c == ',' || c == '(').to_lowercase();
        if CUES.contains(&bare.as_str()) || bare == "-" {
            found = Some(at);
        }
        at += word.len();
    }
    // "-pneumothorax": the sign stands right before the phrase.
    found.or_else(|| text.strip_suffix('-').map(str::len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::understand;

    #[test]
    fn what_is_denied_is_left_out() {
        for (text, wanted) in [
            ("large right effusion, no pneumothorax", Some("large right effusion")),
            ("effusion -pneumothorax", Some("effusion")),
            ("-pneumothorax effusion", Some("effusion")),
            ("cardiomegaly without edema", Some("cardiomegaly")),
            ("pneumothorax, no effusion, edema or fracture", Some("pneumothorax")),
            ("no fracture, no edema, effusion", Some("effusion")),
            ("no pleural effusion", None),
            ("no evidence of pneumothorax", None),
            ("no effusion, pneumothorax or edema", None),
            ("elderly woman, no effusion", Some("elderly woman")),
            ("left pleural effusion", Some("left pleural effusion")),
            ("left but not right effusion", Some("left but not right effusion")),
            ("normal chest", Some("normal chest")),
            ("lungs are clear", None),
            ("woman, 60 years?", Some("woman, 60 years?")),
        ] {
            assert_eq!(positive(text, &understand(text).findings).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn a_text_of_which_nothing_is_understood_is_whole() {
        assert_eq!(positive("no pleural effusion", &[]).as_deref(), Some("no pleural effusion"));
    }

    #[test]
    fn a_text_in_any_script_is_cut_at_characters() {
        for text in ["ëffusion – no pneumothorax", "kein Erguß, no effusion ü", "no effusion — früher"] {
            let _ = positive(text, &understand(text).findings);
        }
    }
}
