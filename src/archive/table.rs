//! A CSV file row by row. Bad rows are rejected by their line number, and the rows after them are read.
//!
//! The file is cut into rows here and each row is parsed by the `csv` crate: a quote that is never closed then costs
//! its own line and not the rest of the file, and line numbers are right whatever the line ends.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use csv::StringRecord;

use super::csv_row::{Parser, Quotes, delimiter_of};
use super::lines::{Got, Lines, Place, reject_file};
use super::reader::Rejected;

/// A row whose quoted fields reach further than this is taken for a quote that was never closed.
const MAX_ROW: usize = 1 << 20;

/// A CSV file with its header read.
#[derive(Debug)]
pub(super) struct Table {
    lines: Lines,
    parser: Parser,
    header: Vec<String>,
    columns: HashMap<String, usize>,
    buffer: Vec<u8>,
    failed: bool,
}

/// A row: its place and its fields.
#[derive(Debug)]
pub(super) struct Row {
    pub place: Place,
    fields: StringRecord,
}

impl Row {
    /// The trimmed field, empty where there is no such column.
    pub fn get(&self, column: Option<usize>) -> &str {
        column.and_then(|at| self.fields.get(at)).unwrap_or_default().trim()
    }
}

/// A column name without case, blanks and punctuation, so that `Patient ID` and `patient_id` are one.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Table {
    /// Opens `path` and reads its header; the delimiter is what the header has most of: `,` `;` or tab.
    pub fn open(path: &Path) -> Result<Table, Rejected> {
        let unreadable = |error: io::Error| reject_file(path, format!("cannot be read: {error}"));
        let mut lines = Lines::open(path).map_err(unreadable)?;
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            match lines.read(&mut buffer).map_err(unreadable)? {
                Got::Line if buffer.trim_ascii().is_empty() => {}
                Got::Line => break,
                Got::TooLong => return Err(reject_file(path, "is not CSV: its first line has no end")),
                Got::End => return Err(reject_file(path, "is empty: it has no header line")),
            }
        }
        if buffer.starts_with(b"\xff\xfe") || buffer.starts_with(b"\xfe\xff") {
            return Err(reject_file(path, "is UTF-16: save it as UTF-8"));
        }
        if buffer.trim_ascii().contains(&b'\r') {
            return Err(reject_file(path, "has line ends of old Macs (CR): save it with LF or CRLF"));
        }
        let mut parser = Parser::new(delimiter_of(&buffer));
        let header = parser
            .parse(&buffer)
            .ok()
            .and_then(|record| StringRecord::from_byte_record(record).ok())
            .ok_or_else(|| reject_file(path, "has a header line that is not UTF-8 text"))?;
        let mut header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        while header.last().is_some_and(String::is_empty) {
            header.pop();
        }
        let mut columns = HashMap::new();
        for (at, name) in header.iter().enumerate() {
            columns.entry(plain(name)).or_insert(at);
        }
        Ok(Table { lines, parser, header, columns, buffer, failed: false })
    }

    /// Opens `path`, which must have the columns `required`.
    pub fn open_with(path: &Path, required: &[&str]) -> Result<Table, Rejected> {
        let table = Table::open(path)?;
        let missing: Vec<&str> = required.iter().copied().filter(|name| table.column(name).is_none()).collect();
        if missing.is_empty() {
            return Ok(table);
        }
        let reason = format!(
            "has no column {}; its header is: {}",
            missing.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(" and no "),
            table.header_text()
        );
        Err(reject_file(path, reason))
    }

    /// Column names as they stand in the file.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The header for a message, cut where a file that is no table makes it endless.
    pub fn header_text(&self) -> String {
        let text = self.header.join(", ");
        match text.char_indices().nth(400) {
            Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
            None => text,
        }
    }

    /// Position of a column, by its name without case, blanks and punctuation.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(&plain(name)).copied()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.lines.path()
    }

    /// Goes to the place of a row.
    pub fn seek(&mut self, place: Place) -> io::Result<()> {
        self.lines.seek(place)
    }

    /// The next row and its place, or what is wrong with it. `None` at the end.
    pub fn next_row(&mut self) -> Option<(Place, Result<Row, Rejected>)> {
        if self.failed {
            return None;
        }
        let (place, row) = self.cut_row()?;
        let row = row.and_then(|()| self.parse_row(place)).map_err(|reason| place.reject(self.path(), reason));
        Some((place, row))
    }

    /// Reads the bytes of the next row into the buffer. A row may hold line ends within quotes.
    fn cut_row(&mut self) -> Option<(Place, Result<(), String>)> {
        loop {
            let place = self.lines.place();
            self.buffer.clear();
            match self.read_line() {
                Ok(Got::End) => return None,
                Ok(Got::TooLong) => return Some((place, Err("the line has no end: is this a text file?".to_owned()))),
                Ok(Got::Line) if self.buffer.trim_ascii().is_empty() => continue,
                Ok(Got::Line) => {}
                Err(reason) => return Some((place, Err(reason))),
            }
            let second = self.lines.place();
            let mut quotes = Quotes::Start;
            let mut seen = 0;
            loop {
                quotes = quotes.after(self.buffer.get(seen..).unwrap_or_default(), self.parser.delimiter());
                seen = self.buffer.len();
                if quotes != Quotes::Inside {
                    break;
                }
                if seen > MAX_ROW || !matches!(self.read_line(), Ok(Got::Line)) {
                    quotes = Quotes::Broken;
                    break;
                }
            }
            let several_lines = self.lines.place() != second || self.failed;
            if quotes == Quotes::Broken && (several_lines || Quotes::end_inside(&self.buffer, self.parser.delimiter()))
            {
                let reason = "a quote opens here and is not closed before the next field: close it, \
                              or double the quotes within a quoted field";
                if let Err(error) = self.lines.seek(second) {
                    self.failed = true;
                    return Some((place, Err(format!("cannot be read: {error}"))));
                }
                return Some((place, Err(reason.to_owned())));
            }
            return Some((place, Ok(())));
        }
    }

    fn read_line(&mut self) -> Result<Got, String> {
        self.lines.read(&mut self.buffer).map_err(|error| {
            self.failed = true;
            format!("cannot be read further: {error}")
        })
    }

    fn parse_row(&mut self, place: Place) -> Result<Row, String> {
        let record = self.parser.parse(&self.buffer).map_err(|error| format!("is not CSV: {error}"))?;
        let wanted = self.header.len();
        let extra_is_empty = record.iter().skip(wanted).all(|field| field.trim_ascii().is_empty());
        if record.len() < wanted || !extra_is_empty {
            return Err(format!("has {} fields where the header has {wanted}", record.len()));
        }
        let fields = StringRecord::from_byte_record(record).map_err(|error| {
            let column = self.header.get(error.utf8_error().field()).map(String::as_str).unwrap_or_default();
            format!("column '{column}' is not UTF-8: save the file as UTF-8")
        })?;
        Ok(Row { place, fields })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// A row as its line and its fields, or the line and reason of the rejection.
    type Read = Result<(u64, Vec<String>), String>;

    fn read(content: &[u8]) -> Result<Vec<Read>, Rejected> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        fs_err::write(&path, content).unwrap();
        let mut table = Table::open(&path)?;
        let mut rows = Vec::new();
        while let Some((_, row)) = table.next_row() {
            rows.push(match row {
                Ok(row) => Ok((row.place.line, row.fields.iter().map(str::to_owned).collect())),
                Err(rejected) => Err(format!("{}: {}", rejected.record.unwrap_or_default(), rejected.reason)),
            });
        }
        Ok(rows)
    }

    fn row(line: u64, fields: &[&str]) -> Read {
        Ok((line, fields.iter().map(|field| (*field).to_owned()).collect()))
    }

    #[test]
    fn line_ends_marks_and_delimiters() {
        for content in [
            "a,b\n1,2\n\n3,4",
            "a,b\r\n1,2\r\n\r\n3,4\r\n",
            "\u{feff}a;b\r\n1;2\r\n\r\n3;4",
            "a\tb\n1\t2\n\n3\t4\n",
            "a,b,\n1,2,\n\n3,4,\n",
        ] {
            let rows = read(content.as_bytes()).unwrap();
            let heads: Vec<_> = rows.into_iter().map(|r| r.map(|(line, f)| (line, f[..2].to_vec()))).collect();
            assert_eq!(heads, [row(2, &["1", "2"]), row(4, &["3", "4"])], "{content:?}");
        }
    }

    #[test]
    fn quoted_line_ends_keep_the_line_numbers() {
        let rows = read(b"a,b\n1,\"two\nlines, \"\"quoted\"\"\"\n3,6\" tube\n").unwrap();
        assert_eq!(rows, [row(2, &["1", "two\nlines, \"quoted\""]), row(4, &["3", "6\" tube"])]);
    }

    #[test]
    fn ragged_row_is_rejected_by_its_line() {
        let rows = read(b"a,b\n1\n2,3,4\n5,6\n").unwrap();
        assert!(rows[0].as_ref().unwrap_err().starts_with("line 2: has 1 fields where the header has 2"));
        assert!(rows[1].as_ref().unwrap_err().starts_with("line 3: has 3 fields"));
        assert_eq!(rows[2], row(4, &["5", "6"]));
    }

    #[test]
    fn unclosed_quote_costs_its_own_line_only() {
        let rows = read(b"a,b\n1,\"open\n2,\"closed\"\n3,4\n5,\"open at the end\n6,7\n").unwrap();
        assert!(rows[0].as_ref().unwrap_err().starts_with("line 2: a quote opens here"));
        assert_eq!(rows[1], row(3, &["2", "closed"]));
        assert_eq!(rows[2], row(4, &["3", "4"]));
        assert!(rows[3].as_ref().unwrap_err().starts_with("line 5: a quote opens here"));
        assert_eq!(rows[4], row(6, &["6", "7"]));
    }

    #[test]
    fn line_that_is_not_utf8_is_rejected_and_the_rest_read() {
        let rows = read(b"a,b\n1,caf\xe9\n2,caf\xc3\xa9\n").unwrap();
        assert_eq!(rows[0], Err("line 2: column 'b' is not UTF-8: save the file as UTF-8".to_owned()));
        assert_eq!(rows[1], row(3, &["2", "café"]));
    }

    #[test]
    fn files_that_are_no_table() {
        assert!(read(b"").unwrap_err().reason.contains("empty"));
        assert!(read(b"\n\n").unwrap_err().reason.contains("empty"));
        assert!(read(b"\xff\xfea\0,\0b\0\n\0").unwrap_err().reason.contains("UTF-16"));
        assert!(read(b"a,b\r1,2\r").unwrap_err().reason.contains("old Macs"));
        assert!(read(b"a,\xff\n1,2\n").unwrap_err().reason.contains("not UTF-8"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_to_the_end(content in proptest::collection::vec(proptest::sample::select(&b"ab\",;\n\r\xff\xc3\0"[..]), 0..200)) {
            if let Ok(rows) = read(&content) {
                proptest::prop_assert!(rows.len() <= content.len());
            }
        }

        #[test]
        fn what_the_csv_crate_writes_is_read_back(
            rows in proptest::collection::vec(proptest::collection::vec("[a-z\",; \n\r\té]{0,6}x", 3), 0..8)
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).unwrap();
            for fields in &rows {
                writer.write_record(fields).unwrap();
            }
            let read: Vec<Vec<String>> =
                read(&writer.into_inner().unwrap()).unwrap().into_iter().map(|row| row.unwrap().1).collect();
            proptest::prop_assert_eq!(read, rows);
        }
    }
}
