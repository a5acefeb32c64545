//! Short labelled texts as people type them into a search box, to enrich the sentences of reports in training.

use super::labels::Labels;
use super::observation::{Observation, Polarity};
use super::prompts::{negative_prompts, prompts};
use super::wording::wording;

/// Observations that reports name in one breath, for two-part texts.
const TOGETHER: [(Observation, Observation); 12] = [
    (Observation::Cardiomegaly, Observation::Edema),
    (Observation::Cardiomegaly, Observation::PleuralEffusion),
    (Observation::PleuralEffusion, Observation::Atelectasis),
    (Observation::PleuralEffusion, Observation::Pneumothorax),
    (Observation::Pneumothorax, Observation::Fracture),
    (Observation::Consolidation, Observation::PleuralEffusion),
    (Observation::Pneumonia, Observation::PleuralEffusion),
    (Observation::Edema, Observation::PleuralEffusion),
    (Observation::SupportDevices, Observation::Pneumothorax),
    (Observation::LungLesion, Observation::PleuralEffusion),
    (Observation::LungOpacity, Observation::PleuralEffusion),
    (Observation::Atelectasis, Observation::Pneumothorax),
];

/// Query-like phrases with their labels: every observation bare, with side, place and severity, denied, hedged, and in pairs
/// ("cardiomegaly without edema"). Each text once, in a fixed order; the labels are exactly those of [`label`](super::label).
pub fn training_texts() -> Vec<(String, Labels)> {
    let mut all: Vec<(String, Labels)> = Vec::new();
    for observation in Observation::ALL {
        singles(observation, &mut all);
    }
    for (one, other) in TOGETHER {
        pairs(one, other, &mut all);
        pairs(other, one, &mut all);
    }
    lists(&mut all);
    let mut seen = std::collections::HashSet::new();
    all.retain(|(text, _)| seen.insert(text.clone()));
    all
}

fn singles(observation: Observation, all: &mut Vec<(String, Labels)>) {
    let whole = observation == Observation::NoFinding;
    let texts = prompts(observation).into_iter().chain(if whole { Vec::new() } else { graded(observation) });
    // a phrase may say more than its observation ("hydropneumothorax", "normal chest"): the labeler knows
    all.extend(texts.map(|text| read(text, observation, Polarity::Present)));
    all.extend(negative_prompts(observation).into_iter().map(|text| read(text, observation, Polarity::Absent)));
    if whole {
        return;
    }
    for noun in wording(observation).nouns {
        for hedge in
            ["possible", "probable", "questionable", "findings may represent", "suspicious for", "cannot exclude"]
        {
            all.push((format!("{hedge} {noun}"), [(observation, Polarity::Uncertain)].into_iter().collect()));
        }
    }
}

/// Severity and side together: "small left pleural effusion".
fn graded(observation: Observation) -> Vec<String> {
    let w = wording(observation);
    let mut texts = Vec::new();
    for noun in w.nouns {
        for grade in w.grades {
            for place in w
                .places
                .iter()
                .filter(|p| ["left", "right", "bilateral", "left lower lobe", "right lower lobe"].contains(p))
            {
                texts.push(format!("{grade} {place} {noun}"));
            }
        }
    }
    texts
}

/// The labels of a text that is about one observation: the labeler's, which hold at least that.
fn read(text: String, observation: Observation, polarity: Polarity) -> (String, Labels) {
    let mut labels = super::label(&text).labels;
    labels.set(observation, polarity);
    (text, labels)
}

fn said(pairs: &[(Observation, Polarity)]) -> Labels {
    let abnormal = pairs.iter().any(|(o, p)| *p == Polarity::Present && *o != Observation::SupportDevices);
    let normal = abnormal.then_some((Observation::NoFinding, Polarity::Absent));
    pairs.iter().copied().chain(normal).collect()
}

fn pairs(one: Observation, other: Observation, all: &mut Vec<(String, Labels)>) {
    let (a, b) = (wording(one), wording(other));
    let (Some(first), Some(second), Some(denied)) = (a.nouns.first(), b.nouns.first(), b.denied.first()) else {
        return;
    };
    let both = said(&[(one, Polarity::Present), (other, Polarity::Present)]);
    let split = said(&[(one, Polarity::Present), (other, Polarity::Absent)]);
    for text in [format!("{first} and {second}"), format!("{first} with {second}"), format!("{first}, {second}")] {
        all.push((text, both.clone()));
    }
    for text in [
        format!("{first} without {denied}"),
        format!("{first}, no {denied}"),
        format!("{first} no {denied}"),
        format!("no {denied}, but {first}"),
    ] {
        all.push((text, split.clone()));
    }
    for side in a.places.iter().filter(|s| ["left", "right"].contains(s)) {
        all.push((format!("{side} {first} without {denied}"), split.clone()));
    }
}

/// Lists under one negation.
fn lists(all: &mut Vec<(String, Labels)>) {
    use Observation::{Consolidation, Edema, LungOpacity, PleuralEffusion, Pneumothorax};
    let names = [
        (Consolidation, "focal consolidation"),
        (PleuralEffusion, "pleural effusion"),
        (Pneumothorax, "pneumothorax"),
        (Edema, "edema"),
        (LungOpacity, "infiltrate"),
    ];
    for (i, (a, first)) in names.iter().enumerate() {
        for (b, second) in names.iter().skip(i + 1) {
            let two = said(&[(*a, Polarity::Absent), (*b, Polarity::Absent)]);
            all.push((format!("no {first} or {second}"), two.clone()));
            all.push((format!("without {second} or {first}"), two));
            for (c, third) in names.iter().filter(|(c, _)| c != a && c != b) {
                let three = said(&[(*a, Polarity::Absent), (*b, Polarity::Absent), (*c, Polarity::Absent)]);
                all.push((format!("no {first}, {second}, or {third}"), three));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::labeler::label;
    use super::*;

    #[test]
    fn the_labeler_agrees_with_every_text() {
        let wrong: Vec<_> =
            training_texts().into_iter().filter(|(text, labels)| &label(text).labels != labels).collect();
        assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    }

    #[test]
    fn there_are_many_and_none_twice() {
        let texts = training_texts();
        assert!((300..=2500).contains(&texts.len()), "{}", texts.len());
        let unique: std::collections::HashSet<_> = texts.iter().map(|(t, _)| t).collect();
        assert_eq!(unique.len(), texts.len());
        for observation in Observation::ALL {
            let present = texts.iter().filter(|(_, l)| l.get(observation) == Some(Polarity::Present)).count();
            let absent = texts.iter().filter(|(_, l)| l.get(observation) == Some(Polarity::Absent)).count();
            assert!(present >= 10 && absent >= 8, "{observation}: {present} present, {absent} absent");
        }
    }
}
