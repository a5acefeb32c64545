//! The report labeler: a text -> mentions of the 14 observations with polarity, side and severity -> labels.
//!
//! Sentences are read one by one (`reading`), and the mentions of one observation
//! combine as CheXpert's do: present over uncertain over absent (Irvin et al., AAAI 2019, section 3).

use std::ops::Range;

use serde::Serialize;

use super::labels::Labels;
use super::observation::{Observation, Polarity, Severity, Side};
use super::reading::{self, read_sentence};
use super::scope::Style;
use super::sections::{Role, concludes, region, role, stretches};
use super::sentences::sentences;

/// One place in a text that speaks of an observation. Ranges are bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mention {
    /// Of what.
    pub observation: Observation,
    /// What is said.
    pub polarity: Polarity,
    /// The side named with it.
    pub side: Option<Side>,
    /// The size or severity named with it.
    pub severity: Option<Severity>,
    /// Index into [`Labeled::sentences`].
    pub sentence: usize,
    /// The words that name it: "pleural effusion", "lungs are clear".
    pub phrase: Range<usize>,
    /// The words that negate or hedge it: "no evidence of", "may represent".
    pub cue: Option<Range<usize>>,
    /// The words that the cue reaches.
    pub scope: Option<Range<usize>>,
}

/// What the labeler read in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Labeled {
    /// Bytes of each sentence.
    pub sentences: Vec<Range<usize>>,
    /// The mentions, in text order.
    pub mentions: Vec<Mention>,
    /// The mentions combined.
    pub labels: Labels,
    /// Some abnormality outside the 14 observations is named (hernia, emphysema, scoliosis, ...).
    pub other_abnormality: bool,
    /// The text speaks of the chest at all.
    pub about_chest: bool,
}

/// One section of a labelled report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabeledSection {
    /// Index into the sections that were given.
    pub section: usize,
    /// What was read in it; ranges are bytes of this section's text.
    pub labeled: Labeled,
}

/// A report's sections and their labels combined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LabeledReport {
    /// The sections that were read.
    pub sections: Vec<LabeledSection>,
    /// Their labels combined, with `No Finding` derived.
    pub labels: Labels,
}

/// Labels a text without sections: a sentence, a phrase, a whole note. Parts under headings such as "INDICATION:" are left out.
///
/// `No Finding` is present only where the text calls the chest normal ("normal chest", "no acute cardiopulmonary disease") and shows nothing
/// else, Support Devices apart; it is absent where something else is present. A lone "no pneumothorax" says Pneumothorax absent, no more.
/// Never panics; time is linear in the text.
pub fn label(text: &str) -> Labeled {
    let mut labeled = read(text, Style::Report);
    let normal = labeled.labels.get(Observation::NoFinding) == Some(Polarity::Present);
    derive_no_finding(&mut labeled.labels, normal, labeled.other_abnormality);
    labeled
}

/// Bytes of a report's text that say what is not there: the reach of each negation, whether or not it names one of the 14
/// observations. In no order; they may overlap.
pub fn denied(text: &str) -> Vec<Range<usize>> {
    sentences(text).into_iter().flat_map(|range| reading::denied(text, range, Style::Report)).collect()
}

/// The same for a typed query, where a comma ends a negation.
pub fn denied_in_query(text: &str) -> Vec<Range<usize>> {
    sentences(text).into_iter().flat_map(|range| reading::denied(text, range, Style::Query)).collect()
}

/// Labels a report given as (heading, text). Sections about the indication, history, comparison or technique are left out.
///
/// Sections combine as mentions do, with one exception: what the findings only doubt and the impression denies is absent.
///
/// `No Finding` is present where the report speaks of the chest and nothing (Support Devices apart) is present or uncertain, nor any
/// abnormality outside the 14 observations; absent where something is present.
pub fn label_report<N: AsRef<str>, T: AsRef<str>>(given: &[(N, T)]) -> LabeledReport {
    let mut report = LabeledReport::default();
    let mut concluded = Labels::new();
    let (mut other, mut chest) = (false, false);
    for (section, (name, text)) in given.iter().enumerate() {
        if role(name.as_ref()) == Role::Aside {
            continue;
        }
        let labeled = label(text.as_ref());
        other |= labeled.other_abnormality;
        chest |= labeled.about_chest;
        let into = if concludes(name.as_ref()) { &mut concluded } else { &mut report.labels };
        for (observation, polarity) in labeled.labels.iter() {
            combine(into, observation, polarity);
        }
        report.sections.push(LabeledSection { section, labeled });
    }
    for (observation, polarity) in concluded.iter() {
        let doubted = report.labels.get(observation) == Some(Polarity::Uncertain);
        if doubted && polarity == Polarity::Absent {
            report.labels.set(observation, polarity);
        } else {
            combine(&mut report.labels, observation, polarity);
        }
    }
    derive_no_finding(&mut report.labels, chest, other);
    report
}

/// Present over uncertain over absent.
fn combine(labels: &mut Labels, observation: Observation, polarity: Polarity) {
    let rank = |p: Polarity| match p {
        Polarity::Present => 2,
        Polarity::Uncertain => 1,
        Polarity::Absent => 0,
    };
    if labels.get(observation).is_none_or(|old| rank(polarity) > rank(old)) {
        labels.set(observation, polarity);
    }
}

fn derive_no_finding(labels: &mut Labels, candidate: bool, other: bool) {
    let counts = |o: &Observation| !matches!(o, Observation::NoFinding | Observation::SupportDevices);
    let present = labels.with(Polarity::Present).any(|o| counts(&o));
    let uncertain = labels.with(Polarity::Uncertain).any(|o| counts(&o));
    let said = if present || other {
        Some(Polarity::Absent)
    } else if candidate && !uncertain {
        Some(Polarity::Present)
    } else {
        None
    };
    *labels = labels
        .iter()
        .filter(|(o, _)| *o != Observation::NoFinding)
        .chain(said.map(|p| (Observation::NoFinding, p)))
        .collect();
}

/// Reads `text`; labels are combined and `No Finding` is what the text itself says.
pub(crate) fn read(text: &str, style: Style) -> Labeled {
    let mut labeled = Labeled::default();
    let parts = match style {
        Style::Report => stretches(text),
        Style::Query => vec![(Role::Film, 0..text.len())],
    };
    for (role, part) in parts {
        let Some(slice) = text.get(part.clone()) else { continue };
        let lines = match style {
            Style::Report => sentences(slice),
            Style::Query => std::iter::once(0..slice.len()).filter(|r| !r.is_empty()).collect(),
        };
        let mut role = role;
        for line in lines {
            let range = part.start + line.start..part.start + line.end;
            role = text.get(range.clone()).filter(|_| style == Style::Report).and_then(region).unwrap_or(role);
            if role == Role::Film {
                read_sentence(text, range.clone(), style, &mut labeled);
            }
            labeled.sentences.push(range);
        }
    }
    for mention in &labeled.mentions {
        combine(&mut labeled.labels, mention.observation, mention.polarity);
    }
    labeled
}
