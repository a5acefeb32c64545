//! What a typed query asks for: the labeler's reading of it, in query style.
//!
//! "large right effusion, no pneumothorax", "effusion -pneumothorax", "cardiomegaly no edema", "PTX left", "normal chest".

use std::ops::Range;

use serde::Serialize;

use super::labeler::{Mention, read};
use super::labels::Labels;
use super::observation::{Observation, Polarity, Severity, Side};
use super::query_sides::other_sides;
use super::scope::Style;

/// A finding that a query wants present or absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// Which.
    pub observation: Observation,
    /// `Present` or `Absent`; a hedged word in a query ("possible pneumonia") asks for presence.
    pub polarity: Polarity,
    /// The side asked for.
    pub side: Option<Side>,
    /// The size asked for.
    pub severity: Option<Severity>,
    /// Bytes of the query that say so.
    pub phrase: Range<usize>,
}

/// A query understood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Understood {
    /// What is wanted, in the order of the query; one entry for each observation, side and polarity.
    pub findings: Vec<Wanted>,
    /// The same as a label vector; where a query wants an observation both ways ("left effusion, no right effusion") presence stands.
    pub labels: Labels,
}

impl Understood {
    /// The findings wanted with this polarity.
    pub fn wants(&self, polarity: Polarity) -> impl Iterator<Item = &Wanted> + '_ {
        self.findings.iter().filter(move |w| w.polarity == polarity)
    }

    /// True when the query names no finding.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Reads the findings out of a free-text query. Never fails: a query that names none is empty.
///
/// A statement of normality wants what it excludes absent ("lungs clear"), and `No Finding` present where it speaks of the whole chest.
pub fn understand(query: &str) -> Understood {
    // a bare "normal" means the chest
    let bare = query.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase);
    let bare = bare.clone().count() > 0 && bare.clone().all(|w| BARE_NORMAL.contains(&w.as_str()));
    let mut read = read(if bare { "normal chest" } else { query }, Style::Query);
    if bare {
        read.mentions.iter_mut().for_each(|m| m.phrase = 0..query.len());
    }
    let others = other_sides(query, &read.mentions);
    let others: Vec<Mention> = others
        .into_iter()
        .filter_map(|(observation, polarity, side, of)| {
            let mention = read.mentions.get(of)?.clone();
            Some(Mention { observation, polarity, side: Some(side), severity: None, ..mention })
        })
        .collect();
    let mut understood = Understood::default();
    for mention in read.mentions.into_iter().chain(others) {
        let polarity = match mention.polarity {
            Polarity::Absent => Polarity::Absent,
            Polarity::Present | Polarity::Uncertain => Polarity::Present,
        };
        let wanted = Wanted {
            observation: mention.observation,
            polarity,
            side: mention.side,
            severity: mention.severity,
            phrase: mention.phrase,
        };
        let same = |w: &&mut Wanted| {
            w.observation == wanted.observation && w.polarity == wanted.polarity && w.side == wanted.side
        };
        match understood.findings.iter_mut().find(same) {
            Some(earlier) => earlier.severity = earlier.severity.or(wanted.severity),
            None => understood.findings.push(wanted),
        }
    }
    drop_implied(&mut understood.findings);
    for wanted in &understood.findings {
        if wanted.polarity == Polarity::Present || understood.labels.get(wanted.observation).is_none() {
            understood.labels.set(wanted.observation, wanted.polarity);
        }
    }
    understood
}

/// Words that, alone, ask for a normal chest.
const BARE_NORMAL: [&str; 7] = ["normal", "unremarkable", "healthy", "nothing", "abnormal", "study", "film"];

/// "lungs clear except left nodule": what is asked for outweighs what a normality statement implies.
fn drop_implied(findings: &mut Vec<Wanted>) {
    let present: Vec<Observation> =
        findings.iter().filter(|w| w.polarity == Polarity::Present).map(|w| w.observation).collect();
    let abnormal = present.iter().any(|o| !matches!(o, Observation::NoFinding | Observation::SupportDevices));
    findings.retain(|w| match w.polarity {
        Polarity::Present => w.observation != Observation::NoFinding || !abnormal,
        _ => w.side.is_some() || !present.contains(&w.observation),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use Observation::{Cardiomegaly, Edema, NoFinding, PleuralEffusion, Pneumonia, Pneumothorax, SupportDevices};

    fn wants(query: &str) -> Vec<(Observation, Polarity, Option<Side>, Option<Severity>)> {
        understand(query).findings.into_iter().map(|w| (w.observation, w.polarity, w.side, w.severity)).collect()
    }

    #[test]
    fn keywords_with_negation() {
        use Polarity::{Absent, Present};
        assert_eq!(wants("no effusion"), [(PleuralEffusion, Absent, None, None)]);
        assert_eq!(wants("without effusion"), [(PleuralEffusion, Absent, None, None)]);
        assert_eq!(
            wants("effusion -pneumothorax"),
            [(PleuralEffusion, Present, None, None), (Pneumothorax, Absent, None, None)]
        );
        assert_eq!(
            wants("-pneumothorax effusion"),
            [(Pneumothorax, Absent, None, None), (PleuralEffusion, Present, None, None)]
        );
        assert_eq!(wants("cardiomegaly no edema"), [(Cardiomegaly, Present, None, None), (Edema, Absent, None, None)]);
        assert_eq!(wants("cardiomegaly NOT edema"), [(Cardiomegaly, Present, None, None), (Edema, Absent, None, None)]);
        assert_eq!(
            wants("no effusion, cardiomegaly"),
            [(PleuralEffusion, Absent, None, None), (Cardiomegaly, Present, None, None)]
        );
        assert_eq!(wants("no effusion, pneumothorax or edema").iter().filter(|w| w.1 == Absent).count(), 3);
    }

    #[test]
    fn side_and_severity() {
        assert_eq!(
            wants("large right effusion, no pneumothorax"),
            [
                (PleuralEffusion, Polarity::Present, Some(Side::Right), Some(Severity::Severe)),
                (Pneumothorax, Polarity::Absent, None, None)
            ]
        );
        assert_eq!(wants("PTX left"), [(Pneumothorax, Polarity::Present, Some(Side::Left), None)]);
        assert_eq!(
            wants("small left apical pneumothorax, no effusion")[0],
            (Pneumothorax, Polarity::Present, Some(Side::Left), Some(Severity::Mild))
        );
    }

    #[test]
    fn sides_set_against_each_other() {
        use Polarity::{Absent, Present};
        let left = (PleuralEffusion, Present, Some(Side::Left), None);
        let right = (PleuralEffusion, Absent, Some(Side::Right), None);
        for query in [
            "left-sided effusion not right",
            "left effusion, not right",
            "effusion on the left but not on the right",
            "left effusion without right effusion",
            "effusion only on the left",
            "left only effusion",
        ] {
            assert_eq!(wants(query), [left, right], "{query}");
        }
        assert_eq!(wants("left but not right effusion"), [right, left]);
        assert_eq!(wants("left effusion not right pneumothorax")[1], (Pneumothorax, Absent, Some(Side::Right), None));
        assert_eq!(wants("left effusion not right pneumothorax").len(), 2);
        assert_eq!(wants("effusion only"), [(PleuralEffusion, Present, None, None)]);
        assert_eq!(wants("cardiomegaly, not right"), [(Cardiomegaly, Present, None, None)]);
    }

    #[test]
    fn turns_and_exceptions() {
        use Polarity::{Absent, Present};
        assert_eq!(
            wants("effusion but no edema"),
            [(PleuralEffusion, Present, None, None), (Edema, Absent, None, None)]
        );
        assert_eq!(
            wants("cardiomegaly except edema"),
            [(Cardiomegaly, Present, None, None), (Edema, Absent, None, None)]
        );
        assert_eq!(wants("effusion other than pneumonia")[1], (Pneumonia, Absent, None, None));
        assert!(wants("lungs clear except left effusion").contains(&(
            PleuralEffusion,
            Present,
            Some(Side::Left),
            None
        )));
        assert_eq!(wants("no devices"), [(SupportDevices, Absent, None, None)]);
        assert_eq!(wants("pneumothorax w/o effusion").len(), 2);
        assert_eq!(wants("neither effusion nor pneumothorax").iter().filter(|w| w.1 == Absent).count(), 2);
    }

    #[test]
    fn doubt_and_questions_ask_for_presence() {
        assert_eq!(wants("possible pneumonia"), [(Pneumonia, Polarity::Present, None, None)]);
        assert_eq!(wants("rule out pneumothorax"), [(Pneumothorax, Polarity::Present, None, None)]);
        assert_eq!(wants("pacemaker"), [(SupportDevices, Polarity::Present, None, None)]);
    }

    #[test]
    fn normal_chest() {
        let understood = understand("normal chest");
        assert_eq!(understood.labels.get(NoFinding), Some(Polarity::Present));
        assert_eq!(understood.labels.get(PleuralEffusion), Some(Polarity::Absent));
        assert_eq!(understand("Normal").labels, understood.labels);
        assert_eq!(understand("normal study").labels, understood.labels);
        assert!(understand("woman, 60 years").is_empty());
        assert!(understand("").is_empty());
    }
}
