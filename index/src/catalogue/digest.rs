//! A digest of the set of records: kept up to date by every transaction, made anew by a walk to see whether they are all there.
//!
//! sled may lose a part of its file without a word. The sequence number does not show that, the digest does.

/// Number of records, and the sum of their hashes in four lanes: the order does not matter, and a record can be taken out again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) count: u64,
    lanes: [u64; 4],
}

impl Digest {
    pub(super) fn add(&mut self, id: &[u8], sequence: u64, hash: &str) {
        self.count = self.count.wrapping_add(1);
        for (lane, part) in self.lanes.iter_mut().zip(lanes(id, sequence, hash)) {
            *lane = lane.wrapping_add(part);
        }
    }

    pub(super) fn take(&mut self, id: &[u8], sequence: u64, hash: &str) {
        self.count = self.count.wrapping_sub(1);
        for (lane, part) in self.lanes.iter_mut().zip(lanes(id, sequence, hash)) {
            *lane = lane.wrapping_sub(part);
        }
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let lanes = self.lanes.iter().flat_map(|lane| lane.to_be_bytes());
        self.count.to_be_bytes().into_iter().chain(lanes).collect()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut numbers = bytes.chunks_exact(8).map(super::number);
        let count = numbers.next()?;
        let lanes: Vec<u64> = numbers.collect();
        Some(Self { count, lanes: lanes.try_into().ok()? })
    }
}

fn lanes(id: &[u8], sequence: u64, hash: &str) -> [u64; 4] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(id.len() as u64).to_be_bytes()).update(id).update(&sequence.to_be_bytes()).update(hash.as_bytes());
    let hash = hasher.finalize();
    let mut lanes = [0; 4];
    for (lane, bytes) in lanes.iter_mut().zip(hash.as_bytes().chunks_exact(8)) {
        *lane = super::number(bytes);
    }
    lanes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn order_does_not_matter_and_what_was_taken_out_is_gone() {
        let (mut one, mut other) = (Digest::default(), Digest::default());
        one.add(b"a", 1, "x");
        one.add(b"b", 2, "y");
        one.add(b"c", 3, "z");
        one.take(b"a", 1, "x");
        other.add(b"c", 3, "z");
        other.add(b"b", 2, "y");
        assert_eq!(one, other);
        assert_eq!(one.count, 2);
        other.take(b"b", 2, "y");
        other.add(b"b", 2, "changed");
        assert_ne!(one, other);
        assert_eq!(Digest::from_bytes(&one.to_bytes()).unwrap(), one);
        assert_eq!(Digest::from_bytes(b"short"), None);
    }
}
