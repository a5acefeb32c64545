//! Many short strings in one allocation: 8 bytes and the text for each, where a `String` takes 24 and a heap block.

use std::cmp::Ordering;

/// Strings by number.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<u64>,
}

impl Strings {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u64);
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, number: u32) -> Option<&str> {
        let number = number as usize;
        let end = *self.ends.get(number)?;
        let start = if number == 0 { 0 } else { *self.ends.get(number - 1)? };
        self.text.get(start as usize..end as usize)
    }

    /// Number of a string, where they are in ascending order.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let at = partition(self.len(), |number| self.order(number, text) == Ordering::Less);
        (self.order(at, text) == Ordering::Equal).then_some(at)
    }

    /// How the string of this number stands to `text`; one that does not exist is greater.
    pub(super) fn order(&self, number: u32, text: &str) -> Ordering {
        self.get(number).map_or(Ordering::Greater, |own| own.cmp(text))
    }

    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// The order of strings that are in none: which one is the first, the second, ...
#[derive(Debug, Default)]
pub(super) struct Sorted(Vec<u32>);

impl Sorted {
    pub(super) fn new(strings: &Strings) -> Self {
        let mut order: Vec<u32> = (0..strings.len() as u32).collect();
        if !order.is_sorted_by_key(|number| strings.get(*number)) {
            order.sort_by_key(|number| strings.get(*number));
            return Self(order);
        }
        // as they stand: nothing to remember
        Self(Vec::new())
    }

    /// The first string that equals `text`.
    pub(super) fn find(&self, strings: &Strings, text: &str) -> Option<u32> {
        let number = |place: u32| if self.0.is_empty() { Some(place) } else { self.0.get(place as usize).copied() };
        let order = |place: u32| number(place).map_or(Ordering::Greater, |number| strings.order(number, text));
        let place = partition(strings.len(), |place| order(place) == Ordering::Less);
        number(place).filter(|_| order(place) == Ordering::Equal)
    }
}

/// The first of `0..length` for which `before` is false; it is true for all before it.
fn partition(length: usize, before: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (0, length as u32);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_are_found_as_a_vector_finds_them(mut texts in prop::collection::vec("[a-cé]{0,3}", 0..40), wanted in "[a-cé]{0,3}") {
            let mut strings = Strings::default();
            texts.iter().for_each(|text| strings.push(text));
            strings.shrink();
            prop_assert_eq!(strings.len(), texts.len());
            for (number, text) in (0u32..).zip(&texts) {
                prop_assert_eq!(strings.get(number).unwrap(), text);
            }
            prop_assert_eq!(strings.get(texts.len() as u32), None);
            let first = texts.iter().position(|text| *text == wanted).map(|at| at as u32);
            prop_assert_eq!(Sorted::new(&strings).find(&strings, &wanted), first);
            texts.sort();
            texts.dedup();
            let mut strings = Strings::default();
            texts.iter().for_each(|text| strings.push(text));
            prop_assert_eq!(strings.find(&wanted).is_some(), texts.contains(&wanted));
            prop_assert_eq!(Sorted::new(&strings).find(&strings, &wanted), strings.find(&wanted));
        }
    }
}
