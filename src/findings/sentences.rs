//! Where the sentences of a report are.
//!
//! Reports are dictated: numbered lists, abbreviations, missing blanks after a full stop ("enlarged.No effusion"), headings in capitals, and
//! de-identification marks (XXXX, ___) in place of names and dates. List numbers and well-known headings belong to no sentence.

use std::ops::Range;

use super::sections::heading_at;

/// Words whose full stop ends no sentence.
const ABBREVIATIONS: [&str; 24] = [
    "dr", "drs", "mr", "mrs", "ms", "st", "vs", "approx", "cf", "e.g", "i.e", "a.m", "p.m", "am", "pm", "no", "fig",
    "m.d", "r.n", "b.i.d", "w", "prof", "resp", "incl",
];

/// How far back a full stop looks for its word, in bytes.
const LONGEST_WORD: usize = 48;
/// How many blanks a line break looks past.
const BLANKS: usize = 64;

/// Byte ranges of the sentences of `text`: in order, trimmed, never empty, each with at least one letter or digit.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let after = at + c.len_utf8();
        let ends = match c {
            '.' => full_stop(text, start, at),
            '!' | ';' => true,
            '?' => question_ends(text, after),
            '\n' | '\r' => line_ends(text, start, at),
            '\u{2022}' => true,
            _ => false,
        };
        if ends {
            push(text, start..after, &mut found);
            start = after;
        }
    }
    push(text, start..text.len(), &mut found);
    found
}

/// Adds what is left of `part` without heading, list number and blanks.
fn push(text: &str, part: Range<usize>, found: &mut Vec<Range<usize>>) {
    let Range { mut start, end } = part;
    loop {
        let rest = &text[start..end];
        let skip = rest.len() - rest.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '?').len();
        let skip = skip.max(list_number(&rest[skip..]).map_or(skip, |n| skip + n));
        let skip = heading_at(&rest[skip..]).map_or(skip, |h| skip + h.end);
        if skip == 0 {
            break;
        }
        start += skip;
    }
    let kept = text[start..end].trim_end();
    if kept.chars().any(char::is_alphanumeric) {
        found.push(start..start + kept.len());
    }
}

/// Bytes of a list number ("1.", "2)", "(3)") at the start of `rest`.
fn list_number(rest: &str) -> Option<usize> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 2 {
        return None;
    }
    let mark = *rest.as_bytes().get(digits)?;
    if !matches!(mark, b'.' | b')') {
        return None;
    }
    let next = rest[digits + 1..].chars().next();
    next.is_none_or(|c| c.is_whitespace() || c.is_alphabetic()).then_some(digits + 1)
}

/// Does the full stop at byte `at` end the sentence that begins at `start`?
fn full_stop(text: &str, start: usize, at: usize) -> bool {
    let mut rest = text[at + 1..].chars();
    let next = rest.next();
    let start = start.max(text.floor_char_boundary(at.saturating_sub(LONGEST_WORD)));
    let word_start = text[start..at]
        .rfind(|c: char| !(c.is_alphanumeric() || c == '.'))
        .map_or(start, |i| start + i + text[start + i..].chars().next().map_or(1, char::len_utf8));
    let word = &text[word_start..at];
    match next {
        None => true,
        // "2.5", "e.g", "p.m"
        Some(n) if n.is_ascii_digit() => !word.ends_with(|c: char| c.is_ascii_digit()) && !word.is_empty(),
        Some(n) if n.is_alphabetic() => {
            n.is_uppercase() && word.chars().count() > 1 && word.chars().last().is_some_and(char::is_lowercase)
        }
        Some(n) if n.is_whitespace() => {
            let lower = word.to_lowercase();
            // "3. Effusion": the number stays with what it counts and is cut off later
            let number = !word.is_empty()
                && word.len() <= 2
                && word.bytes().all(|b| b.is_ascii_digit())
                && text[start..word_start].trim().is_empty();
            let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase) && word != "I";
            !(number || initial || abbreviated(&lower, rest))
        }
        Some(_) => true,
    }
}

fn abbreviated(word: &str, mut rest: std::str::Chars<'_>) -> bool {
    if !ABBREVIATIONS.contains(&word) {
        return false;
    }
    // "at 5 p.m. No effusion": a time at the end of a sentence
    let next = rest.find(|c| !c.is_whitespace());
    let times = matches!(word, "a.m" | "p.m" | "am" | "pm" | "no" | "w");
    !(times && next.is_none_or(char::is_uppercase))
}

/// "?" before a word is a hedge ("? pneumonia"), otherwise an end.
fn question_ends(text: &str, after: usize) -> bool {
    let mut rest = text[after..].chars();
    match rest.next() {
        None => true,
        Some(c) if c.is_whitespace() => rest.find(|c| !c.is_whitespace()).is_none_or(char::is_uppercase),
        Some(_) => false,
    }
}

/// A line break ends a sentence unless the line was wrapped: no full stop, and the next line goes on in lower case.
fn line_ends(text: &str, start: usize, at: usize) -> bool {
    let mut rest = text[at + 1..].chars().take(BLANKS);
    let blank_line = rest.find(|c| !matches!(c, ' ' | '\t' | '\r')) == Some('\n');
    let first = text[at..].chars().take(BLANKS).find(|c| !c.is_whitespace());
    let wrapped = first.is_some_and(|c| c.is_lowercase()) && !text[start..at].trim_end().ends_with(':');
    blank_line || !wrapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|r| &text[r]).collect()
    }

    #[test]
    fn numbered_lists_lose_their_numbers() {
        assert_eq!(split("1. No effusion. 2. Mild cardiomegaly."), ["No effusion.", "Mild cardiomegaly."]);
        assert_eq!(split("1) Clear lungs\n2) Old fracture"), ["Clear lungs", "Old fracture"]);
    }

    #[test]
    fn points_that_end_nothing() {
        assert_eq!(
            split("A 2.5 cm nodule was seen by Dr. Smith at 5 p.m. today. Stable."),
            ["A 2.5 cm nodule was seen by Dr. Smith at 5 p.m. today.", "Stable."]
        );
        assert_eq!(split("Atelectasis vs. pneumonia."), ["Atelectasis vs. pneumonia."]);
        assert_eq!(split("Called to Dr. XXXX at XXXX. No effusion."), ["Called to Dr. XXXX at XXXX.", "No effusion."]);
        assert_eq!(split("Is there edema? No."), ["Is there edema?", "No."]);
        assert_eq!(split("Small nodule ? granuloma."), ["Small nodule ? granuloma."]);
    }

    #[test]
    fn missing_blank_after_a_point() {
        assert_eq!(split("Heart is enlarged.No effusion"), ["Heart is enlarged.", "No effusion"]);
    }

    #[test]
    fn wrapped_lines_go_on_and_headings_are_cut() {
        assert_eq!(split("The heart is\nenlarged\nNo effusion"), ["The heart is\nenlarged", "No effusion"]);
        assert_eq!(split("FINDINGS: Clear lungs.\nIMPRESSION:\n1. Normal chest."), ["Clear lungs.", "Normal chest."]);
    }

    #[test]
    fn empty_and_marks_only() {
        assert!(split("").is_empty());
        assert!(split(" .. - 1. ").is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_split_in_order(text in "\\PC{0,200}|[a-zA-Z0-9 .,;:?!\n()/-]{0,200}") {
            let mut last = 0;
            for range in sentences(&text) {
                prop_assert!(range.start >= last && range.end > range.start);
                prop_assert!(text.get(range.clone()).is_some_and(|s| s.chars().any(char::is_alphanumeric)));
                last = range.end;
            }
        }
    }
}
