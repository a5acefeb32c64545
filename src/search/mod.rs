//! Search: query -> what is wanted -> rankings -> fuse -> order, group, page -> results -> explain.
//!
//! - [`request`] what is asked, and [`body`] the same as JSON
//! - [`language`] a typed query: which studies can be results, terms, prose
//! - [`engine`] a home that is open for searching; [`statements`] what every study is stated to show, in memory
//! - [`run`] a search, from request to answer
//! - [`parts`] text, films, and studies to be like or unlike, as vectors; [`positive`] the text without what it denies
//! - [`agreement`] how well what a study shows agrees with what is wanted; [`judging`] the same for all studies
//! - [`zero_shot`] findings read from a film, ranked among the archive's films; [`kept`] what that takes, on disk
//! - [`candidates`], [`rankings`] by film, sentence, keyword, statements, readings; [`fuse`] reciprocal rank fusion
//! - [`cut`] suspicion, and where the irrelevant tail begins
//! - [`order`] candidates, then the rest; groups and pages; [`cursor`] where a page begins
//! - [`facets`] how many of what passes have which value of a field
//! - [`map`] the archive's films in two dimensions
//! - [`results`] the records of what is returned; [`snippet`] their words that match; [`explain`] why it stands there
//! - [`response`] what is answered

pub mod agreement;
pub mod body;
pub mod candidates;
pub mod cursor;
pub mod cut;
pub mod engine;
pub mod explain;
pub mod facets;
pub mod fuse;
pub mod judging;
pub mod kept;
pub mod language;
pub mod map;
pub mod order;
pub mod parts;
pub mod positive;
pub mod rankings;
pub mod request;
pub mod response;
pub mod results;
pub mod run;
pub mod snippet;
pub mod statements;
pub mod zero_shot;

pub use engine::Engine;
pub use request::{Exclude, Group, Query, QueryFilm, Request, Target};
pub use response::Response;
