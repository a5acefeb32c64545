//! Outputs of layers that don't train, computed once.
//!
//! Each film is shown in a fixed number of variants; a step then runs the layers that train, and the films need not even be
//! decoded. Of texts the features are kept, where the whole text encoder is frozen.

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
    /// Features of texts by their ids, and what they depend on.
    texts: HashMap<Vec<u32>, Tensor>,
    text_identity: String,
    bytes: usize,
    room: usize,
    full: bool,
    /// Outputs that were computed.
    #[cfg(test)]
    computed: usize,
}

impl TrunkCache {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run: outputs of other layers are dropped. Room is in bytes.
    pub(super) fn begin(&self, identity: &str, room: usize) {
        let mut inner = self.lock();
        if inner.identity != identity {
            inner.bytes -= inner.outputs.values().map(size).sum::<usize>();
            inner.outputs.clear();
            identity.clone_into(&mut inner.identity);
        }
        inner.room = room;
        inner.full = false;
    }

    /// The same for texts.
    pub(super) fn begin_texts(&self, identity: &str, room: usize) {
        let mut inner = self.lock();
        if inner.text_identity != identity {
            inner.bytes -= inner.texts.values().map(size).sum::<usize>();
            inner.texts.clear();
            identity.clone_into(&mut inner.text_identity);
        }
        inner.room = room;
    }

    pub(super) fn text(&self, ids: &[u32]) -> Option<Tensor> {
        self.lock().texts.get(ids).cloned()
    }

    /// Keeps the features of a text, as long as there is room.
    pub(super) fn put_text(&self, ids: &[u32], features: &Tensor) {
        let mut inner = self.lock();
        if inner.bytes + size(features) <= inner.room && inner.texts.insert(ids.to_owned(), features.clone()).is_none()
        {
            inner.bytes += size(features);
        }
    }

    pub(super) fn get(&self, key: Key) -> Option<Tensor> {
        self.lock().outputs.get(&key).cloned()
    }

    /// Keeps an output, as long as there is room.
    pub(super) fn put(&self, key: Key, output: &Tensor) {
        let mut inner = self.lock();
        #[cfg(test)]
        {
            inner.computed += 1;
        }
        if inner.bytes + size(output) > inner.room {
            inner.full = true;
        } else if inner.outputs.insert(key, output.clone()).is_none() {
            inner.bytes += size(output);
        }
    }

    /// Outputs that were computed, and those that are kept.
    #[cfg(test)]
    pub(super) fn computed_and_kept(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.computed, inner.outputs.len())
    }

    /// True once an output found no room: it is computed again each time.
    pub(super) fn is_full(&self) -> bool {
        self.lock().full
    }
}

/// Bytes of a tensor.
fn size(tensor: &Tensor) -> usize {
    tensor.elem_count() * tensor.dtype().size_in_bytes()
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
        cache.begin_texts("t", 40);
        cache.put_text(&[1, 2], &output);
        cache.begin("b", 40);
        assert!(cache.get((0, 0)).is_none() && cache.text(&[1, 2]).is_some());
        cache.begin_texts("u", 40);
        assert!(cache.text(&[1, 2]).is_none());
        for film in 0..5 {
            cache.put((film, 0), &output);
        }
        assert!(cache.get((4, 0)).is_some() && !cache.is_full(), "all room is free again");
    }
}
