//! Configuration: defaults < `thorax.toml` in the home < `THORAX_*` < flags.
//!
//! The commented default file, `src/default.toml`, is the reference; a test keeps it in step with the defaults.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thorax_models::device::Choice;

use crate::error::{Error, Result};
use crate::logging::Format;

/// The commented default file.
pub const REFERENCE: &str = include_str!("default.toml");

/// Name of the configuration file in a home.
pub const FILE: &str = "thorax.toml";

/// A validated configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Threads for decoding, encoding and scanning; 0 = all cores.
    pub threads: usize,
    /// Name of the model that `thorax index` uses; empty = the one trained last.
    pub model: String,
    /// Where models are trained: auto, cpu or cuda.
    pub device: Choice,
    /// How lines of the log look: text or json.
    pub log_format: Format,
    /// The server.
    pub server: Server,
    /// The audit log.
    pub audit: Audit,
    /// The search.
    pub search: Search,
}

/// How the server listens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address to bind. One that is not loopback needs tokens, and TLS or `insecure_http`.
    pub host: IpAddr,
    /// Port; 0 = any free one.
    pub port: u16,
    /// Largest body of a request, in MiB.
    pub upload_mib: usize,
    /// Most pixels of a film that is sent to be searched with, in millions.
    pub upload_megapixels: u32,
    /// Tokens also on loopback, and before there are any.
    pub require_tokens: bool,
    /// PEM file of the certificate and those that sign it; empty = no TLS.
    pub tls_certificate: PathBuf,
    /// PEM file of its key.
    pub tls_key: PathBuf,
    /// Serve an address that is not loopback without TLS: a proxy before it does TLS.
    pub insecure_http: bool,
    /// What each client may ask for in a minute; a search counts 2, one with a film 10. 0 = no limit.
    pub requests_per_minute: u32,
    /// Connections at once; more wait.
    pub connections: usize,
    /// Seconds that the head of a request may take to arrive.
    pub head_seconds: u64,
    /// Seconds that its body may take.
    pub body_seconds: u64,
    /// Seconds that a connection may be idle.
    pub idle_seconds: u64,
}

/// What the audit log has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// What was looked for too. It can say something of a patient.
    pub query_text: bool,
}

/// How candidates are gathered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// Results when the caller does not say.
    pub k: usize,
    /// Candidates taken from each source before fusion.
    pub candidates: usize,
    /// The constant of reciprocal rank fusion.
    pub fusion_k: f32,
    /// How much each ranking counts in the fusion.
    pub weights: Rankings,
}

/// How much each ranking counts in the fusion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rankings {
    /// By the film's embedding.
    pub film: f32,
    /// By the embedding of the report's best sentence.
    pub sentence: f32,
    /// By keywords.
    pub keyword: f32,
    /// Among the studies that are stated to show what is wanted, by embedding.
    pub stated: f32,
    /// By the findings read from the film, where nothing is stated.
    pub zero_shot: f32,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8750,
            upload_mib: 32,
            upload_megapixels: 100,
            require_tokens: false,
            tls_certificate: PathBuf::new(),
            tls_key: PathBuf::new(),
            insecure_http: false,
            requests_per_minute: 6000,
            connections: 1024,
            head_seconds: 10,
            body_seconds: 120,
            idle_seconds: 75,
        }
    }
}

impl Default for Search {
    fn default() -> Self {
        Self { k: 10, candidates: 1000, fusion_k: 60.0, weights: Rankings::default() }
    }
}

impl Default for Rankings {
    fn default() -> Self {
        Self { film: 1.0, sentence: 1.0, keyword: 0.5, stated: 1.0, zero_shot: 1.0 }
    }
}

impl Config {
    /// Largest number of results of one search.
    pub const MAX_K: usize = 1000;

    /// Reads `thorax.toml` of a home, or takes the defaults where there is none.
    ///
    /// # Errors
    /// An unreadable file, an unknown key or a value out of range: the caller's fault, with the file named.
    pub fn load(home: &Path) -> Result<Self> {
        let path = home.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs_err::read_to_string(&path)?;
        let config: Config = toml::from_str(&text).map_err(|e| Error::Caller(format!("{}: {e}", path.display())))?;
        config.validated()
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// Names the key that is out of range.
    pub fn validated(self) -> Result<Self> {
        let wrong = |key: &str, wanted: &str| Err(Error::Caller(format!("configuration: {key} must be {wanted}")));
        if self.search.k == 0 || self.search.k > Self::MAX_K {
            return wrong("search.k", "between 1 and 1000");
        }
        if self.search.candidates < self.search.k || self.search.candidates > 100_000 {
            return wrong("search.candidates", "between search.k and 100000");
        }
        if !(1.0..=10_000.0).contains(&self.search.fusion_k) {
            return wrong("search.fusion_k", "between 1 and 10000");
        }
        let Rankings { film, sentence, keyword, stated, zero_shot } = self.search.weights;
        if [film, sentence, keyword, stated, zero_shot].iter().any(|weight| !(0.0..=100.0).contains(weight)) {
            return wrong("search.weights", "numbers between 0 and 100");
        }
        if self.server.upload_mib == 0 || self.server.upload_mib > 1024 {
            return wrong("server.upload_mib", "between 1 and 1024");
        }
        if self.server.upload_megapixels == 0 || self.server.upload_megapixels > 100 {
            return wrong("server.upload_megapixels", "between 1 and 100");
        }
        let Server { connections, head_seconds, body_seconds, idle_seconds, .. } = self.server;
        if connections == 0 || connections > 1_000_000 {
            return wrong("server.connections", "between 1 and 1000000");
        }
        if [head_seconds, body_seconds, idle_seconds].iter().any(|seconds| !(1..=3600).contains(seconds)) {
            return wrong("server.head_seconds, body_seconds and idle_seconds", "between 1 and 3600");
        }
        let Server { tls_certificate, tls_key, .. } = &self.server;
        if tls_certificate.as_os_str().is_empty() != tls_key.as_os_str().is_empty() {
            return wrong("server.tls_certificate and server.tls_key", "given together");
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_reference_file_states_the_defaults() {
        let read: Config = toml::from_str(REFERENCE).unwrap();
        assert_eq!(read, Config::default());
    }

    #[test]
    fn an_unknown_key_and_half_a_certificate_are_refused() {
        assert!(toml::from_str::<Config>("[server]\nprot = 1").is_err());
        let half: Config = toml::from_str("[server]\ntls_key = \"key.pem\"").unwrap();
        assert!(half.validated().unwrap_err().to_string().contains("tls_certificate"));
    }
}
