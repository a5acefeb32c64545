//! Class prompts: how radiologists write that an observation is there, and that it is not.
//!
//! For zero-shot classification (MedCLIP averages the embeddings of several prompts of a class, Wang et al., EMNLP 2022, section 4.2) and,
//! through [`training_texts`](super::training_texts), for training on queries as they are typed. The labeler reads every prompt as it is meant:
//! a test holds prompts and labeler to each other.

use super::observation::Observation;
use super::wording::wording;

/// Phrases that state that `observation` is present (of `No Finding`: that the chest is normal), plainest first, each once.
///
/// Bare names, names with a side or place, with a severity, and whole statements.
pub fn prompts(observation: Observation) -> Vec<String> {
    let w = wording(observation);
    let mut all: Vec<String> = w.nouns.iter().chain(w.phrases).map(|p| (*p).to_owned()).collect();
    for noun in w.nouns {
        all.extend(w.places.iter().map(|place| format!("{place} {noun}")));
        all.extend(w.grades.iter().map(|grade| format!("{grade} {noun}")));
    }
    dedup(all)
}

/// Phrases that state that `observation` is absent. Empty for `No Finding`, whose contrary is any finding.
pub fn negative_prompts(observation: Observation) -> Vec<String> {
    let w = wording(observation);
    let mut all = Vec::new();
    for noun in w.denied {
        let denials = ["no", "without", "no evidence of", "negative for", "no definite", "there is no", "absence of"];
        all.extend(denials.iter().map(|no| format!("{no} {noun}")));
        let verb = if noun.ends_with('s') && !noun.ends_with("sis") { "are" } else { "is" };
        if !noun.contains(" or ") {
            all.push(format!("no {noun} {verb} seen"));
        }
    }
    all.extend(w.denials.iter().map(|p| (*p).to_owned()));
    dedup(all)
}

/// Drops repeats; the first stays.
pub(crate) fn dedup(all: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    all.into_iter().filter(|text| seen.insert(text.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::labeler::label;
    use super::super::observation::Polarity;
    use super::*;

    #[test]
    fn the_labeler_reads_every_prompt_as_meant() {
        let mut wrong = Vec::new();
        for observation in Observation::ALL {
            for text in prompts(observation) {
                if label(&text).labels.get(observation) != Some(Polarity::Present) {
                    wrong.push((observation, text));
                }
            }
            for text in negative_prompts(observation) {
                if label(&text).labels.get(observation) != Some(Polarity::Absent) {
                    wrong.push((observation, text));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn there_are_enough_of_each() {
        for observation in Observation::ALL {
            assert!(prompts(observation).len() >= 10, "{observation}");
            assert!(observation == Observation::NoFinding || negative_prompts(observation).len() >= 8, "{observation}");
        }
    }
}
