//! Format `SpringEnv`: the variables of a Spring application with an OAuth client.

use secrecy::SecretString;

use super::entry::{Entry, Named, Reader};
use super::error::FormatError;
use super::values::{Content, Values};
use super::{Options, spring};

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "SpringEnv",
    keys: &[
        "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_<REGISTRATION>_CLIENT_ID",
        "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_<REGISTRATION>_CLIENT_SECRET",
        "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_<REGISTRATION>_AUTHORIZATION_GRANT_TYPE",
        "SPRING_SECURITY_OAUTH2_CLIENT_PROVIDER_<REGISTRATION>_TOKEN_URI",
    ],
    optional: &[],
    needs: &[],
    uses: |_| Vec::new(),
    named: Named::Fixed,
    has_secret: true,
    reader: Reader {
        who: "a Spring Boot application, by `envFrom`",
        change: "after a restart",
        needs_restart: true,
    },
    render: spring_env,
    read_back: None,
};

fn spring_env(values: &Values, options: &Options) -> Result<Content, FormatError> {
    let name = spring::registration(options)?.replace('-', "_").to_ascii_uppercase();
    let [client_id, client_secret, token_url] = spring::values(values)?;
    let registration = format!("SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_{name}");
    let provider = format!("SPRING_SECURITY_OAUTH2_CLIENT_PROVIDER_{name}");
    Ok([
        (format!("{registration}_CLIENT_ID"), client_id),
        (format!("{registration}_CLIENT_SECRET"), client_secret),
        (format!("{registration}_AUTHORIZATION_GRANT_TYPE"), "client_credentials"),
        (format!("{provider}_TOKEN_URI"), token_url),
    ]
    .into_iter()
    .map(|(key, value)| (key, SecretString::from(value)))
    .collect())
}
