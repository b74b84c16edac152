//! Why no answer came, in words of our own: an error's text may hold URLs, so none is passed on.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError, OtherError};

use super::resolver::PUBLIC_ONLY;
use super::tls::AuthorityAsServer;

/// Said of a host name that DNS does not know.
pub(crate) const UNRESOLVED: &str = "the name does not resolve";

/// No answer came, or not the whole of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What went wrong.
    pub cause: Cause,
    /// Whether the server may have acted on the request.
    pub sent: bool,
    /// Whether the connection failed in a way that another try may repair at once (not a time-out, not TLS).
    pub brief: bool,
}

/// What went wrong where no answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Nothing answered: DNS, connect, reset, time-out.
    Unreachable {
        /// `host:port`.
        endpoint: String,
        /// What went wrong, in words.
        reason: String,
    },
    /// The TLS handshake was refused by either side.
    Tls {
        /// `host:port`.
        endpoint: String,
        /// What went wrong, in words.
        reason: String,
    },
    /// The answer is longer than what can be used.
    TooLong,
}

impl Fault {
    pub(super) fn too_long() -> Self {
        Self { cause: Cause::TooLong, sent: true, brief: false }
    }

    pub(super) fn of(error: &reqwest::Error, endpoint: &str) -> Self {
        let endpoint = endpoint.to_owned();
        let sent = !(error.is_connect() || error.is_builder());
        if let Some(reason) = tls_reason(error) {
            return Self { cause: Cause::Tls { endpoint, reason }, sent, brief: false };
        }
        let timed_out = error.is_timeout();
        let reason = connection_reason(error, sent, timed_out).to_owned();
        Self { cause: Cause::Unreachable { endpoint, reason }, sent, brief: !timed_out }
    }
}

/// Every cause, also those that hide in an `io::Error` (whose `source` skips the error it holds).
fn causes(error: &reqwest::Error) -> Vec<&(dyn Error + 'static)> {
    let mut found: Vec<&(dyn Error + 'static)> = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = next {
        found.push(cause);
        let held = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => cause.source(),
        };
    }
    found
}

fn tls_reason(error: &reqwest::Error) -> Option<String> {
    let tls = causes(error).into_iter().find_map(|cause| cause.downcast_ref::<rustls::Error>())?;
    Some(match tls {
        rustls::Error::InvalidCertificate(problem) => certificate_reason(problem).to_owned(),
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server requires a client certificate".to_owned()
        }
        rustls::Error::AlertReceived(alert) => format!("the server refused the handshake ({alert:?})"),
        rustls::Error::PeerIncompatible(_) => "no common TLS version or cipher".to_owned(),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS there".to_owned(),
        _ => "the handshake failed".to_owned(),
    })
}

fn certificate_reason(problem: &CertificateError) -> &'static str {
    match problem {
        CertificateError::UnknownIssuer => "the certificate's issuer is unknown",
        CertificateError::Other(OtherError(error)) if error.is::<AuthorityAsServer>() => {
            "the server's certificate is its own authority, which tls.caBundle does not hold"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate is expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another name"
        }
        CertificateError::Revoked => "the certificate is revoked",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not for servers"
        }
        CertificateError::BadEncoding => "the certificate is malformed",
        CertificateError::BadSignature => "the certificate's signature is wrong",
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "the certificate is signed in a way that is not supported, such as with SHA-1"
        }
        CertificateError::UnhandledCriticalExtension => {
            "the certificate has a critical extension that is not supported"
        }
        _ => "the certificate cannot be trusted",
    }
}

fn connection_reason(error: &reqwest::Error, sent: bool, timed_out: bool) -> &'static str {
    let causes = causes(error);
    let says = |words: &str| causes.iter().any(|cause| cause.to_string().starts_with(words));
    if says("tunnel error: proxy authorization required") {
        return "the proxy requires a login";
    }
    if says("tunnel error") {
        return "the proxy did not open a tunnel";
    }
    if says(PUBLIC_ONLY) {
        return "plain http is for loopback and private addresses, and the name has public ones only";
    }
    if says("dns error") {
        return UNRESOLVED;
    }
    if timed_out {
        return if sent { "no answer in time" } else { "no connection in time" };
    }
    let kind =
        causes.iter().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind).next_back();
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => "there is no route",
        Some(
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof,
        ) => "the connection was cut",
        _ if sent => "the connection was cut",
        _ => "the connection failed",
    }
}
