//! The token in hand: obtained once for all calls, renewed before it expires, and replaced where Vault accepts it no more.

use std::time::Duration;

use parking_lot::Mutex as SyncMutex;
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::caller::{Call, Caller};
use super::login::{is_dead, log_in, renew};
use super::{Auth, VaultError};
use crate::domain::user::is_same_secret;
use crate::transport::Answer;

/// How long a failed login is not tried again: all calls of one reconcile get the same answer.
const PAUSE: Duration = Duration::from_secs(2);

/// How long a 403 raises no doubt about the token after a new one was refused, too.
const SETTLED: Duration = Duration::from_secs(30);

/// A token and how long it may be used.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    renewable: bool,
    /// `None` for a token that does not expire, as far as is known.
    times: Option<Times>,
}

#[derive(Clone, Copy)]
struct Times {
    renew_at: Instant,
    /// From then on it could expire while a request is in progress.
    unusable_at: Instant,
}

impl Token {
    /// `asked_at` is the time before the token was requested: its life begins no earlier.
    pub(super) fn new(
        secret: SecretString,
        asked_at: Instant,
        life: Option<Duration>,
        renewable: bool,
    ) -> Self {
        // Also a clock that is years ahead gets a time.
        let times = life.map(|life| life.min(Duration::from_hours(24 * 365))).map(|life| Times {
            renew_at: asked_at + life.mul_f64(2.0 / 3.0),
            unusable_at: asked_at + life.mul_f64(0.9),
        });
        Self { secret, renewable, times }
    }

    fn is_old(&self) -> bool {
        self.times.is_some_and(|times| Instant::now() >= times.renew_at)
    }

    /// Whether a renewal was worth it: near its longest life a token is renewed for a moment only, and a login is better.
    fn is_worth_more_than(&self, before: &Self) -> bool {
        let longer = match (self.times, before.times) {
            (Some(new), Some(old)) => new.unusable_at > old.unusable_at,
            _ => true,
        };
        longer && self.is_usable()
    }

    fn is_usable(&self) -> bool {
        self.times.is_none_or(|times| Instant::now() < times.unusable_at)
    }
}

/// Tokens of one login.
pub(super) struct Session {
    auth: Auth,
    state: Mutex<CurrentToken>,
    settled_until: SyncMutex<Option<Instant>>,
}

#[derive(Default)]
struct CurrentToken {
    token: Option<Token>,
    failed: Option<(Instant, VaultError)>,
}

impl Session {
    pub(super) fn new(auth: Auth) -> Self {
        Self { auth, state: Mutex::default(), settled_until: SyncMutex::new(None) }
    }

    /// Sends a call with the token. Where Vault forbids it because the token is not valid any more, there is one new login
    /// and the call is sent once more: a call that is forbidden has had no effect.
    pub(super) async fn call(&self, caller: &Caller, call: &Call) -> Result<Answer, VaultError> {
        let token = self.token(caller).await?;
        let result = caller.call(call, Some(&token.secret)).await;
        let Err(VaultError::Forbidden { .. }) = result else { return result };
        if self.is_settled() || !is_dead(caller, &token).await? {
            return result;
        }
        self.forget(&token).await;
        let token = self.token(caller).await?;
        let result = caller.call(call, Some(&token.secret)).await;
        if let Err(VaultError::Forbidden { .. }) = result {
            *self.settled_until.lock() = Some(Instant::now() + SETTLED);
        }
        result
    }

    /// A token that may be sent now.
    pub(super) async fn token(&self, caller: &Caller) -> Result<Token, VaultError> {
        let mut state = self.state.lock().await;
        let held = state.token.clone().filter(Token::is_usable);
        if let Some(token) = held.as_ref().filter(|token| !token.is_old()) {
            return Ok(token.clone());
        }
        if let Some((until, error)) = &state.failed
            && Instant::now() < *until
        {
            return held.ok_or_else(|| error.clone());
        }
        match self.next_token(caller, held.as_ref()).await {
            Ok(token) => {
                *state = CurrentToken { token: Some(token.clone()), failed: None };
                Ok(token)
            }
            Err(error) => {
                state.failed = Some((Instant::now() + PAUSE, error.clone()));
                // Vault is down for a moment: the token in hand serves to its end.
                state.token.clone().filter(Token::is_usable).ok_or(error)
            }
        }
    }

    /// The token in hand with a longer life, or else one of a new login.
    async fn next_token(&self, caller: &Caller, held: Option<&Token>) -> Result<Token, VaultError> {
        if let Some(held) = held.filter(|held| held.renewable) {
            match renew(caller, held).await {
                Ok(Some(renewed)) if renewed.is_worth_more_than(held) => return Ok(renewed),
                Err(error) if error.is_down() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        log_in(caller, &self.auth).await
    }

    async fn forget(&self, token: &Token) {
        let mut state = self.state.lock().await;
        let held = state.token.as_ref();
        if held.is_some_and(|held| is_same_secret(&held.secret, &token.secret)) {
            state.token = None;
        }
    }

    fn is_settled(&self) -> bool {
        self.settled_until.lock().is_some_and(|until| Instant::now() < until)
    }
}
