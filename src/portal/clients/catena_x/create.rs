//! The one call that must not be sent twice.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use serde_json::json;

use super::answer;
use super::client::{Client, Purpose};
use super::errors::FailedCall;
use super::request::{Bearer, Call};
use crate::domain::user::{NewUser, UserDetails};
use crate::portal::oauth::AccessToken;
use crate::portal::observe::Operation;
use crate::portal::resilient::{CallPlace, Verdict};
use crate::portal::{CREATE_TIMEOUT, CreateFailure, CreateSlot, Effect, PortalError};

/// Waits until a create can start at once; [`PortalError::CreatesInProgress`] if creates that hang prevent it.
pub(super) async fn slot(client: &Arc<Client>) -> Result<Slot, PortalError> {
    client.admit_write().await?;
    let (token, place) = client.ready(Some(&client.login), Purpose::Create, &Bearer::Accepted).await?;
    Ok(Slot { client: Arc::clone(client), token, place })
}

/// A place in the limiter and a token.
pub(super) struct Slot {
    client: Arc<Client>,
    token: Option<Arc<AccessToken>>,
    place: CallPlace,
}

#[async_trait]
impl CreateSlot for Slot {
    async fn create(self: Box<Self>, user: NewUser) -> Result<Vec<UserDetails>, CreateFailure> {
        let Self { client, token, place } = *self;
        let portal = client.caller.portal();
        // The caller may have held the slot for some time: what stops all other calls stops this one, too.
        if let Err(error) = portal.breaker.check().and_then(|()| portal.limiter.check_pause()) {
            place.refund();
            return Err(failure_of(FailedCall::unsent(error)));
        }
        let body = json!({
            "name": user.name,
            "description": user.description,
            "authenticationType": "SECRET",
            "roleIds": user.role_ids,
        });
        let call = Call::new(Operation::Create, Method::POST, client.address.users())
            .with_body(body)
            .within(CREATE_TIMEOUT);
        let result = call.send(&client.caller, token.as_deref(), &client.endpoint).await;
        drop(place);
        let verdict = result.as_ref().map_or_else(|failure| failure.verdict, |_| Verdict::Alive);
        portal.breaker.record(verdict);
        if let (Err(FailedCall { error: PortalError::Unauthorized, .. }), Some(token)) = (&result, &token) {
            // Not sent again here; the next attempt uses a new token.
            client.login.discard(token).await;
        }
        result.and_then(|answer| answer::created(&answer, &user.name, &client.endpoints)).map_err(failure_of)
    }
}

fn failure_of(failure: FailedCall) -> CreateFailure {
    let effect = if failure.acted { Effect::Unknown } else { Effect::None };
    CreateFailure { error: failure.error, effect }
}
