//! Side and severity of a mention: the words around it, up to its neighbours.

use std::ops::Range;

use super::observation::{Observation, Severity, Side};
use super::tokens::{Kind, Token};

/// How many words before and after a mention can belong to it.
const WINDOW: usize = 8;

/// Words that separate one mention's attributes from the next one's.
const BARRIERS: [&str; 14] = [
    "or",
    "but",
    "with",
    "without",
    "versus",
    "vs",
    "which",
    "however",
    "no",
    "may",
    "could",
    "suggests",
    "suggesting",
    "there",
];

/// The side named with the mention at `phrase`; `phrases` are all mentions of the sentence. Heart and mediastinum have none.
pub(crate) fn side(
    tokens: &[Token],
    phrase: &Range<usize>,
    phrases: &[Range<usize>],
    observation: Observation,
) -> Option<Side> {
    if !has_side(observation) {
        return None;
    }
    let before = before(tokens, phrase, phrases);
    let inside = before.start..phrase.end;
    let after = after(tokens, phrase, phrases);
    match sides(tokens, inside) {
        // "right effusion larger than left"
        Some(side) if compared(tokens, after.clone()).is_some_and(|other| other != side) => Some(Side::Bilateral),
        Some(side) => Some(side),
        None => sides(tokens, after),
    }
}

/// Heart and mediastinum have no side.
pub(crate) fn has_side(observation: Observation) -> bool {
    use Observation::{Cardiomegaly, EnlargedCardiomediastinum, NoFinding};
    !matches!(observation, NoFinding | Cardiomegaly | EnlargedCardiomediastinum)
}

/// The severity named with the mention, the nearest before it first.
pub(crate) fn severity(
    tokens: &[Token],
    phrase: &Range<usize>,
    literals: &[usize],
    phrases: &[Range<usize>],
) -> Option<Severity> {
    let before = before(tokens, phrase, phrases);
    // "large heart" names the observation, not its degree
    let grade = |i: usize| tokens.get(i).filter(|_| !literals.contains(&i)).and_then(grade);
    let inside = (before.start..phrase.end).rev().find_map(grade);
    inside.or_else(|| {
        let after = after(tokens, phrase, phrases);
        let verb = tokens.get(after.start).is_some_and(|t| t.is_any(&["is", "are", "appears", "remains"]));
        if verb { after.take(4).find_map(grade) } else { None }
    })
}

fn before(tokens: &[Token], phrase: &Range<usize>, phrases: &[Range<usize>]) -> Range<usize> {
    let fence = phrases.iter().map(|p| p.end).filter(|end| *end <= phrase.start).max().unwrap_or(0);
    let mut start = phrase.start;
    while start > fence && phrase.start - start < WINDOW {
        let Some(token) = tokens.get(start - 1) else { break };
        let stops = match token.kind {
            Kind::Mark('(' | ')') => false,
            Kind::Mark(_) | Kind::Minus => true,
            // "left and right lower lobe opacities" are one attribute
            Kind::Word if token.text == "and" => {
                let next = tokens.get(start);
                !(side_of(next).is_some() || lobe(next) || ordinal(next))
            }
            Kind::Word => token.is_any(&BARRIERS),
        };
        if stops {
            break;
        }
        start -= 1;
    }
    start..phrase.start
}

fn after(tokens: &[Token], phrase: &Range<usize>, phrases: &[Range<usize>]) -> Range<usize> {
    let next = phrases.iter().map(|p| p.start).filter(|start| *start >= phrase.end).min();
    let fence = next.unwrap_or(tokens.len());
    let mut end = phrase.end;
    while end < fence && end - phrase.end < WINDOW {
        let Some(token) = tokens.get(end) else { break };
        let stops = match token.kind {
            Kind::Mark('(' | ')') => false,
            Kind::Mark(',') => side_of(tokens.get(end + 1)).is_none(),
            Kind::Mark(_) | Kind::Minus => true,
            Kind::Word if token.text == "and" => side_of(tokens.get(end + 1)).is_none(),
            Kind::Word => token.is_any(&BARRIERS),
        };
        if stops {
            break;
        }
        end += 1;
    }
    // "pneumothorax, left effusion": what stands bare before the next mention belongs to it
    if Some(end) == next {
        let placed = (phrase.end..end)
            .any(|i| tokens.get(i).is_some_and(|t| t.is_any(&["on", "in", "at", "of", "within", "is", "are"])));
        if !placed {
            end = phrase.end;
        }
    }
    phrase.end..end
}

fn sides(tokens: &[Token], range: Range<usize>) -> Option<Side> {
    let mut found: Option<Side> = None;
    for i in range {
        let Some(side) = side_of(tokens.get(i)) else { continue };
        // "right atrium" is a chamber, not a side
        if tokens.get(i + 1).is_some_and(|t| t.is_any(&["atrium", "atrial", "ventricle", "ventricular", "heart"])) {
            continue;
        }
        // "displaced to the right" is a direction
        let before = |n: usize| i.checked_sub(n).and_then(|at| tokens.get(at));
        if before(1).is_some_and(|t| t.is("the")) && before(2).is_some_and(|t| t.is_any(&["to", "toward", "towards"])) {
            continue;
        }
        found = Some(match found {
            Some(other) if other != side => Side::Bilateral,
            _ => side,
        });
    }
    found
}

/// The side behind a "than".
fn compared(tokens: &[Token], range: Range<usize>) -> Option<Side> {
    let than = range.clone().find(|i| tokens.get(*i).is_some_and(|t| t.is("than")))?;
    (than + 1..range.end.min(than + 4)).find_map(|i| side_of(tokens.get(i)))
}

/// The side that one word names.
pub(crate) fn side_of(token: Option<&Token>) -> Option<Side> {
    let token = token.filter(|t| t.kind == Kind::Word)?;
    match token.text.as_str() {
        "left" | "lt" | "lul" | "lll" | "lingula" | "lingular" | "leftward" => Some(Side::Left),
        "right" | "rt" | "rul" | "rml" | "rll" | "rightward" => Some(Side::Right),
        "bilateral" | "bilaterally" | "both" | "bibasilar" | "bibasal" | "biapical" | "bibasally" | "bihilar"
        | "biapically" => Some(Side::Bilateral),
        _ => None,
    }
}

fn lobe(token: Option<&Token>) -> bool {
    token.is_some_and(|t| t.is_any(&["upper", "lower", "middle"]))
}

/// "third", "5th", "7": a rib or a vertebra.
fn ordinal(token: Option<&Token>) -> bool {
    const WORDS: [&str; 12] = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
        "twelfth",
    ];
    token.is_some_and(|t| t.is_any(&WORDS) || t.text.starts_with(|c: char| c.is_ascii_digit()))
}

fn grade(token: &Token) -> Option<Severity> {
    if token.kind != Kind::Word {
        return None;
    }
    match token.text.as_str() {
        "small" | "mild" | "mildly" | "minimal" | "minimally" | "trace" | "tiny" | "slight" | "slightly" | "subtle"
        | "minor" | "little" | "faint" => Some(Severity::Mild),
        "moderate" | "moderately" => Some(Severity::Moderate),
        "large" | "severe" | "severely" | "massive" | "massively" | "marked" | "markedly" | "extensive" | "huge"
        | "substantial" => Some(Severity::Severe),
        _ => None,
    }
}
