//! How a token is obtained, renewed and examined.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

use super::answer::{Said, data, says_invalid_token};
use super::caller::{Call, Caller};
use super::session::Token;
use super::{Auth, LoginRefusal, VaultError};
use crate::domain::vault::path::Mount;
use crate::transport::Answer;

/// Who holds the token.
const SELF: &str = "auth/token/lookup-self";
const RENEW: &str = "auth/token/renew-self";

#[derive(Deserialize)]
struct Authenticated {
    auth: Issued,
}

#[derive(Deserialize)]
struct Issued {
    client_token: String,
    /// Seconds; 0 for a token that does not expire.
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
}

#[derive(Deserialize)]
struct TokenDetails {
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

/// Logs in.
pub(super) async fn log_in(caller: &Caller, auth: &Auth) -> Result<Token, VaultError> {
    match auth {
        Auth::Kubernetes { mount, role, jwt } => {
            let jwt = jwt.jwt().await.map_err(VaultError::NoJwt)?;
            let body = [("role", role.as_str()), ("jwt", jwt.expose_secret())];
            post(caller, mount, &body, LoginRefusal::NoMethodOrReview).await
        }
        Auth::AppRole { mount, role_id, secret_id } => {
            let body = [("role_id", role_id.as_str()), ("secret_id", secret_id.expose_secret())];
            post(caller, mount, &body, LoginRefusal::NoMethod).await
        }
        Auth::Token(token) => look_up(caller, token).await,
    }
}

/// `denied` is what a 403 without a reason means.
async fn post(
    caller: &Caller,
    mount: &Mount,
    fields: &[(&str, &str)],
    denied: LoginRefusal,
) -> Result<Token, VaultError> {
    let body = fields.iter().copied().collect::<std::collections::BTreeMap<_, _>>();
    let body = serde_json::to_string(&body).map_err(|_| VaultError::BadAnswer { reason: "no JSON" })?;
    let call = Call::post_secret(format!("auth/{}/login", mount.as_str()), body.into());
    let asked_at = Instant::now();
    let answer = caller.send(&call, None).await?;
    if let Some(why) = refusal(&answer, denied) {
        return Err(VaultError::LoginRefused(why));
    }
    caller.failure(&call, &answer).map_or_else(|| issued(&answer, asked_at), Err)
}

/// Why a login is refused; `None` where the answer says nothing of it: a page or the text of a proxy, or a fault of Vault, which is
/// temporary. Vault's own words may contain parts of what was sent, so they are not repeated.
fn refusal(answer: &Answer, denied: LoginRefusal) -> Option<LoginRefusal> {
    let said = Said::read(answer);
    if !said.is_vault() || !matches!(answer.status, 400 | 401 | 403 | 404 | 500) {
        return None;
    }
    let has = |words: &str| said.has(words);
    if has("no handler for route") {
        Some(LoginRefusal::NoMethod)
    } else if has("invalid role name") || has("invalid role ID") {
        Some(LoginRefusal::Role)
    } else if has("invalid role or secret ID") || has("invalid secret id") {
        Some(LoginRefusal::AppRole)
    } else if has("not authorized") {
        Some(LoginRefusal::ServiceAccount)
    } else if has("audience") {
        Some(LoginRefusal::Audience)
    } else {
        match answer.status {
            403 => Some(denied),
            500 => None,
            status => Some(LoginRefusal::Unknown { status }),
        }
    }
}

/// A token that lives on from now, or none where Vault does not renew it.
pub(super) async fn renew(caller: &Caller, token: &Token) -> Result<Option<Token>, VaultError> {
    let call = Call::post(RENEW, &serde_json::json!({}));
    let asked_at = Instant::now();
    let answer = caller.send(&call, Some(&token.secret)).await?;
    match answer.status {
        400 | 403 => Ok(None),
        _ => caller.failure(&call, &answer).map_or_else(|| issued(&answer, asked_at).map(Some), Err),
    }
}

/// Whether Vault does not accept the token any more. A policy may forbid the question; the answer is yes then, too.
pub(super) async fn is_dead(caller: &Caller, token: &Token) -> Result<bool, VaultError> {
    let call = Call::get(SELF);
    let answer = caller.send(&call, Some(&token.secret)).await?;
    match answer.status {
        403 => Ok(true),
        _ => caller.failure(&call, &answer).map_or(Ok(false), Err),
    }
}

/// A token that a person issued: how long it lives.
async fn look_up(caller: &Caller, token: &SecretString) -> Result<Token, VaultError> {
    let call = Call::get(SELF);
    let asked_at = Instant::now();
    let answer = caller.send(&call, Some(token)).await?;
    match answer.status {
        403 if says_invalid_token(&answer) => Err(VaultError::LoginRefused(LoginRefusal::Token)),
        // Its policies forbid the question, so its end is not known.
        403 => Ok(Token::new(token.clone(), asked_at, None, false)),
        _ => {
            if let Some(failure) = caller.failure(&call, &answer) {
                return Err(failure);
            }
            let TokenDetails { ttl, renewable } = data(&answer)?;
            Ok(Token::new(token.clone(), asked_at, life(ttl), renewable))
        }
    }
}

fn issued(answer: &Answer, asked_at: Instant) -> Result<Token, VaultError> {
    let unreadable = |_| VaultError::BadAnswer { reason: "it has no token" };
    let Authenticated { auth } = serde_json::from_slice(&answer.body).map_err(unreadable)?;
    let usable = !auth.client_token.is_empty() && auth.client_token.bytes().all(|b| b.is_ascii_graphic());
    if !usable {
        return Err(VaultError::BadAnswer { reason: "its token cannot be sent in a header" });
    }
    Ok(Token::new(auth.client_token.into(), asked_at, life(auth.lease_duration), auth.renewable))
}

fn life(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}
