//! What the audit log is told of a request.
//!
//! Handlers put [`Counted`] into the extensions of their answer, and where they know what was looked for, [`Asked`].

use actix_web::dev::ServiceResponse;
use actix_web::{HttpMessage, HttpResponse};

use super::access::Rule;
use super::callers::Caller;
use super::observe::RequestId;
use crate::audit::{Event, Who};

/// How many were found, deleted, exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted(pub usize);

/// What was looked for. It is kept only where `audit.query_text` is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked(pub String);

/// An answer, and what the audit log is told of it.
pub fn with(mut answer: HttpResponse, counted: Counted, asked: Option<Asked>) -> HttpResponse {
    let mut said = answer.extensions_mut();
    said.insert(counted);
    if let Some(asked) = asked {
        said.insert(asked);
    }
    drop(said);
    answer
}

/// The line of an answer; `None` where there is none. `rule` is missing where nothing of that address is there.
pub fn event<B>(answer: &ServiceResponse<B>, caller: &Caller, rule: Option<&Rule>, with_text: bool) -> Option<Event> {
    let status = answer.status().as_u16();
    let refused = matches!(status, 401 | 403);
    let kind = match rule {
        Some(rule) if rule.audited || (refused && rule.permission.is_some()) => rule.kind,
        // a foreign page, or a route without a rule
        _ if status == 403 => "refused",
        _ => return None,
    };
    // who asks for too much is not written down each time: that would fill the disk
    if status == 429 {
        return None;
    }
    let request = answer.request();
    let said = answer.response().extensions();
    Some(Event {
        method: rule.map(|rule| rule.method.as_str().to_owned()),
        pattern: rule.map(|rule| rule.pattern.to_owned()),
        key: request.match_info().get("key").filter(|key| is_opaque(key)).map(str::to_owned),
        status: Some(status),
        count: said.get::<Counted>().map(|counted| counted.0 as u64),
        query: said.get::<Asked>().filter(|_| with_text).map(|asked| asked.0.clone()),
        request: request.extensions().get::<RequestId>().map(|id| id.0.clone()),
        ..Event::new(who(caller), kind)
    })
}

pub(super) fn who(caller: &Caller) -> Who {
    match caller {
        Caller::Local => Who::Loopback,
        Caller::Holder(holder) => Who::Token { id: holder.id.clone(), name: holder.name.clone() },
        Caller::Nobody => Who::Nobody,
    }
}

/// `24 hex digits`, or with `-<number>`: what callers put there instead may say something of a patient.
fn is_opaque(key: &str) -> bool {
    let (study, number) = key.split_once('-').unwrap_or((key, "0"));
    study.len() == 24
        && study.bytes().all(|b| b.is_ascii_hexdigit())
        && (1..=6).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_opaque_keys_are_written_down() {
        assert!(is_opaque("0123456789abcdef01234567") && is_opaque("0123456789abcdef01234567-0"));
        for key in ["", "anna-meier", "0123456789abcdef01234567-", "0123456789abcdef01234567-x", "nih/7"] {
            assert!(!is_opaque(key), "{key}");
        }
    }
}
