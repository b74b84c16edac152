//! The current token: requested once for all callers, replaced in time, and again after a 401.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex as SyncMutex;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;
use url::Url;

use super::answer::Issued;
use super::refresh::{self, RefreshState};
use super::request::{NoToken, TokenRequest};
use super::{AccessToken, Credentials};
use crate::portal::caller::Caller;
use crate::portal::observe::Operation;
use crate::portal::{Lane, PortalError};
use crate::transport::{CALL_TIMEOUT, endpoint};

/// How long a refused login is not tried again: a wrong secret costs one token call per pause.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);

/// How long any other failure is returned to all callers that wait for the token, instead of a try for each of them.
const FAILED_PAUSE: Duration = Duration::from_secs(2);

/// Tokens of one login.
pub(crate) struct TokenSource {
    login: Arc<LoginCall>,
    state: Arc<Mutex<CurrentToken>>,
    /// Until when a 401 leads to no new token, because a new one was refused, too.
    settled_until: SyncMutex<Option<Instant>>,
}

#[derive(Default)]
struct CurrentToken {
    current: Option<Arc<AccessToken>>,
    failed: Option<(Instant, PortalError)>,
    session: RefreshState,
}

/// How to request a token.
pub(super) struct LoginCall {
    caller: Caller,
    url: Url,
    endpoint: String,
    credentials: Credentials,
}

impl TokenSource {
    pub(crate) fn new(caller: Caller, url: Url, credentials: Credentials) -> Self {
        let endpoint = endpoint(&url);
        let login = Arc::new(LoginCall { caller, url, endpoint, credentials });
        Self { login, state: Arc::default(), settled_until: SyncMutex::new(None) }
    }

    /// The client ID that the login is configured with; a person's login has none of its own.
    pub(crate) fn client_id(&self) -> Option<&str> {
        match &self.login.credentials {
            Credentials::ClientCredentials { client_id, .. } => Some(client_id),
            Credentials::RefreshToken { .. } => None,
        }
    }

    /// A token that may be sent now and for a while.
    pub(crate) async fn token(&self) -> Result<Arc<AccessToken>, PortalError> {
        let state = Arc::clone(&self.state).lock_owned().await;
        if let Some(token) = &state.current
            && !token.is_old()
            && token.is_usable()
        {
            return Ok(Arc::clone(token));
        }
        if let Some((until, error)) = &state.failed
            && Instant::now() < *until
        {
            return state.usable().ok_or_else(|| error.clone());
        }
        // A task of its own: if the caller stops waiting, the answer with its refresh token must not be lost.
        let renewal = self.login.caller.process.tasks.spawn(renew(Arc::clone(&self.login), state));
        renewal.await.unwrap_or_else(|_| {
            let endpoint = self.login.endpoint.clone();
            Err(PortalError::Unreachable { endpoint, reason: "the login was interrupted".to_owned() })
        })
    }

    /// After a 401: drops the token if it is still the current one. False where a new token was refused as well a
    /// moment ago, so that another try is pointless.
    pub(crate) async fn discard(&self, refused: &Arc<AccessToken>) -> bool {
        let settled = *self.settled_until.lock();
        if settled.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let mut state = self.state.lock().await;
        if state.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, refused)) {
            state.current = None;
        }
        true
    }

    /// Drops the current token.
    pub(crate) async fn forget(&self) {
        self.state.lock().await.current = None;
    }

    /// A new token was refused with 401, too: the login lacks what the portal requires, and a third changes nothing.
    pub(crate) fn settle(&self) {
        let until = Instant::now() + REFUSED_PAUSE;
        *self.settled_until.lock() = Some(until);
    }
}

impl CurrentToken {
    fn usable(&self) -> Option<Arc<AccessToken>> {
        self.current.as_ref().filter(|token| token.is_usable()).map(Arc::clone)
    }
}

async fn renew(
    login: Arc<LoginCall>,
    mut state: OwnedMutexGuard<CurrentToken>,
) -> Result<Arc<AccessToken>, PortalError> {
    let renewed = match &login.credentials {
        Credentials::ClientCredentials { client_id, client_secret } => {
            login.client_credentials(client_id, client_secret).await
        }
        Credentials::RefreshToken { client_id, store } => {
            refresh::renew(&login, client_id, store.as_ref(), &mut state.session).await
        }
    };
    let renewed = renewed.and_then(|token| {
        if token.is_usable() {
            Ok(Arc::new(token))
        } else {
            Err(PortalError::BadAnswer { reason: "the token's life is too short" })
        }
    });
    match renewed {
        Ok(token) => {
            state.failed = None;
            state.current = Some(Arc::clone(&token));
            Ok(token)
        }
        Err(error) => {
            let pause = match error {
                PortalError::LoginRefused { .. } => REFUSED_PAUSE,
                // Nothing was sent, and the next caller may be the probe.
                PortalError::CircuitOpen { .. } => Duration::ZERO,
                _ => FAILED_PAUSE,
            };
            state.failed = Some((Instant::now() + pause, error.clone()));
            // The identity provider is down: the old token is used until its end.
            state.usable().ok_or(error)
        }
    }
}

impl LoginCall {
    async fn client_credentials(&self, id: &str, secret: &SecretString) -> Result<AccessToken, PortalError> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret.expose_secret()),
        ];
        let asked_at = Instant::now();
        let issued = self.post(&form).await.map_err(|no_token| no_token.error)?;
        Ok(AccessToken::new(issued.access_token, asked_at, issued.life))
    }

    /// The refresh token cannot be read, so nothing was asked.
    pub(super) fn store_unreadable(reason: String) -> PortalError {
        PortalError::Unreachable { endpoint: "the store of the refresh token".to_owned(), reason }
    }

    /// One request, never repeated. Waits in the interactive lane, because the caller may serve a person.
    pub(super) async fn post(&self, form: &[(&str, &str)]) -> Result<Issued, NoToken> {
        let request = TokenRequest {
            operation: Operation::Token,
            url: &self.url,
            form,
            timeout: CALL_TIMEOUT,
            lane: Lane::Interactive,
        };
        request.send(&self.caller).await
    }
}
