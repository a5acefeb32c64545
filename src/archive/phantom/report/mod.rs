//! The report of a phantom study, in the words of a radiologist. All templates are our own.
//!
//! - [`phrases`] what the findings section says of each kind of finding; [`suspected`] of a subtle one; [`equipment`] of a device
//! - [`summary`] what the impression says
//! - [`normal`] what is said of what is not there
//! - [`frame`] indication, comparison and the change since the film before
//! - [`words`] filling a template

mod equipment;
mod frame;
mod normal;
mod phrases;
mod summary;
mod suspected;
mod words;

use self::words::Words;
use super::finding::{Finding, Kind};
use super::patient::Visit;
use crate::archive::study::{Report, Section};
use crate::findings::{Observation, Polarity, Severity, Side};

/// What a sentence states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub observation: Observation,
    pub polarity: Polarity,
    /// The side that the sentence names.
    pub side: Option<Side>,
    /// The severity that the sentence names.
    pub severity: Option<Severity>,
}

impl Claim {
    pub fn absent(observation: Observation) -> Self {
        Self { observation, polarity: Polarity::Absent, side: None, severity: None }
    }
}

/// A sentence and what it states.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub text: String,
    pub claims: Vec<Claim>,
}

/// The report of a visit and everything stated in it.
pub(super) fn write(visit: &Visit) -> (Report, Vec<Statement>) {
    let mut w = Words::new(visit.words);
    let mut sections = Vec::new();
    let mut all = Vec::new();
    if w.chance.happens(0.85) {
        sections.push(Section { name: "indication".to_owned(), text: frame::indication(visit, &mut w) });
    }
    sections.push(Section { name: "comparison".to_owned(), text: frame::comparison(visit, &mut w) });
    let findings = body(visit, &mut w);
    sections.push(section("findings", &findings));
    all.extend(findings);
    // a few reports are read off at once, without an impression
    if w.chance.happens(0.94) {
        let impression = impression(visit, &mut w);
        let numbered = impression.len() > 1 && w.chance.happens(0.5);
        let mut part = section("impression", &impression);
        if numbered {
            part.text = impression
                .iter()
                .enumerate()
                .map(|(i, s)| format!("{}. {}", i + 1, s.text))
                .collect::<Vec<_>>()
                .join(" ");
        }
        sections.push(part);
        all.extend(impression);
    }
    (Report { sections }, all)
}

fn section(name: &str, statements: &[Statement]) -> Section {
    let text = statements.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(" ");
    Section { name: name.to_owned(), text }
}

/// Part of the body that a finding is read under.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Devices,
    Lungs,
    Pleura,
    Heart,
    Bones,
}

fn part(kind: Kind) -> Part {
    match kind {
        Kind::Device(_) => Part::Devices,
        Kind::Cardiomegaly | Kind::WideMediastinum => Part::Heart,
        Kind::Effusion | Kind::Pneumothorax | Kind::Thickening | Kind::Plaques => Part::Pleura,
        Kind::RibFracture(_) | Kind::ClavicleFracture => Part::Bones,
        _ => Part::Lungs,
    }
}

fn body(visit: &Visit, w: &mut Words) -> Vec<Statement> {
    const ORDERS: [[Part; 5]; 3] = [
        [Part::Devices, Part::Lungs, Part::Pleura, Part::Heart, Part::Bones],
        [Part::Heart, Part::Lungs, Part::Pleura, Part::Bones, Part::Devices],
        [Part::Devices, Part::Heart, Part::Lungs, Part::Pleura, Part::Bones],
    ];
    let order = ORDERS[w.chance.index(3)];
    let mut out = frame::opening(visit, w);
    for p in order {
        let here: Vec<Finding> = visit.findings.iter().copied().filter(|f| part(f.kind) == p).collect();
        for group in grouped(&here) {
            let mut s = phrases::describe(&group, w);
            frame::change(visit, &group, &mut s, w);
            out.push(s);
        }
        match p {
            Part::Lungs => out.extend(normal::lungs(visit, w)),
            Part::Pleura => out.extend(normal::pleura(visit, w)),
            Part::Heart => out.extend(normal::heart(visit, w)),
            Part::Bones => out.extend(normal::bones(visit, w)),
            Part::Devices => {}
        }
    }
    out.extend(frame::resolved(visit, w));
    out
}

fn impression(visit: &Visit, w: &mut Words) -> Vec<Statement> {
    let mut out = Vec::new();
    let told: Vec<Finding> =
        visit.findings.iter().copied().filter(|f| part(f.kind) != Part::Devices || w.chance.happens(0.3)).collect();
    for group in grouped(&told) {
        out.push(summary::summarize(&group, w));
    }
    let disease = visit.findings.iter().any(|f| part(f.kind) != Part::Devices);
    if !disease {
        out.push(normal::nothing(w));
    } else if w.chance.happens(0.35) {
        out.extend(normal::aside(visit, w));
    }
    out
}

/// Effusions of both sides are told together; everything else by itself.
fn grouped(findings: &[Finding]) -> Vec<Vec<Finding>> {
    let mut out: Vec<Vec<Finding>> = Vec::new();
    for f in findings {
        match out.iter_mut().find(|g| f.kind == Kind::Effusion && g[0].kind == Kind::Effusion) {
            Some(g) => g.push(*f),
            None => out.push(vec![*f]),
        }
    }
    out
}

/// Whether an observation is there, by the truth.
fn has(visit: &Visit, observation: Observation) -> bool {
    super::finding::truth(&visit.findings).labels.get(observation) == Some(Polarity::Present)
}
