//! The settings of a connector that belong to a technical user, for the formats that write them.

use secrecy::SecretString;

use super::error::{FormatError, Value};
use super::values::{Content, Values};
use crate::domain::vault::path::Alias;

/// The variables, as charts and manifests refer to them: `$(EDC_IAM_STS_OAUTH_CLIENT_ID)`.
pub(super) const VARIABLES: [&str; 5] = [TOKEN_URL, CLIENT_ID, SECRET_ALIAS, DIM_URL, DIV_URL];

/// The token endpoint.
pub(super) const TOKEN_URL: &str = "EDC_IAM_STS_OAUTH_TOKEN_URL";
/// The client ID.
pub(super) const CLIENT_ID: &str = "EDC_IAM_STS_OAUTH_CLIENT_ID";
/// The name of the client secret in the connector's vault.
pub(super) const SECRET_ALIAS: &str = "EDC_IAM_STS_OAUTH_CLIENT_SECRET_ALIAS";
/// The wallet's address, up to 0.12.
pub(super) const DIM_URL: &str = "TX_EDC_IAM_STS_DIM_URL";
/// The wallet's address, from 0.13.
pub(super) const DIV_URL: &str = "TX_EDC_IAM_STS_DIV_URL";

/// What all these formats need.
pub(super) const NEEDS: &[Value] = &[Value::SecretAlias, Value::WalletUrl];

/// The variables with their values. A connector of any version finds the wallet's address.
pub(super) fn variables(values: &Values) -> Result<[(&'static str, &str); 5], FormatError> {
    let wallet = values.need(Value::WalletUrl)?;
    Ok([
        (TOKEN_URL, &values.credential.token_url),
        (CLIENT_ID, &values.credential.client_id),
        (SECRET_ALIAS, alias(values)?),
        (DIM_URL, wallet),
        (DIV_URL, wallet),
    ])
}

/// The variables as the keys of a Secret.
pub(super) fn environment(values: &Values) -> Result<Content, FormatError> {
    let content = variables(values)?;
    Ok(content.into_iter().map(|(key, value)| (key.to_owned(), SecretString::from(value))).collect())
}

/// The alias of the client secret, of characters that need no encoding in a path.
pub(super) fn alias(values: &Values) -> Result<&str, FormatError> {
    let alias = values.need(Value::SecretAlias)?;
    if Alias::parse(alias).is_ok() {
        Ok(alias)
    } else {
        Err(FormatError::Unwritable {
            value: "secretAlias",
            why: "a connector finds only aliases of letters, digits, dots, dashes, underscores and slashes",
        })
    }
}
