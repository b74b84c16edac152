//! What an answer means that is no success.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::VaultError;
use crate::domain::text::printable;
use crate::transport::Answer;

/// The longest words of Vault that an error repeats, in characters.
const WORDS: usize = 300;

#[derive(Deserialize)]
struct Refusal {
    errors: Option<Vec<String>>,
    data: Option<IgnoredAny>,
}

/// What Vault says in an answer that is no success.
pub(super) struct Said {
    words: String,
    /// It has the form of Vault's API: something else would say nothing of an entry or of a policy.
    is_vault: bool,
}

impl Said {
    pub(super) fn read(answer: &Answer) -> Self {
        let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
        let is_vault = refusal.as_ref().is_some_and(|said| said.errors.is_some() || said.data.is_some());
        let errors = refusal.and_then(|said| said.errors).unwrap_or_default().join("; ");
        // Vault writes several errors as a list over several lines.
        Self { words: errors.split_whitespace().collect::<Vec<_>>().join(" "), is_vault }
    }

    /// Whether it has the form of Vault's API.
    pub(super) fn is_vault(&self) -> bool {
        self.is_vault
    }

    pub(super) fn has(&self, words: &str) -> bool {
        self.words.contains(words)
    }

    /// For a message; `None` where Vault says nothing.
    fn words(&self) -> Option<String> {
        (!self.words.is_empty()).then(|| printable(&self.words, WORDS))
    }
}

/// What a call was, as far as errors need it.
pub(super) struct Called<'a> {
    /// `host:port`.
    pub(super) endpoint: &'a str,
    /// The method.
    pub(super) method: &'a http::Method,
    /// The path after `/v1/`.
    pub(super) path: &'a str,
    /// The request contained secrets, which Vault's words may repeat.
    pub(super) secret: bool,
}

/// The error that an answer means. `None` for a success, and for a 404 that is an answer: there is no such entry.
pub(super) fn failure(answer: &Answer, called: &Called<'_>) -> Option<VaultError> {
    let not_vault = || VaultError::NotVault { endpoint: called.endpoint.to_owned() };
    // The page of a proxy says nothing of what is behind it where the proxy asks for a pause or cannot reach it.
    if answer.is_html() && answer.status != 307 && answer.status != 429 && answer.status < 500 {
        return Some(not_vault());
    }
    let said = Said::read(answer);
    match answer.status {
        // A standby that does not forward names the active server; the token is not sent there.
        307 | 472 | 473 => Some(VaultError::Standby),
        300..400 => Some(not_vault()),
        400 if said.has("check-and-set parameter") => Some(VaultError::CasMismatch),
        // A patch of metadata that an entry does not have.
        404 if called.method == http::Method::PATCH && answer.body.is_empty() => None,
        403 | 404 if !said.is_vault => Some(not_vault()),
        403 => Some(VaultError::Forbidden { call: format!("{} {}", called.method, called.path) }),
        404 if said.has("no handler for route") => {
            Some(VaultError::NoMount { mount: called.path.to_owned() })
        }
        200 | 204 | 404 => None,
        429 => Some(VaultError::Throttled { retry_after: answer.retry_after }),
        503 if said.has("sealed") => Some(VaultError::Sealed),
        status => {
            let words = if called.secret { None } else { said.words() };
            Some(VaultError::Other { status, words })
        }
    }
}

/// Whether a 403 is about the token and not about its policies, as far as Vault says so.
pub(super) fn says_invalid_token(answer: &Answer) -> bool {
    Said::read(answer).has("invalid token")
}

/// The `data` of a successful answer.
pub(super) fn data<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, VaultError> {
    #[derive(Deserialize)]
    struct Enveloped<T> {
        data: T,
    }
    serde_json::from_slice::<Enveloped<T>>(&answer.body)
        .map(|answer| answer.data)
        .map_err(|_| VaultError::BadAnswer { reason: "it does not have the expected form" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLED: Called<'static> =
        Called { endpoint: "vault:8200", method: &http::Method::GET, path: "secret/data/a", secret: false };

    #[test]
    fn each_refusal_has_its_class() {
        let other = |status, words: &str| VaultError::Other { status, words: Some(words.to_owned()) };
        for (status, body, expected) in [
            (200, "{}", None),
            (204, "", None),
            (404, r#"{"errors":[]}"#, None),
            (200, "<html>sign in</html>", Some(VaultError::NotVault { endpoint: "vault:8200".into() })),
            (
                404,
                "<html>default backend</html>",
                Some(VaultError::NotVault { endpoint: "vault:8200".into() }),
            ),
            (429, "<html>slow down</html>", Some(VaultError::Throttled { retry_after: None })),
            (502, "<html>Bad Gateway</html>", Some(VaultError::Other { status: 502, words: None })),
            (503, "<html>unavailable</html>", Some(VaultError::Other { status: 503, words: None })),
            (504, "<!DOCTYPE html>", Some(VaultError::Other { status: 504, words: None })),
            (302, "", Some(VaultError::NotVault { endpoint: "vault:8200".into() })),
            (307, "", Some(VaultError::Standby)),
            (473, "", Some(VaultError::Standby)),
            (
                400,
                r#"{"errors":["check-and-set parameter did not match the current version"]}"#,
                Some(VaultError::CasMismatch),
            ),
            (
                400,
                r#"{"errors":["missing \"a\"","and\n\tmore"]}"#,
                Some(other(400, "missing \"a\"; and more")),
            ),
            (403, "denied by a proxy", Some(VaultError::NotVault { endpoint: "vault:8200".into() })),
            (404, "default backend", Some(VaultError::NotVault { endpoint: "vault:8200".into() })),
            (404, r#"{"message":"no Route"}"#, Some(VaultError::NotVault { endpoint: "vault:8200".into() })),
            (404, r#"{"data":{"data":null}}"#, None),
            (
                403,
                r#"{"errors":["permission denied"]}"#,
                Some(VaultError::Forbidden { call: "GET secret/data/a".into() }),
            ),
            (
                404,
                r#"{"errors":["no handler for route \"secret/data/a\". route entry not found."]}"#,
                Some(VaultError::NoMount { mount: "secret/data/a".into() }),
            ),
            (429, "", Some(VaultError::Throttled { retry_after: None })),
            (503, r#"{"errors":["Vault is sealed"]}"#, Some(VaultError::Sealed)),
            (503, "busy", Some(VaultError::Other { status: 503, words: None })),
            (500, r#"{"errors":["internal error"]}"#, Some(other(500, "internal error"))),
        ] {
            assert_eq!(failure(&Answer::of(status, body), &CALLED), expected, "{status} {body}");
        }
    }

    #[test]
    fn words_are_not_repeated_where_the_request_contained_secrets() {
        let answer = Answer::of(400, r#"{"errors":["cannot parse \"s3cret\""]}"#);
        let failure = failure(&answer, &Called { secret: true, ..CALLED }).unwrap();
        assert_eq!(failure, VaultError::Other { status: 400, words: None });
    }
}
