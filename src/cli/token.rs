//! `thorax token`: who may use the server.

use chrono::DateTime;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Context, output};
use crate::access::Role;
use crate::access::file::{self, Tokens};
use crate::access::token::{Token, now};
use crate::audit::{Event, Log, Who};
use crate::error::{Error, Result};

/// Make, list and revoke the tokens that the server asks for.
///
/// A server that runs takes the change over at the next request. Once the first token is made, the server asks for one on loopback too.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct TokenCommand {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  thorax token create \"reading room\" --role reader
  thorax token create \"trial 7\" --role researcher --expires-days 90
  thorax token list
  thorax token revoke 3f09a1c2de

Roles:
  reader       searches, and looks at studies
  researcher   also builds and exports cohorts
  keeper       searches; imports, indexes, deletes
  admin        everything";

#[derive(Subcommand)]
enum Action {
    /// Make a token; it is shown once.
    Create {
        /// Whose it is, or what for: the audit log names it.
        #[arg(value_name = "NAME")]
        name: String,
        /// What it permits.
        #[arg(long, value_enum)]
        role: Role,
        /// Days until it is refused; never where not given.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36500))]
        expires_days: Option<u32>,
    },
    /// List the tokens, without their secrets.
    List,
    /// Refuse a token from now on.
    Revoke {
        /// Its id, as the list shows it.
        id: String,
    },
}

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    role: Role,
    state: &'static str,
    created: String,
    expires: Option<String>,
    revoked: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

impl TokenCommand {
    /// Runs the command; also while a server owns the home.
    ///
    /// # Errors
    /// There is no such token, or the file cannot be written.
    pub fn run(self, context: &Context) -> Result<()> {
        let home = context.home()?;
        match self.action {
            Action::Create { name, role, expires_days } => {
                let expires = expires_days.map(|days| now() + i64::from(days) * 86_400);
                let (token, text) = Token::create(&name, role, expires)?;
                let log = Log::open(home.path())?;
                file::add(home.path(), token.clone())?;
                log.append(event("token created", &token))?;
                if context.json {
                    return output::json(&shown(&token, Some(&text)));
                }
                eprintln!("token {} of '{}', {role}; it is shown this once:", token.id, token.name);
                output::line(&text)
            }
            Action::List => {
                let Tokens { tokens } = Tokens::read(home.path())?;
                if context.json {
                    return output::json(&tokens.iter().map(|token| shown(token, None)).collect::<Vec<_>>());
                }
                if tokens.is_empty() {
                    return output::line("no tokens: `thorax token create NAME --role reader` makes one");
                }
                tokens.iter().try_for_each(|token| {
                    let Shown { id, name, role, state, created, expires, .. } = shown(token, None);
                    let expires = expires.map(|day| format!(", until {day}")).unwrap_or_default();
                    output::line(&format!("{id}  {:10}  {state:7}  {name} (since {created}{expires})", role.name()))
                })
            }
            Action::Revoke { id } => {
                let token = file::revoke(home.path(), &id)?;
                // the token is refused already: that counts more than the line
                Log::open(home.path())?.append(event("token revoked", &token))?;
                if context.json {
                    return output::json(&shown(&token, None));
                }
                output::line(&format!("token {id} of '{}' is refused from now on", token.name))
            }
        }
    }
}

fn event(kind: &str, token: &Token) -> Event {
    Event { token: Some(token.id.clone()), ..Event::new(Who::CommandLine, kind) }
}

fn shown<'a>(token: &'a Token, text: Option<&'a str>) -> Shown<'a> {
    let state = match token {
        Token { revoked: Some(_), .. } => "revoked",
        token if token.is_valid() => "valid",
        _ => "expired",
    };
    Shown {
        id: &token.id,
        name: &token.name,
        role: token.role,
        state,
        created: time(token.created),
        expires: token.expires.map(time),
        revoked: token.revoked.map(time),
        token: text,
    }
}

/// `2026-11-24T18:00:00Z`
fn time(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).map_or_else(|| seconds.to_string(), |time| time.format("%FT%TZ").to_string())
}

/// What to say where a server needs a token and there is none.
pub fn needed(address: &str) -> Error {
    Error::Caller(format!(
        "{address} needs a token, and this home has none that is valid: make one with \
         `thorax token create NAME --role admin`, then start the server again"
    ))
}
