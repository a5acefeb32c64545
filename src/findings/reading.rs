//! One sentence read: its phrases, the cue that governs each, and the mentions that come of it.

use std::ops::Range;

use super::attributes::{severity, side};
use super::labeler::{Labeled, Mention};
use super::observation::{Observation, Polarity};
use super::pattern::Match;
use super::scope::{Effect, Governor, Style, governors};
use super::tokens::{Token, tokenize};
use super::vocabulary::{PHRASES, Says};

/// Adds the mentions in the bytes `range` of `text`, one sentence, to `labeled`.
pub(crate) fn read_sentence(text: &str, range: Range<usize>, style: Style, labeled: &mut Labeled) {
    let all = tokenize(text, range);
    for tokens in all.chunks(LONGEST) {
        read_tokens(tokens, style, labeled);
    }
}

/// Bytes of the sentence `range` that say what is not there.
pub(crate) fn denied(text: &str, range: Range<usize>, style: Style) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for tokens in tokenize(text, range).chunks(LONGEST) {
        let matches = outermost(PHRASES.find(tokens));
        let spans: Vec<Range<usize>> = matches.iter().map(|m| m.tokens.clone()).collect();
        let reaches =
            governors(tokens, &spans, style).into_iter().filter(|g| g.effect == Effect::Absent).map(|g| g.reach);
        let inner = matches.iter().filter(|m| inner_not(tokens, m)).map(|m| m.tokens.clone());
        for reach in reaches.chain(inner) {
            let ends = tokens.get(reach.start).zip(reach.end.checked_sub(1).and_then(|last| tokens.get(last)));
            found.extend(ends.map(|(first, last)| first.range.start..last.range.end).filter(|range| !range.is_empty()));
        }
    }
    found
}

/// Longest stretch in tokens that is read as one sentence: bounds the work on text without a full stop.
const LONGEST: usize = 400;

fn read_tokens(tokens: &[Token], style: Style, labeled: &mut Labeled) {
    // "a nodule that is not calcified" is no calcified nodule
    let denied = |m: &Match<Says>| matches!(m.value, Says::Other | Says::Mask) && inner_not(tokens, m);
    let found = PHRASES.find(tokens).into_iter().filter(|m| !denied(m)).collect();
    let matches = outermost(found);
    labeled.about_chest |= !matches.is_empty() || tokens.iter().any(|t| t.is_any(&CHEST));
    let spans: Vec<Range<usize>> = matches.iter().filter(|m| m.value != Says::Mask).map(|m| m.tokens.clone()).collect();
    let governors = governors(tokens, &spans, style);
    let bytes = |r: &Range<usize>| -> Option<Range<usize>> {
        let first = tokens.get(r.start)?;
        let last = tokens.get(r.end.checked_sub(1)?)?;
        (first.range.start <= last.range.end).then_some(first.range.start..last.range.end)
    };
    let first = labeled.mentions.len();
    let (mut hinted, mut denied) = (Vec::new(), Vec::new());
    for m in &matches {
        let governor = govern(&governors, m);
        let effect = governor.map(|g| g.effect);
        let said: &[(&[Observation], Polarity)] = match (m.value, effect) {
            (Says::Mask, _) => continue,
            (_, Some(Effect::Aside)) if style == Style::Report => continue,
            (Says::Other, effect) => {
                labeled.other_abnormality |= effect != Some(Effect::Absent);
                continue;
            }
            (Says::Shows(_) | Says::Suspects(_) | Says::Hints(_), _)
                if style == Style::Report && inner_not(tokens, m) =>
            {
                &[(shown(m.value), Polarity::Absent)]
            }
            // a sign of something, itself in doubt, says nothing of it: "question mild vascular congestion"
            (Says::Hints(_), Some(Effect::Uncertain)) if style == Style::Report => continue,
            (Says::Shows(o) | Says::Suspects(o) | Says::Hints(o), Some(Effect::Absent)) => &[(o, Polarity::Absent)],
            (Says::Shows(o), None | Some(Effect::Aside)) => &[(o, Polarity::Present)],
            (Says::Shows(o) | Says::Suspects(o) | Says::Hints(o), _) => &[(o, Polarity::Uncertain)],
            (Says::Excludes(_) | Says::Normal(_), _) if inner_not(tokens, m) => continue,
            (Says::Excludes(o), _) => &[(o, Polarity::Absent)],
            (Says::Normal(o), _) => &[(&[Observation::NoFinding], Polarity::Present), (o, Polarity::Absent)],
        };
        let states = matches!(m.value, Says::Excludes(_) | Says::Normal(_));
        let governor = governor.filter(|_| !states);
        let Some(phrase) = bytes(&m.tokens) else { continue };
        for (observations, polarity) in said {
            for &observation in *observations {
                match (m.value, *polarity) {
                    (Says::Hints(_), Polarity::Uncertain) => hinted.push(labeled.mentions.len() - first),
                    (Says::Normal(_), _) => {}
                    (_, Polarity::Absent) => denied.push(observation),
                    _ => {}
                }
                labeled.mentions.push(Mention {
                    observation,
                    polarity: *polarity,
                    side: side(tokens, &m.tokens, &spans, observation),
                    severity: if states { None } else { severity(tokens, &m.tokens, &m.literals, &spans) },
                    sentence: labeled.sentences.len(),
                    phrase: phrase.clone(),
                    cue: governor.and_then(|g| bytes(&g.cue)),
                    scope: governor.and_then(|g| bytes(&g.reach)),
                });
            }
        }
    }
    if !hinted.is_empty() && !denied.is_empty() {
        drop_denied(&mut labeled.mentions, first, &hinted, &denied);
    }
}

/// Drops the signs of what the same sentence denies by name: "vascular congestion without edema".
fn drop_denied(mentions: &mut Vec<Mention>, first: usize, hinted: &[usize], denied: &[Observation]) {
    let own = mentions.split_off(first.min(mentions.len()));
    let kept = own.into_iter().enumerate().filter(|(i, m)| !(hinted.contains(i) && denied.contains(&m.observation)));
    mentions.extend(kept.map(|(_, m)| m));
}

/// Words that show that a text is about a chest film though it names no phrase.
const CHEST: [&str; 14] = [
    "chest",
    "lung",
    "lungs",
    "heart",
    "cardiac",
    "cardiomediastinal",
    "mediastinum",
    "mediastinal",
    "pulmonary",
    "pleural",
    "cardiopulmonary",
    "hilar",
    "thorax",
    "thoracic",
];

fn shown(says: Says) -> &'static [Observation] {
    match says {
        Says::Shows(o) | Says::Suspects(o) | Says::Hints(o) | Says::Excludes(o) | Says::Normal(o) => o,
        Says::Other | Says::Mask => &[],
    }
}

/// True when a "not" stands in a gap of the phrase: "heart is not enlarged".
fn inner_not(tokens: &[Token], m: &Match<Says>) -> bool {
    m.tokens.clone().any(|i| {
        !m.literals.contains(&i)
            && tokens.get(i).is_some_and(|t| t.is_any(&["not", "cannot", "isnt", "arent", "never"]))
    })
}

/// The governor of a mention: a negation before a doubt, the nearest of each.
fn govern<'a>(governors: &'a [Governor], m: &Match<Says>) -> Option<&'a Governor> {
    let anchor = m.literals.iter().max().copied().unwrap_or(m.tokens.start);
    let reaches = |g: &&Governor| {
        let overlaps = g.cue.start < m.tokens.end && g.cue.end > m.tokens.start && g.reach.contains(&anchor);
        // "no interstitial changes of": the phrase is part of the negation
        let within = g.effect == Effect::Absent && g.cue.start < m.tokens.start && m.tokens.end <= g.cue.end;
        overlaps || within || g.reach.contains(&m.tokens.start)
    };
    let nearest = |effect: Effect| {
        governors
            .iter()
            .filter(move |g| g.effect == effect)
            .filter(reaches)
            .min_by_key(|g| (g.either, g.cue.start.abs_diff(m.tokens.start)))
    };
    nearest(Effect::Absent).or_else(|| nearest(Effect::Aside)).or_else(|| nearest(Effect::Uncertain))
}

/// Drops the matches whose words are all part of a longer match, and joins neighbours that say the same ("mass lesion").
fn outermost(found: Vec<Match<Says>>) -> Vec<Match<Says>> {
    let covered = |i: usize, m: &Match<Says>| {
        let near = |j: usize| found.get(j).filter(|w| w.tokens.start.abs_diff(m.tokens.start) < 16);
        let covers = |w: &Match<Says>| {
            w.tokens.start <= m.tokens.start
                && w.tokens.end >= m.tokens.end
                && w.literals.len() > m.literals.len()
                && m.literals.iter().all(|l| w.literals.contains(l))
        };
        let earlier = (0..i).rev().map_while(near).any(covers);
        earlier || (i + 1..found.len()).map_while(near).any(covers)
    };
    let keep: Vec<bool> = found.iter().enumerate().map(|(i, m)| !covered(i, m)).collect();
    let mut joined: Vec<Match<Says>> = Vec::new();
    for m in found.into_iter().zip(keep).filter_map(|(m, keep)| keep.then_some(m)) {
        match joined.last_mut() {
            Some(last) if last.value == m.value && m.tokens.start <= last.tokens.end => {
                last.tokens.end = last.tokens.end.max(m.tokens.end);
                last.literals.extend(m.literals);
            }
            _ => joined.push(m),
        }
    }
    joined
}
