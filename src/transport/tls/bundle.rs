//! The certificates of a CA bundle. One that cannot be used is named, and does not keep the others from being used.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::domain::text::printable;

/// The start of a section of PEM.
const BEGIN: &str = "-----BEGIN ";
/// The sections that are read.
const CERTIFICATE: &str = "CERTIFICATE";
/// The longest subject that a message repeats, in characters.
const SUBJECT_CHARACTERS: usize = 200;
/// The most certificates that a message names.
const NAMED: usize = 10;

/// What is in a CA bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleReport {
    /// How many certificates are trusted.
    pub usable: usize,
    /// The certificates that cannot be used, in words: place, subject where it can be read, and what is wrong.
    pub unusable: Option<String>,
}

impl BundleReport {
    /// Examines the certificates (PEM) of a bundle.
    #[must_use]
    pub fn of(pem: &str) -> Self {
        let bundle = Bundle::read(pem);
        let unusable = (!bundle.unusable.is_empty()).then(|| bundle.words());
        Self { usable: bundle.usable.len(), unusable }
    }
}

/// The certificates of a CA bundle.
pub(super) struct Bundle {
    /// Those that are trusted.
    pub(super) usable: Vec<CertificateDer<'static>>,
    /// The others, in words: place, subject where it can be read, and what is wrong.
    unusable: Vec<String>,
}

impl Bundle {
    /// Reads PEM. Sections that are no certificates, such as keys, do not count.
    pub(super) fn read(pem: &str) -> Self {
        let mut bundle = Self { usable: Vec::new(), unusable: Vec::new() };
        for (index, section) in sections(pem).enumerate() {
            match certificate(section) {
                Ok(certificate) => bundle.usable.push(certificate),
                Err((subject, why)) => {
                    let subject = subject.map(|subject| format!(" ({subject})")).unwrap_or_default();
                    bundle.unusable.push(format!("certificate {}{subject} {why}", index + 1));
                }
            }
        }
        bundle
    }

    /// Why the bundle cannot be used.
    pub(super) fn nothing_usable(&self) -> String {
        if self.unusable.is_empty() {
            return "the CA bundle holds no certificate (PEM, BEGIN CERTIFICATE)".to_owned();
        }
        format!("the CA bundle holds no certificate that can be used: {}", self.words())
    }

    /// The certificates that are not used, in words.
    fn words(&self) -> String {
        let named: Vec<_> = self.unusable.iter().take(NAMED).map(String::as_str).collect();
        let more = self.unusable.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        format!("{}{more}", named.join("; "))
    }
}

/// The sections whose label ends in CERTIFICATE, each with what follows it up to the next section.
fn sections(pem: &str) -> impl Iterator<Item = &str> {
    let mut starts: Vec<_> = pem.match_indices(BEGIN).map(|(at, _)| at).collect();
    starts.push(pem.len());
    starts
        .into_iter()
        .scan(None::<usize>, |start, end| Some(start.replace(end).map(|start| (start, end))))
        .flatten()
        .filter_map(|(start, end)| pem.get(start..end))
        .filter(|section| label(section).ends_with(CERTIFICATE))
}

fn label(section: &str) -> &str {
    let rest = section.strip_prefix(BEGIN).unwrap_or_default();
    rest.lines().next().unwrap_or_default().trim_end().trim_end_matches('-')
}

type Unusable = (Option<String>, String);

fn certificate(section: &str) -> Result<CertificateDer<'static>, Unusable> {
    let label = label(section);
    if label != CERTIFICATE {
        let label = printable(label, SUBJECT_CHARACTERS);
        return Err((
            None,
            format!("is of the form \"BEGIN {label}\"; only \"BEGIN {CERTIFICATE}\" is read"),
        ));
    }
    let der = CertificateDer::from_pem_slice(section.as_bytes()).map_err(|error| {
        let why = match error {
            pem::Error::MissingSectionEnd { .. } => "has no line END CERTIFICATE",
            pem::Error::Base64Decode(_) => "is not valid base64",
            _ => "is not valid PEM",
        };
        (None, why.to_owned())
    })?;
    match RootCertStore::empty().add(der.clone()) {
        Ok(()) => Ok(der),
        Err(_) => Err((subject(&der), "is not a valid X.509 certificate".to_owned())),
    }
}

fn subject(der: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(printable(&certificate.subject().to_string(), SUBJECT_CHARACTERS))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, KeyPair};

    use super::super::client_config;
    use super::*;

    fn authority(name: &str) -> Certificate {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap()
    }

    fn good() -> String {
        authority("good").pem()
    }

    /// A certificate with bytes behind its end.
    fn too_long() -> String {
        let der = [authority("too long").der().as_ref(), b"more"].concat();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
    }

    #[test]
    fn a_bundle_without_a_usable_certificate_names_each() {
        for (bundle, words) in [
            ("", "holds no certificate (PEM"),
            ("hello", "holds no certificate (PEM"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds no certificate (PEM"),
            (
                "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
                "certificate 1 is not valid base64",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "certificate 1 is not a valid X.509",
            ),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "certificate 1 has no line END CERTIFICATE"),
            (
                "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n",
                "certificate 1 is of the form \"BEGIN TRUSTED CERTIFICATE\"",
            ),
        ] {
            let error = client_config(Some(bundle)).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let two = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".repeat(2);
        let error = client_config(Some(&two)).unwrap_err();
        assert!(error.contains("certificate 1 ") && error.contains("certificate 2 "), "{error}");
    }

    #[test]
    fn an_unusable_certificate_is_named_and_the_others_are_used() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let cut_off = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        let text = format!("# ours\n{}{broken}{cut_off}{}{}", good(), good(), too_long());
        let bundle = Bundle::read(&text);
        assert_eq!(bundle.usable.len(), 2);
        assert_eq!(
            bundle.unusable,
            [
                "certificate 2 is not a valid X.509 certificate",
                "certificate 3 has no line END CERTIFICATE",
                "certificate 5 (CN=too long) is not a valid X.509 certificate",
            ]
        );
        assert!(client_config(Some(&text)).is_ok());
    }

    #[test]
    fn line_ends_of_windows_and_blanks_change_nothing() {
        let text = good().replace('\n', "\r\n");
        assert_eq!(Bundle::read(&format!("  \r\n{text}\r\n")).usable.len(), 1);
    }

    #[test]
    fn a_message_names_a_bounded_number() {
        let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".repeat(NAMED + 3);
        let words = Bundle::read(&text).words();
        assert!(words.contains("certificate 10 ") && words.ends_with("and 3 more"), "{words}");
    }
}
