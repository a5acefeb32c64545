//! Cues that look ahead, and where they end: at a turn, at a mark, or where a comma or an "and" begins a new statement.

use std::ops::Range;

use super::cues::Cue;
use super::scope::{Effect, Governor, REACH, Style};
use super::tokens::{Kind, Token};

/// Walks the sentence once; every cue reaches to the next turn.
pub(crate) fn forward(
    tokens: &[Token],
    cues: &[(Range<usize>, Cue)],
    phrases: &[Range<usize>],
    style: Style,
) -> Vec<Governor> {
    let mut found: Vec<Governor> = Vec::new();
    let mut active: Option<Active> = None;
    let mut next_cue = cues.iter().peekable();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Some((range, cue)) = next_cue.next_if(|(range, _)| range.start <= at) {
            let opened = match cue {
                Cue::Negates => Some((Effect::Absent, Ends::Clause)),
                Cue::Doubts => Some((Effect::Uncertain, Ends::Phrase)),
                Cue::Suggests => Some((Effect::Uncertain, Ends::Clause)),
                Cue::Lists => Some((Effect::Uncertain, Ends::List)),
                Cue::Aside => Some((Effect::Aside, Ends::Phrase)),
                Cue::If => Some((Effect::Aside, Ends::Turn)),
                _ => None,
            };
            // "no opacity to suggest pneumonia", "to exclude a possible mass": doubt inside a negation or an aside adds nothing
            let inner = range.start.checked_sub(1).and_then(|i| tokens.get(i)).is_some_and(|t| t.is("to"));
            let yields = active.as_ref().is_some_and(|a| match a.effect {
                Effect::Absent => !a.past_comma || inner,
                effect => effect == Effect::Aside,
            });
            match opened {
                Some((Effect::Uncertain, _)) if yields => {}
                Some((effect, ends)) => {
                    close(&mut active, at, &mut found);
                    let minus = tokens.get(range.start).is_some_and(|t| t.kind == Kind::Minus);
                    let next = || phrases.iter().find(|p| p.start >= range.end).map_or(range.end, |p| p.end);
                    let until = if minus { next() } else { range.end + REACH };
                    active = Some(Active { effect, ends, until, cue: range.clone(), past_comma: false });
                }
                None if *cue == Cue::Turn => close(&mut active, at, &mut found),
                None => {}
            }
            at = range.end.max(at);
            if at > range.start {
                continue;
            }
        }
        if let Some(a) = &mut active {
            let ends = match token.kind {
                Kind::Mark(';' | ':' | '.' | '!') => true,
                Kind::Mark('?') => a.effect == Effect::Absent,
                Kind::Mark(',') => {
                    a.past_comma = true;
                    comma_ends(tokens, at, a, style)
                }
                Kind::Word if token.text == "and" => and_ends(tokens, at, a, phrases),
                // the list of a negation goes on: "no effusion, edema, or opacity suggestive of pneumonia"
                Kind::Word if token.is_any(&["or", "nor"]) => {
                    a.past_comma = false;
                    false
                }
                _ => false,
            };
            if ends || at >= a.until {
                close(&mut active, at, &mut found);
            }
        }
        if token.is_mark('?') && tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Word) {
            close(&mut active, at, &mut found);
            active = Some(Active {
                effect: Effect::Uncertain,
                ends: Ends::Phrase,
                until: at + REACH,
                cue: at..at + 1,
                past_comma: false,
            });
        }
        at += 1;
    }
    close(&mut active, tokens.len(), &mut found);
    found
}

/// What ends a cue's reach, besides a turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// The next comma or "and".
    Phrase,
    /// A comma or "and" that begins a new statement.
    Clause,
    /// A comma that begins a new statement: an "and" joins the items.
    List,
    /// A turn only.
    Turn,
}

struct Active {
    effect: Effect,
    ends: Ends,
    /// The token at which it ends at the latest: a minus excludes the next mention only.
    until: usize,
    cue: Range<usize>,
    past_comma: bool,
}

fn close(active: &mut Option<Active>, end: usize, found: &mut Vec<Governor>) {
    if let Some(a) = active.take() {
        let reach = a.cue.end..end.max(a.cue.end);
        found.push(Governor { effect: a.effect, cue: a.cue, reach, either: false });
    }
}
/// Verbs that make a clause of its own out of what follows a comma.
pub(crate) const VERBS: [&str; 19] = [
    "is",
    "are",
    "was",
    "were",
    "has",
    "have",
    "remains",
    "remain",
    "appears",
    "appear",
    "shows",
    "show",
    "demonstrates",
    "demonstrate",
    "persists",
    "measures",
    "overlies",
    "projects",
    "may",
];
/// Verbs of perception: "and effusion is seen" still belongs to the "no" before.
const SEEN: [&str; 12] = [
    "seen",
    "identified",
    "present",
    "noted",
    "evident",
    "visualized",
    "demonstrated",
    "appreciated",
    "detected",
    "visible",
    "observed",
    "found",
];
/// Words that begin a statement of presence: "no effusion, stable cardiomegaly".
const STATES: [&str; 29] = [
    "stable",
    "unchanged",
    "small",
    "mild",
    "mildly",
    "moderate",
    "moderately",
    "minimal",
    "trace",
    "persistent",
    "residual",
    "improved",
    "improving",
    "tiny",
    "slight",
    "old",
    "healed",
    "chronic",
    "interval",
    "status",
    "again",
    "increased",
    "increasing",
    "worsening",
    "bibasilar",
    "enlarged",
    "continued",
    "redemonstrated",
    "low",
];

fn comma_ends(tokens: &[Token], at: usize, active: &Active, style: Style) -> bool {
    let list = list_goes_on(tokens, at + 1);
    if active.ends == Ends::Turn {
        return false;
    }
    if active.ends == Ends::Phrase {
        return !list;
    }
    match style {
        Style::Query => !list,
        Style::Report => independent(tokens, at + 1, list, spoken(tokens, active, at)),
    }
}

fn and_ends(tokens: &[Token], at: usize, active: &Active, phrases: &[Range<usize>]) -> bool {
    if tokens.get(at + 1).is_some_and(|t| t.is("or")) || tokens.get(at + 1).is_some_and(|t| t.is_mark('/')) {
        return false;
    }
    match active.ends {
        // "questionable third and fourth rib fractures": before the first mention it joins attributes
        Ends::Phrase if active.effect == Effect::Uncertain => {
            return phrases.iter().any(|p| p.end > active.cue.start && p.end <= at);
        }
        Ends::List | Ends::Turn => return false,
        _ => {}
    }
    independent(tokens, at + 1, false, spoken(tokens, active, at))
}

/// True when the clause of the cue already has its verb before `at`: "no pneumothorax is seen, fractures are present".
fn spoken(tokens: &[Token], active: &Active, at: usize) -> bool {
    tokens.get(active.cue.end..at).is_some_and(|clause| clause.iter().any(|t| t.is_any(&VERBS)))
}

/// True when an "or" or "nor" follows within the same list, so that a comma only separates its items.
fn list_goes_on(tokens: &[Token], from: usize) -> bool {
    for token in tokens.iter().skip(from).take(20) {
        match token.kind {
            Kind::Mark(';' | ':' | '.') => return false,
            Kind::Word if token.is_any(&["or", "nor"]) => return true,
            Kind::Word if token.is_any(&["no", "without", "but", "with", "however", "and", "is", "are"]) => {
                return false;
            }
            _ => {}
        }
    }
    false
}

/// True when a new statement begins at `from`: it has a verb of its own, or begins as statements of presence do.
fn independent(tokens: &[Token], from: usize, list: bool, spoken: bool) -> bool {
    let Some(first) = tokens.get(from) else { return false };
    if first.is_any(&["or", "nor"]) || list {
        return false;
    }
    if first.is_any(&STATES) {
        return true;
    }
    let segment = tokens
        .iter()
        .enumerate()
        .skip(from)
        .take(16)
        .take_while(|(_, t)| !matches!(t.kind, Kind::Mark(',' | ';' | ':' | '.')));
    for (i, token) in segment {
        if token.is_any(&["or", "nor", "which", "that"]) {
            return false;
        }
        if token.is_any(&VERBS) {
            let seen = tokens.iter().skip(i + 1).take(2).any(|t| t.is_any(&SEEN));
            return spoken || !seen;
        }
    }
    false
}
