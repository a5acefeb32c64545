//! Reports agree with the truth.

use super::super::finding::{Finding, Kind};
use super::super::*;
use crate::findings::{Observation, Polarity, Side};

#[test]
fn reports_state_what_is_true_with_its_side_and_severity() {
    let (mut present, mut absent, mut uncertain) = (0, 0, 0);
    for i in 0..1500 {
        let visit = patient::visit(9, i);
        let labels = finding::truth(&visit.findings).labels;
        let (report, statements) = report::write(&visit);
        assert!(report.sections.iter().all(|s| !s.text.contains(['{', '}']) && !s.text.contains("  ")), "{report:?}");
        for s in &statements {
            let text = s.text.to_lowercase();
            for c in &s.claims {
                let of = |side: Side| visit.findings.iter().filter(move |f| f.on(side));
                let is = |f: &&Finding| {
                    f.observation() == c.observation
                        || (c.observation == Observation::LungOpacity && matches!(f.kind, Kind::Pneumonia(_)))
                        || (c.observation == Observation::Consolidation && matches!(f.kind, Kind::Pneumonia(_)))
                };
                match c.polarity {
                    Polarity::Present => {
                        present += 1;
                        assert_eq!(labels.get(c.observation), Some(Polarity::Present), "{text}");
                        let graded = |f: &&Finding| c.severity.is_none_or(|s| s == f.severity);
                        match c.side {
                            Some(Side::Bilateral) => assert!(
                                [Side::Left, Side::Right].into_iter().all(|s| of(s).any(|f| is(&f) && graded(&f))),
                                "{text}"
                            ),
                            Some(side) => assert!(of(side).any(|f| is(&f) && graded(&f)), "{text}"),
                            None => assert!(visit.findings.iter().any(|f| is(&f) && graded(&f)), "{text}"),
                        }
                    }
                    Polarity::Absent => {
                        absent += 1;
                        match c.side {
                            Some(side) => assert!(!of(side).any(|f| is(&f)), "{text}"),
                            None => assert_eq!(labels.get(c.observation), Some(Polarity::Absent), "{text}"),
                        }
                        let negated = [
                            "no ",
                            "not ",
                            "no-",
                            "neither",
                            "negative",
                            "clear",
                            "normal",
                            "resol",
                            "intact",
                            "unremarkable",
                            "without",
                        ];
                        assert!(negated.iter().any(|n| text.contains(n)), "{text}");
                    }
                    Polarity::Uncertain => {
                        uncertain += 1;
                        assert_eq!(labels.get(c.observation), Some(Polarity::Present), "{text}");
                        let hedged = ["may ", "possib", "cannot", "questionable", "probable"];
                        assert!(hedged.iter().any(|n| text.contains(n)), "{text}");
                    }
                }
                // the words name the side that is claimed
                if let ([_], Some(side)) = (&s.claims[..], c.side) {
                    let (left, right) = (text.contains("left"), text.contains("right"));
                    match side {
                        Side::Left => assert!(left && !right, "{text}"),
                        Side::Right => assert!(right && !left, "{text}"),
                        Side::Bilateral => assert!(!left && !right, "{text}"),
                    }
                }
            }
        }
    }
    assert!(present > 2000 && absent > 3000 && uncertain > 100, "{present} {absent} {uncertain}");
}

#[test]
fn every_finding_is_told_and_wording_varies() {
    let mut texts = std::collections::BTreeSet::new();
    for i in 0..400 {
        let visit = patient::visit(3, i);
        let (report, statements) = report::write(&visit);
        for f in &visit.findings {
            let told = statements
                .iter()
                .flat_map(|s| &s.claims)
                .any(|c| c.observation == f.observation() && c.polarity != Polarity::Absent);
            let pneumonia = matches!(f.kind, Kind::Pneumonia(_));
            assert!(told || pneumonia, "{}", f.line());
        }
        texts.insert(report.sections.iter().find(|s| s.name == "findings").unwrap().text.clone());
    }
    assert!(texts.len() > 330, "{}", texts.len());
}
