//! What a protocol found, for people: tables and plots, as text on a terminal or as one HTML file.
//!
//! - [`Sheet`], [`Table`], [`Cell`], [`Plot`] what there is to show, without saying how
//! - [`text`] tables on a terminal
//! - [`html`] one file that needs nothing else
//! - [`svg`] the plots
//! - [`About`] which model, which films, which seed

pub mod html;
pub mod svg;
pub mod text;

use serde::Serialize;

use super::bootstrap::Interval;

/// Where figures come from: enough to make them again.
#[derive(Clone, Debug, Default, Serialize)]
pub struct About {
    /// The command as it was given.
    pub command: String,
    /// Version of thorax.
    pub version: String,
    /// Name of the model in the home; empty where no model is measured.
    pub model: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Films, sentences and patients, in words.
    pub data: String,
    /// How the patients were split, in words.
    pub split: String,
    /// Seed of resamples and draws.
    pub seed: u64,
    /// Resamples behind an interval.
    pub resamples: usize,
}

/// All that one evaluation shows.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// Title.
    pub title: String,
    /// What was done, in a sentence or two each.
    pub notes: Vec<String>,
    /// Tables and plots, in their order.
    pub parts: Vec<Part>,
}

/// A piece of a sheet.
#[derive(Clone, Debug)]
pub enum Part {
    /// Numbers.
    Table(Table),
    /// A picture of numbers that a table has too; not shown on a terminal.
    Plot(Plot),
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// Rows; each has a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A count.
    Count(usize),
    /// A number with three digits.
    Number(f64),
    /// A number with its interval.
    Between(Interval),
    /// There is no value.
    None,
}

/// A plot.
#[derive(Clone, Debug)]
pub enum Plot {
    /// Values with intervals, one row each, and a mark for the value of chance.
    Bars(Bars),
    /// Curves in the unit square, with the diagonal.
    Curves(Curves),
}

/// Values with intervals.
#[derive(Clone, Debug)]
pub struct Bars {
    /// What it shows.
    pub title: String,
    /// Name of the axis.
    pub axis: String,
    /// Range of the axis.
    pub range: (f64, f64),
    /// What the mark is, such as `prevalence`.
    pub mark: String,
    /// The rows.
    pub rows: Vec<Bar>,
}

/// A row of [`Bars`].
#[derive(Clone, Debug)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Interval,
    /// The value of chance, or what it is to be compared with.
    pub mark: Option<f64>,
}

/// Curves in the unit square.
#[derive(Clone, Debug)]
pub struct Curves {
    /// What it shows.
    pub title: String,
    /// Names of the axes.
    pub axes: (String, String),
    /// Name and points, of each curve.
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
}

impl Cell {
    /// An interval, or nothing.
    pub fn between(interval: Option<Interval>) -> Self {
        interval.map_or(Cell::None, Cell::Between)
    }

    /// A number, or nothing.
    pub fn number(value: Option<f64>) -> Self {
        value.map_or(Cell::None, Cell::Number)
    }

    /// As text; a hyphen where there is nothing.
    pub fn text(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Count(count) => count.to_string(),
            Cell::Number(value) => format!("{value:.3}"),
            Cell::Between(interval) => format!("{interval:.3}"),
            Cell::None => "-".to_owned(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Cell::Count(count)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Cell::Number(value)
    }
}

impl From<Option<Interval>> for Cell {
    fn from(interval: Option<Interval>) -> Self {
        Cell::between(interval)
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        Cell::number(value)
    }
}
