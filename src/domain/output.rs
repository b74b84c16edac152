//! What an output holds: the keys of each format, and a digest that does not reveal the content.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::token_url;
use crate::domain::user::{Credential, UserId, UserKind};

/// The content of an output: key to value.
pub type Content = BTreeMap<String, SecretString>;

/// All values that a format can use.
#[derive(Debug, Clone)]
pub struct Values {
    /// The credential.
    pub credential: Credential,
    /// The portal's id of the user.
    pub user_id: UserId,
    /// Internal or External.
    pub kind: UserKind,
    /// The company's business partner number.
    pub bpn: Option<String>,
}

/// Format `Raw`: one key per value, in kebab case. No value ends with a newline.
#[must_use]
pub fn raw(values: &Values) -> Content {
    let credential = &values.credential;
    let mut content = Content::from([
        ("client-id".to_owned(), SecretString::from(credential.client_id.clone())),
        ("client-secret".to_owned(), credential.secret().clone()),
        ("token-url".to_owned(), SecretString::from(credential.token_url.clone())),
        ("technical-user-id".to_owned(), SecretString::from(values.user_id.to_string())),
    ]);
    if let Some(bpn) = &values.bpn {
        content.insert("bpn".to_owned(), SecretString::from(bpn.clone()));
    }
    // The issuer is known only for users of the central identity provider.
    if let Some(issuer) =
        (values.kind == UserKind::Internal).then(|| token_url::issuer_url(&credential.token_url)).flatten()
    {
        content.insert("issuer-url".to_owned(), SecretString::from(issuer));
    }
    content
}

/// Content with the same keys and without values, to check whether the output can be written.
#[must_use]
pub fn placeholder() -> Content {
    ["client-id", "client-secret", "token-url", "technical-user-id", "bpn", "issuer-url"]
        .into_iter()
        .map(|key| (key.to_owned(), SecretString::from("placeholder")))
        .collect()
}

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

    /// The digest of a content that is to be written.
    #[must_use]
    pub fn of_content(&self, content: &Content) -> String {
        self.digest(content.iter().map(|(key, value)| (key.as_str(), value.expose_secret().as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(kind: UserKind, bpn: Option<&str>) -> Values {
        Values {
            credential: Credential::with_secret(
                "sa42".into(),
                SecretString::from("s3cret"),
                "https://idp.example.org/auth/realms/CX-Central/protocol/openid-connect/token".into(),
            ),
            user_id: UserId::new("0B6C0000-0000-0000-0000-000000000001"),
            kind,
            bpn: bpn.map(str::to_owned),
        }
    }

    fn shown(content: &Content) -> Vec<(&str, &str)> {
        content.iter().map(|(k, v)| (k.as_str(), v.expose_secret())).collect()
    }

    #[test]
    fn raw_has_the_documented_keys() {
        assert_eq!(
            shown(&raw(&values(UserKind::Internal, Some("BPNL000000000ONE")))),
            [
                ("bpn", "BPNL000000000ONE"),
                ("client-id", "sa42"),
                ("client-secret", "s3cret"),
                ("issuer-url", "https://idp.example.org/auth/realms/CX-Central"),
                ("technical-user-id", "0b6c0000-0000-0000-0000-000000000001"),
                ("token-url", "https://idp.example.org/auth/realms/CX-Central/protocol/openid-connect/token"),
            ]
        );
        let wallet = raw(&values(UserKind::External, None));
        assert!(!wallet.contains_key("issuer-url") && !wallet.contains_key("bpn"));
    }

    #[test]
    fn the_placeholder_has_every_key_and_no_value() {
        let keys: Vec<_> = raw(&values(UserKind::Internal, Some("B"))).into_keys().collect();
        assert_eq!(placeholder().into_keys().collect::<Vec<_>>(), keys);
    }

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
