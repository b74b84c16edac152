//! What the operator writes is what a tractusx-connector reads: by the environment that the connector's chart renders, by the
//! values files of the pages, and by a program that behaves as the connector does (in this folder, in Go).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "other test programs need the rest of it")]
mod edc;
mod flux;
mod tokens;
mod values;
mod variables;

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use technical_user_operator::domain::format::{Format, Options, Surroundings, Values, render};
use technical_user_operator::domain::user::{Credential, UserId, UserKind};

/// The Secret of the recorded environments.
const SECRET: &str = "edc-wallet";

/// The values of the recorded environments beside the credential.
fn surroundings() -> Surroundings {
    Surroundings {
        did: Some("did:web:example.org:BPNL000000000ONE".to_owned()),
        wallet_url: Some("https://wallet.example.org/api/sts".to_owned()),
        bdrs_url: Some("https://bdrs.example.org".to_owned()),
        trusted_issuers: vec!["did:web:issuer".to_owned()],
        secret_alias: Some("edc-wallet-1".to_owned()),
    }
}

/// A wallet user's credential with them.
fn a_user() -> Values {
    let token_url = "https://wallet.example.org/oauth/token".to_owned();
    Values {
        generation: 1,
        credential: Credential::with_secret(
            "sb-0!b1|x!b2".to_owned(),
            SecretString::from("$ec!ret"),
            token_url,
        ),
        user_id: UserId::new("0b6c0000-0000-0000-0000-000000000001"),
        kind: UserKind::External,
        bpn: Some("BPNL000000000ONE".to_owned()),
        surroundings: surroundings(),
    }
}

/// What the operator writes into a Secret.
fn secret(format: Format, options: &Options, values: &Values) -> BTreeMap<String, String> {
    let content = render(format, options, values).unwrap();
    content.into_iter().map(|(key, value)| (key, value.expose_secret().to_owned())).collect()
}
