//! The graph's file, which is searched as it lies there.
//!
//! ```text
//! 8 bytes   THXGRAPH
//! u32, u32  length of the header; its CRC-32
//! header    JSON: counts, step of the codes, entry, and each section's length and CRC-32
//! sections  each from a multiple of 64 bytes: codes, twins, and the layers, lowest first
//! ```
//!
//! All numbers are little endian. Opening checks every section's sum, every number's range, and that padding is zero, in
//! parallel; what passes is what was written.

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::Built;
use super::layer::{Layer, NONE};
use crate::error::{IndexError, Result};
use crate::map::Map;
use crate::vectors::codes;

const MAGIC: &[u8; 8] = b"THXGRAPH";
/// Sections begin at a cache line.
const ALIGN: usize = 64;
/// Bytes that one thread sums at a time.
const PIECE: usize = 1 << 22;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Header {
    dimension: usize,
    /// Distinct vectors.
    nodes: usize,
    /// Rows of the column.
    rows: usize,
    /// Links of a node, `M`; twice as many in the lowest layer.
    links: usize,
    layers: usize,
    /// Slot in the highest layer where searches begin.
    entry: u32,
    step: f32,
    sections: Vec<Section>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Section {
    bytes: usize,
    crc32: u32,
}

/// An opened file.
#[derive(Debug)]
pub(super) struct GraphFile {
    map: Map,
    pub nodes: usize,
    pub rows: usize,
    pub entry: u32,
    pub step: f32,
    links: usize,
    codes: Range<usize>,
    /// Node of each row; where rows of each node begin; rows by node. Empty when each row is a node.
    twins: [Range<usize>; 3],
    /// Of each layer: links, nodes, slots below.
    layers: Vec<[Range<usize>; 3]>,
}

/// What is written.
pub(super) struct Parts<'a> {
    pub dimension: usize,
    pub rows: usize,
    pub links: usize,
    pub entry: u32,
    pub step: f32,
    pub codes: &'a [u8],
    pub twins: [&'a [u32]; 3],
    pub layers: &'a [Built],
}

pub(super) fn write(path: &Path, parts: &Parts<'_>) -> Result<()> {
    let mut sections: Vec<&[u8]> = vec![parts.codes];
    sections.extend(parts.twins.map(bytemuck::cast_slice::<u32, u8>));
    for layer in parts.layers {
        let nodes = layer.nodes.as_deref().unwrap_or_default();
        sections.extend([&layer.links, nodes, &layer.down].map(bytemuck::cast_slice::<u32, u8>));
    }
    let header = Header {
        dimension: parts.dimension,
        nodes: parts.codes.len() / codes::stride(parts.dimension).max(1),
        rows: parts.rows,
        links: parts.links,
        layers: parts.layers.len(),
        entry: parts.entry,
        step: parts.step,
        sections: sections.iter().map(|bytes| Section { bytes: bytes.len(), crc32: sum(bytes) }).collect(),
    };
    let header = serde_json::to_vec(&header)?;
    let mut out = std::io::BufWriter::with_capacity(1 << 18, fs_err::File::create(path)?);
    out.write_all(MAGIC)?;
    out.write_all(&(header.len() as u32).to_le_bytes())?;
    out.write_all(&crc32fast::hash(&header).to_le_bytes())?;
    out.write_all(&header)?;
    let mut at = 16 + header.len();
    for section in sections.iter().filter(|section| !section.is_empty()) {
        let start = at.next_multiple_of(ALIGN);
        out.write_all(&vec![0; start - at])?;
        out.write_all(section)?;
        at = start + section.len();
    }
    Ok(out.flush()?)
}

/// CRC-32 by all threads.
fn sum(bytes: &[u8]) -> u32 {
    let piece = |bytes: &[u8]| {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(bytes);
        hasher
    };
    let pieces: Vec<_> = bytes.par_chunks(PIECE).map(piece).collect();
    let mut all = crc32fast::Hasher::new();
    pieces.iter().for_each(|piece| all.combine(piece));
    all.finalize()
}

impl GraphFile {
    /// Opens the graph of a column with `rows` vectors of `dimension` numbers.
    pub(super) fn open(path: &Path, dimension: usize, rows: usize) -> Result<Self> {
        let map = Map::open(path)?;
        Self::check(map, dimension, rows)
            .map_err(|reason| IndexError::Damaged { path: path.to_owned(), reason: reason.to_owned() })
    }

    fn check(map: Map, dimension: usize, rows: usize) -> std::result::Result<Self, &'static str> {
        let (header, sections) = parse(map.bytes()).ok_or("its header or its length is not what was written")?;
        let sums = header.sections.iter().zip(&sections).par_bridge();
        if !sums.all(|(section, range)| map.bytes().get(range.clone()).map(sum) == Some(section.crc32)) {
            return Err("its checksums are not those in its header");
        }
        if header.dimension != dimension || header.rows != rows {
            return Err("it belongs to another column");
        }
        let mut ranges = sections.into_iter();
        let codes = ranges.next().unwrap_or_default();
        let mut three = || [(); 3].map(|()| ranges.next().unwrap_or_default());
        let twins = three();
        let layers = (0..header.layers).map(|_| three()).collect();
        let file = Self {
            nodes: header.nodes,
            rows,
            entry: header.entry,
            step: header.step,
            links: header.links,
            codes,
            twins,
            layers,
            map,
        };
        if file.consistent(dimension) { Ok(file) } else { Err("its numbers contradict one another") }
    }

    /// Every number points to something that exists.
    fn consistent(&self, dimension: usize) -> bool {
        let below = |numbers: &[u32], bound: usize| numbers.par_iter().all(|number| (*number as usize) < bound);
        let [node_of, starts, by_node] = self.twins();
        let twins = if node_of.is_empty() {
            self.rows == self.nodes && starts.is_empty() && by_node.is_empty()
        } else {
            node_of.len() == self.rows
                && by_node.len() == self.rows
                && starts.len() == self.nodes + 1
                && starts.is_sorted()
                && starts.last() == Some(&(self.rows as u32))
                && below(node_of, self.nodes)
                && below(by_node, self.rows)
        };
        let mut slots_below = 0;
        let layers = (0..self.layers.len()).all(|number| {
            let (layer, down) = (self.layer(number), self.down(number));
            let nodes = layer.nodes.map_or(self.nodes, <[u32]>::len);
            let links = layer.links.par_iter().all(|link| *link == NONE || (*link as usize) < nodes);
            let fits = layer.links.len() == nodes * layer.cap && links;
            let upper = number == 0
                || (layer.nodes.is_some_and(|nodes| below(nodes, self.nodes))
                    && down.len() == nodes
                    && below(down, slots_below));
            slots_below = nodes;
            fits && upper
        });
        let codes = self.codes().len() == self.nodes.saturating_mul(codes::stride(dimension));
        let entry = self.nodes == 0 || (self.entry as usize) < slots_below;
        let step = self.step.is_finite() && self.step > 0.0;
        step && self.links > 0 && !self.layers.is_empty() && twins && layers && codes && entry
    }

    fn numbers(&self, range: &Range<usize>) -> &[u32] {
        let bytes = self.map.bytes().get(range.clone()).unwrap_or_default();
        bytemuck::try_cast_slice(bytes).unwrap_or_default()
    }

    pub(super) fn codes(&self) -> &[u8] {
        self.map.bytes().get(self.codes.clone()).unwrap_or_default()
    }

    /// Node of each row, where the rows of each node begin, rows by node; all empty when each row is a node.
    pub(super) fn twins(&self) -> [&[u32]; 3] {
        self.twins.each_ref().map(|range| self.numbers(range))
    }

    pub(super) fn layers(&self) -> usize {
        self.layers.len()
    }

    pub(super) fn layer(&self, number: usize) -> Layer<'_> {
        let [links, nodes, _] = match self.layers.get(number) {
            Some(ranges) => ranges.each_ref().map(|range| self.numbers(range)),
            None => Default::default(),
        };
        match number {
            0 => Layer { links, cap: self.links * 2, nodes: None },
            _ => Layer { links, cap: self.links, nodes: Some(nodes) },
        }
    }

    /// For each slot of a layer its slot in the layer below.
    pub(super) fn down(&self, number: usize) -> &[u32] {
        self.layers.get(number).map(|[_, _, down]| self.numbers(down)).unwrap_or_default()
    }

    /// Bytes that a search may touch.
    pub(super) fn bytes(&self) -> usize {
        self.map.bytes().len()
    }
}

/// The header and where its sections are; `None` when the file is not as long as they say, or anything between them is not zero.
fn parse(bytes: &[u8]) -> Option<(Header, Vec<Range<usize>>)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (crc32, rest) = rest.split_first_chunk::<4>()?;
    let json = rest.get(..u32::from_le_bytes(*length) as usize)?;
    if crc32fast::hash(json) != u32::from_le_bytes(*crc32) {
        return None;
    }
    let header: Header = serde_json::from_slice(json).ok()?;
    if header.sections.len() != header.layers.checked_mul(3)?.checked_add(4)? {
        return None;
    }
    let mut at = 16 + json.len();
    let mut ranges = Vec::with_capacity(header.sections.len());
    for section in &header.sections {
        if section.bytes == 0 {
            ranges.push(0..0);
            continue;
        }
        let start = at.next_multiple_of(ALIGN);
        let end = start.checked_add(section.bytes)?;
        if bytes.get(at..start)?.iter().any(|byte| *byte != 0) {
            return None;
        }
        ranges.push(start..end);
        at = end;
    }
    (at == bytes.len()).then_some((header, ranges))
}
