//! A digest of the content of an output, which does not reveal the content.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use secrecy::ExposeSecret;

use crate::domain::format::Content;
use crate::domain::user::Credential;

/// The installation's key for digests.
#[derive(Clone)]
pub struct DigestKey(hmac::Key);

impl std::fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestKey(<redacted>)")
    }
}

impl DigestKey {
    /// A key of these bytes (32 random ones).
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The digest of keys and values (HMAC-SHA-256, 32 hexadecimal digits of it). Lengths are part of it, so that
    /// different contents never give the same input.
    #[must_use]
    pub fn digest<'a>(&self, content: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
        let mut mac = hmac::Context::with_key(&self.0);
        for (key, value) in content {
            for part in [key.as_bytes(), value] {
                mac.update(&(part.len() as u64).to_be_bytes());
                mac.update(part);
            }
        }
        mac.sign().as_ref().iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The digest of client ID and client secret.
    #[must_use]
    pub fn of_credential(&self, credential: &Credential) -> String {
        let secret = credential.secret().expose_secret().as_bytes();
        self.digest([("client-id", credential.client_id.as_bytes()), ("client-secret", secret)])
    }

    /// The digest of a content that is to be written.
    #[must_use]
    pub fn of_content(&self, content: &Content) -> String {
        self.digest(content.iter().map(|(key, value)| (key.as_str(), value.expose_secret().as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_differ_where_contents_or_keys_do() {
        let key = DigestKey::new(&[1; 32]);
        let digest = key.digest([("a", b"bc".as_slice())]);
        assert_eq!(digest.len(), 32);
        assert_ne!(digest, key.digest([("ab", b"c".as_slice())]));
        assert_ne!(digest, DigestKey::new(&[2; 32]).digest([("a", b"bc".as_slice())]));
        assert!(!format!("{key:?}").contains('1'));
    }
}
