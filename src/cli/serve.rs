//! `thorax serve`: the HTTP API and the page, on loopback.

use std::net::{IpAddr, SocketAddr, TcpListener};

use clap::Args;

use super::{Context, output};
use crate::error::{Error, Result};
use crate::home::Home;
use crate::owner::Registration;
use crate::server::{self, Serving};

/// Serve search over HTTP and as a page, on loopback.
#[derive(Args)]
pub struct Serve {
    /// Address to bind; loopback only, there is no authentication yet.
    #[arg(long, env = "THORAX_HOST", value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// Port; 0 = any free one.
    #[arg(long, env = "THORAX_PORT", value_name = "PORT")]
    port: Option<u16>,
}

impl Serve {
    /// Runs the command until Ctrl-C or SIGTERM.
    ///
    /// # Errors
    /// The home cannot be searched, or the address cannot be bound.
    pub fn run(self, context: &Context) -> Result<()> {
        let mut home = context.home()?;
        home.config.server.host = self.host.unwrap_or(home.config.server.host);
        home.config.server.port = self.port.unwrap_or(home.config.server.port);
        home.config = home.config.validated()?;
        serve(&home)
    }
}

/// Opens the home and serves it; one line on stdout says where.
///
/// # Errors
/// See [`Serve::run`].
pub fn serve(home: &Home) -> Result<()> {
    let serving = Serving::open(home.clone())?;
    let address = SocketAddr::new(home.config.server.host, home.config.server.port);
    let listener = TcpListener::bind(address)
        .map_err(|e| Error::Caller(format!("cannot listen on {address}: {e}; choose another with --port")))?;
    let listening = listener.local_addr()?;
    // as long as this server lives, commands on this home go through it
    let registration = Registration::write(home.path(), listening)?;
    output::line(&format!("thorax is serving on http://{listening}"))?;
    eprintln!("{} Ctrl-C stops it.", crate::NOTICE);
    server::run(listener, serving, registration.owner().clone())
}
