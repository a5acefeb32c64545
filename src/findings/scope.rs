//! How far cues reach: which cue, if any, governs each mention of a sentence.

use std::ops::Range;

use super::cues::{CUES, Cue, QUERY_CUES};
use super::forward::{VERBS, forward};
use super::pattern::Match;
use super::tokens::{Kind, Token};

/// Reports are dictated in sentences, queries typed in keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A comma after "no" goes on with the list.
    Report,
    /// A comma after "no" ends it unless an "or" follows; a minus excludes.
    Query,
}

/// What a cue makes of the mentions in its reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Absent,
    Uncertain,
    /// Not said of this film.
    Aside,
}

/// A cue at work: its effect, its tokens and the tokens it reaches.
#[derive(Clone, Debug)]
pub(crate) struct Governor {
    pub effect: Effect,
    pub cue: Range<usize>,
    pub reach: Range<usize>,
    /// An alternative ("or", "versus"): it counts where no other cue does.
    pub either: bool,
}

/// Longest reach in tokens.
pub(crate) const REACH: usize = 40;
/// How far "or" and "versus" look for their two sides.
const SIDES: usize = 5;

/// Words of a query after which an exception is what it asks for.
const NOTHING: [&str; 9] = ["no", "nothing", "without", "not", "clear", "normal", "unremarkable", "negative", "free"];

/// The governors of a sentence, in an order of which a later one yields to an earlier one.
pub(crate) fn governors(tokens: &[Token], phrases: &[Range<usize>], style: Style) -> Vec<Governor> {
    let mut cues = cues(tokens, style);
    for (range, cue) in cues.iter_mut().filter(|(_, cue)| *cue == Cue::Resolved) {
        let follows = phrases.iter().find(|p| p.start >= range.end).is_some_and(|p| {
            p.start - range.end < 4
                && tokens[range.end..p.start].iter().all(|t| t.kind == Kind::Word && !t.is_any(&["and", "with", "is"]))
        });
        *cue = if follows { Cue::Negates } else { Cue::Negated };
    }
    for (range, cue) in cues.iter_mut() {
        let until = clause_end(tokens, range.end);
        let follows = || phrases.iter().any(|p| p.start >= range.end && p.end <= until);
        // "effusion except pneumonia" excludes; "lungs clear except an effusion" asks for it
        let excepts = || {
            style == Style::Query
                && tokens.get(range.start).is_some_and(|t| t.is_any(&["except", "excepting", "other"]))
                && !tokens.get(..range.start).is_some_and(|before| before.iter().any(|t| t.is_any(&NOTHING)))
        };
        let bare = || {
            let colon = range.start.checked_sub(1).and_then(|i| tokens.get(i)).is_some_and(|t| t.is_mark(':'));
            colon && tokens.get(range.end).is_none_or(|t| t.kind != Kind::Word)
        };
        *cue = match *cue {
            Cue::Negates if bare() => Cue::Negated,
            Cue::Turn if excepts() => Cue::Negates,
            Cue::Open if follows() => Cue::Suggests,
            Cue::Guessed if follows() => Cue::Doubts,
            Cue::Open | Cue::Guessed => Cue::Doubted,
            other => other,
        };
    }
    let mut found = forward(tokens, &cues, phrases, style);
    found.extend(backward(tokens, &cues, phrases));
    found.extend(both_sides(tokens, &cues, phrases, &found));
    found
}

/// Where the clause that goes on at `from` ends at the latest.
fn clause_end(tokens: &[Token], from: usize) -> usize {
    let ends = |t: &Token| matches!(t.kind, Kind::Mark(',' | ';' | ':' | '.' | '!'));
    tokens.iter().skip(from).position(ends).map_or(tokens.len(), |n| from + n)
}

/// The cues of a sentence without those inside a longer one.
fn cues(tokens: &[Token], style: Style) -> Vec<(Range<usize>, Cue)> {
    let table = if style == Style::Query { &*QUERY_CUES } else { &*CUES };
    let mut all: Vec<Match<Cue>> = table.find(tokens);
    all.sort_by_key(|m| (m.tokens.start, std::cmp::Reverse(m.tokens.end), std::cmp::Reverse(m.literals.len())));
    let mut kept: Vec<(Range<usize>, Cue)> = Vec::new();
    for m in all {
        if kept.last().is_none_or(|(last, _)| m.tokens.start >= last.end) {
            kept.push((m.tokens, m.value));
        }
    }
    if style == Style::Query {
        let minus = tokens.iter().enumerate().filter(|(_, t)| t.kind == Kind::Minus);
        kept.extend(minus.map(|(i, _)| (i..i + 1, Cue::Negates)));
        kept.sort_by_key(|(range, _)| range.start);
    }
    kept
}

/// Cues that look back: to the beginning of their clause.
fn backward(tokens: &[Token], cues: &[(Range<usize>, Cue)], phrases: &[Range<usize>]) -> Vec<Governor> {
    let mut found = Vec::new();
    for (i, (range, cue)) in cues.iter().enumerate() {
        let effect = match cue {
            Cue::Negated => Effect::Absent,
            Cue::Doubted => Effect::Uncertain,
            Cue::Moot => Effect::Aside,
            _ => continue,
        };
        let fence = cues[..i]
            .iter()
            .rev()
            .find(|(_, c)| matches!(c, Cue::Turn | Cue::Negated | Cue::Doubted | Cue::Moot))
            .map_or(0, |(r, _)| r.end);
        let mut start = range.start;
        while start > fence && range.start - start < REACH {
            let Some(token) = tokens.get(start - 1) else { break };
            let own_verb = range.start - start < 3;
            let stops = match token.kind {
                // "Pneumothorax: none"
                Kind::Mark(':') => start < range.start,
                Kind::Mark(';' | '.' | '!') => true,
                Kind::Mark(',') => {
                    let segment = start..range.start;
                    let joined = tokens[segment.clone()].iter().any(|t| t.is_any(&["and", "or", "nor"]));
                    !joined && phrases.iter().any(|p| p.start >= segment.start && p.end <= segment.end)
                }
                Kind::Word => token.is_any(&VERBS) && !own_verb,
                _ => false,
            };
            if stops {
                break;
            }
            start -= 1;
        }
        found.push(Governor { effect, cue: range.clone(), reach: start..range.start, either: false });
    }
    found
}

/// True when a "no change in" or the like opens the clause that the token `at` is in.
fn unchanged(tokens: &[Token], cues: &[(Range<usize>, Cue)], at: usize) -> bool {
    let opens = |r: &Range<usize>| tokens.get(r.start).is_some_and(|t| t.is_any(&["no", "without"]));
    cues.iter().any(|(r, c)| *c == Cue::Quiet && r.end <= at && opens(r) && clause_end(tokens, r.end) > at)
}

/// "A versus B" and "A or B": both are uncertain, unless they are negated.
fn both_sides(
    tokens: &[Token],
    cues: &[(Range<usize>, Cue)],
    phrases: &[Range<usize>],
    others: &[Governor],
) -> Vec<Governor> {
    let mut found = Vec::new();
    for (range, cue) in cues {
        if !matches!(cue, Cue::Versus | Cue::Or) {
            continue;
        }
        let negated = others
            .iter()
            .any(|g| g.effect == Effect::Absent && g.reach.start <= range.start && range.end <= g.reach.end);
        // "no change in the pneumothorax or effusion" lists what is there
        let listed = *cue == Cue::Or && unchanged(tokens, cues, range.start);
        let turned =
            |from: usize, to: usize| cues.iter().any(|(r, c)| *c == Cue::Turn && from <= r.start && r.end <= to);
        let left = phrases.iter().rev().find(|p| p.end <= range.start && range.start - p.end < SIDES);
        let left = left.filter(|p| !turned(p.end, range.start));
        let right = phrases.iter().find(|p| p.start >= range.end && p.start - range.end < SIDES);
        let right = right.filter(|p| !turned(range.end, p.start));
        let holds = match cue {
            Cue::Versus => left.is_some() || right.is_some(),
            _ => left.is_some() && right.is_some(),
        };
        if negated || listed || !holds {
            continue;
        }
        let reach = left.map_or(range.start, |p| p.start)..right.map_or(range.end, |p| p.end);
        found.push(Governor { effect: Effect::Uncertain, cue: range.clone(), reach, either: true });
    }
    found
}
