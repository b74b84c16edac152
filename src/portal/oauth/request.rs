//! One request for a token. It waits for the limiter and the circuit breaker of the server that it goes to, and only that server
//! learns from its end.

use std::time::Duration;

use http::{HeaderMap, Method};
use url::Url;

use super::answer::{self, Issued, TOKEN_LIMIT, TokenRefusal};
use crate::portal::caller::Caller;
use crate::portal::observe::Operation;
use crate::portal::resilient::{Server, Verdict};
use crate::portal::{Lane, PortalError, ServerKind};
use crate::transport::{Answer, Fault, HttpRequest, Payload};

/// A request, sent once and never repeated.
pub(super) struct TokenRequest<'a> {
    pub(super) operation: Operation,
    pub(super) url: &'a Url,
    pub(super) form: &'a [(&'a str, &'a str)],
    pub(super) timeout: Duration,
    pub(super) lane: Lane,
}

/// Why no token came.
pub(super) struct NoToken {
    pub(super) error: PortalError,
    /// Why the circuit breaker is open, where it is and nothing was sent.
    pub(super) last_failure: Option<Box<PortalError>>,
    /// What the endpoint answered; `None` where it did not.
    pub(super) refusal: Option<TokenRefusal>,
    /// The endpoint may have acted on the request.
    pub(super) acted: bool,
    verdict: Verdict,
}

impl TokenRequest<'_> {
    pub(super) async fn send(self, caller: &Caller) -> Result<Issued, NoToken> {
        let server = caller.servers.of_token_url(self.url);
        let turn = server.turn(self.lane).await.map_err(|error| NoToken::unsent(&server, error))?;
        let request = HttpRequest {
            method: Method::POST,
            url: self.url.clone(),
            bearer: None,
            headers: HeaderMap::new(),
            payload: Payload::form(self.form),
            timeout: self.timeout,
            limit: TOKEN_LIMIT,
        };
        let read = |result| read(server.kind, result);
        let result = caller.send(&server, self.operation, request, read).await;
        match &result {
            Ok(_) => turn.end(Verdict::Alive, None),
            Err(no_token) => turn.end(no_token.verdict, Some(&no_token.error)),
        }
        result
    }
}

fn read(server: ServerKind, result: Result<Answer, Fault>) -> Result<Issued, NoToken> {
    let answer = result.map_err(NoToken::of_fault)?;
    answer::read(&answer).map_err(|refusal| NoToken::of_refusal(server, refusal, &answer))
}

impl NoToken {
    /// Nothing was sent.
    fn unsent(server: &Server, error: PortalError) -> Self {
        let last_failure = match error {
            PortalError::CircuitOpen { .. } => server.last_failure().map(Box::new),
            _ => None,
        };
        Self { error, last_failure, refusal: None, acted: false, verdict: Verdict::Unclear }
    }

    fn of_fault(fault: Fault) -> Self {
        let verdict = Verdict::of_fault(&fault);
        Self { error: fault.cause.into(), last_failure: None, refusal: None, acted: fault.sent, verdict }
    }

    fn of_refusal(server: ServerKind, refusal: TokenRefusal, answer: &Answer) -> Self {
        Self {
            error: refusal.into_error(server, answer.retry_after),
            last_failure: None,
            refusal: Some(refusal),
            acted: match refusal {
                TokenRefusal::Credential(_) | TokenRefusal::Request | TokenRefusal::Pause => false,
                TokenRefusal::Server(_) => true,
                TokenRefusal::NoTokenEndpoint => answer.status == 200,
            },
            verdict: verdict_of(refusal, answer.status),
        }
    }
}

/// What a refusal shows of the server. One that refuses a credential works.
fn verdict_of(refusal: TokenRefusal, status: u16) -> Verdict {
    match refusal {
        TokenRefusal::Credential(_) | TokenRefusal::Request => Verdict::Alive,
        TokenRefusal::Server(_) => Verdict::Down,
        // A 503 may mean that it is down, but the requested pause is enough protection.
        TokenRefusal::Pause if status != 503 => Verdict::Alive,
        // Another server may have answered in its place.
        TokenRefusal::Pause | TokenRefusal::NoTokenEndpoint => Verdict::Unclear,
    }
}

impl AsRef<PortalError> for NoToken {
    fn as_ref(&self) -> &PortalError {
        &self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_against_a_token_endpoint() {
        for (status, body, verdict) in [
            (200, r#"{"access_token":"a"}"#, None),
            (400, r#"{"error":"invalid_client"}"#, Some(Verdict::Alive)),
            (401, r#"{"error":"invalid_client"}"#, Some(Verdict::Alive)),
            (401, r#"{"error":"unauthorized_client"}"#, Some(Verdict::Alive)),
            (400, r#"{"error":"unsupported_grant_type"}"#, Some(Verdict::Alive)),
            (429, "", Some(Verdict::Alive)),
            (404, r#"{"error":"Realm does not exist"}"#, Some(Verdict::Unclear)),
            (200, "<html>sign in</html>", Some(Verdict::Unclear)),
            (500, r#"{"error":"unknown_error"}"#, Some(Verdict::Down)),
            (502, "<html>bad gateway</html>", Some(Verdict::Down)),
            (503, "", Some(Verdict::Down)),
        ] {
            let found = read(ServerKind::Wallet, Ok(Answer::of(status, body))).err();
            assert_eq!(found.map(|no_token| no_token.verdict), verdict, "{status} {body}");
        }
        let mut answer = Answer::of(503, "");
        answer.retry_after = Some(Duration::from_secs(1));
        let paused = read(ServerKind::Wallet, Ok(answer)).err();
        assert_eq!(paused.map(|no_token| no_token.verdict), Some(Verdict::Unclear));
    }
}
