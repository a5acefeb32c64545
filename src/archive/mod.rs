//! Readers: one per source, each a stream of [`Study`].
//!
//! What they yield:
//! - [`study`] the shape that all of them yield
//! - [`reader`] what a reader is, and what a rejected record is
//! - [`source`] the sources by name, and [`open`], which finds the reader
//!
//! One reader per source:
//! - [`nih`] NIH ChestX-ray14
//! - [`openi`] reports of Indiana University, with `openi_xml` for one report
//! - [`covid_chestxray`] serial films with clinical notes
//! - [`hannover`] serial films of Hannover Medical School
//! - [`folder`] folders named by class
//! - [`manifest`] your own archive, as CSV or JSONL
//! - [`phantom`] radiographs computed from a 3-D thorax, with exact truth
//!
//! What readers share:
//! - `lines`, `csv_row`, `table` a CSV file row by row, each with its line number
//! - `groups` the rows of one study together, in whatever order they come
//! - `fields` age, sex, view, date as archives write them
//! - `films` where a named film lies
//! - `walk` the files below a folder, in a stable order
//! - [`sections`] the sections of a report in free text
//!
//! On the way into the catalogue:
//! - [`import`] from a reader to the catalogue: check, batch, acknowledge
//! - [`check`] is this study sound?
//! - [`delete`] and out of it again: which studies are meant
//! - [`load`] one film into memory, with `sniff` for what the file really is

pub mod check;
pub mod covid_chestxray;
mod csv_row;
pub mod delete;
mod fields;
mod films;
pub mod folder;
mod groups;
pub mod hannover;
pub mod import;
mod lines;
pub mod load;
pub mod manifest;
pub mod nih;
pub mod openi;
mod openi_xml;
pub mod phantom;
pub mod reader;
#[cfg(test)]
mod real_data;
pub mod sections;
mod sniff;
pub mod source;
pub mod study;
mod table;
mod walk;

pub use check::{Checked, check_study};
pub use load::{MAX_PIXELS, decode_image, decode_image_within, load_image, read_file};
pub use reader::{Rejected, Studies};
pub use sections::{fold_white_space, section_ranges, split_sections};
pub use source::{ArchiveError, Source, open, open_all};
pub use study::{Image, LabelOrigin, LabelSet, Report, Section, Sex, Study, View};
