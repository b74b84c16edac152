//! JSON shapes that several endpoints share.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::core::Core;
use crate::errors::PortalError;
use crate::idp::IdpMoment;
use crate::state::{Connector, Kind, Offer, State, User};

/// The client that technical-user roles are roles of.
const ROLES_CLIENT: &str = "technical_roles_management";

pub(super) fn roles(state: &State, ids: &[Uuid]) -> Value {
    ids.iter()
        .filter_map(|id| state.role(*id))
        .map(|role| json!({"roleId": role.id, "clientId": ROLES_CLIENT, "roleName": role.name}))
        .collect()
}

pub(super) fn connector(connector: Option<&Connector>) -> Value {
    connector.map_or(Value::Null, |connector| json!({"id": connector.id, "name": connector.name}))
}

pub(super) fn offer(offer: Option<&Offer>) -> Value {
    offer.map_or(Value::Null, |offer| {
        json!({"id": offer.id, "type": offer.kind, "name": offer.name, "subscriptionId": offer.subscription})
    })
}

/// The object that create, update and reset answer (portal contract, section 2.2).
pub(super) fn user(state: &State, user: &User, secret: Option<&str>, subscription: Option<Uuid>) -> Value {
    json!({
        "serviceAccountId": user.id, "clientId": user.client_id, "name": user.name,
        "description": user.description, "status": user.status.name(),
        "authenticationType": secret.map(|_| "SECRET"), "roles": roles(state, &user.roles),
        "companyServiceAccountTypeId": user.ownership.name(), "secret": secret,
        "subscriptionId": subscription,
    })
}

/// Reads the live secret of an internal user at the identity provider; `None` for a wallet user, whose credential
/// the identity provider does not keep.
pub(super) fn live_secret(
    core: &Core,
    state: &mut State,
    user: &User,
) -> Result<Option<String>, PortalError> {
    if user.kind == Kind::External {
        return Ok(None);
    }
    state.idp.call(IdpMoment::BeforeClient, &core.issuer())?;
    let client_id = user.client_id.as_deref().unwrap_or_default();
    let client = state.idp.client(client_id).ok_or_else(|| PortalError::client_not_found(client_id))?;
    Ok(Some(client.secret.clone()))
}
