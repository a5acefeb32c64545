//! Headers of every answer: what browsers may do with it.

use actix_web::middleware::DefaultHeaders;

/// What the page may load: its own files, and films as blobs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page uses none of these.
const FEATURES: &str = "camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), midi=(), payment=(), \
                        publickey-credentials-get=(), serial=(), usb=(), xr-spatial-tracking=()";

/// Once seen over TLS, no browser asks this host without TLS for a year.
const ALWAYS_TLS: (&str, &str) = ("Strict-Transport-Security", "max-age=31536000");

/// The headers; those of an answer's own stay.
pub fn headers(tls: bool) -> DefaultHeaders {
    let headers = DefaultHeaders::new()
        .add(("Content-Security-Policy", POLICY))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("Permissions-Policy", FEATURES))
        .add(("Cross-Origin-Opener-Policy", "same-origin"))
        .add(("Cross-Origin-Resource-Policy", "same-origin"))
        .add(("Cache-Control", "no-store"));
    if tls { headers.add(ALWAYS_TLS) } else { headers }
}
