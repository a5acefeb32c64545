//! The labeler against `testdata/cases.tsv`, and against any text at all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::labeler::{Labeled, label, label_report};
use super::labels::Labels;
use super::observation::{Observation, Polarity, Severity, Side};
use super::query::understand;

const CASES: &str = include_str!("testdata/cases.tsv");
const CODES: [&str; 14] =
    ["nf", "ecm", "card", "op", "les", "ede", "con", "pna", "ate", "ptx", "eff", "plo", "fra", "dev"];

struct Expected {
    observation: Observation,
    polarity: Polarity,
    side: Option<Side>,
    severity: Option<Severity>,
}

fn expected(code: &str) -> Expected {
    let at = code.find(['+', '-', '?']).expect("a polarity");
    let index = CODES.iter().position(|c| *c == &code[..at]).expect("an observation");
    let mut marks = code[at..].chars();
    let polarity = match marks.next() {
        Some('+') => Polarity::Present,
        Some('-') => Polarity::Absent,
        _ => Polarity::Uncertain,
    };
    let mut case = Expected { observation: Observation::ALL[index], polarity, side: None, severity: None };
    for mark in marks {
        match mark {
            'L' => case.side = Some(Side::Left),
            'R' => case.side = Some(Side::Right),
            'B' => case.side = Some(Side::Bilateral),
            '1' => case.severity = Some(Severity::Mild),
            '2' => case.severity = Some(Severity::Moderate),
            '3' => case.severity = Some(Severity::Severe),
            other => panic!("unknown mark {other} in {code}"),
        }
    }
    case
}

/// What is wrong with the reading of one case.
fn mistakes(labeled: &Labeled, codes: &str) -> Vec<String> {
    let cases: Vec<Expected> = codes.split_whitespace().map(expected).collect();
    let wanted: Labels = cases.iter().map(|c| (c.observation, c.polarity)).collect();
    let mut wrong = Vec::new();
    for observation in Observation::ALL {
        let skip = observation == Observation::NoFinding && wanted.get(observation).is_none();
        if !skip && labeled.labels.get(observation) != wanted.get(observation) {
            wrong.push(format!(
                "{observation}: {:?}, not {:?}",
                labeled.labels.get(observation),
                wanted.get(observation)
            ));
        }
    }
    for case in cases.iter().filter(|c| c.side.is_some() || c.severity.is_some()) {
        let first = labeled.mentions.iter().find(|m| m.observation == case.observation && m.polarity == case.polarity);
        let read = first.map(|m| (m.side, m.severity));
        if read.is_none_or(|(side, severity)| {
            case.side.is_some() && side != case.side || case.severity.is_some() && severity != case.severity
        }) {
            wrong.push(format!("{}: side and severity {read:?}", case.observation));
        }
    }
    wrong
}

#[test]
fn every_case_is_read_as_meant() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in CASES.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [theme, text, codes] = fields[..] else { panic!("three columns: {line}") };
        count += 1;
        let found = mistakes(&label(text), codes);
        if !found.is_empty() {
            wrong.push(format!("{theme}: {text} -> {}", found.join(" | ")));
        }
    }
    assert!(count >= 500, "{count} cases");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_report_without_findings_is_no_finding() {
    let report =
        label_report(&[("findings", "Heart size is normal. Lungs are clear. No effusion."), ("impression", "")]);
    assert_eq!(report.labels.get(Observation::NoFinding), Some(Polarity::Present));
    let device = label_report(&[("findings", "Lungs are clear. Left pacemaker.")]);
    assert_eq!(device.labels.get(Observation::NoFinding), Some(Polarity::Present));
    let hernia = label_report(&[("findings", "Lungs are clear. Large hiatal hernia.")]);
    assert_eq!(hernia.labels.get(Observation::NoFinding), Some(Polarity::Absent));
    let doubt = label_report(&[("findings", "Heart size is normal."), ("impression", "Possible pneumonia.")]);
    assert_eq!(doubt.labels.get(Observation::NoFinding), None);
    let silent = label_report(&[("note", "Patient called back on Monday.")]);
    assert_eq!(silent.labels.get(Observation::NoFinding), None);
}

#[test]
fn asides_are_not_read() {
    let report = label_report(&[
        ("INDICATION", "Pneumothorax?"),
        ("History", "Old rib fractures"),
        ("comparison", "Effusion"),
        ("findings", "No effusion."),
    ]);
    assert_eq!(report.sections.len(), 1);
    assert_eq!(report.sections[0].section, 3);
    assert_eq!(report.labels.get(Observation::Pneumothorax), None);
    assert_eq!(report.labels.get(Observation::PleuralEffusion), Some(Polarity::Absent));
}

#[test]
fn mentions_combine_present_over_uncertain_over_absent() {
    let read = |text: &str| label(text).labels.get(Observation::PleuralEffusion);
    assert_eq!(read("No right effusion. Small left effusion."), Some(Polarity::Present));
    assert_eq!(read("No effusion on the right. Possible left effusion."), Some(Polarity::Uncertain));
    assert_eq!(read("Left effusion. Possible right effusion. No pericardial effusion."), Some(Polarity::Present));
}

#[test]
fn ranges_point_at_the_words() {
    let text = "1. Clear. 2. No evidence of small pleural effusion.";
    let labeled = label(text);
    let m = labeled.mentions.iter().find(|m| m.observation == Observation::PleuralEffusion).expect("an effusion");
    assert_eq!(&text[m.phrase.clone()], "pleural effusion");
    assert_eq!(&text[m.cue.clone().expect("a cue")], "No evidence of");
    assert_eq!(&text[labeled.sentences[m.sentence].clone()], "No evidence of small pleural effusion.");
}

/// Nanoseconds that this thread has run, where the system says so: what else the machine does doesn't count.
fn ran() -> Option<f64> {
    let all = fs_err::read_to_string("/proc/thread-self/schedstat").ok()?;
    all.split_whitespace().next()?.parse().ok()
}

/// Seconds that it takes to read `text`.
fn seconds(text: &str) -> f64 {
    let (started, before) = (std::time::Instant::now(), ran());
    std::hint::black_box(label(text));
    match (before, ran()) {
        (Some(before), Some(after)) if after > before => (after - before) / 1e9,
        _ => started.elapsed().as_secs_f64(),
    }
}

#[test]
fn long_text_takes_linear_time() {
    let sentence = "no small left effusion, or, heart and lungs may not be enlarged ";
    assert!(!label(&sentence.repeat(100)).mentions.is_empty());
    let parts = [sentence, "Congestion without edema. ", "\n", ".", ":", "1.", "a.", "? ", "no ", "not ", "-", ","];
    for part in parts {
        let (short, long) = (part.repeat(16_000 / part.len()), part.repeat(256_000 / part.len()));
        let (short, long) = (seconds(&short), seconds(&long));
        // 16 times the text: 16 times the time, where a quadratic reading takes 256 times
        assert!(long < 80.0 * short.max(1e-3), "{part:?}: {short} s, then {long} s");
    }
}

fn words() -> impl Strategy<Value = String> {
    let pool: Vec<&'static str> = "no not without or and , . ; : ? - / ( ) \n 1. left right small large effusion pneumothorax heart lungs clear enlarged is are \
        normal possible may represent versus but with seen resolved cannot be excluded history of FINDINGS: Indication: é 中 XXXX nodule calcified chest"
        .split(' ')
        .filter(|w| !w.is_empty())
        .collect();
    proptest::collection::vec(proptest::sample::select(pool), 0..60).prop_map(|words| words.join(" "))
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let labeled = label(text);
    prop_assert_eq!(&labeled, &label(text));
    for m in &labeled.mentions {
        prop_assert!(
            labeled.sentences.get(m.sentence).is_some_and(|s| s.start <= m.phrase.start && m.phrase.end <= s.end)
        );
        prop_assert!(text.get(m.phrase.clone()).is_some_and(|p| !p.is_empty()));
        for part in [&m.cue, &m.scope].into_iter().flatten() {
            prop_assert!(text.get(part.clone()).is_some());
        }
        let line = super::explain::explain(text, m);
        prop_assert!(line.starts_with(m.observation.name()));
    }
    for wanted in understand(text).findings {
        prop_assert!(wanted.polarity != Polarity::Uncertain);
        prop_assert!(text.get(wanted.phrase).is_some());
    }
    label_report(&[("findings", text), ("", text)]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_unicode_is_survived(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_words_are_survived(text in words()) {
        check(&text)?;
    }
}
