//! Outputs of image layers that don't train: each film is shown in a fixed number of variants, and what the frozen layers make
//! of a variant is computed once. A step then runs the layers that train, and the films need not even be decoded.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use candle_core::Tensor;

use crate::preprocess::Pixels;

/// A film, and which of its variants.
pub(super) type Key = (u64, u32);

/// A variant of a film in a batch.
pub(super) enum View {
    /// Its output was kept.
    Known(Tensor),
    /// Its output is still to be computed.
    New {
        /// Of what.
        key: Key,
        /// The variant.
        pixels: Pixels,
    },
}

/// Kept outputs. Runs that share films and frozen layers can share it: [`Options::trunk_cache`](super::Options::trunk_cache).
#[derive(Debug, Default)]
pub struct TrunkCache {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// What the outputs depend on beside the film.
    identity: String,
    outputs: HashMap<Key, Tensor>,
    bytes: usize,
    room: usize,
    full: bool,
}

impl TrunkCache {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run: outputs of other layers are dropped. Room is in bytes.
    pub(super) fn begin(&self, identity: &str, room: usize) {
        let mut inner = self.lock();
        if inner.identity != identity {
            *inner = Inner { identity: identity.to_owned(), ..Inner::default() };
        }
        inner.room = room;
        inner.full = false;
    }

    pub(super) fn get(&self, key: Key) -> Option<Tensor> {
        self.lock().outputs.get(&key).cloned()
    }

    /// Keeps an output, as long as there is room.
    pub(super) fn put(&self, key: Key, output: &Tensor) {
        let size = output.elem_count() * output.dtype().size_in_bytes();
        let mut inner = self.lock();
        if inner.bytes + size > inner.room {
            inner.full = true;
        } else if inner.outputs.insert(key, output.clone()).is_none() {
            inner.bytes += size;
        }
    }

    /// True once an output found no room: it is computed again each time.
    pub(super) fn is_full(&self) -> bool {
        self.lock().full
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use candle_core::{DType, Device};

    use super::*;

    #[test]
    fn it_keeps_what_has_room_and_forgets_other_layers() {
        let cache = TrunkCache::default();
        cache.begin("a", 20);
        let output = Tensor::zeros((1, 4), DType::F16, &Device::Cpu).unwrap();
        for film in 0..3 {
            cache.put((film, 0), &output);
        }
        assert!(cache.get((0, 0)).is_some() && cache.get((1, 0)).is_some());
        assert!(cache.get((2, 0)).is_none() && cache.is_full(), "two outputs of 8 bytes have room");
        cache.begin("a", 40);
        assert!(cache.get((0, 0)).is_some() && !cache.is_full());
        cache.begin("b", 40);
        assert!(cache.get((0, 0)).is_none());
    }
}
