//! A report as it was given: its sections as the labeler sees them, and where their characters are in the text.

use std::ops::Range;

use serde::Serialize;

use crate::archive::{fold_white_space, section_ranges};
use crate::findings::{self, Labeled, LabeledReport, Mention, Observation, Polarity, Severity, Side};

/// A labelled report with the places of its sections.
pub struct Given {
    /// Its sections; white space folded.
    sections: Vec<Section>,
    /// What the labeler reads in it.
    pub labeled: LabeledReport,
}

struct Section {
    name: &'static str,
    text: String,
    /// For each byte of `text` the place of its character in what was given, counted in characters.
    places: Vec<usize>,
}

/// Words of the report: their text and their place in it, in characters from the start.
#[derive(Serialize)]
pub struct Words {
    text: String,
    start: usize,
    end: usize,
}

/// A mention as JSON.
#[derive(Serialize)]
pub struct Explained {
    observation: Observation,
    polarity: Polarity,
    side: Option<Side>,
    severity: Option<Severity>,
    section: &'static str,
    phrase: Option<Words>,
    cue: Option<Words>,
    scope: Option<Words>,
    sentence: Option<Words>,
}

impl Given {
    /// Labels `text`.
    pub fn new(text: &str) -> Self {
        let sections: Vec<Section> =
            section_ranges(text).into_iter().filter_map(|(name, range)| Section::new(text, name, range)).collect();
        let pairs: Vec<(&str, &str)> = sections.iter().map(|s| (s.name, s.text.as_str())).collect();
        let labeled = findings::label_report(&pairs);
        Self { sections, labeled }
    }

    /// Each mention on one line, with its section and its sentence.
    pub fn lines(&self) -> Vec<String> {
        self.mentions()
            .map(|(section, labeled, m)| {
                let name = if section.name.is_empty() { "report" } else { section.name };
                let text = &section.text;
                format!("{name}: {} \u{b7} {}", findings::explain(text, m), findings::marked(text, labeled, m))
            })
            .collect()
    }

    /// Each mention with offsets.
    pub fn explained(&self) -> Vec<Explained> {
        self.mentions()
            .map(|(section, labeled, m)| Explained {
                observation: m.observation,
                polarity: m.polarity,
                side: m.side,
                severity: m.severity,
                section: section.name,
                phrase: section.words(&m.phrase),
                cue: m.cue.as_ref().and_then(|r| section.words(r)),
                scope: m.scope.as_ref().and_then(|r| section.words(r)),
                sentence: labeled.sentences.get(m.sentence).and_then(|r| section.words(r)),
            })
            .collect()
    }

    /// The labels in one line, and why the chest is, or is not, without a finding.
    pub fn summary(&self) -> String {
        let polarity = |p: Polarity| match p {
            Polarity::Present => "present",
            Polarity::Absent => "absent",
            Polarity::Uncertain => "uncertain",
        };
        let labels = &self.labeled.labels;
        let mut said: Vec<String> = labels.iter().map(|(o, p)| format!("{o} {}", polarity(p))).collect();
        let stated =
            labels.with(Polarity::Present).any(|o| !matches!(o, Observation::NoFinding | Observation::SupportDevices));
        if !stated && self.labeled.sections.iter().any(|s| s.labeled.other_abnormality) {
            said.push("an abnormality outside the 14 observations is named".to_owned());
        }
        if said.is_empty() { "nothing is said of the 14 observations".to_owned() } else { said.join("; ") }
    }

    fn mentions(&self) -> impl Iterator<Item = (&Section, &Labeled, &Mention)> {
        self.labeled
            .sections
            .iter()
            .filter_map(|s| Some((self.sections.get(s.section)?, &s.labeled)))
            .flat_map(|(section, labeled)| labeled.mentions.iter().map(move |mention| (section, labeled, mention)))
    }
}

impl Section {
    fn new(whole: &str, name: &'static str, range: Range<usize>) -> Option<Self> {
        let raw = whole.get(range.clone())?;
        let first = whole.get(..range.start)?.chars().count();
        let mut places = Vec::with_capacity(raw.len());
        let mut blank = None;
        for (place, c) in (first..).zip(raw.chars()) {
            if c.is_whitespace() {
                blank = blank.or(Some(place));
                continue;
            }
            // as in `fold_white_space`: one blank between words, none before the first
            places.extend(blank.take().filter(|_| !places.is_empty()));
            places.extend(std::iter::repeat_n(place, c.len_utf8()));
        }
        let text = fold_white_space(raw);
        (places.len() == text.len()).then_some(Self { name, text, places })
    }

    fn words(&self, range: &Range<usize>) -> Option<Words> {
        let text = self.text.get(range.clone())?.to_owned();
        let (first, last) = (self.places.get(range.start)?, self.places.get(range.end.checked_sub(1)?)?);
        (range.start < range.end).then_some(Words { text, start: *first, end: last + 1 })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn offsets_count_characters_of_what_was_given() {
        let text = "Größe é.\nFINDINGS:  There is   no\n large left effusion.\nIMPRESSION: Edema.";
        let given = Given::new(text);
        let explained = given.explained();
        let chars: Vec<char> = text.chars().collect();
        let at = |w: &Words| chars[w.start..w.end].iter().collect::<String>();
        assert_eq!(explained.len(), 2);
        assert_eq!((explained[0].section, explained[1].section), ("findings", "impression"));
        assert_eq!(at(explained[0].phrase.as_ref().unwrap()), "effusion");
        assert_eq!(at(explained[0].cue.as_ref().unwrap()), "no");
        assert_eq!(at(explained[0].scope.as_ref().unwrap()), "large left effusion");
        assert_eq!(at(explained[0].sentence.as_ref().unwrap()), "There is   no\n large left effusion.");
        assert_eq!(at(explained[1].phrase.as_ref().unwrap()), "Edema");
    }

    #[test]
    fn a_line_for_each_mention_and_a_summary() {
        let given = Given::new("FINDINGS: No large left effusion. Hiatal hernia.");
        let wanted = "findings: Pleural Effusion absent, left, severe \u{b7} \"effusion\" \u{b7} cue \"No\" \u{b7} scope \
                      \"large left effusion\" \u{b7} {No} <large left [effusion]>.";
        assert_eq!(given.lines(), [wanted]);
        assert_eq!(
            given.summary(),
            "No Finding absent; Pleural Effusion absent; an abnormality outside the 14 observations is named"
        );
        assert_eq!(Given::new("Seen on Monday.").summary(), "nothing is said of the 14 observations");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn offsets_fit_any_text(text in "(No |left |é|\u{2003}|\n|FINDINGS:|effusion|\\. |IMPRESSION: ){0,30}") {
            let chars: Vec<char> = text.chars().collect();
            for mention in Given::new(&text).explained() {
                for words in [mention.phrase, mention.cue, mention.scope, mention.sentence].into_iter().flatten() {
                    let there: String = chars[words.start..words.end].iter().collect();
                    prop_assert_eq!(fold_white_space(&there), words.text);
                }
            }
        }
    }
}
