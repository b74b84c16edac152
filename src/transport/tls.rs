//! The trusted certificates: the public roots and the CA bundle of the Portal.
//!
//! The public roots are the system's (`SSL_CERT_FILE`, `SSL_CERT_DIR` or the usual places); a container that has none
//! gets Mozilla's list as compiled in. reqwest's own default would not even build a client there.

mod bundle;
mod verifier;

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use bundle::Bundle;
pub use bundle::BundleReport;
pub(super) use verifier::AuthorityAsServer;
use verifier::Verifier;

/// TLS settings that trust the public roots and every usable certificate of `ca_bundle` (PEM). The error is in words.
pub(crate) fn client_config(ca_bundle: Option<&str>) -> Result<ClientConfig, String> {
    let mut roots = public_roots();
    let mut bundled = Vec::new();
    if let Some(pem) = ca_bundle {
        let bundle = Bundle::read(pem);
        if bundle.usable.is_empty() {
            return Err(bundle.nothing_usable());
        }
        roots.add_parsable_certificates(bundle.usable.iter().cloned());
        bundled = bundle.usable;
    }
    // Named here so that no process-wide default is needed, on which several libraries could disagree.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Verifier::new(roots, bundled, &provider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "TLS 1.2 and 1.3 are not available".to_owned())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_public_roots_whatever_the_machine_has() {
        assert!(!public_roots().is_empty());
        assert!(client_config(None).is_ok());
    }
}
