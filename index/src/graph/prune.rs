//! Which neighbours a node keeps: algorithm 4 of Malkov and Yashunin (2018).

use crate::vectors::codes::{Codes, Probe};

/// A neighbour and its score to the node in question: higher is nearer.
pub(super) type Scored = (i32, u32);

/// Nearest first; equal ones by number, so that the order does not depend on how they were found.
pub(super) fn order(a: &Scored, b: &Scored) -> std::cmp::Ordering {
    b.0.cmp(&a.0).then(a.1.cmp(&b.1))
}

/// Of `candidates`, nearest first, those that are no farther from the node than from any that is kept already, at most `cap`.
///
/// `node_of` gives the code's number of a candidate.
pub(super) fn diverse(
    codes: Codes<'_>,
    candidates: &[Scored],
    cap: usize,
    node_of: impl Fn(u32) -> u32,
    probe: &mut Probe,
) -> Vec<Scored> {
    let mut kept: Vec<Scored> = Vec::with_capacity(cap);
    for &(score, slot) in candidates {
        if kept.len() == cap {
            break;
        }
        if kept.is_empty() {
            kept.push((score, slot));
            continue;
        }
        probe.set(codes.of(node_of(slot)));
        // unit vectors: the larger inner product is the smaller distance. Of those that the codes cannot tell apart all may be
        // kept, or they would not be linked at all
        if kept.iter().all(|&(_, other)| codes.score(probe, node_of(other)) <= score) {
            kept.push((score, slot));
        }
    }
    kept
}
