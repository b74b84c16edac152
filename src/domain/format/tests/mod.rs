//! The formats, as files and as properties.

mod golden;
mod keys;
mod quoting;
mod template;
mod values;

use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::{Content, Dialect, Format, Options, Surroundings, Values};
use crate::domain::user::{Credential, UserId, UserKind};

/// The values of a data space and its wallet.
fn surroundings() -> Surroundings {
    Surroundings {
        did: Some("did:web:wallet.example.org:BPNL000000000ONE".into()),
        wallet_url: Some("https://wallet.example.org/api/sts".into()),
        bdrs_url: Some("https://bdrs.example.org/api/directory".into()),
        trusted_issuers: vec!["did:web:issuer.example.org".into(), "did:web:other.example.org".into()],
        secret_alias: Some("edc-wallet-1".into()),
    }
}

/// Values with this secret, all of them known.
fn values(kind: UserKind, secret: &str) -> Values {
    let (client_id, token_url) = match kind {
        UserKind::Internal => {
            ("sa42", "https://idp.example.org/auth/realms/CX-Central/protocol/openid-connect/token")
        }
        UserKind::External => ("sb-1!b2|wallet!b3", "https://wallet.example.org/oauth/token"),
    };
    Values {
        credential: Credential::with_secret(client_id.into(), SecretString::from(secret), token_url.into()),
        user_id: UserId::new("0b6c0000-0000-0000-0000-000000000001"),
        kind,
        generation: 1,
        bpn: Some("BPNL000000000ONE".into()),
        surroundings: surroundings(),
    }
}

/// Options that each format accepts.
fn options() -> Options {
    Options {
        templates: [(
            "login.conf".to_owned(),
            "id={{ clientId }}\nsecret={{ clientSecret | json }}\n".to_owned(),
        )]
        .into(),
        ..Options::default()
    }
}

/// A value of a content.
fn shown<'a>(content: &'a Content, key: &str) -> &'a str {
    content.get(key).map_or_else(|| panic!("no key {key}"), ExposeSecret::expose_secret)
}

/// A text with all that some syntax takes for its own.
fn any_text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(
        "$!|=#\\\"'`;:%&*{}[]()<>~?@, \t\n\r-_+/aZ09äß€\u{85}\u{a0}\u{2028}\u{2029}\u{feff}😀\u{7f}\u{1b}\u{1}"
            .chars()
            .collect::<Vec<_>>(),
    );
    let words = prop::sample::select(vec![
        "${HOME}", "$HOME", "$(X)", "${", "\\n", "\\u0041", " #", "{{", "%s", "\r\n",
    ]);
    let part = prop_oneof![3 => special.prop_map(String::from), 1 => words.prop_map(String::from), 1 => any::<char>()
        .prop_filter("no program takes NUL", |c| *c != '\0').prop_map(String::from)];
    prop_oneof![
        40 => prop::collection::vec(part.clone(), 1..24).prop_map(|parts| parts.concat()),
        1 => prop::collection::vec(part, 500..2000).prop_map(|parts| parts.concat()),
    ]
}

fn any_format() -> impl Strategy<Value = Format> {
    prop::sample::select(Format::ALL.to_vec())
}

fn any_dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(vec![Dialect::V0_12, Dialect::V0_13])
}
