//! Why a film was found, and what it looks like to the encoder.
//!
//! - [`heat_map`] which places of a film a query is near to
//! - [`overlay`] the map drawn over the film
//! - [`place`] a point of a film in words
//! - [`standing`] the findings of a film, each by its rank among the archive's films
//!
//! None of this is a probability, and a heat map shows what moved a score, not where a disease is.

pub mod heat_map;
pub mod overlay;
pub mod place;
pub mod standing;

use image::{DynamicImage, GenericImageView};
use serde::Serialize;
use thorax_models::Encoder;
use utoipa::ToSchema;

pub use heat_map::{Against, HeatMap};
pub use place::Place;
pub use standing::{Reference, Standing};

use crate::error::{Error, Result};
use crate::evaluation::cohort::ensemble;
use crate::findings::{Observation, Polarity, negative_prompts, prompts, understand};
use crate::search::request::MAX_TEXT;

/// Where a query lies on a film.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// The map.
    pub map: HeatMap,
    /// Where it is highest.
    pub peak: Place,
    /// What to keep in mind.
    pub caution: &'static str,
}

/// Said with every map.
pub const CAUTION: &str = "The map shows which places of the film moved its score for these words, not where a disease \
                           is. It is as coarse as the encoder's grid, and each place has seen its neighbourhood.";

/// Where the words of a query lie on a film.
///
/// # Errors
/// The query is empty or too long, or the encoder fails.
pub fn explain(encoder: &Encoder, film: &DynamicImage, text: &str) -> Result<Explanation> {
    if text.trim().is_empty() {
        return Err(Error::Caller("the query is empty: say what to look for on the film".to_owned()));
    }
    if text.len() > MAX_TEXT {
        return Err(Error::Caller(format!("the query is longer than {MAX_TEXT} bytes")));
    }
    let direction = direction(encoder, text)?;
    let pixels = encoder.preprocess(film)?;
    let regions =
        encoder.embed_regions(&[pixels])?.pop().ok_or_else(|| Error::Caller("nothing to embed".to_owned()))?;
    let map = HeatMap::new(&regions, &direction, film.dimensions());
    let peak = map.peak();
    Ok(Explanation { map, peak, caution: CAUTION })
}

/// The direction of a typed query: its vector less that of a normal chest, so that what all films have falls out.
/// A query for a normal chest is taken as it is.
fn direction(encoder: &Encoder, text: &str) -> Result<Vec<f32>> {
    let query = encoder.embed_texts(&[text])?.pop().unwrap_or_default();
    let normal = understand(text).wants(Polarity::Present).any(|wanted| wanted.observation == Observation::NoFinding);
    let against = if normal { Against::Nothing } else { Against::Normal };
    against.less(encoder, query, None)
}

impl Against {
    /// `query` less what it is held against; `finding` is what [`Against::Denied`] denies.
    ///
    /// # Errors
    /// The encoder fails.
    pub fn less(self, encoder: &Encoder, query: Vec<f32>, finding: Option<Observation>) -> Result<Vec<f32>> {
        let texts = match (self, finding) {
            (Against::Nothing, _) | (Against::Denied, None) => return Ok(query),
            (Against::Normal, _) => prompts(Observation::NoFinding),
            (Against::Denied, Some(finding)) => negative_prompts(finding),
        };
        let other = ensemble(&encoder.embed_texts(&texts)?);
        Ok(query.iter().zip(&other).map(|(q, o)| q - o).collect())
    }
}
