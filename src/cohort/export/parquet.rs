//! A table as Parquet: all columns optional, row groups of bounded size, so that memory does not grow with the cohort.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::columns::{Column, Kind};
use super::rows::Cell;
use super::table::Table;
use super::target::Target;
use crate::cohort::model::Cohort;
use crate::error::{Error, Result};

/// A row group is written at so many rows, or at so many bytes of text.
const GROUP_ROWS: usize = 32_768;
const GROUP_BYTES: usize = 16 << 20;

/// A Parquet file in the making.
pub struct Parquet {
    writer: SerializedFileWriter<Target>,
    columns: Vec<Buffer>,
    rows: usize,
    bytes: usize,
}

/// The values of a column in the row group in hand. A definition level is 1 where there is a value, 0 where there is none.
struct Buffer {
    levels: Vec<i16>,
    values: Values,
}

enum Values {
    Text(Vec<ByteArray>),
    Integer(Vec<i64>),
    Float(Vec<f64>),
    Bool(Vec<bool>),
}

impl Parquet {
    /// Begins a file. Its metadata name the cohort, its revision and its digest.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn new(target: Target, columns: &[Column], cohort: &Cohort) -> Result<Self> {
        let mut fields = Vec::with_capacity(columns.len());
        for column in columns {
            let (physical, logical) = match column.kind() {
                Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
                Kind::Integer => (Physical::INT64, None),
                Kind::Float => (Physical::DOUBLE, None),
                Kind::Bool => (Physical::BOOLEAN, None),
            };
            let field = Type::primitive_type_builder(column.name(), physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(logical)
                .build()
                .map_err(fault)?;
            fields.push(Arc::new(field));
        }
        let schema = Type::group_type_builder("study").with_fields(fields).build().map_err(fault)?;
        let note = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
        let about = vec![
            note("thorax.version", env!("CARGO_PKG_VERSION").to_owned()),
            note("thorax.cohort", cohort.name.clone()),
            note("thorax.cohort.revision", cohort.revision.to_string()),
            note("thorax.cohort.digest", cohort.digest.clone()),
        ];
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("thorax ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(about))
            .build();
        let writer = SerializedFileWriter::new(target, Arc::new(schema), Arc::new(properties)).map_err(fault)?;
        Ok(Self { writer, columns: columns.iter().map(|c| Buffer::new(c.kind())).collect(), rows: 0, bytes: 0 })
    }

    fn write_group(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(fault)?;
        for buffer in &mut self.columns {
            buffer.write(&mut group).map_err(fault)?;
        }
        group.close().map_err(fault)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl Table for Parquet {
    fn write(&mut self, row: &[Cell]) -> Result<()> {
        for (buffer, cell) in self.columns.iter_mut().zip(row) {
            self.bytes += buffer.push(cell);
        }
        self.rows += 1;
        if self.rows == GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.write_group()?;
        self.writer.into_inner().map_err(fault)?.finish()
    }
}

impl Buffer {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Integer => Values::Integer(Vec::new()),
            Kind::Float => Values::Float(Vec::new()),
            Kind::Bool => Values::Bool(Vec::new()),
        };
        Self { levels: Vec::new(), values }
    }

    /// Takes a value; one of another kind than the column's counts as none. Tells its size in bytes.
    fn push(&mut self, cell: &Cell) -> usize {
        let size = match (&mut self.values, cell) {
            (Values::Text(values), Cell::Text(text)) => {
                values.push(ByteArray::from(text.as_str()));
                Some(text.len())
            }
            (Values::Integer(values), Cell::Integer(number)) => {
                values.push(*number);
                Some(8)
            }
            (Values::Float(values), Cell::Float(number)) => {
                values.push(*number);
                Some(8)
            }
            (Values::Bool(values), Cell::Bool(truth)) => {
                values.push(*truth);
                Some(1)
            }
            _ => None,
        };
        self.levels.push(i16::from(size.is_some()));
        size.unwrap_or(0)
    }

    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, Target>) -> Result<(), ParquetError> {
        let levels = std::mem::take(&mut self.levels);
        match &mut self.values {
            Values::Text(values) => write::<ByteArrayType>(group, values, &levels),
            Values::Integer(values) => write::<Int64Type>(group, values, &levels),
            Values::Float(values) => write::<DoubleType>(group, values, &levels),
            Values::Bool(values) => write::<BoolType>(group, values, &levels),
        }
    }
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Target>,
    values: &mut Vec<T::T>,
    levels: &[i16],
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the schema has fewer columns than the row".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(&std::mem::take(values), Some(levels), None)?;
    column.close()
}

fn fault(error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => Error::Io(std::io::Error::other(source)),
        other => Error::Io(std::io::Error::other(other.to_string())),
    }
}
