//! What a token endpoint answered (RFC 6749 section 5, Keycloak 26).

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use crate::portal::bounds::{Exact, Gather, Gathered, Text};
use crate::portal::{PortalError, ServerKind};
use crate::transport::{Answer, Limit};

/// The longest token. What is between here and a portal takes headers of 8 to 16 KiB.
const TOKEN: usize = 32 << 10;

/// How much of a token endpoint's answer is read: an access and a refresh token, and an ID token beside them.
pub(super) const TOKEN_LIMIT: Limit = Limit::Whole(128 << 10);

/// The life of a token without a stated one: Keycloak always states it, RFC 6749 does not require it.
const DEFAULT_LIFE: u64 = 60;

/// No token is kept for longer than a day, whatever the answer says.
const LONGEST_LIFE: u64 = 86_400;

/// Why a token endpoint gave no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenRefusal {
    /// The credential is wrong, unknown, disabled or at its end. The code is from a closed set.
    Credential(&'static str),
    /// It does not answer as a token endpoint: the URL is wrong, or something is in between.
    NoTokenEndpoint,
    /// It refuses the request for another reason than the credential.
    Request,
    /// It requests a pause.
    Pause,
    /// A 5xx.
    Server(u16),
}

/// Tokens, as issued.
pub(super) struct Issued {
    pub(super) access_token: SecretString,
    pub(super) refresh_token: Option<SecretString>,
    pub(super) life: Duration,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Exact<TOKEN>,
    refresh_token: Option<Exact<TOKEN>>,
    /// Seconds; some servers write them as text.
    expires_in: Option<Gathered<Seconds>>,
}

/// A whole number, or a text that is one.
#[derive(Default)]
struct Seconds(Option<u64>);

impl Gather for Seconds {
    fn text(&mut self, _: &str, text: &str) {
        self.0 = self.0.or_else(|| text.parse().ok());
    }

    fn number(&mut self, number: u64) {
        self.0 = self.0.or(Some(number));
    }
}

#[derive(Deserialize)]
struct Failure {
    error: Text<64>,
}

/// Reads the answer.
pub(super) fn read(answer: &Answer) -> Result<Issued, TokenRefusal> {
    match answer.status {
        200 => {
            let tokens: Tokens =
                serde_json::from_slice(&answer.body).map_err(|_| TokenRefusal::NoTokenEndpoint)?;
            if tokens.access_token.0.is_empty() {
                return Err(TokenRefusal::NoTokenEndpoint);
            }
            let life =
                tokens.expires_in.and_then(|Gathered(Seconds(seconds))| seconds).unwrap_or(DEFAULT_LIFE);
            Ok(Issued {
                access_token: tokens.access_token.0.into(),
                refresh_token: tokens
                    .refresh_token
                    .map(|token| token.0)
                    .filter(|token| !token.is_empty())
                    .map(Into::into),
                life: Duration::from_secs(life.min(LONGEST_LIFE)),
            })
        }
        429 => Err(TokenRefusal::Pause),
        503 if answer.retry_after.is_some() => Err(TokenRefusal::Pause),
        status @ 500.. => Err(TokenRefusal::Server(status)),
        400 | 401 | 403 => Err(refused(answer)),
        _ => Err(TokenRefusal::NoTokenEndpoint),
    }
}

fn refused(answer: &Answer) -> TokenRefusal {
    let failure: Option<Failure> = serde_json::from_slice(&answer.body).ok();
    match failure.as_ref().map(|failure| failure.error.0.as_str()) {
        Some("invalid_client") => TokenRefusal::Credential("invalid_client"),
        Some("unauthorized_client") => TokenRefusal::Credential("unauthorized_client"),
        Some("invalid_grant") => TokenRefusal::Credential("invalid_grant"),
        // SAP's UAA says `unauthorized`; a 401 is always about the credential.
        Some("unauthorized" | "access_denied") => TokenRefusal::Credential("other"),
        Some(_) if answer.status == 401 => TokenRefusal::Credential("other"),
        None if answer.status == 401 && !answer.is_html() => TokenRefusal::Credential("other"),
        Some(_) => TokenRefusal::Request,
        None => TokenRefusal::NoTokenEndpoint,
    }
}

impl TokenRefusal {
    /// The error of a request to this server.
    pub(super) fn into_error(self, server: ServerKind, retry_after: Option<Duration>) -> PortalError {
        match self {
            Self::Credential(code) => PortalError::LoginRefused { code },
            Self::Request => PortalError::LoginRefused { code: "other" },
            Self::NoTokenEndpoint => PortalError::NotATokenEndpoint,
            Self::Pause => PortalError::Throttled { server, retry_after },
            Self::Server(status) => PortalError::Server { server, status },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::portal::test_support::json::a_body;

    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn tokens_are_read() {
        let body = r#"{"access_token":"a","expires_in":299,"refresh_token":"r","token_type":"Bearer"}"#;
        let issued = read(&Answer::of(200, body)).ok().unwrap();
        assert_eq!(issued.access_token.expose_secret(), "a");
        assert_eq!(issued.refresh_token.unwrap().expose_secret(), "r");
        assert_eq!(issued.life, Duration::from_secs(299));
        let text = read(&Answer::of(200, r#"{"access_token":"a","expires_in":"120"}"#)).ok().unwrap();
        assert_eq!(text.life, Duration::from_mins(2));
        let short = read(&Answer::of(200, r#"{"access_token":"a"}"#)).ok().unwrap();
        assert!(short.refresh_token.is_none());
        assert_eq!(short.life, Duration::from_secs(DEFAULT_LIFE));
    }

    #[test]
    fn refusals_are_distinguished() {
        for (status, body, want) in [
            (401, r#"{"error":"unauthorized_client"}"#, TokenRefusal::Credential("unauthorized_client")),
            (401, r#"{"error":"invalid_client"}"#, TokenRefusal::Credential("invalid_client")),
            (400, r#"{"error":"invalid_client"}"#, TokenRefusal::Credential("invalid_client")),
            (400, r#"{"error":"invalid_grant"}"#, TokenRefusal::Credential("invalid_grant")),
            (401, r#"{"error":"unauthorized"}"#, TokenRefusal::Credential("other")),
            (401, r#"{"error":"something new"}"#, TokenRefusal::Credential("other")),
            (401, "", TokenRefusal::Credential("other")),
            (401, "<html>sign in</html>", TokenRefusal::NoTokenEndpoint),
            (400, r#"{"error":"unsupported_grant_type"}"#, TokenRefusal::Request),
            (400, "what?", TokenRefusal::NoTokenEndpoint),
            (403, "<html>no</html>", TokenRefusal::NoTokenEndpoint),
            (404, r#"{"error":"Realm does not exist"}"#, TokenRefusal::NoTokenEndpoint),
            (405, r#"{"error":"HTTP 405 Method Not Allowed"}"#, TokenRefusal::NoTokenEndpoint),
            (302, "", TokenRefusal::NoTokenEndpoint),
            (200, "<html>portal</html>", TokenRefusal::NoTokenEndpoint),
            (200, r#"{"access_token":""}"#, TokenRefusal::NoTokenEndpoint),
            (429, "", TokenRefusal::Pause),
            (502, "<html>bad gateway</html>", TokenRefusal::Server(502)),
        ] {
            assert_eq!(read(&Answer::of(status, body)).err(), Some(want), "{status} {body}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_can_be_read(
            status in 100..600_u16,
            body in a_body(&["access_token", "refresh_token", "expires_in", "error", "invalid_client", "300"]),
        ) {
            let mut answer = Answer::of(status, "");
            answer.body = body;
            match read(&answer) {
                Ok(issued) => {
                    prop_assert_eq!(status, 200);
                    let token = issued.access_token.expose_secret();
                    prop_assert!(!token.is_empty() && token.len() <= TOKEN);
                    prop_assert!(issued.life <= Duration::from_secs(LONGEST_LIFE));
                }
                Err(refusal) => prop_assert!(status != 200 || refusal == TokenRefusal::NoTokenEndpoint),
            }
        }

        #[test]
        fn any_tokens_are_read_back(access in "[!-~]{1,60}", refresh in "[!-~]{1,60}", life in 0..=LONGEST_LIFE) {
            let body = serde_json::json!({"access_token": access, "refresh_token": refresh, "expires_in": life});
            let issued = read(&Answer::of(200, &body.to_string())).ok().unwrap();
            prop_assert_eq!(issued.access_token.expose_secret(), access);
            let read = issued.refresh_token.map(|token| token.expose_secret().to_owned());
            prop_assert_eq!(read, Some(refresh));
            prop_assert_eq!(issued.life, Duration::from_secs(life));
        }
    }
}
