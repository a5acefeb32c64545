//! What a search asks for.

use std::path::Path;
use std::str::FromStr;

use image::DynamicImage;
use serde::{Deserialize, Serialize};
use thorax_index::Space;
use utoipa::ToSchema;

use crate::archive::{Rejected, decode_image_within};
use crate::config::Config;
use crate::error::{Error, Result};

/// Longest query text, in bytes.
pub const MAX_TEXT: usize = 2000;

/// Most films, and most studies to be like or unlike, of one query.
pub const MAX_PARTS: usize = 20;

/// What is looked for: any of text, films and studies, together.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Free text, with quoted phrases and `-word`.
    pub text: Option<String>,
    /// Films to be like.
    pub films: Vec<QueryFilm>,
    /// Studies to be like, by id or key.
    pub like: Vec<String>,
    /// Studies to be unlike, by id or key.
    pub unlike: Vec<String>,
    /// How much each part counts.
    pub weights: Weights,
}

/// A film to search with.
#[derive(Clone, Debug)]
pub struct QueryFilm {
    /// Its pixels.
    pub image: Box<DynamicImage>,
    /// BLAKE3 of its file, in hex, where there is a file: finds its own study in the archive.
    pub hash: Option<String>,
}

impl QueryFilm {
    /// Decodes a film of at most `most` pixels; `name` is for the message only.
    ///
    /// # Errors
    /// See [`decode_image_within`].
    pub fn decode(bytes: &[u8], name: &Path, most: u64) -> Result<Self, Rejected> {
        let image = Box::new(decode_image_within(bytes, name, most)?);
        Ok(Self { image, hash: Some(blake3::hash(bytes).to_hex().to_string()) })
    }
}

/// How much each part of a composed query counts. Those of studies are Rocchio's (Manning et al. 2008, section 9.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    /// The text.
    pub text: f32,
    /// The films.
    pub image: f32,
    /// The studies to be like.
    pub like: f32,
    /// The studies to be unlike.
    pub unlike: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { text: 1.0, image: 1.0, like: 0.75, unlike: 0.25 }
    }
}

impl Query {
    /// Looks for a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Looks for films like this one.
    pub fn film(image: DynamicImage) -> Self {
        Self { films: vec![QueryFilm { image: Box::new(image), hash: None }], ..Self::default() }
    }
}

/// What is looked through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Studies with a film.
    #[default]
    Images,
    /// Studies with a report.
    Reports,
}

impl Target {
    /// The vectors of what is looked through.
    pub fn space(self) -> Space {
        match self {
            Target::Images => Space::Images,
            Target::Reports => Space::Sentences,
        }
    }
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "images" => Ok(Target::Images),
            "reports" => Ok(Target::Reports),
            _ => Err(Error::Caller(format!("'{text}' is neither 'images' nor 'reports'"))),
        }
    }
}

/// What one result is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// A study.
    #[default]
    Study,
    /// A patient, by the best of the studies.
    Patient,
}

/// What of a query's own films and studies is left out of the results. Studies that the query is to be like or unlike always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Exclude {
    /// Nothing: a film finds itself.
    #[default]
    None,
    /// The study that a film of the query is of.
    Study,
    /// All studies of the patients that the query's films and studies are of.
    Patient,
}

/// One search.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is looked for.
    pub query: Query,
    /// What is looked through.
    pub to: Target,
    /// Results wanted.
    pub k: usize,
    /// Results left out before them.
    pub offset: usize,
    /// The page behind another one, by the cursor that came with it; in place of `offset`.
    pub after: Option<String>,
    /// A filter expression, such as `sex:F age:40..60`.
    pub filter: Option<String>,
    /// What one result is.
    pub group: Group,
    /// What of the query itself is left out.
    pub exclude: Exclude,
    /// Leave out the tail that the query does not mean.
    pub cut: bool,
    /// Say for each result where its score comes from.
    pub explain: bool,
    /// Rank by the encoder alone: no keywords, no labels, nothing understood. For measuring it.
    pub encoder_only: bool,
    /// Rank as if no study had a report or a label: what is wanted is understood, and judged by the films. For measuring it.
    pub unstated: bool,
}

impl Request {
    /// Asks for the first `k` studies with films.
    pub fn new(query: Query, k: usize) -> Self {
        Self {
            query,
            to: Target::Images,
            k,
            offset: 0,
            after: None,
            filter: None,
            group: Group::Study,
            exclude: Exclude::None,
            cut: false,
            explain: false,
            encoder_only: false,
            unstated: false,
        }
    }

    /// Checks the bounds.
    ///
    /// # Errors
    /// `k` out of range, an empty query, a part that is too long or too many, a weight that is no weight.
    pub fn validated(self) -> Result<Self> {
        let fault = |text: String| Err(Error::Caller(text));
        if self.k == 0 || self.k > Config::MAX_K {
            return fault(format!("k must be between 1 and {}", Config::MAX_K));
        }
        let Query { text, films, like, unlike, weights } = &self.query;
        if let Some(text) = text {
            if text.trim().is_empty() {
                return fault("the query is empty: type what you look for".to_owned());
            }
            if text.len() > MAX_TEXT {
                return fault(format!("the query is longer than {MAX_TEXT} bytes"));
            }
        }
        if text.is_none() && films.is_empty() && like.is_empty() {
            return fault("say what to look for: a text, a film, or a study to be like".to_owned());
        }
        if films.len().max(like.len()).max(unlike.len()) > MAX_PARTS {
            return fault(format!("a query has at most {MAX_PARTS} films and as many studies to be like or unlike"));
        }
        let Weights { text, image, like, unlike } = *weights;
        if [text, image, like, unlike].iter().any(|weight| !(0.0..=100.0).contains(weight)) {
            return fault("a weight is a number from 0 to 100".to_owned());
        }
        if self.offset > 0 && self.after.is_some() {
            return fault("a page begins at an offset or after a cursor, not both".to_owned());
        }
        Ok(self)
    }
}
