//! What the formats for Spring applications have in common.

use secrecy::ExposeSecret;

use super::Options;
use super::error::FormatError;
use super::values::Values;

const DEFAULT_REGISTRATION: &str = "technical-user";

/// The name of the OAuth client in the application.
pub(super) fn registration(options: &Options) -> Result<&str, FormatError> {
    let name = options.registration.as_deref().unwrap_or(DEFAULT_REGISTRATION);
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(is_plain)
    {
        Ok(name)
    } else {
        Err(FormatError::InvalidKey {
            key: name.to_owned(),
            rule: "a registration has lower-case letters, digits and dashes, begins with a letter and does not end with a dash",
        })
    }
}

/// Client ID, client secret and token URL, where Spring takes them as they are.
pub(super) fn values(values: &Values) -> Result<[&str; 3], FormatError> {
    let credential = &values.credential;
    let named = [
        ("client ID", credential.client_id.as_str()),
        ("client secret", credential.secret().expose_secret()),
        ("token URL", credential.token_url.as_str()),
    ];
    for (value, text) in named {
        if text.contains("${") {
            return Err(FormatError::Unwritable {
                value,
                why: "it has ${ in it, and Spring replaces what follows by a property of that name",
            });
        }
    }
    Ok(named.map(|(_, text)| text))
}
