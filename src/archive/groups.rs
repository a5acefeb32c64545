//! The rows of one study together, in whatever order they come, without holding them in memory.
//!
//! A first pass notes where the rows of each study begin (24 bytes a row), a second one reads them study by study, in
//! order of their first rows. Where the rows of a study stand together the second pass reads straight on.

use std::collections::HashMap;
use std::io;

use super::lines::Place;
use super::reader::Rejected;
use super::table::{Row, Table};

/// A file that can be read record by record and from a place again.
pub(super) trait Records {
    /// A record that was read.
    type Record;
    /// The next record and its place; `None` at the end.
    fn next_record(&mut self) -> Option<(Place, Result<Self::Record, Rejected>)>;
    /// Goes back to a place.
    fn go_to(&mut self, place: Place) -> io::Result<()>;
    /// The rejection of what is at `place`.
    fn reject(&self, place: Place, reason: String) -> Rejected;
}

impl Records for Table {
    type Record = Row;

    fn next_record(&mut self) -> Option<(Place, Result<Row, Rejected>)> {
        self.next_row()
    }

    fn go_to(&mut self, place: Place) -> io::Result<()> {
        self.seek(place)
    }

    fn reject(&self, place: Place, reason: String) -> Rejected {
        place.reject(self.path(), reason)
    }
}

/// Records by study: each item is the records of one key, in the order of the file, or one record that has none.
pub(super) struct Groups<R: Records> {
    records: R,
    /// Group and place of each record, by group and then by place.
    places: Vec<(u32, Place)>,
    at: usize,
}

impl<R: Records> Groups<R> {
    /// Reads `records` through once. Records of one `key` are one group; without a key each is its own.
    pub fn new(mut records: R, key: impl Fn(&R::Record) -> Option<String>) -> Self {
        // A hash in place of the key bounds the memory; at 128 bits no two keys meet.
        let mut groups: HashMap<[u8; 16], u32> = HashMap::new();
        let mut places = Vec::new();
        let mut count = 0;
        while let Some((place, record)) = records.next_record() {
            let group = match record.ok().and_then(|record| key(&record)) {
                Some(key) => {
                    let mut short = [0; 16];
                    blake3::Hasher::new().update(key.as_bytes()).finalize_xof().fill(&mut short);
                    *groups.entry(short).or_insert(count)
                }
                None => count,
            };
            count += u32::from(group == count);
            places.push((group, place));
        }
        places.sort_unstable();
        Groups { records, places, at: 0 }
    }

    /// What is read, after the first pass.
    pub fn records(&self) -> &R {
        &self.records
    }
}

impl<R: Records> Iterator for Groups<R> {
    type Item = Vec<Result<R::Record, Rejected>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (group, _) = *self.places.get(self.at)?;
        let mut found = Vec::new();
        while let Some((_, place)) = self.places.get(self.at).copied().filter(|(of, _)| *of == group) {
            self.at += 1;
            found.push(match self.records.go_to(place) {
                Ok(()) => match self.records.next_record() {
                    Some((_, record)) => record,
                    None => Err(self.records.reject(place, "the file was changed while it was read".to_owned())),
                },
                Err(error) => Err(self.records.reject(place, format!("cannot be read again: {error}"))),
            });
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn rows_of_a_key_meet_in_order_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        fs_err::write(&path, "k,v\r\nb,1\r\na,2\r\nbad\r\nb,\"3\r\n4\"\r\n,5\r\na,6\r\n,7").unwrap();
        let table = Table::open(&path).unwrap();
        let (key, value) = (table.column("k"), table.column("v"));
        let groups = Groups::new(table, |row| Some(row.get(key).to_owned()).filter(|key| !key.is_empty()));
        let values: Vec<Vec<String>> = groups
            .map(|group| {
                group
                    .into_iter()
                    .map(|row| match row {
                        Ok(row) => row.get(value).to_owned(),
                        Err(rejected) => rejected.record.unwrap(),
                    })
                    .collect()
            })
            .collect();
        assert_eq!(values, [vec!["1", "3\r\n4"], vec!["2", "6"], vec!["line 4"], vec!["5"], vec!["7"]]);
    }
}
