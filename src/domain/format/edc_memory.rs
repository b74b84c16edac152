//! Format `EdcMemory`: the variables of a connector whose vault is in memory, filled from a variable.

use secrecy::{ExposeSecret, SecretString};

use super::edc;
use super::entry::{Entry, Lookup, Named, Reader};
use super::error::FormatError;
use super::text::SecretText;
use super::values::{Content, Values};
use crate::domain::user::Credential;

/// What the vault in memory is filled from: `alias:secret`, several of them with `;` between.
const SECRETS: &str = "TX_EDC_VAULT_SECRETS";

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "EdcMemory",
    keys: &[edc::TOKEN_URL, edc::CLIENT_ID, edc::SECRET_ALIAS, edc::DIM_URL, edc::DIV_URL, SECRETS],
    optional: &[],
    needs: edc::NEEDS,
    uses: |_| edc::NEEDS.to_vec(),
    named: Named::Renamed,
    has_secret: true,
    reader: Reader {
        who: "tractusx-connector-memory, by `envSecretNames` and `$(NAME)` in its values",
        change: "after a restart",
        needs_restart: true,
    },
    render: |values, _| memory(values),
    read_back: Some(read_back),
};

fn memory(values: &Values) -> Result<Content, FormatError> {
    let secret = values.credential.secret().expose_secret();
    if secret.contains(';') {
        return Err(FormatError::Unwritable {
            value: "client secret",
            why: "it has a semicolon in it, which ends a secret there",
        });
    }
    let mut content = edc::environment(values)?;
    let mut seed = SecretText::new();
    for part in [edc::alias(values)?, ":", secret] {
        seed.push(part);
    }
    content.insert(SECRETS.to_owned(), seed.finish());
    Ok(content)
}

fn read_back(find: &Lookup<'_>) -> Option<Credential> {
    let text = |key| Some(find(key)?.expose_secret().to_owned());
    let (_, secret) = find(SECRETS)?.expose_secret().split_once(':')?;
    Some(Credential::with_secret(text(edc::CLIENT_ID)?, SecretString::from(secret), text(edc::TOKEN_URL)?))
}
