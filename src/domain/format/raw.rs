//! Format `Raw`: one key per value.

use secrecy::{ExposeSecret, SecretString};

use super::entry::{Entry, Lookup, Named, Reader};
use super::error::Value;
use super::values::{Content, Values};
use crate::domain::user::Credential;

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "Raw",
    keys: &["client-id", "client-secret", "token-url", "technical-user-id", "bpn", "issuer-url"],
    optional: &[("bpn", Value::Bpn), ("issuer-url", Value::IssuerUrl)],
    needs: &[],
    uses: |_| Vec::new(),
    named: Named::Styled,
    has_secret: true,
    reader: Reader {
        who: "any program, by `secretKeyRef`, `envFrom` or a volume",
        change: "files of a volume: within a minute; variables: after a restart",
        needs_restart: true,
    },
    render: |values, _| Ok(raw(values)),
    read_back: Some(read_back),
};

/// One key per value, in kebab case.
pub(super) fn raw(values: &Values) -> Content {
    let credential = &values.credential;
    let mut content = Content::from([
        ("client-id".to_owned(), SecretString::from(credential.client_id.clone())),
        ("client-secret".to_owned(), credential.secret().clone()),
        ("token-url".to_owned(), SecretString::from(credential.token_url.clone())),
        ("technical-user-id".to_owned(), SecretString::from(values.user_id.to_string())),
    ]);
    let known = [("bpn", values.bpn.clone()), ("issuer-url", values.issuer_url())];
    for (key, value) in known.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        content.insert(key.to_owned(), SecretString::from(value));
    }
    content
}

fn read_back(find: &Lookup<'_>) -> Option<Credential> {
    let text = |key| Some(find(key)?.expose_secret().to_owned());
    Some(Credential::with_secret(text("client-id")?, find("client-secret")?.clone(), text("token-url")?))
}
