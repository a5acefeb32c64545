//! TLS by rustls, from PEM files.

use std::path::Path;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Server;
use crate::error::{Error, Result};

/// The certificate and key that are configured; `None` where none are.
///
/// # Errors
/// A file that cannot be read, is no PEM, or a key that is not the certificate's.
pub fn configured(config: &Server) -> Result<Option<ServerConfig>> {
    let Server { tls_certificate, tls_key, .. } = config;
    if tls_certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let wrong = |path: &Path, what: &str| Error::Caller(format!("{}: {what}", path.display()));
    let read = |path: &Path| fs_err::read(path).map_err(|e| Error::Caller(format!("TLS: {e}")));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(tls_certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|e| wrong(tls_certificate, &format!("no certificate in PEM: {e}")))?;
    if chain.is_empty() {
        return Err(wrong(tls_certificate, "has no certificate; a PEM file has BEGIN CERTIFICATE in it"));
    }
    let key = PrivateKeyDer::from_pem_slice(&read(tls_key)?)
        .map_err(|_| wrong(tls_key, "has no private key in PEM that is not encrypted"))?;
    let provider = rustls::crypto::ring::default_provider().into();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::Server(format!("TLS: {e}")))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| wrong(tls_certificate, &format!("does not go with {}: {e}", tls_key.display())))?;
    Ok(Some(config))
}
