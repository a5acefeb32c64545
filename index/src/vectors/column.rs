//! A column of unit vectors in a mapped file: rows of little-endian `f32`, and after them a CRC-32 for each row.
//!
//! Opening reads nothing. A row is checked against its sum when it is first used, so a changed byte is found before it can change
//! a score, and a column of gigabytes opens at once.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::{best_of, dot, encode};
use crate::error::{IndexError, Result};
use crate::map::Map;

#[cfg(target_endian = "big")]
compile_error!("vectors are mapped as they lie in the file, little endian");

/// Rows that one thread scans at a time.
const BLOCK: usize = 2048;

/// Rows of `dimension` numbers each.
#[derive(Debug)]
pub struct Column {
    path: PathBuf,
    map: Map,
    dimension: usize,
    rows: usize,
    /// One bit for each row that was found to be what was written.
    checked: Vec<AtomicU64>,
}

impl Column {
    /// Maps a column file of vectors of this dimension.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] when it is missing or its length is no whole number of rows.
    pub fn open(path: &Path, dimension: usize) -> Result<Self> {
        let map = Map::open(path)?;
        let row_bytes = dimension.saturating_mul(4).saturating_add(4);
        let length = map.bytes().len();
        if dimension == 0 || !length.is_multiple_of(row_bytes) {
            return Err(damaged(path, format!("{length} bytes are no whole number of rows")));
        }
        let rows = length / row_bytes;
        let checked = std::iter::repeat_with(AtomicU64::default).take(rows.div_ceil(64)).collect();
        Ok(Self { path: path.to_owned(), map, dimension, rows, checked })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Numbers per row.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The vector of a row; `None` when there is no such row.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] when it is not what was written.
    pub fn row(&self, row: u32) -> Result<Option<&[f32]>> {
        let Some(bytes) = self.bytes(row) else {
            return Ok(None);
        };
        let (word, bit) = (self.checked.get(row as usize / 64), 1u64 << (row % 64));
        if word.is_none_or(|word| word.load(Ordering::Relaxed) & bit == 0) {
            if self.sum(row) != Some(crc32fast::hash(bytes)) {
                return Err(damaged(&self.path, format!("row {row} is not what was written")));
            }
            if let Some(word) = word {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
        // a map begins at a page and a row at a multiple of four bytes
        Ok(bytemuck::try_cast_slice(bytes).ok())
    }

    fn bytes(&self, row: u32) -> Option<&[u8]> {
        let row = row as usize;
        let length = self.dimension * 4;
        if row >= self.rows {
            return None;
        }
        self.map.bytes().get(row * length..(row + 1) * length)
    }

    fn sum(&self, row: u32) -> Option<u32> {
        let start = self.rows * self.dimension * 4 + row as usize * 4;
        let bytes = self.map.bytes().get(start..start + 4)?;
        bytes.try_into().ok().map(u32::from_le_bytes)
    }

    /// The score of a row; `None` when there is no such row.
    ///
    /// # Errors
    /// As [`Column::row`].
    pub fn score(&self, query: &[f32], row: u32) -> Result<Option<f32>> {
        Ok(self.row(row)?.map(|vector| dot(query, vector)))
    }

    /// The `k` best of all rows: score and row, best first, ties by row.
    ///
    /// # Errors
    /// As [`Column::row`].
    pub fn scan(&self, query: &[f32], k: usize) -> Result<Vec<(f32, u32)>> {
        let blocks = (0..self.rows as u32).into_par_iter().step_by(BLOCK);
        self.best(query, k, blocks.map(|first| first..self.rows.min(first as usize + BLOCK) as u32))
    }

    /// The `k` best of these rows, as [`Column::scan`]; rows that do not exist are passed over.
    ///
    /// # Errors
    /// As [`Column::row`].
    pub fn scan_rows(&self, query: &[f32], rows: &[u32], k: usize) -> Result<Vec<(f32, u32)>> {
        self.best(query, k, rows.par_chunks(BLOCK).map(|block| block.iter().copied()))
    }

    fn best<B: Iterator<Item = u32>>(
        &self,
        query: &[f32],
        k: usize,
        blocks: impl ParallelIterator<Item = B>,
    ) -> Result<Vec<(f32, u32)>> {
        let scored = |block: B| {
            let mut scored = Vec::with_capacity(block.size_hint().0);
            for row in block {
                scored.extend(self.score(query, row)?.map(|score| (score, row)));
            }
            Ok::<_, IndexError>(best_of(scored, k))
        };
        let best = blocks.map(scored).try_reduce(Vec::new, |mut all, block| {
            all.extend(block);
            Ok(all)
        })?;
        Ok(best_of(best, k))
    }
}

fn damaged(path: &Path, reason: String) -> IndexError {
    IndexError::Damaged { path: path.to_owned(), reason }
}

/// Writes a column file row by row.
pub struct ColumnWriter<W> {
    out: W,
    sums: Vec<u8>,
}

impl<W: Write> ColumnWriter<W> {
    /// Begins a column.
    pub fn new(out: W) -> Self {
        Self { out, sums: Vec::new() }
    }

    /// Adds a row; the caller has made sure that it is a unit vector of the column's dimension.
    ///
    /// # Errors
    /// What the system says.
    pub fn push(&mut self, vector: &[f32]) -> Result<()> {
        let bytes = encode(vector);
        self.sums.extend(crc32fast::hash(&bytes).to_le_bytes());
        Ok(self.out.write_all(&bytes)?)
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.sums.len() / 4
    }

    /// Writes the sums.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(mut self) -> Result<W> {
        self.out.write_all(&self.sums)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::testing::write_column;

    #[test]
    fn rows_come_back_and_a_changed_byte_is_found_where_it_matters() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.f32");
        let vectors = [vec![1.0, 0.0], vec![0.6, 0.8], vec![0.0, -1.0]];
        let column = write_column(&path, &vectors);
        assert_eq!((column.len(), column.dimension()), (3, 2));
        assert_eq!(column.row(1).unwrap(), Some([0.6, 0.8].as_slice()));
        assert_eq!(column.row(3).unwrap(), None);
        assert_eq!(column.row(u32::MAX).unwrap(), None);
        assert_eq!(column.scan(&[0.0, 1.0], 2).unwrap(), [(0.8, 1), (0.0, 0)]);
        assert_eq!(column.scan_rows(&[0.0, 1.0], &[2, 7, 0], 5).unwrap(), [(0.0, 0), (-1.0, 2)]);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            std::fs::write(&path, &changed).unwrap();
            let column = Column::open(&path, 2).unwrap();
            let row = if at < 24 { at / 8 } else { (at - 24) / 4 };
            for other in 0..3 {
                assert_eq!(column.row(other).is_err(), other as usize == row, "byte {at}, row {other}");
            }
            assert!(matches!(column.scan(&[1.0, 0.0], 1), Err(IndexError::Damaged { .. })));
        }
        std::fs::write(&path, &bytes[1..]).unwrap();
        assert!(matches!(Column::open(&path, 2), Err(IndexError::Damaged { .. })));
        std::fs::write(&path, []).unwrap();
        assert!(Column::open(&path, 2).unwrap().scan(&[1.0, 0.0], 3).unwrap().is_empty());
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(Column::open(&path, 2), Err(IndexError::Damaged { .. })));
    }
}
