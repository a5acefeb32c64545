//! Who asks: by the token that a request shows, by the session of its cookie, or anybody on this machine where there are no
//! tokens.

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actix_web::cookie::Cookie;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::fault::Fault;
use super::limits::{Client, Limits};
use crate::access::keyring::Holder;
use crate::access::{Keyring, Role};
use crate::config;

/// Name of the cookie of a session.
pub const COOKIE: &str = "thorax_session";

/// Who asks. Handlers take it as an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Whoever is on this machine: there are no tokens.
    Local,
    /// Somebody with a token.
    Holder(Holder),
    /// Nobody that is known.
    Nobody,
}

impl Caller {
    /// What they may do.
    pub fn role(&self) -> Option<Role> {
        match self {
            Caller::Local => Some(Role::Admin),
            Caller::Holder(holder) => Some(holder.role),
            Caller::Nobody => None,
        }
    }
}

impl FromRequest for Caller {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(request.extensions().get().cloned().unwrap_or(Caller::Nobody)))
    }
}

/// What a server knows of its callers.
pub struct Callers {
    /// Tokens and sessions.
    pub keyring: Arc<Keyring>,
    /// Their allowances.
    pub limits: Limits,
    /// The server listens on loopback.
    pub loopback: bool,
    /// Cookies go over TLS only.
    pub tls: bool,
    required: bool,
}

impl Callers {
    /// Of a server that listens on `address`.
    pub fn new(keyring: Arc<Keyring>, address: IpAddr, config: &config::Server) -> Self {
        Self {
            keyring,
            limits: Limits::new(config),
            loopback: address.is_loopback(),
            tls: !config.tls_certificate.as_os_str().is_empty(),
            required: config.require_tokens,
        }
    }

    /// Whether everybody on this machine is let in.
    pub fn open(&self) -> bool {
        self.loopback && !self.required && !self.keyring.any()
    }

    /// Who sends a request.
    ///
    /// # Errors
    /// A token that is not, or no longer, right; or too many of them.
    pub async fn of(&self, request: &ServiceRequest) -> Result<Caller, Fault> {
        if self.open() {
            return Ok(Caller::Local);
        }
        if let Some(shown) = request.headers().get(header::AUTHORIZATION) {
            let shown = shown.to_str().ok().and_then(|shown| shown.split_once(' '));
            let text = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, text)| text.trim());
            let text = text.ok_or_else(|| Fault::unauthenticated("the header is `Authorization: Bearer thx_...`"))?;
            return self.holder(text, address(request.peer_addr())).await.map(Caller::Holder);
        }
        let session = request.cookie(COOKIE);
        Ok(session.and_then(|cookie| self.keyring.session(cookie.value())).map_or(Caller::Nobody, Caller::Holder))
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// It is not, or no longer, right; or there were too many such from this address.
    pub async fn holder(&self, text: &str, address: IpAddr) -> Result<Holder, Fault> {
        if let Some(holder) = self.keyring.remembered(text) {
            return Ok(holder);
        }
        self.limits.sign_in(address)?;
        let (keyring, text) = (Arc::clone(&self.keyring), text.to_owned());
        let found = web::block(move || keyring.verify(&text)).await?;
        found.ok_or_else(|| Fault::unauthenticated("this token is unknown, revoked or expired"))
    }

    /// Whose allowance a request uses; nobody's where everybody on this machine is let in.
    pub fn client(caller: &Caller, address: IpAddr) -> Option<Client> {
        match caller {
            Caller::Local => None,
            Caller::Holder(holder) => Some(Client::Token(holder.id.clone())),
            Caller::Nobody => Some(Client::address(address)),
        }
    }

    /// A cookie for a session; an empty one ends it.
    pub fn cookie(&self, secret: &str, request: &HttpRequest) -> Cookie<'static> {
        // a proxy that does TLS says so; who lies about it harms himself alone
        let proxied = request.headers().get("x-forwarded-proto").is_some_and(|by| by.as_bytes() == b"https");
        let mut cookie = Cookie::new(COOKIE, secret.to_owned());
        cookie.set_path("/");
        cookie.set_http_only(true);
        cookie.set_secure(self.tls || proxied);
        cookie.set_same_site(actix_web::cookie::SameSite::Strict);
        if secret.is_empty() {
            cookie.make_removal();
        }
        cookie
    }
}

/// The address of a peer.
pub fn address(peer: Option<std::net::SocketAddr>) -> IpAddr {
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
}
