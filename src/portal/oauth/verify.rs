//! The proof that a technical user's credential works: a token is requested with it and dropped.

use std::time::Duration;

use secrecy::ExposeSecret;
use url::Url;

use super::answer::TokenRefusal;
use super::claims::token_roles;
use super::request::{NoToken, TokenRequest};
use crate::domain::user::Credential;
use crate::portal::caller::Caller;
use crate::portal::observe::Operation;
use crate::portal::{Lane, PortalError, Verification};
use crate::transport::endpoint;

/// A token endpoint that takes longer counts as unreachable.
const VERIFY_TIMEOUT: Duration = Duration::from_secs(15);

/// Tries the credential once. It waits for the limiter and the circuit breaker of its token endpoint, and shows nothing about
/// the portal.
pub(crate) async fn verify(caller: &Caller, credential: &Credential, lane: Lane) -> Verification {
    let Ok(url) = Url::parse(&credential.token_url) else {
        return unreachable("?".to_owned(), "the token URL is no URL");
    };
    let endpoint = endpoint(&url);
    if !caller.allows(&url) {
        return unreachable(endpoint, "the token URL is not https: a secret is not sent in the clear");
    }
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", credential.client_id.as_str()),
        ("client_secret", credential.secret().expose_secret()),
    ];
    let request =
        TokenRequest { operation: Operation::Verify, url: &url, form: &form, timeout: VERIFY_TIMEOUT, lane };
    match request.send(caller).await {
        Ok(issued) => Verification::Accepted { roles: token_roles(&issued.access_token) },
        Err(NoToken { refusal: Some(TokenRefusal::Credential(code)), .. }) => {
            Verification::Refused { unknown_client: code == "invalid_client" }
        }
        Err(no_token) => unreachable(endpoint, &reason(&no_token)),
    }
}

/// Why it is not known whether the credential works. While the circuit breaker is open this is the failure that opened it: the
/// condition that reports it has the cause, and does not change with each try.
fn reason(no_token: &NoToken) -> String {
    match (no_token.refusal, no_token.last_failure.as_deref().unwrap_or(&no_token.error)) {
        (Some(TokenRefusal::Request), _) => "it refuses the client credentials grant".to_owned(),
        (Some(TokenRefusal::NoTokenEndpoint), _) => "it does not answer as a token endpoint".to_owned(),
        (_, PortalError::Throttled { .. }) => "it requests a pause".to_owned(),
        (_, PortalError::Server { status, .. }) => format!("it answered {status}"),
        (_, PortalError::Unreachable { reason, .. }) => reason.clone(),
        (_, PortalError::Tls { reason, .. }) => format!("TLS failed: {reason}"),
        (_, error) => error.to_string(),
    }
}

fn unreachable(endpoint: String, reason: &str) -> Verification {
    Verification::Unreachable { endpoint, reason: reason.to_owned() }
}
