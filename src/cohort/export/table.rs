//! Tables, one row after the other.

use std::io::{BufWriter, Write};

use serde::ser::{SerializeMap, Serializer};

use super::columns::Column;
use super::parquet::Parquet;
use super::rows::Cell;
use super::target::Target;
use crate::cohort::model::Cohort;
use crate::error::{Error, Result};

/// Format of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a head line; nothing known is an empty field.
    Csv,
    /// One JSON object a line; nothing known is `null`.
    Jsonl,
    /// Parquet, Snappy.
    Parquet,
}

impl Format {
    /// The format of this name, or of a file that ends so.
    pub fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "csv" => Some(Format::Csv),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            "parquet" => Some(Format::Parquet),
            _ => None,
        }
    }
}

/// Takes rows, each with one value for each column.
pub trait Table {
    /// Writes a row.
    ///
    /// # Errors
    /// The file cannot be written.
    fn write(&mut self, row: &[Cell]) -> Result<()>;

    /// Writes what is left, and puts the file in its place.
    ///
    /// # Errors
    /// As [`Table::write`].
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Begins a table.
///
/// # Errors
/// The file cannot be written.
pub fn table(format: Format, target: Target, columns: &[Column], cohort: &Cohort) -> Result<Box<dyn Table>> {
    match format {
        Format::Csv => {
            let mut out = csv::Writer::from_writer(target);
            out.write_record(columns.iter().map(|column| column.name())).map_err(csv_fault)?;
            Ok(Box::new(Csv { out }))
        }
        Format::Jsonl => {
            Ok(Box::new(Jsonl { out: BufWriter::new(target), names: columns.iter().map(|c| c.name()).collect() }))
        }
        Format::Parquet => Ok(Box::new(Parquet::new(target, columns, cohort)?)),
    }
}

struct Csv {
    out: csv::Writer<Target>,
}

impl Table for Csv {
    fn write(&mut self, row: &[Cell]) -> Result<()> {
        for cell in row {
            let text = match cell {
                Cell::Null => String::new(),
                Cell::Text(text) => text.clone(),
                Cell::Integer(number) => number.to_string(),
                Cell::Float(number) => number.to_string(),
                Cell::Bool(truth) => truth.to_string(),
            };
            self.out.write_field(text).map_err(csv_fault)?;
        }
        self.out.write_record(None::<&[u8]>).map_err(csv_fault)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let target = self.out.into_inner().map_err(|e| Error::Io(std::io::Error::other(e.to_string())))?;
        target.finish()
    }
}

fn csv_fault(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::Io(error),
        other => Error::Io(std::io::Error::other(format!("CSV: {other:?}"))),
    }
}

struct Jsonl {
    out: BufWriter<Target>,
    names: Vec<&'static str>,
}

impl Table for Jsonl {
    fn write(&mut self, row: &[Cell]) -> Result<()> {
        let mut json = serde_json::Serializer::new(&mut self.out);
        // in the order of the columns, which a JSON map would not keep
        let mut object = json.serialize_map(Some(row.len()))?;
        for (name, cell) in self.names.iter().zip(row) {
            match cell {
                Cell::Null => object.serialize_entry(name, &())?,
                Cell::Text(text) => object.serialize_entry(name, text)?,
                Cell::Integer(number) => object.serialize_entry(name, number)?,
                Cell::Float(number) => object.serialize_entry(name, number)?,
                Cell::Bool(truth) => object.serialize_entry(name, truth)?,
            }
        }
        object.end()?;
        Ok(self.out.write_all(b"\n")?)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.out.into_inner().map_err(|e| Error::Io(e.into_error()))?.finish()
    }
}

#[cfg(test)]
mod tests;
