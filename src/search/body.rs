//! A request as JSON: the body of `POST /api/v1/search`, and what the command line sends to a server.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::request::{Exclude, Group, MAX_PARTS, Query, QueryFilm, Request, Target, Weights};
use crate::error::{Error, Result};

/// Results where the caller does not say.
const K: usize = 24;

/// A request as JSON. Everything may be left out but something to look for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = SearchQuery)]
#[serde(default, deny_unknown_fields)]
pub struct Body {
    /// What to look for, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Files of films to be like, in base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Studies to be like, by id or key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub like: Vec<String>,
    /// Studies to be unlike, by id or key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unlike: Vec<String>,
    /// How much each of these counts.
    pub weights: Weights,
    /// What is looked through.
    pub to: Target,
    /// Results wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<usize>,
    /// Results before them.
    pub offset: usize,
    /// Cursor of the page, from the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// A filter expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// What one result is.
    pub group: Group,
    /// What of the query itself is left out.
    pub exclude: Exclude,
    /// Leave out the tail.
    pub cut: bool,
    /// Say where each score comes from.
    pub explain: bool,
    /// Rank by the encoder alone.
    pub encoder_only: bool,
    /// Most pixels of a film that came with the request; the server's, not the caller's.
    #[serde(skip)]
    pub most_pixels: Option<u64>,
}

impl Body {
    /// Makes the request; `more` are further films, as the bytes of their files.
    ///
    /// # Errors
    /// A film that is no film, or no base64.
    pub fn request(self, more: &[&[u8]]) -> Result<Request> {
        let name = Path::new("the uploaded film");
        let most = self.most_pixels.unwrap_or(u64::MAX);
        let mut films = Vec::with_capacity((self.images.len() + more.len()).min(MAX_PARTS));
        // before any is decoded
        if self.images.len() + more.len() > MAX_PARTS {
            return Err(Error::Caller(format!("a query has at most {MAX_PARTS} films")));
        }
        for text in &self.images {
            let bytes = BASE64_STANDARD
                .decode(text)
                .map_err(|_| Error::Caller("'images' holds files of films in base64; one is none".to_owned()))?;
            films.push(QueryFilm::decode(&bytes, name, most)?);
        }
        for bytes in more {
            films.push(QueryFilm::decode(bytes, name, most)?);
        }
        let query = Query { text: self.text, films, like: self.like, unlike: self.unlike, weights: self.weights };
        Ok(Request {
            to: self.to,
            offset: self.offset,
            after: self.after,
            filter: self.filter,
            group: self.group,
            exclude: self.exclude,
            cut: self.cut,
            explain: self.explain,
            encoder_only: self.encoder_only,
            ..Request::new(query, self.k.unwrap_or(K))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_body_says_what_it_is_for_and_nothing_else() {
        let body: Body =
            serde_json::from_str(r#"{"text": "edema", "group": "patient", "weights": {"text": 2}}"#).unwrap();
        let request = body.request(&[]).unwrap();
        assert_eq!((request.k, request.group, request.query.weights.text), (K, Group::Patient, 2.0));
        assert_eq!(request.query.weights.like, Weights::default().like);
        assert!(serde_json::from_str::<Body>(r#"{"surprise": 1}"#).is_err());
        let film = Body { images: vec!["no film".to_owned()], ..Body::default() };
        assert!(film.request(&[]).unwrap_err().is_caller_fault());
    }
}
