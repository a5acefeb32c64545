//! Entity tags: what a browser has already is not sent again (RFC 9110, section 13.1.2).

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::http::header::{ETag, EntityTag, IfNoneMatch};

/// The tag of a content; weak, so that it stays that of the compressed one. `part` tells several that are made of one file apart.
pub fn tag(hash: &str, part: &str) -> ETag {
    // a tag is of printable ASCII without quotes
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '=');
    ETag(EntityTag::new_weak(hash.chars().chain(part.chars()).filter(plain).collect()))
}

/// Whether the client has it.
pub fn is_known(request: &HttpRequest, tag: &ETag) -> bool {
    match request.get_header::<IfNoneMatch>() {
        Some(IfNoneMatch::Items(known)) => known.iter().any(|one| one.weak_eq(&tag.0)),
        // `*` is for methods that change something
        Some(IfNoneMatch::Any) | None => false,
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
            is_known(&TestRequest::default().insert_header((header::IF_NONE_MATCH, shown)).to_http_request(), tag)
        };
        let film = tag("ab12", "-window\"0.5\n");
        assert_eq!(film.0.to_string(), "W/\"ab12-window0.5\"");
        assert!(known("\"x\", W/\"ab12-window0.5\"", &film) && known("\"ab12-window0.5\"", &film));
        assert!(!known("W/\"ab12\"", &film) && !known("*", &film) && !known("ab12", &film));
        assert!(!is_known(&TestRequest::default().to_http_request(), &film));
    }
}
