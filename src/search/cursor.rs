//! The cursor of a page: it names the generation and the query that it goes on with.

use super::request::Request;
use crate::error::{Error, Result};

/// Where the next page begins. As text: `<generation>-<query>-<offset>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The generation that was searched.
    pub generation: u64,
    /// Hash of what was asked, without the page.
    pub query: u32,
    /// Results before it.
    pub offset: usize,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:08x}-{}", self.generation, self.query, self.offset)
    }
}

impl Cursor {
    /// Where `request` begins, on this generation.
    ///
    /// # Errors
    /// A cursor of another generation or of another query: results would be missing or come twice.
    pub fn of(request: &Request, generation: u64) -> Result<Self> {
        let query = hash(request);
        let Some(text) = &request.after else {
            return Ok(Self { generation, query, offset: request.offset });
        };
        let fault = |reason: &str| Error::Caller(format!("the cursor '{text}' {reason}: ask for the first page again"));
        let cursor = parse(text).ok_or_else(|| fault("is none that a search gave"))?;
        if cursor.generation != generation {
            return Err(fault(&format!(
                "is of generation {}, and generation {generation} serves now",
                cursor.generation
            )));
        }
        if cursor.query != query {
            return Err(fault("is of another query"));
        }
        Ok(cursor)
    }

    /// The page behind this one.
    #[must_use]
    pub fn next(self, results: usize) -> Self {
        Self { offset: self.offset.saturating_add(results), ..self }
    }
}

fn parse(text: &str) -> Option<Cursor> {
    let mut parts = text.split('-');
    let generation = parts.next()?.parse().ok()?;
    let query = u32::from_str_radix(parts.next()?, 16).ok()?;
    let offset = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(Cursor { generation, query, offset })
}

/// Everything that decides the order of the results.
fn hash(request: &Request) -> u32 {
    let query = &request.query;
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &str| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    };
    add(query.text.as_deref().unwrap_or_default());
    let texts = |list: &[String]| list.join("\n");
    for part in [texts(&query.like), texts(&query.unlike), request.filter.clone().unwrap_or_default()] {
        add(&part);
    }
    add(&format!("{:?} {:?} {:?} {:?}", request.to, request.group, request.exclude, query.weights));
    add(&format!("{} {} {}", request.cut, request.encoder_only, request.unstated));
    for film in &query.films {
        hasher.update(blake3::hash(film.image.as_bytes()).as_bytes());
    }
    let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::search::request::Query;

    fn asked(text: &str, after: Option<String>) -> Request {
        Request { after, ..Request::new(Query::text(text), 5) }
    }

    #[test]
    fn a_cursor_goes_on_with_its_own_query_and_generation() {
        let first = Cursor::of(&asked("edema", None), 7).unwrap();
        assert_eq!(first.offset, 0);
        let after = Some(first.next(5).to_string());
        assert_eq!(Cursor::of(&asked("edema", after.clone()), 7).unwrap().offset, 5);
        let said = |request, generation| Cursor::of(&request, generation).unwrap_err().to_string();
        assert!(said(asked("edema", after.clone()), 8).contains("generation 8 serves"));
        assert!(said(asked("fracture", after), 7).contains("another query"));
        for wrong in ["", "7", "7-zz-1", "7-00000000-5-1", "7-00000000--5"] {
            assert!(said(asked("edema", Some(wrong.to_owned())), 7).contains("first page"), "{wrong}");
        }
    }
}
