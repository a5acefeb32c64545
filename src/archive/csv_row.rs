//! One row of CSV: where it ends, what separates its fields, and its fields.

use std::io;

use csv::ByteRecord;

/// The `csv` crate's parser, fed one row at a time: setting it up anew for each row would take most of the time.
#[derive(Debug)]
pub(super) struct Parser {
    reader: csv::Reader<Feed>,
    delimiter: u8,
}

/// The bytes that the parser reads next.
#[derive(Debug, Default)]
struct Feed {
    bytes: Vec<u8>,
    at: usize,
}

impl io::Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.get(self.at..).unwrap_or_default().read(into)?;
        self.at += count;
        Ok(count)
    }
}

impl Parser {
    pub fn new(delimiter: u8) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            // A lone `\r` is no row end, so that one row in is one row out.
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(Feed::default());
        Parser { reader, delimiter }
    }

    /// What separates the fields.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Parses one row, with or without its line end.
    pub fn parse(&mut self, row: &[u8]) -> csv::Result<ByteRecord> {
        let row = row.strip_suffix(b"\n").unwrap_or(row);
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        let feed = self.reader.get_mut();
        feed.bytes.clear();
        feed.bytes.extend_from_slice(row);
        feed.bytes.push(b'\n');
        feed.at = 0;
        let mut record = ByteRecord::new();
        let outcome = self.reader.read_byte_record(&mut record);
        if outcome.is_err() || self.reader.is_done() {
            *self = Parser::new(self.delimiter);
        }
        outcome.map(|_| record)
    }
}

/// Where in a row we are, as far as quotes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// At the start of a field.
    Start,
    /// In a field without quotes: a quote here is a plain character.
    Plain,
    /// Within quotes.
    Inside,
    /// After a quote that closes, or is the first of two.
    Closed,
    /// After a quote that closes stands neither a delimiter nor the end of the row.
    Broken,
}

impl Quotes {
    /// Where we are after `bytes`.
    pub fn after(self, bytes: &[u8], delimiter: u8) -> Quotes {
        bytes.iter().fold(self, |state, byte| state.step(*byte, delimiter))
    }

    /// True when a row ends within quotes, read as the `csv` crate reads it: what follows a closing quote is plain.
    pub fn end_inside(row: &[u8], delimiter: u8) -> bool {
        let end = row.iter().fold(Quotes::Start, |state, byte| match state.step(*byte, delimiter) {
            Quotes::Broken => Quotes::Plain,
            state => state,
        });
        end == Quotes::Inside
    }

    fn step(self, byte: u8, delimiter: u8) -> Quotes {
        match (self, byte) {
            (Quotes::Broken, _) => Quotes::Broken,
            (Quotes::Inside, b'"') => Quotes::Closed,
            (Quotes::Inside, _) => Quotes::Inside,
            (Quotes::Closed, b'"') => Quotes::Inside,
            (_, byte) if byte == delimiter => Quotes::Start,
            (Quotes::Start, b'"') => Quotes::Inside,
            (Quotes::Closed, b' ' | b'\r' | b'\n') => Quotes::Closed,
            (Quotes::Closed, _) => Quotes::Broken,
            _ => Quotes::Plain,
        }
    }
}

/// The candidate that the header holds most of, outside quotes.
pub(super) fn delimiter_of(header: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in header {
        quoted ^= *byte == b'"';
        for (candidate, count) in &mut counts {
            *count += usize::from(!quoted && byte == candidate);
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn quotes_open_at_the_start_of_a_field_only() {
        let state = |row: &str| Quotes::Start.after(row.as_bytes(), b',');
        assert_eq!(state("a,\"b"), Quotes::Inside);
        assert_eq!(state("a,\"b \"\"quoted\"\""), Quotes::Inside);
        assert_eq!(state("a,\"b\"\n"), Quotes::Closed);
        assert_eq!(state("a,6\" tube"), Quotes::Plain);
        assert_eq!(state("\"a\"b,\"c\""), Quotes::Broken);
        assert!(Quotes::end_inside(b"\"a\"b,\"c", b','));
        assert!(!Quotes::end_inside(b"\"a\"b,\"c\"", b','));
    }

    #[test]
    fn a_parser_that_met_a_fault_reads_on() {
        let mut parser = Parser::new(b';');
        let fields = |record: ByteRecord| record.iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        // The end of a row within quotes is the caller's fault; the next row must not suffer.
        parser.parse(b"a;\"open\r\n").unwrap();
        assert_eq!(fields(parser.parse(b"1;2\r\n").unwrap()), [b"1".to_vec(), b"2".to_vec()]);
        assert_eq!(fields(parser.parse(b"\"x;y\";z").unwrap()), [b"x;y".to_vec(), b"z".to_vec()]);
    }

    #[test]
    fn the_delimiter_is_what_the_header_has_most_of() {
        assert_eq!(delimiter_of(b"a,b;c,d"), b',');
        assert_eq!(delimiter_of(b"\"a,b,c\";d;e"), b';');
        assert_eq!(delimiter_of(b"a\tb"), b'\t');
        assert_eq!(delimiter_of(b"image"), b',');
    }
}
