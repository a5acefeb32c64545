//! One layer of the graph: for each of its slots a fixed number of places for links.

/// No link.
pub(super) const NONE: u32 = u32::MAX;

/// A layer as it lies in memory or in a mapped file.
#[derive(Clone, Copy)]
pub(super) struct Layer<'a> {
    /// Links by slot, `cap` places each, free ones at the end.
    pub links: &'a [u32],
    pub cap: usize,
    /// The node of each slot; `None` in the lowest layer, where slot and node are the same.
    pub nodes: Option<&'a [u32]>,
}

impl<'a> Layer<'a> {
    pub(super) fn len(&self) -> usize {
        self.links.len().checked_div(self.cap).unwrap_or(0)
    }

    #[inline]
    pub(super) fn node(&self, slot: u32) -> u32 {
        match self.nodes {
            None => slot,
            Some(nodes) => nodes.get(slot as usize).copied().unwrap_or(NONE),
        }
    }

    /// All places of a slot.
    #[inline]
    pub(super) fn places(&self, slot: u32) -> &'a [u32] {
        let start = slot as usize * self.cap;
        self.links.get(start..start + self.cap).unwrap_or_default()
    }

    /// The slots that a slot links to.
    #[inline]
    pub(super) fn neighbours(&self, slot: u32) -> impl Iterator<Item = u32> + 'a {
        self.places(slot).iter().copied().take_while(|link| *link != NONE)
    }
}
