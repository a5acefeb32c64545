//! Filling a template: `{side}`, `{size}`, `{lobe}` and the like.

use super::super::chance::Chance;
use super::super::finding::{Finding, Kind, Zone};
use super::{Claim, Statement};
use crate::findings::{Observation, Polarity, Severity, Side};

/// A source of wording.
pub(super) struct Words {
    pub chance: Chance,
    seed: u64,
}

impl Words {
    pub fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed, 4), seed }
    }

    /// Whether the reader only suspects a finding; the same all through a report. Some of the mild ones are.
    pub fn doubts(&self, f: &Finding) -> bool {
        let plain = matches!(f.kind, Kind::Device(_) | Kind::Thickening | Kind::Plaques | Kind::Mass(_));
        f.severity == Severity::Mild && !plain && Chance::new(self.seed ^ f.shape, 5).happens(0.3)
    }

    pub fn pick(&mut self, of: &[&'static str]) -> &'static str {
        self.chance.pick(of)
    }

    /// `{side}`, `{size}` (of a thing: small, large), `{grade}` (of a state: mild, severe), `{gradely}` (mildly), `{lobe}` and `{zone}` from
    /// the finding. A template without side or size states none.
    pub fn fill(&mut self, template: &str, f: &Finding, observation: Observation, polarity: Polarity) -> Statement {
        let mut text = template.to_owned();
        let mut severity = None;
        for (slot, words) in
            [("{size}", sizes(f.severity)), ("{grade}", grades(f.severity)), ("{gradely}", gradely(f.severity))]
        {
            if text.contains(slot) {
                let word = self.pick(words);
                text = text.replace(slot, word);
                severity = Some(f.severity);
            }
        }
        let mut side = None;
        let sided = ["{side}", "{lobe}", "{zone}", "{base}"];
        if sided.iter().any(|s| text.contains(s)) {
            side = f.side;
        }
        let s = f.side.map_or("", side_word);
        if let Some(z) = f.zone() {
            let lobe = lobe(z, f.side, self);
            text = text.replace("{lobe}", &lobe).replace("{zone}", &zone_word(z, s));
        }
        text = text.replace("{side}", s);
        Statement { text: sentence(&text), claims: vec![Claim { observation, polarity, side, severity }] }
    }

    /// One of the templates, filled.
    pub fn tell(&mut self, templates: &[&'static str], f: &Finding, polarity: Polarity) -> Statement {
        let template = self.pick(templates);
        self.fill(template, f, f.observation(), polarity)
    }
}

pub(super) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Left => "left",
        Side::Right => "right",
        Side::Bilateral => "bilateral",
    }
}

pub(super) fn sizes(severity: Severity) -> &'static [&'static str] {
    match severity {
        Severity::Mild => &["small", "small", "trace", "minimal"],
        Severity::Moderate => &["moderate", "moderate", "moderate-sized"],
        Severity::Severe => &["large", "large", "massive"],
    }
}

fn grades(severity: Severity) -> &'static [&'static str] {
    match severity {
        Severity::Mild => &["mild", "mild", "minimal", "slight"],
        Severity::Moderate => &["moderate"],
        Severity::Severe => &["severe", "marked"],
    }
}

fn gradely(severity: Severity) -> &'static [&'static str] {
    match severity {
        Severity::Mild => &["mildly", "slightly"],
        Severity::Moderate => &["moderately"],
        Severity::Severe => &["severely", "markedly"],
    }
}

fn lobe(zone: Zone, side: Option<Side>, w: &mut Words) -> String {
    let left = side == Some(Side::Left);
    let s = if left { "left" } else { "right" };
    match zone {
        Zone::Upper => format!("{s} upper lobe"),
        Zone::Middle if left => w.pick(&["left lingula", "lingula of the left lung"]).to_owned(),
        Zone::Middle => "right middle lobe".to_owned(),
        Zone::Lower => format!("{s} lower lobe"),
    }
}

fn zone_word(zone: Zone, side: &str) -> String {
    match zone {
        Zone::Upper => format!("{side} upper lung zone"),
        Zone::Middle => format!("{side} mid lung zone"),
        Zone::Lower => format!("{side} lung base"),
    }
}

/// Capital at the start, full stop at the end, no double blanks.
pub(super) fn sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut chars = text.chars();
    let mut out: String = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    out.push_str(chars.as_str());
    if !out.ends_with('.') {
        out.push('.');
    }
    // a mild thing takes "a", never "an"; only vowels need care
    for vowel in ["a", "e", "i", "o", "u"] {
        out = out.replace(&format!(" a {vowel}"), &format!(" an {vowel}"));
        if let Some(rest) = out.strip_prefix(&format!("A {vowel}")) {
            out = format!("An {vowel}{rest}");
        }
    }
    out
}
