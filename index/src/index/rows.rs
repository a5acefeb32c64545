//! The studies of a generation, by row: ids, groups, and where each study's line is.

use std::path::Path;

use fs_err as fs;
use roaring::RoaringBitmap;

use super::kept::{Kept, KeptBuilder};
use super::line::StudyLine;
use super::strings::Strings;
use crate::error::Result;
use crate::generation::studies::{self, Study};

/// Ids and groups are in memory; what else a study's line says is read when it is asked for.
pub(super) struct Rows {
    ids: Strings,
    groups: Groups,
    kept: Kept,
    lines: Lines,
}

/// Which rows have the same group.
struct Groups {
    /// Distinct, ascending.
    names: Strings,
    /// Of each row.
    of: Vec<u32>,
    /// Rows, those of the first group first, and ascending within one.
    rows: Vec<u32>,
    /// Rows of group `i` begin at `starts[i]` and end at `starts[i + 1]`.
    starts: Vec<u32>,
}

struct Lines {
    file: fs::File,
    /// Ends of the lines in the file.
    ends: Vec<u64>,
}

/// Gathers rows in the order of the file.
#[derive(Default)]
pub(super) struct RowsBuilder {
    ids: Strings,
    groups: Strings,
    kept: KeptBuilder,
    ends: Vec<u64>,
}

impl RowsBuilder {
    /// Adds the study whose line ends at this byte.
    pub(super) fn push(&mut self, study: &StudyLine<'_>, end: u64) {
        self.ids.push(&study.id);
        self.groups.push(&study.group);
        self.kept.push(&study.fields);
        self.ends.push(end);
    }

    /// `path` is the file that the studies came from.
    pub(super) fn finish(self, path: &Path) -> Result<Rows> {
        let Self { mut ids, groups, kept, mut ends } = self;
        ids.shrink();
        ends.shrink_to_fit();
        let lines = Lines { file: fs::File::open(path)?, ends };
        Ok(Rows { ids, groups: Groups::new(&groups), kept: kept.finish(), lines })
    }
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn id(&self, row: u32) -> Option<&str> {
        self.ids.get(row)
    }

    pub(super) fn group(&self, row: u32) -> Option<&str> {
        self.groups.names.get(*self.groups.of.get(row as usize)?)
    }

    /// The group's number of each row.
    pub(super) fn groups(&self) -> &[u32] {
        &self.groups.of
    }

    /// The row of an id.
    pub(super) fn find(&self, id: &str) -> Option<u32> {
        self.ids.find(id)
    }

    /// The rows of a group; none where there is no such group.
    pub(super) fn of_group(&self, group: &str) -> RoaringBitmap {
        let Some(number) = self.groups.names.find(group) else { return RoaringBitmap::new() };
        let at = |number: u32| self.groups.starts.get(number as usize).map_or(0, |start| *start as usize);
        self.groups.rows.get(at(number)..at(number + 1)).unwrap_or_default().iter().copied().collect()
    }

    /// A private field of a study, see [`Kept`].
    pub(super) fn kept(&self, row: u32, field: &str) -> Option<&str> {
        self.kept.get(row, field)
    }

    /// All that the generation keeps of a study; `None` where there is no such row.
    pub(super) fn study(&self, row: u32) -> Result<Option<Study>> {
        let row = row as usize;
        let Some(end) = self.lines.ends.get(row) else { return Ok(None) };
        let start = row.checked_sub(1).and_then(|before| self.lines.ends.get(before)).copied().unwrap_or(0);
        let mut line = vec![0; end.saturating_sub(start) as usize];
        read_at(&self.lines.file, &mut line, start)?;
        studies::parse(self.lines.file.path(), row + 1, line.trim_ascii_end()).map(Some)
    }
}

impl Groups {
    fn new(of_rows: &Strings) -> Self {
        let mut rows: Vec<u32> = (0..of_rows.len() as u32).collect();
        let name = |row: u32| of_rows.get(row).unwrap_or_default();
        rows.sort_by(|a, b| name(*a).cmp(name(*b)).then(a.cmp(b)));
        let (mut names, mut starts, mut of) = (Strings::default(), Vec::new(), vec![0; of_rows.len()]);
        let mut last = None;
        for (place, row) in (0u32..).zip(&rows) {
            let name = name(*row);
            if last != Some(name) {
                last = Some(name);
                names.push(name);
                starts.push(place);
            }
            if let Some(of) = of.get_mut(*row as usize) {
                *of = names.len() as u32 - 1;
            }
        }
        starts.push(rows.len() as u32);
        names.shrink();
        Self { names, of, rows, starts }
    }
}

#[cfg(unix)]
fn read_at(file: &fs::File, bytes: &mut [u8], at: u64) -> Result<()> {
    use std::os::unix::fs::FileExt;
    Ok(file.file().read_exact_at(bytes, at)?)
}

#[cfg(not(unix))]
fn read_at(file: &fs::File, bytes: &mut [u8], at: u64) -> Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    // a handle of its own: the position of this one is shared
    let mut own = fs::File::open(file.path())?;
    own.seek(SeekFrom::Start(at))?;
    Ok(own.read_exact(bytes)?)
}
