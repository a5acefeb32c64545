//! Entity tags: what a browser has already is not sent again (RFC 9110, section 13.1.2).

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{ETag, EntityTag, IfNoneMatch};
use actix_web::{FromRequest, HttpMessage, HttpRequest};

/// The tag of a content; weak, so that it stays that of the compressed one. `part` tells several that are made of one file apart.
pub fn tag(hash: &str, part: &str) -> ETag {
    // a tag is of printable ASCII without quotes
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '=');
    ETag(EntityTag::new_weak(hash.chars().chain(part.chars()).filter(plain).collect()))
}

/// What a client has already. Handlers take it as an argument.
pub struct Known(Vec<EntityTag>);

impl Known {
    /// Whether it has this.
    pub fn has(&self, tag: &ETag) -> bool {
        self.0.iter().any(|one| one.weak_eq(&tag.0))
    }
}

impl FromRequest for Known {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(match request.get_header::<IfNoneMatch>() {
            Some(IfNoneMatch::Items(known)) => known,
            // `*` is for methods that change something
            Some(IfNoneMatch::Any) | None => Vec::new(),
        })))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header;
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_the_same_content_is_known() {
        let known = |shown: &str, tag: &ETag| {
            let request = TestRequest::default().insert_header((header::IF_NONE_MATCH, shown)).to_http_request();
            let Ok(known) = Known::from_request(&request, &mut Payload::None).into_inner();
            known.has(tag)
        };
        let film = tag("ab12", "-window\"0.5\n");
        assert_eq!(film.0.to_string(), "W/\"ab12-window0.5\"");
        assert!(known("\"x\", W/\"ab12-window0.5\"", &film) && known("\"ab12-window0.5\"", &film));
        assert!(!known("W/\"ab12\"", &film) && !known("*", &film) && !known("ab12", &film) && !known("", &film));
    }
}
