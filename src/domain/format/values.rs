//! What a format can write, and what is written.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::error::{FormatError, Value};
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
    /// The number of the user among those that were created for the resource; 1 for an existing user.
    pub generation: i64,
    /// The company's business partner number.
    pub bpn: Option<String>,
    /// What a consumer needs beside the credential.
    pub surroundings: Surroundings,
}

/// What a consumer needs beside the credential, where it is known. None of it is a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The company's decentralized identifier.
    pub did: Option<String>,
    /// The address at which the company's wallet issues self-issued tokens.
    pub wallet_url: Option<String>,
    /// The address of the data space's directory of BPNs and DIDs.
    pub bdrs_url: Option<String>,
    /// The DIDs of the issuers that the data space trusts.
    pub trusted_issuers: Vec<String>,
    /// The alias under which the connector reads the client secret from Vault.
    pub secret_alias: Option<String>,
}

impl Surroundings {
    /// The texts of a value where it is one of these and known.
    pub(super) fn texts(&self, value: Value) -> impl Iterator<Item = &str> {
        let one = match value {
            Value::Did => self.did.as_ref(),
            Value::WalletUrl => self.wallet_url.as_ref(),
            Value::BdrsUrl => self.bdrs_url.as_ref(),
            Value::SecretAlias => self.secret_alias.as_ref(),
            Value::Bpn | Value::IssuerUrl | Value::TrustedIssuers => None,
        };
        let issuers = if value == Value::TrustedIssuers { self.trusted_issuers.as_slice() } else { &[] };
        one.into_iter().chain(issuers).map(String::as_str)
    }
}

/// An endpoint of Keycloak, so that the issuer is known.
const KEYCLOAK_ENDPOINT: &str =
    "https://placeholder.invalid/realms/placeholder/protocol/openid-connect/token";

/// What is known of the values before there is a user. None of it is a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Internal or External, by the roles that the user is created with.
    pub kind: Option<UserKind>,
    /// The token endpoint of internal users.
    pub token_url: Option<String>,
    /// The company's business partner number.
    pub bpn: Option<String>,
    /// What a consumer needs beside the credential.
    pub surroundings: Surroundings,
}

impl Values {
    /// Values for a dry run: those of the user are not real, and what the user will not have is missing.
    #[must_use]
    pub fn placeholder(known: &Known) -> Self {
        let kind = known.kind.unwrap_or(UserKind::Internal);
        let token_url = known.token_url.clone().filter(|_| kind == UserKind::Internal);
        Self {
            credential: Credential::with_secret(
                "placeholder".to_owned(),
                SecretString::from("placeholder"),
                token_url.unwrap_or_else(|| KEYCLOAK_ENDPOINT.to_owned()),
            ),
            user_id: UserId::new("00000000-0000-0000-0000-000000000000"),
            kind,
            generation: 1,
            bpn: known.bpn.clone(),
            surroundings: known.surroundings.clone(),
        }
    }

    /// Values of which each is there, and none is real.
    #[must_use]
    pub fn complete() -> Self {
        let some = || Some("placeholder".to_owned());
        let surroundings = Surroundings {
            did: some(),
            wallet_url: some(),
            bdrs_url: some(),
            trusted_issuers: some().into_iter().collect(),
            secret_alias: some(),
        };
        Self::placeholder(&Known { bpn: some(), surroundings, ..Known::default() })
    }

    /// The issuer of the user's tokens; known only for users of the central identity provider.
    #[must_use]
    pub fn issuer_url(&self) -> Option<String> {
        (self.kind == UserKind::Internal).then(|| token_url::issuer_url(&self.credential.token_url)).flatten()
    }

    /// The text of a value, or the error that names it and says where it is set.
    pub(super) fn need(&self, value: Value) -> Result<&str, FormatError> {
        let around = &self.surroundings;
        match value {
            Value::Bpn => &self.bpn,
            Value::Did => &around.did,
            Value::WalletUrl => &around.wallet_url,
            Value::BdrsUrl => &around.bdrs_url,
            Value::SecretAlias => &around.secret_alias,
            Value::TrustedIssuers | Value::IssuerUrl => &None,
        }
        .as_deref()
        .ok_or(FormatError::Missing(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let mut values = Values::complete();
        values.credential =
            Credential::with_secret("sa42".into(), "s3cret".into(), "https://idp.example.org/token".into());
        let shown = format!("{values:?} {values:#?}");
        assert!(shown.contains("sa42") && !shown.contains("s3cret"), "{shown}");
    }
}
