//! Sides that a query sets against each other: "left effusion, not right", "left but not right effusion", "effusion only on the left".

use super::attributes::{has_side, side_of};
use super::labeler::Mention;
use super::observation::{Observation, Polarity, Side};
use super::tokens::{Kind, Token, tokenize};

/// How far before or behind a mention the other side is looked for, in words.
const REACH: usize = 8;
/// Words between "not" and the side.
const SMALL: [&str; 6] = ["on", "in", "at", "the", "any", "to"];

/// What a query wants of the other side of its mentions: observation, polarity, side, and the mention that it comes from.
pub(crate) fn other_sides(query: &str, mentions: &[Mention]) -> Vec<(Observation, Polarity, Side, usize)> {
    let tokens = tokenize(query, 0..query.len());
    let mut found = Vec::new();
    for (number, mention) in mentions.iter().enumerate().filter(|(_, m)| has_side(m.observation)) {
        let at = |byte: usize| tokens.iter().position(|t| t.range.start >= byte).unwrap_or(tokens.len());
        let (first, behind) = (at(mention.phrase.start), at(mention.phrase.end));
        let next = mentions.iter().map(|m| at(m.phrase.start)).filter(|start| *start >= behind).min();
        let previous = mentions.iter().map(|m| at(m.phrase.end)).filter(|end| *end <= first).max().unwrap_or(0);
        let wanted = |polarity, side| (mention.observation, polarity, side, number);
        if mention.polarity == Polarity::Absent {
            let side = mention.side.and_then(|denied| asserted(&tokens, previous, first, denied));
            found.extend(side.map(|side| wanted(Polarity::Present, side)));
            continue;
        }
        let denied = denied(&tokens, behind, next.unwrap_or(tokens.len()), next.is_some());
        let alone = || {
            let side = mention.side.filter(|side| *side != Side::Bilateral)?;
            only(&tokens, previous, next.unwrap_or(tokens.len()), side).then_some(opposite(side))
        };
        let side = denied.filter(|side| mention.side != Some(*side)).or_else(alone);
        found.extend(side.map(|side| wanted(Polarity::Absent, side)));
    }
    found
}

/// The side behind a "not" between a mention and the next one.
fn denied(tokens: &[Token], from: usize, until: usize, more: bool) -> Option<Side> {
    let end = until.min(from + REACH);
    let not = (from..end).find(|i| is_not(tokens.get(*i)))?;
    let side = (not + 1..end).find(|i| !tokens.get(*i).is_some_and(|t| t.is_any(&SMALL)))?;
    // "effusion not right pneumothorax" denies the pneumothorax
    let own = !more || tokens.get(side + 1..until)?.iter().any(|t| t.kind != Kind::Word);
    side_of(tokens.get(side)).filter(|_| own)
}

/// The side before "but not right" in front of a denied mention.
fn asserted(tokens: &[Token], from: usize, until: usize, denied: Side) -> Option<Side> {
    let start = from.max(until.saturating_sub(REACH));
    let not = (start..until).rev().find(|i| is_not(tokens.get(*i)))?;
    let side =
        (start..not).rev().find(|i| !tokens.get(*i).is_some_and(|t| t.is_any(&["but", "and"]) || t.is_mark(',')))?;
    side_of(tokens.get(side)).filter(|side| *side != denied)
}

/// True for "only on the left", "left only".
fn only(tokens: &[Token], from: usize, until: usize, side: Side) -> bool {
    let small = |i: usize| tokens.get(i).is_some_and(|t| t.is_any(&SMALL) || t.is_any(&["sided", "side"]));
    (from..until).filter(|i| side_of(tokens.get(*i)) == Some(side)).any(|at| {
        let before = (from..at).rev().find(|i| !small(*i));
        let behind = (at + 1..until).find(|i| !small(*i));
        [before, behind].into_iter().flatten().any(|i| tokens.get(i).is_some_and(|t| t.is("only")))
    })
}

fn is_not(token: Option<&Token>) -> bool {
    token.is_some_and(|t| t.kind == Kind::Minus || t.is_any(&["not", "no", "without"]))
}

fn opposite(side: Side) -> Side {
    match side {
        Side::Left => Side::Right,
        Side::Right => Side::Left,
        Side::Bilateral => Side::Bilateral,
    }
}
