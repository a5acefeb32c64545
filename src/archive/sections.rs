//! The sections of a report in free text.

use std::ops::Range;

use super::study::{Report, Section};

/// Headings and the section that each opens. A longer heading stands before its own beginning.
const HEADINGS: [(&str, &str); 34] = [
    ("FINDINGS AND IMPRESSION", "findings"),
    ("FINDINGS/IMPRESSION", "findings"),
    ("FINDINGS", "findings"),
    ("FINDING", "findings"),
    ("IMPRESSIONS", "impression"),
    ("IMPRESSION", "impression"),
    ("CONCLUSIONS", "impression"),
    ("CONCLUSION", "impression"),
    ("OPINION", "impression"),
    ("INDICATIONS", "indication"),
    ("INDICATION", "indication"),
    ("REASON FOR EXAMINATION", "indication"),
    ("REASON FOR EXAM", "indication"),
    ("REASON FOR STUDY", "indication"),
    ("CLINICAL INDICATION", "indication"),
    ("CLINICAL QUESTION", "indication"),
    ("COMPARISONS", "comparison"),
    ("COMPARISON", "comparison"),
    ("CLINICAL HISTORY", "history"),
    ("CLINICAL INFORMATION", "history"),
    ("PATIENT HISTORY", "history"),
    ("HISTORY", "history"),
    ("TECHNIQUE", "technique"),
    ("PROCEDURE", "technique"),
    ("EXAMINATION", "examination"),
    ("EXAM", "examination"),
    ("STUDY", "examination"),
    ("RECOMMENDATIONS", "recommendation"),
    ("RECOMMENDATION", "recommendation"),
    ("ADDENDUM", "addendum"),
    ("WET READ", "wet read"),
    ("NOTES", "note"),
    ("NOTE", "note"),
    ("FINAL REPORT", ""),
];

/// Splits a report by its headings. Text before the first heading is a section without a name.
///
/// A heading is one of a fixed list and ends in a colon: at the start of a line in any case, within a line in
/// capitals only. A line that is a heading in capitals and nothing else needs no colon. Headings within a section,
/// such as `LUNGS:`, stay in its text. Sections without text are left out.
pub fn split_sections(text: &str) -> Report {
    let mut sections = Vec::new();
    for (name, range) in section_ranges(text) {
        push(&mut sections, name, text.get(range).unwrap_or_default());
    }
    Report { sections }
}

/// Where the sections are: name and bytes of each, as [`split_sections`] finds them, white space not yet folded; without those
/// that have no text.
pub fn section_ranges(text: &str) -> Vec<(&'static str, Range<usize>)> {
    let mut found = Vec::new();
    let mut name = "";
    let mut start = 0;
    let mut at = 0;
    while at < text.len() {
        if let Some((next, length)) = heading_at(text, at) {
            found.push((name, start..at));
            name = next;
            start = at + length;
            at = start;
        } else {
            at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        }
    }
    found.push((name, start..text.len()));
    found.retain(|(_, range)| text.get(range.clone()).is_some_and(|part| !part.trim().is_empty()));
    found
}

/// Runs of white space become one blank; none at the ends.
pub fn fold_white_space(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// Adds a section, unless it has no text.
pub(super) fn push(sections: &mut Vec<Section>, name: &str, text: &str) {
    let text = fold_white_space(text);
    if !text.is_empty() {
        sections.push(Section { name: name.to_owned(), text });
    }
}

/// The section that a heading at `at` opens, and the length of the heading with its colon.
fn heading_at(text: &str, at: usize) -> Option<(&'static str, usize)> {
    let rest = text.get(at..)?;
    let before = text.get(..at)?;
    if before.ends_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let line = before.rsplit(['\n', '\r']).next().unwrap_or_default();
    let starts_line = line.chars().all(|c| matches!(c, ' ' | '\t' | '*' | '#'));
    HEADINGS.iter().find_map(|(heading, name)| {
        let written = rest.get(..heading.len())?;
        let capitals = written == *heading;
        let is_heading = capitals || (starts_line && written.eq_ignore_ascii_case(heading));
        if !is_heading {
            return None;
        }
        let after = rest.get(heading.len()..)?;
        let gap = after.len() - after.trim_start_matches([' ', '\t', '*']).len();
        let after = after.get(gap..)?;
        if after.starts_with(':') {
            return Some((*name, heading.len() + gap + 1));
        }
        let alone = capitals && starts_line && (after.is_empty() || after.starts_with(['\n', '\r']));
        alone.then_some((*name, heading.len() + gap))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn split(text: &str) -> Vec<(String, String)> {
        split_sections(text).sections.into_iter().map(|s| (s.name, s.text)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn headings_at_line_starts_in_any_case() {
        let text =
            "Portable film.\n Indication:  cough\n\nFindings :\n The heart is\r\n large.\nIMPRESSION\nLarge heart.\n";
        let expected = pairs(&[
            ("", "Portable film."),
            ("indication", "cough"),
            ("findings", "The heart is large."),
            ("impression", "Large heart."),
        ]);
        assert_eq!(split(text), expected);
    }

    #[test]
    fn folded_report_on_one_line() {
        let text = "EXAM: Chest two views. CLINICAL HISTORY: fall FINDINGS: LUNGS: clear. The impression: none. IMPRESSION: 1. Normal.";
        let expected = pairs(&[
            ("examination", "Chest two views."),
            ("history", "fall"),
            ("findings", "LUNGS: clear. The impression: none."),
            ("impression", "1. Normal."),
        ]);
        assert_eq!(split(text), expected);
    }

    #[test]
    fn words_that_are_no_heading() {
        assert_eq!(split("No acute findings"), pairs(&[("", "No acute findings")]));
        assert_eq!(
            split("Findings are normal.\nPREFINDINGS: x"),
            pairs(&[("", "Findings are normal. PREFINDINGS: x")])
        );
        assert_eq!(split("Ünïcode é FINDINGS: clear"), pairs(&[("", "Ünïcode é"), ("findings", "clear")]));
    }

    #[test]
    fn no_text_no_section() {
        assert!(split(" \n\t ").is_empty());
        assert_eq!(split("FINDINGS:\n\nIMPRESSION: clear"), pairs(&[("impression", "clear")]));
    }
}
