//! Whom we trust: the public roots and the CA bundle of the Portal.
//!
//! The public roots are the system's (`SSL_CERT_FILE`, `SSL_CERT_DIR` or the usual places); a container that has none
//! gets Mozilla's list as compiled in. reqwest's own default would not even build a client there.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// TLS settings that trust the public roots and every certificate of `ca_bundle` (PEM). The error is in words.
pub(crate) fn client_config(ca_bundle: Option<&str>) -> Result<ClientConfig, String> {
    let mut roots = public_roots();
    for certificate in ca_bundle.map(parse_bundle).transpose()?.unwrap_or_default() {
        roots.add(certificate).map_err(|_| {
            "a certificate of the CA bundle cannot be used as a certificate authority".to_owned()
        })?;
    }
    // Named here so that no process-wide default is needed, on which several libraries could disagree.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "TLS 1.2 and 1.3 are not available".to_owned())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn public_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    }
    roots
}

fn parse_bundle(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| "the CA bundle is not PEM".to_owned())?;
    if certificates.is_empty() {
        return Err("the CA bundle holds no certificate (PEM, BEGIN CERTIFICATE)".to_owned());
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_public_roots_whatever_the_machine_has() {
        assert!(!public_roots().is_empty());
        assert!(client_config(None).is_ok());
    }

    #[test]
    fn a_bundle_that_is_none_is_told_in_words() {
        for (bundle, words) in [
            ("", "holds no certificate"),
            ("hello", "holds no certificate"),
            ("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "not PEM"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
        ] {
            let error = client_config(Some(bundle)).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
