//! `thorax serve`: the HTTP API and the page.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use clap::Args;

use super::{Context, output, token};
use crate::access::Keyring;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::owner::Registration;
use crate::server::{self, Listeners, Serving, tls};

/// Serve search over HTTP and as a page.
///
/// On loopback everybody on this machine is let in until the first token is made. Another address needs a token, and TLS.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    /// Address to bind.
    #[arg(long, env = "THORAX_HOST", value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// Port; 0 = any free one.
    #[arg(long, env = "THORAX_PORT", value_name = "PORT")]
    port: Option<u16>,
    /// PEM file of the certificate and those that sign it.
    #[arg(long, env = "THORAX_TLS_CERTIFICATE", value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// PEM file of the certificate's key.
    #[arg(long, env = "THORAX_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Serve an address that is not loopback without TLS: only where a proxy before it does TLS.
    #[arg(long, env = "THORAX_INSECURE_HTTP")]
    insecure_http: bool,
    /// Ask for tokens on loopback too, before there are any.
    #[arg(long, env = "THORAX_REQUIRE_TOKENS")]
    require_tokens: bool,
}

const EXAMPLES: &str = "\
Examples:
  thorax serve
  thorax token create \"reading room\" --role reader
  thorax serve --host 0.0.0.0 --port 443 --tls-certificate chain.pem --tls-key key.pem
  thorax serve --host 10.0.0.5 --insecure-http        behind a proxy that does TLS";

impl Serve {
    /// Runs the command until Ctrl-C or SIGTERM.
    ///
    /// # Errors
    /// The home cannot be searched, or the address cannot be bound.
    pub fn run(self, context: &Context) -> Result<()> {
        let mut home = context.home()?;
        home.config.server.host = self.host.unwrap_or(home.config.server.host);
        home.config.server.port = self.port.unwrap_or(home.config.server.port);
        let server = &mut home.config.server;
        server.tls_certificate = self.tls_certificate.unwrap_or_else(|| server.tls_certificate.clone());
        server.tls_key = self.tls_key.unwrap_or_else(|| server.tls_key.clone());
        server.insecure_http |= self.insecure_http;
        server.require_tokens |= self.require_tokens;
        home.config = home.config.validated()?;
        serve(&home)
    }
}

/// Opens the home and serves it; one line on stdout says where.
///
/// # Errors
/// See [`Serve::run`].
pub fn serve(home: &Home) -> Result<()> {
    let config = &home.config.server;
    let address = SocketAddr::new(config.host, config.port);
    // what can be refused at once is, before the index is opened
    let tls = tls::configured(config)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public = !config.host.is_loopback();
    if (public || config.require_tokens) && !Keyring::new(home.path()).any_valid() {
        return Err(token::needed(&format!("a server on {address}")));
    }
    if public && tls.is_none() && !config.insecure_http {
        return Err(Error::Caller(format!(
            "a server on {address} needs TLS: give --tls-certificate and --tls-key, or --insecure-http where a proxy before it \
             does TLS"
        )));
    }
    let serving = Serving::open(home.clone())?;
    let listener = TcpListener::bind(address)
        .map_err(|e| Error::Caller(format!("cannot listen on {address}: {e}; choose another with --port")))?;
    let listening = listener.local_addr()?;
    let commands = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    // as long as this server lives, commands on this home go through it
    let serves = format!("{scheme}://{listening}");
    let registration = Registration::write(home.path(), commands.local_addr()?, &serves)?;
    output::line(&format!("thorax is serving on {serves}"))?;
    if public && tls.is_none() {
        eprintln!(
            "warning: without TLS everybody on the way can read what is sent, tokens too; put a proxy that does TLS before it"
        );
    }
    eprintln!("{} Ctrl-C stops it.", crate::NOTICE);
    server::run(Listeners { public: listener, tls, commands }, serving, registration.owner().clone())
}
