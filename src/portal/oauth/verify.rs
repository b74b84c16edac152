//! The proof that a technical user's credential works: a token is requested with it and dropped.

use std::time::Duration;

use http::{HeaderMap, Method};
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use url::Url;

use super::answer::{self, TOKEN_LIMIT, TokenRefusal};
use super::claims::token_roles;
use crate::domain::user::Credential;
use crate::portal::caller::Caller;
use crate::portal::observe::{CallOutcome, Operation};
use crate::portal::{Lane, PortalError, Verification};
use crate::transport::{Fault, HttpRequest, Payload, endpoint};

/// A token endpoint that takes longer counts as unreachable.
const VERIFY_TIMEOUT: Duration = Duration::from_secs(15);

/// Tries the credential once. It waits in the limiter but shows nothing about the portal: neither does it count for
/// the breaker, nor does a slow wallet hold a place that the portal's calls need (`at_once` bounds these instead).
pub(crate) async fn verify(
    caller: &Caller,
    at_once: &Semaphore,
    credential: &Credential,
    lane: Lane,
) -> Verification {
    let Ok(url) = Url::parse(&credential.token_url) else {
        return unreachable("?".to_owned(), "the token URL is no URL");
    };
    let endpoint = endpoint(&url);
    if !caller.allows(&url) {
        return unreachable(endpoint, "the token URL is not https: a secret is not sent in the clear");
    }
    let _held = at_once.acquire().await;
    match caller.limiter.enter(lane).await {
        Ok(turn) => drop(turn),
        Err(_) => {
            return unreachable(
                endpoint,
                "no request was sent, because the portal requests a pause of all calls",
            );
        }
    }
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", credential.client_id.as_str()),
        ("client_secret", credential.secret().expose_secret()),
    ];
    let request = HttpRequest {
        method: Method::POST,
        url,
        bearer: None,
        headers: HeaderMap::new(),
        payload: Payload::form(&form),
        timeout: VERIFY_TIMEOUT,
        limit: TOKEN_LIMIT,
    };
    let read = |result: Result<_, Fault>| {
        let answer = result.map_err(|fault| NoToken::Fault(fault.cause.into()))?;
        answer::read(&answer).map_err(NoToken::Refusal)
    };
    match caller.send(Operation::Verify, request, read, NoToken::outcome).await {
        Ok(issued) => Verification::Accepted { roles: token_roles(&issued.access_token) },
        Err(NoToken::Refusal(TokenRefusal::Credential(code))) => {
            Verification::Refused { unknown_client: code == "invalid_client" }
        }
        Err(no_token) => unreachable(endpoint, &no_token.reason()),
    }
}

enum NoToken {
    Fault(PortalError),
    Refusal(TokenRefusal),
}

impl NoToken {
    fn outcome(&self) -> CallOutcome {
        match self {
            Self::Fault(error) => CallOutcome::of(error),
            Self::Refusal(refusal) => CallOutcome::of(&refusal.into_error(None)),
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Fault(PortalError::Unreachable { reason, .. }) => reason.clone(),
            Self::Fault(PortalError::Tls { reason, .. }) => format!("TLS failed: {reason}"),
            Self::Fault(error) => error.to_string(),
            Self::Refusal(TokenRefusal::Request) => "it refuses the client credentials grant".to_owned(),
            Self::Refusal(TokenRefusal::Pause) => "it requests a pause".to_owned(),
            Self::Refusal(TokenRefusal::Server(status)) => format!("it answered {status}"),
            Self::Refusal(TokenRefusal::NoTokenEndpoint | TokenRefusal::Credential(_)) => {
                "it does not answer as a token endpoint".to_owned()
            }
        }
    }
}

fn unreachable(endpoint: String, reason: &str) -> Verification {
    Verification::Unreachable { endpoint, reason: reason.to_owned() }
}
