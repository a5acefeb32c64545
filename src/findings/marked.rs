//! A sentence with the marks of one mention: `[phrase]`, `{cue}`, `<scope>`.

use std::ops::Range;

use super::labeler::{Labeled, Mention};

/// The sentence of `mention` on one line: the phrase in `[ ]`, the cue in `{ }`, the words that the cue reaches in `< >`.
///
/// `text` must be the text that was labelled; of another one nothing, or what fits, is shown.
pub fn marked(text: &str, labeled: &Labeled, mention: &Mention) -> String {
    let Some(sentence) = labeled.sentences.get(mention.sentence) else { return String::new() };
    let Some(words) = text.get(sentence.clone()) else { return String::new() };
    let mut marks: Vec<(usize, i8, char)> = Vec::new();
    let mut mark = |range: Option<&Range<usize>>, rank: i8, open: char, close: char| {
        if let Some(range) = range.filter(|r| r.start < r.end) {
            // at one place what closes comes first, and the outer mark opens first
            marks.push((range.start, rank, open));
            marks.push((range.end, -rank, close));
        }
    };
    mark(mention.scope.as_ref(), 1, '<', '>');
    mark(mention.cue.as_ref(), 2, '{', '}');
    mark(Some(&mention.phrase), 3, '[', ']');
    marks.sort_unstable();
    let mut out = String::with_capacity(words.len() + marks.len());
    let mut marks = marks.into_iter().peekable();
    for (at, c) in words.char_indices() {
        while let Some((_, _, mark)) = marks.next_if(|(place, ..)| *place <= sentence.start + at) {
            out.push(mark);
        }
        out.push(c);
    }
    out.extend(marks.map(|(.., mark)| mark));
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::labeler::label;
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let labeled = label(text);
        labeled.mentions.iter().map(|m| marked(text, &labeled, m)).collect()
    }

    #[test]
    fn phrase_cue_and_scope_are_marked() {
        assert_eq!(
            all("Stable. There is no large left\npleural effusion."),
            ["There is {no} <large left [pleural effusion]>."]
        );
        assert_eq!(all("The pneumothorax has resolved."), ["<The [pneumothorax]> {has resolved}."]);
        assert_eq!(all("Cardiomegaly."), ["[Cardiomegaly]."]);
    }

    #[test]
    fn a_cue_inside_a_phrase() {
        assert_eq!(all("Borderline cardiomegaly."), ["{[Borderline} <cardiomegaly]>."]);
    }

    #[test]
    fn a_foreign_text_is_survived() {
        let labeled = label("Right pneumothorax.");
        assert_eq!(labeled.mentions.iter().map(|m| marked("x", &labeled, m)).collect::<String>(), "");
    }
}
