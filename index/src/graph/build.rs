//! Building the graph: algorithms 1, 3 and 4 of Malkov and Yashunin (2018), in batches.
//!
//! The nodes of a batch look for their neighbours in the graph as it was before the batch, side by side; then the links are
//! entered, target by target. Nothing depends on which thread is first, so the same vectors give the same graph, to the bit, on any
//! machine and with any number of threads, and there is no lock. A batch is a small share of what is there already, and the
//! order is shuffled, so that neighbours rarely miss one another by being in one batch.

use rayon::prelude::*;

use super::layer::{Layer, NONE};
use super::prune::{Scored, diverse, order};
use super::walk::{Scratch, climb, nearest};
use crate::vectors::codes::{Codes, Probe};

/// A batch is at most one node for so many that are there.
const SHARE: usize = 50;
/// More layers than any number of nodes needs.
const MOST_LAYERS: usize = 12;

/// A layer while it is built, see [`Layer`].
pub(super) struct Built {
    pub links: Vec<u32>,
    pub cap: usize,
    pub nodes: Option<Vec<u32>>,
    /// For each slot its slot in the layer below; empty in the lowest.
    pub down: Vec<u32>,
}

impl Built {
    pub(super) fn view(&self) -> Layer<'_> {
        Layer { links: &self.links, cap: self.cap, nodes: self.nodes.as_deref() }
    }

    fn slot(&self, node: u32) -> u32 {
        match &self.nodes {
            None => node,
            Some(nodes) => nodes.binary_search(&node).map_or(NONE, |slot| slot as u32),
        }
    }

    fn set(&mut self, slot: u32, links: &[u32]) {
        let start = slot as usize * self.cap;
        if let Some(places) = self.links.get_mut(start..start + self.cap) {
            places.fill(NONE);
            places.iter_mut().zip(links).for_each(|(place, link)| *place = *link);
        }
    }
}

/// What a node found: by layer from the lowest, the slots that it links to.
type Found = Vec<Vec<Scored>>;

/// The layers, lowest first, and the entry: a slot of the highest.
pub(super) fn build(codes: Codes<'_>, links: usize, effort: usize) -> (Vec<Built>, u32) {
    let count = codes.len() as u32;
    let levels: Vec<u8> = (0..count).map(|node| level(node, links)).collect();
    let mut layers = layers(&levels, links);
    let mut sequence: Vec<u32> = (0..count).collect();
    sequence.sort_unstable_by_key(|&node| {
        let level = levels.get(node as usize).copied().unwrap_or(0);
        (std::cmp::Reverse(level), mix(u64::from(node) ^ SHUFFLE), node)
    });
    let entry = match (sequence.first(), layers.last()) {
        (Some(&first), Some(top)) => top.slot(first),
        _ => return (layers, 0),
    };
    let mut done = 1;
    while done < sequence.len() {
        let size = (done / SHARE).max(1).min(sequence.len() - done);
        let batch = sequence.get(done..done + size).unwrap_or_default();
        let find = |tools: &mut Tools, &node: &u32| {
            let level = levels.get(node as usize).copied().unwrap_or(0);
            neighbours(&layers, codes, node, usize::from(level), entry, links, effort, tools)
        };
        let found: Vec<Found> = if size < 8 {
            let mut tools = Tools::default();
            batch.iter().map(|node| find(&mut tools, node)).collect()
        } else {
            batch.par_iter().map_init(Tools::default, find).collect()
        };
        for (number, layer) in layers.iter_mut().enumerate() {
            enter(layer, codes, batch, &found, number);
        }
        done += size;
    }
    (layers, entry)
}

#[derive(Default)]
struct Tools {
    scratch: Scratch,
    probe: Probe,
    other: Probe,
    candidates: Vec<Scored>,
}

#[allow(clippy::too_many_arguments)]
fn neighbours(
    layers: &[Built],
    codes: Codes<'_>,
    node: u32,
    level: usize,
    mut entry: u32,
    links: usize,
    effort: usize,
    tools: &mut Tools,
) -> Found {
    tools.probe.set(codes.of(node));
    let mut found = vec![Vec::new(); level + 1];
    for (number, built) in layers.iter().enumerate().rev() {
        let layer = built.view();
        if number > level {
            entry = climb(layer, codes, &tools.probe, entry);
        } else {
            let Tools { scratch, probe, other, candidates } = tools;
            nearest(layer, codes, probe, entry, effort, scratch, candidates);
            entry = candidates.first().map_or(entry, |best| best.1);
            if let Some(found) = found.get_mut(number) {
                *found = diverse(codes, candidates, links, |slot| layer.node(slot), other);
            }
        }
        entry = built.down.get(entry as usize).copied().unwrap_or(entry);
    }
    found
}

/// Enters the links of a batch into a layer, both ways.
fn enter(layer: &mut Built, codes: Codes<'_>, batch: &[u32], found: &[Found], number: usize) {
    let mut back: Vec<(u32, Scored)> = Vec::new();
    for (&node, found) in batch.iter().zip(found) {
        let Some(links) = found.get(number) else { continue };
        let slot = layer.slot(node);
        let slots: Vec<u32> = links.iter().map(|link| link.1).collect();
        layer.set(slot, &slots);
        back.extend(links.iter().map(|&(score, target)| (target, (score, slot))));
    }
    back.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(order(&a.1, &b.1)));
    let groups: Vec<&[(u32, Scored)]> = back.chunk_by(|a, b| a.0 == b.0).collect();
    let view = layer.view();
    let updated: Vec<(u32, Vec<u32>)> = groups
        .par_iter()
        .with_min_len(64)
        .map_init(
            || (Probe::default(), Probe::default()),
            |(probe, other), group| {
                let target = group.first().map_or(NONE, |first| first.0);
                let mut links: Vec<u32> = view.neighbours(target).collect();
                if links.len() + group.len() <= view.cap {
                    links.extend(group.iter().map(|(_, link)| link.1));
                    return (target, links);
                }
                probe.set(codes.of(view.node(target)));
                let mut candidates: Vec<Scored> =
                    links.iter().map(|&slot| (codes.score(probe, view.node(slot)), slot)).collect();
                candidates.extend(group.iter().map(|(_, link)| *link));
                candidates.sort_unstable_by(order);
                let kept = diverse(codes, &candidates, view.cap, |slot| view.node(slot), other);
                (target, kept.into_iter().map(|link| link.1).collect())
            },
        )
        .collect();
    for (slot, links) in updated {
        layer.set(slot, &links);
    }
}

/// Empty layers with their nodes.
fn layers(levels: &[u8], links: usize) -> Vec<Built> {
    let top = levels.iter().copied().max().unwrap_or(0);
    let mut layers =
        vec![Built { links: vec![NONE; levels.len() * links * 2], cap: links * 2, nodes: None, down: Vec::new() }];
    for level in 1..=top {
        let nodes: Vec<u32> = (0..).zip(levels).filter(|(_, own)| **own >= level).map(|(node, _)| node).collect();
        let down = nodes.iter().map(|node| layers.last().map_or(NONE, |below| below.slot(*node))).collect();
        layers.push(Built { links: vec![NONE; nodes.len() * links], cap: links, nodes: Some(nodes), down });
    }
    layers
}

const SHUFFLE: u64 = 0x7468_6f72_6178_0001;
const LEVEL: u64 = 0x7468_6f72_6178_0002;

/// The highest layer of a node: exponentially distributed, as in section 4.1, but a function of its number.
fn level(node: u32, links: usize) -> u8 {
    // 53 random bits make a number in (0, 1]
    let uniform = ((mix(u64::from(node) ^ LEVEL) >> 11) + 1) as f64 / (1u64 << 53) as f64;
    let level = -uniform.ln() / (links.max(2) as f64).ln();
    level.min(MOST_LAYERS as f64 - 1.0) as u8
}

/// SplitMix64's finaliser.
fn mix(x: u64) -> u64 {
    let mut x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
