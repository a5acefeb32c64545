//! What a search asks for.

use std::str::FromStr;

use image::DynamicImage;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::{Error, Result};

/// Longest query text, in bytes.
pub const MAX_TEXT: usize = 2000;

/// What is looked for.
#[derive(Clone, Debug)]
pub enum Query {
    /// Free text, with quoted phrases and `-word`.
    Text(String),
    /// A film.
    Image(Box<DynamicImage>),
}

/// What is looked through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Studies with a film.
    #[default]
    Images,
    /// Studies with a report.
    Reports,
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

/// One search.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is looked for.
    pub query: Query,
    /// What is looked through.
    pub to: Target,
    /// Results wanted.
    pub k: usize,
    /// A filter expression, such as `sex:F age:40..60`.
    pub filter: Option<String>,
    /// Rank by the encoder alone: no keywords, no labels. For measuring it.
    pub encoder_only: bool,
}

impl Request {
    /// Checks the bounds.
    ///
    /// # Errors
    /// `k` out of range, an empty or an overlong text.
    pub fn validated(self) -> Result<Self> {
        if self.k == 0 || self.k > Config::MAX_K {
            return Err(Error::Caller(format!("k must be between 1 and {}", Config::MAX_K)));
        }
        if let Query::Text(text) = &self.query {
            if text.trim().is_empty() {
                return Err(Error::Caller("the query is empty: type what you look for".to_owned()));
            }
            if text.len() > MAX_TEXT {
                return Err(Error::Caller(format!("the query is longer than {MAX_TEXT} bytes")));
            }
        }
        Ok(self)
    }
}
