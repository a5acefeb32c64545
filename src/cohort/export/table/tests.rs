#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field;
use proptest::prelude::*;

use super::*;
use crate::cohort::export::columns::Kind;
use crate::cohort::model::FORMAT;
use crate::findings::Observation;

const COLUMNS: [Column; 6] = [
    Column::Study,
    Column::Report,
    Column::Films,
    Column::Age,
    Column::Changed,
    Column::Stated(Observation::PleuralEffusion),
];

fn cohort() -> Cohort {
    Cohort {
        format: FORMAT,
        name: "trial".to_owned(),
        note: None,
        created: String::new(),
        changed: String::new(),
        revision: 3,
        studies: 0,
        digest: "d".to_owned(),
        steps: Vec::new(),
    }
}

fn write(path: &Path, format: Format, rows: &[Vec<Cell>]) {
    let mut table = table(format, Target::file(path, true).unwrap(), &COLUMNS, &cohort()).unwrap();
    rows.iter().for_each(|row| table.write(row).unwrap());
    table.finish().unwrap();
}

fn number(text: &str) -> Cell {
    text.parse().map_or(Cell::Null, Cell::Integer)
}

fn read_csv(path: &Path) -> Vec<Vec<Cell>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(names, COLUMNS.map(Column::name));
    let cell = |column: &Column, text: &str| match (column.kind(), text) {
        (_, "") => Cell::Null,
        (Kind::Text, text) => Cell::Text(text.to_owned()),
        (Kind::Integer, text) => number(text),
        (Kind::Float, text) => Cell::Float(text.parse().unwrap()),
        (Kind::Bool, text) => Cell::Bool(text == "true"),
    };
    let row =
        |record: csv::StringRecord| COLUMNS.iter().zip(&record).map(|(column, text)| cell(column, text)).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn read_jsonl(path: &Path) -> Vec<Vec<Cell>> {
    let text = std::fs::read_to_string(path).unwrap();
    let cell = |column: &Column, value: &serde_json::Value| match (column.kind(), value) {
        (_, serde_json::Value::Null) => Cell::Null,
        (Kind::Text, value) => Cell::Text(value.as_str().unwrap().to_owned()),
        (Kind::Integer, value) => Cell::Integer(value.as_i64().unwrap()),
        (Kind::Float, value) => Cell::Float(value.as_f64().unwrap()),
        (Kind::Bool, value) => Cell::Bool(value.as_bool().unwrap()),
    };
    let row = |line: &str| {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        COLUMNS.iter().map(|column| cell(column, &object[column.name()])).collect()
    };
    // not by lines(): that would also take a carriage return off
    text.split_terminator('\n').map(row).collect()
}

fn read_parquet(path: &Path) -> (Vec<Vec<Cell>>, usize) {
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let about = reader.metadata().file_metadata().key_value_metadata().unwrap();
    assert!(about.iter().any(|note| note.key == "thorax.cohort.revision" && note.value.as_deref() == Some("3")));
    let cell = |field: &Field| match field {
        Field::Null => Cell::Null,
        Field::Str(text) => Cell::Text(text.clone()),
        Field::Long(number) => Cell::Integer(*number),
        Field::Double(number) => Cell::Float(*number),
        Field::Bool(truth) => Cell::Bool(*truth),
        other => panic!("{other:?}"),
    };
    let rows = reader.get_row_iter(None).unwrap();
    let rows = rows.map(|row| row.unwrap().get_column_iter().map(|(_, field)| cell(field)).collect()).collect();
    (rows, reader.num_row_groups())
}

fn text() -> impl Strategy<Value = Cell> {
    let nasty = prop_oneof![
        "\\PC{1,20}",
        Just("she said \"no\", twice;\r\nthen\n\nleft".to_owned()),
        Just("  blanks around  ".to_owned()),
        Just("Größe, 胸部, 🫁, \u{202e}x".to_owned()),
        Just("=1+1\t'".to_owned()),
        Just("\\N".to_owned()),
    ];
    prop_oneof![1 => Just(Cell::Null), 4 => nasty.prop_map(Cell::Text)]
}

fn row() -> impl Strategy<Value = Vec<Cell>> {
    let integer = prop_oneof![Just(Cell::Null), any::<i64>().prop_map(Cell::Integer)];
    let float = prop_oneof![
        Just(Cell::Null),
        // in 64ths: serde_json reads a number of 17 digits back with an error in the last place
        (-1_000_000_000i64..1_000_000_000).prop_map(|n| Cell::Float(n as f64 / 64.0))
    ];
    let truth = any::<bool>().prop_map(Cell::Bool);
    let label = prop_oneof![Just(Cell::Null), (-1i64..2).prop_map(Cell::Integer)];
    (text(), text(), integer, float, truth, label).prop_map(|(a, b, c, d, e, f)| vec![a, b, c, d, e, f])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn whatever_is_written_is_read_again(rows in proptest::collection::vec(row(), 0..30)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table");
        write(&path, Format::Csv, &rows);
        prop_assert_eq!(read_csv(&path), rows.clone());
        write(&path, Format::Jsonl, &rows);
        prop_assert_eq!(read_jsonl(&path), rows.clone());
        write(&path, Format::Parquet, &rows);
        prop_assert_eq!(read_parquet(&path).0, rows);
    }
}

#[test]
fn long_tables_and_long_texts_are_cut_into_row_groups() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("table.parquet");
    let row = |number: usize, text: &str| {
        vec![
            Cell::Text(format!("s/{number}")),
            Cell::Text(text.to_owned()),
            Cell::Integer(number as i64),
            Cell::Null,
            Cell::Bool(number.is_multiple_of(3)),
            Cell::Null,
        ]
    };
    let rows: Vec<_> = (0..70_000).map(|number| row(number, "short")).collect();
    write(&path, Format::Parquet, &rows);
    let (read, groups) = read_parquet(&path);
    assert_eq!((read == rows, groups), (true, 3));

    let long = "report ".repeat(150_000);
    let rows: Vec<_> = (0..40).map(|number| row(number, &long)).collect();
    write(&path, Format::Parquet, &rows);
    let (read, groups) = read_parquet(&path);
    assert_eq!((read == rows, groups), (true, 3));
}

#[test]
fn nothing_at_all_is_a_table_too() {
    let dir = tempfile::tempdir().unwrap();
    for (format, name) in [(Format::Csv, "csv"), (Format::Jsonl, "jsonl"), (Format::Parquet, "parquet")] {
        assert_eq!(Format::of(name), Some(format));
        write(&dir.path().join(name), format, &[]);
    }
    assert!(read_csv(&dir.path().join("csv")).is_empty());
    assert!(read_jsonl(&dir.path().join("jsonl")).is_empty());
    assert!(read_parquet(&dir.path().join("parquet")).0.is_empty());
    assert_eq!(Format::of("xlsx"), None);
}
