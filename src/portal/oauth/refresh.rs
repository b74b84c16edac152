//! A person's login: each refresh token is good for one use and one repetition (Keycloak 26 with `refreshTokenMaxReuse`
//! 1). The new one is stored before the access token that came with it is used; one lost answer has no effect.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout};

use super::token_source::LoginCall;
use super::{AccessToken, TokenStore};
use crate::domain::user::is_same_secret;
use crate::portal::PortalError;

/// How often one refresh token may be sent without an answer: a third use ends the whole login.
const USES: u32 = 2;

/// All calls that need a token wait for the store, so it must answer.
const STORE_TIMEOUT: Duration = Duration::from_secs(30);

const LATE: &str = "no answer in time";

/// What is remembered between two refreshes.
#[derive(Default)]
pub(super) struct RefreshState {
    /// Received and not stored yet; the access token that came with it waits for that.
    unstored: Option<(SecretString, AccessToken)>,
    /// The last exchange, old to new: a store that lags behind must not lead to another use of the old one.
    exchanged: Option<(SecretString, SecretString)>,
    /// The token that was sent without success, how often, and whether it was refused permanently.
    spent: Option<Spent>,
}

struct Spent {
    token: SecretString,
    uses: u32,
    refused: bool,
}

/// A new access token, its refresh token stored.
pub(super) async fn renew(
    login: &LoginCall,
    client_id: &str,
    store: &dyn TokenStore,
    session: &mut RefreshState,
) -> Result<AccessToken, PortalError> {
    if let Some(token) = keep_unstored(store, session).await?
        && token.is_usable()
    {
        return Ok(token);
    }
    let refresh_token = newest(store, session).await?;
    check_unspent(session, &refresh_token)?;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", client_id),
        ("refresh_token", refresh_token.expose_secret()),
    ];
    let asked_at = Instant::now();
    let issued = match login.post(&form).await {
        Ok(issued) => issued,
        Err(no_token) => {
            let refused = matches!(no_token.error, PortalError::LoginRefused { code: "invalid_grant" });
            if no_token.acted || refused {
                spend(session, refresh_token, refused);
            }
            return Err(no_token.error);
        }
    };
    session.spent = None;
    let token = AccessToken::new(issued.access_token, asked_at, issued.life);
    let Some(new) = issued.refresh_token else { return Ok(token) };
    if is_same_secret(&new, &refresh_token) {
        return Ok(token);
    }
    session.exchanged = Some((refresh_token, new.clone()));
    session.unstored = Some((new, token));
    let kept = keep_unstored(store, session).await?;
    kept.ok_or(PortalError::BadAnswer { reason: "no token came" })
}

/// Stores what could not be stored, before anything else happens.
async fn keep_unstored(
    store: &dyn TokenStore,
    session: &mut RefreshState,
) -> Result<Option<AccessToken>, PortalError> {
    let Some((new, _)) = &session.unstored else { return Ok(None) };
    let stored = timeout(STORE_TIMEOUT, store.store(new)).await.unwrap_or_else(|_| Err(LATE.to_owned()));
    stored.map_err(|reason| PortalError::TokenNotStored { reason })?;
    Ok(session.unstored.take().map(|(_, token)| token))
}

async fn newest(store: &dyn TokenStore, session: &RefreshState) -> Result<SecretString, PortalError> {
    // A store that cannot be read would not take the new token either: better not to spend the old one.
    let stored = timeout(STORE_TIMEOUT, store.load()).await.unwrap_or_else(|_| Err(LATE.to_owned()));
    let stored = stored.map_err(LoginCall::store_unreadable)?;
    match &session.exchanged {
        Some((old, new)) if is_same_secret(old, &stored) => Ok(new.clone()),
        _ => Ok(stored),
    }
}

fn check_unspent(session: &RefreshState, token: &SecretString) -> Result<(), PortalError> {
    match &session.spent {
        Some(spent) if is_same_secret(&spent.token, token) && (spent.refused || spent.uses >= USES) => {
            Err(PortalError::LoginRefused { code: "invalid_grant" })
        }
        _ => Ok(()),
    }
}

fn spend(session: &mut RefreshState, token: SecretString, refused: bool) {
    let before = session
        .spent
        .take()
        .filter(|spent| is_same_secret(&spent.token, &token))
        .map_or(0, |spent| spent.uses);
    session.spent = Some(Spent { token, uses: before + 1, refused });
}
