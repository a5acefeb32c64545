//! A mention in words, for `--explain` and for whoever doubts a label.

use std::ops::Range;

use super::labeler::Mention;
use super::observation::{Polarity, Severity, Side};

/// One line: observation, polarity, side and severity, then the phrase, the cue and its reach as they stand in `text`.
///
/// `text` must be the text that was labelled; ranges that don't fit it are left out.
pub fn explain(text: &str, mention: &Mention) -> String {
    let mut line = format!("{} {}", mention.observation, polarity(mention.polarity));
    for word in [mention.side.map(side), mention.severity.map(severity)].into_iter().flatten() {
        line.push_str(", ");
        line.push_str(word);
    }
    let quoted = [("", Some(&mention.phrase)), ("cue ", mention.cue.as_ref()), ("scope ", mention.scope.as_ref())];
    for (what, range) in quoted {
        if let Some(words) = range.and_then(|r| part(text, r)) {
            line.push_str(&format!(" \u{b7} {what}\"{words}\""));
        }
    }
    line
}

fn part(text: &str, range: &Range<usize>) -> Option<String> {
    let words = text.get(range.clone())?;
    Some(words.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn polarity(polarity: Polarity) -> &'static str {
    match polarity {
        Polarity::Present => "present",
        Polarity::Absent => "absent",
        Polarity::Uncertain => "uncertain",
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Left => "left",
        Side::Right => "right",
        Side::Bilateral => "bilateral",
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Mild => "mild",
        Severity::Moderate => "moderate",
        Severity::Severe => "severe",
    }
}

#[cfg(test)]
mod tests {
    use super::super::labeler::label;
    use super::*;

    #[test]
    fn phrase_cue_and_scope_are_quoted() {
        let text = "There is no large left pleural\neffusion.";
        let labeled = label(text);
        let lines: Vec<String> = labeled.mentions.iter().map(|m| explain(text, m)).collect();
        assert_eq!(
            lines,
            [
                "Pleural Effusion absent, left, severe \u{b7} \"pleural effusion\" \u{b7} cue \"no\" \u{b7} scope \"large left pleural effusion\""
            ]
        );
    }

    #[test]
    fn a_foreign_text_is_survived() {
        let labeled = label("Right pneumothorax.");
        assert_eq!(explain("", &labeled.mentions[0]), "Pneumothorax present, right");
    }
}
