//! Which server certificates are accepted: those that a trusted authority issued, and those that are in the CA bundle
//! themselves, such as a self-signed one. What webpki alone refuses of the latter, other clients accept.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

/// The server shows the certificate of an authority, and the CA bundle does not hold it.
#[derive(Debug, thiserror::Error)]
#[error("the certificate is that of an authority")]
pub(in crate::transport) struct AuthorityAsServer;

/// Accepts what webpki does, and what the bundle holds.
#[derive(Debug)]
pub(super) struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    bundled: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// Trusts `roots`, of which `bundled` are from the CA bundle.
    pub(super) fn new(
        roots: RootCertStore,
        bundled: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|_| "there is no certificate to trust".to_owned())?;
        Ok(Self { webpki, bundled })
    }

    /// Judges a certificate that webpki refuses.
    fn judge(
        &self,
        shown: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
        refusal: CertificateError,
    ) -> Result<ServerCertVerified, Error> {
        // About who issued it; every other fault is the certificate's own.
        if !matches!(
            refusal,
            CertificateError::UnknownIssuer | CertificateError::BadSignature | CertificateError::Other(_)
        ) {
            return Err(refusal.into());
        }
        let Ok((_, certificate)) = X509Certificate::from_der(shown) else { return Err(refusal.into()) };
        if !self.bundled.iter().any(|trusted| trusted == shown) {
            return Err(if certificate.is_ca() && matches!(refusal, CertificateError::Other(_)) {
                CertificateError::Other(OtherError(Arc::new(AuthorityAsServer))).into()
            } else {
                refusal.into()
            });
        }
        may_serve(&certificate, now)?;
        verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
        Ok(ServerCertVerified::assertion())
    }
}

/// Whether a certificate is valid now, and for servers.
fn may_serve(certificate: &X509Certificate<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let now = i64::try_from(now.as_secs()).ok().and_then(|now| ASN1Time::from_timestamp(now).ok());
    let now = now.ok_or(CertificateError::Expired)?;
    let validity = certificate.validity();
    if now < validity.not_before {
        return Err(CertificateError::NotValidYet);
    }
    if now > validity.not_after {
        return Err(CertificateError::Expired);
    }
    match certificate.extended_key_usage() {
        Ok(Some(usage)) if !usage.value.server_auth && !usage.value.any => {
            Err(CertificateError::InvalidPurpose)
        }
        Ok(_) => Ok(()),
        Err(_) => Err(CertificateError::BadEncoding),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let by_webpki =
            self.webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match by_webpki {
            Err(Error::InvalidCertificate(refusal)) => self.judge(end_entity, server_name, now, refusal),
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}
