//! Set algebra on members in the order of their ids.

use std::cmp::Ordering;

use super::model::{Member, Operation};

/// Puts members in order; of several with one id the first stays.
pub fn in_order(mut members: Vec<Member>) -> Vec<Member> {
    members.sort_by(|a, b| a.id.cmp(&b.id));
    members.dedup_by(|later, earlier| later.id == earlier.id);
    members
}

/// Applies an operation. Both sides are in order; a study that is on both sides stays as it stands on the left.
pub fn combine(operation: Operation, left: Vec<Member>, right: Vec<Member>) -> Vec<Member> {
    let (left_only, both, right_only) = match operation {
        Operation::Create | Operation::Add | Operation::Union => (true, true, true),
        Operation::Remove | Operation::Minus => (true, false, false),
        Operation::Intersect => (false, true, false),
    };
    let mut combined = Vec::with_capacity(left.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some(l), Some(r)) => l.id.cmp(&r.id),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return combined,
        };
        match order {
            Ordering::Less => combined.extend(left.next().filter(|_| left_only)),
            Ordering::Greater => combined.extend(right.next().filter(|_| right_only)),
            Ordering::Equal => {
                right.next();
                combined.extend(left.next().filter(|_| both));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn member(id: &str, hash: &str) -> Member {
        Member { id: id.to_owned(), hash: hash.to_owned(), score: None, rank: None }
    }

    fn ids(members: &[Member]) -> BTreeSet<String> {
        members.iter().map(|m| m.id.clone()).collect()
    }

    #[test]
    fn what_is_on_both_sides_stays_as_it_was() {
        let kept = combine(Operation::Union, vec![member("a", "old")], vec![member("a", "new"), member("b", "new")]);
        assert_eq!(kept, [member("a", "old"), member("b", "new")]);
    }

    proptest! {
        #[test]
        fn equals_the_standard_library(
            left in proptest::collection::vec("[a-f]{1,2}", 0..20),
            right in proptest::collection::vec("[a-f]{1,2}", 0..20),
        ) {
            let left = in_order(left.iter().map(|id| member(id, "l")).collect());
            let right = in_order(right.iter().map(|id| member(id, "r")).collect());
            let (a, b) = (ids(&left), ids(&right));
            for (operation, wanted) in [
                (Operation::Create, a.union(&b).cloned().collect::<Vec<_>>()),
                (Operation::Add, a.union(&b).cloned().collect()),
                (Operation::Union, a.union(&b).cloned().collect()),
                (Operation::Intersect, a.intersection(&b).cloned().collect()),
                (Operation::Remove, a.difference(&b).cloned().collect()),
                (Operation::Minus, a.difference(&b).cloned().collect()),
            ] {
                let combined = combine(operation, left.clone(), right.clone());
                let found: Vec<String> = combined.iter().map(|m| m.id.clone()).collect();
                prop_assert_eq!(&found, &wanted, "{:?}", operation);
                // those of the left side keep what was pinned there
                let as_it_was = |m: &Member| m.hash == if a.contains(&m.id) { "l" } else { "r" };
                prop_assert!(combined.iter().all(as_it_was));
            }
        }
    }
}
