//! Removal of a technical user (portal contract, section 2.5).

use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::endpoints::{Context, Failure, Outcome};
use crate::errors::{PortalError, SERVICE};
use crate::http::Reply;
use crate::idp::IdpMoment;
use crate::state::user::Step;
use crate::state::{ConnectorStatus, Kind, State, Status, User};
use crate::version::Version;
use crate::wallet;

pub(super) async fn handle(context: &Context<'_>) -> Outcome {
    let (id, company) = (context.user_id()?, context.company()?);
    let user = context.core.read(|state| find(context, state, id, company))?;
    context.core.read(|state| check_links(state, &user))?;
    remove(context, &user).await?;
    if context.version >= Version::V2_2 {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    }
    // The number of saved rows: the user and its role links.
    Ok(Reply::ok(&json!(user.roles.len() + 1)))
}

/// The order of the checks and their answers changed in 2.2 and in 2.3.
fn find(context: &Context<'_>, state: &State, id: Uuid, company: Uuid) -> Result<User, PortalError> {
    let user = state.user(id).cloned();
    if context.version >= Version::V2_3 {
        let user = user.ok_or_else(|| {
            PortalError::coded(StatusCode::NOT_FOUND, "SERVICE_ACCOUNT_NOT_FOUND")
                .param("serviceAccountId", id)
        })?;
        if user.status != Status::Active {
            return Err(PortalError::conflict("SERVICE_ACCOUNT_NOT_ACTIVE").param("serviceAccountId", id));
        }
        if !user.concerns(company) {
            return Err(PortalError::coded(StatusCode::FORBIDDEN, "SERVICE_ACCOUNT_NO_PROVIDER_OR_OWNER"));
        }
        return Ok(user);
    }
    let modern = context.version >= Version::V2_2;
    let status = if modern { StatusCode::NOT_FOUND } else { StatusCode::CONFLICT };
    user.filter(|user| user.concerns(company))
        .filter(|user| user.status == Status::Active || (modern && user.status == Status::Pending))
        .ok_or_else(|| context.not_found(status, id, company))
}

fn check_links(state: &State, user: &User) -> Result<(), PortalError> {
    if state.connectors_of(user.id).any(|connector| connector.status != ConnectorStatus::Inactive) {
        return Err(PortalError::conflict("SERVICE_USERID_ACTIVATION_PENDING_CONFLICT"));
    }
    if user.offer.as_ref().is_some_and(|offer| offer.subscription_active) {
        return Err(PortalError::conflict("SERVICE_USERID_ACTIVATION_ACTIVE_CONFLICT"));
    }
    Ok(())
}

/// Removes a user that may be removed, by its kind.
pub(super) async fn remove(context: &Context<'_>, user: &User) -> Result<(), Failure> {
    // Portals before 2.2 do not remove a wallet user: they search a client that does not exist.
    if user.kind == Kind::Internal || context.version < Version::V2_2 {
        let client_id = user.client_id.as_deref().unwrap_or_default();
        let issuer = context.core.issuer();
        context.core.change(|state| {
            state.idp.call(IdpMoment::BeforeClient, &issuer)?;
            if state.idp.remove(client_id) { Ok(()) } else { Err(PortalError::client_not_found(client_id)) }
        })?;
    } else {
        check_process(user)?;
    }
    context.between_read_and_save(true).await;
    let scheduled = context.core.change(|state| save(context, state, user))?;
    if scheduled {
        wallet::schedule(context.core, wallet::Task::Delete, user.id);
    }
    Ok(())
}

fn check_process(user: &User) -> Result<(), PortalError> {
    let coded = |code| PortalError::conflict(code).param("serviceAccountId", user.id);
    match user.process {
        // The process of a subscription is of another kind, which the query does not find.
        Some((process, _)) if user.offer.is_some() => Err(PortalError::plain(
            StatusCode::NOT_FOUND,
            SERVICE,
            [format!("externalId {process} does not exist")],
        )),
        None => Err(coded("SERVICE_ACCOUNT_NOT_LINKED_TO_PROCESS")),
        Some((_, Step::AwaitCreated | Step::CreateFailed)) => {
            Err(PortalError::conflict("TECHNICAL_USER_CREATION_IN_PROGRESS"))
        }
        Some((_, Step::AwaitDeleted)) => Err(coded("SERVICE_ACCOUNT_PENDING_PROCESS_STEPS")
            .param("processStepTypeIds", "AWAIT_DELETE_DIM_TECHNICAL_USER_RESPONSE")),
        Some((_, Step::Created | Step::Deleted)) => Ok(()),
    }
}

/// Saves the removal; true if the wallet is to do the rest.
fn save(context: &Context<'_>, state: &mut State, user: &User) -> Result<bool, PortalError> {
    for connector in state.connectors.iter_mut().filter(|connector| connector.user == Some(user.id)) {
        if connector.status == ConnectorStatus::Inactive {
            connector.user = None;
        }
    }
    let current = state.user_mut(user.id).ok_or_else(PortalError::save_conflict)?;
    if context.version >= Version::V2_2 && current.revision != user.revision {
        return Err(PortalError::save_conflict());
    }
    current.revision += 1;
    current.roles.clear();
    if current.kind == Kind::External {
        current.status = Status::PendingDeletion;
        if let Some((_, step)) = &mut current.process {
            *step = Step::AwaitDeleted;
        }
        return Ok(true);
    }
    current.status = if context.version >= Version::V2_2 { Status::Deleted } else { Status::Inactive };
    Ok(false)
}
