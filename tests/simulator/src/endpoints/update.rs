//! Change of name and description (portal contract, section 2.4).

use http::StatusCode;

use crate::binding::Body;
use crate::binding::Unreadable;
use crate::endpoints::create::{AUTHENTICATION, check_authentication, check_columns};
use crate::endpoints::{Context, Failure, Outcome, shape};
use crate::errors::{ModelErrors, PortalError};
use crate::http::Reply;
use crate::state::Status;
use crate::version::Version;

pub(super) async fn handle(context: &Context<'_>) -> Outcome {
    let identity = context.identity()?;
    let path = context.user_id();
    let mut body = both(Body::read(context.request, "serviceAccountDetails"), &path)?;
    let in_body = body.id("serviceAccountId");
    let name = body.text("name", "Name");
    let description = body.text("description", "Description");
    let authentication = body.word("authenticationType", &AUTHENTICATION);
    both(body.finish(), &path)?;
    let id = path?;
    check_authentication(authentication)?;
    if id != in_body {
        return Err(PortalError::argument("SERVICE_ID_PATH_NOT_MATCH_ARGUMENT")
            .param("serviceAccountId", id)
            .param("serviceAccountDetailsServiceAccountId", in_body)
            .into());
    }
    let core = context.core;
    let company = identity.company;
    // Only the company that the identity belongs to, and only an ACTIVE user; all else does not exist.
    let (user, secret) = core.change(|state| {
        let user = state
            .user(id)
            .filter(|user| user.company == company && user.status == Status::Active)
            .cloned()
            .ok_or_else(|| context.not_found(StatusCode::CONFLICT, id, company))?;
        if user.client_id.is_none() {
            return Err(
                PortalError::conflict("SERVICE_CLIENTID_NOT_NULL_CONFLICT").param("serviceAccountId", id)
            );
        }
        let secret = shape::live_secret(core, state, &user)?;
        if let Some(client) = user.client_id.as_deref().and_then(|id| state.idp.client_mut(id)) {
            client.name.clone_from(&name);
        }
        Ok((user, secret))
    })?;
    context.between_read_and_save(true).await;
    check_columns(&name, &description)?;
    core.change(|state| {
        let current = state.user_mut(id).ok_or_else(PortalError::save_conflict)?;
        if context.version >= Version::V2_2 && current.revision != user.revision {
            return Err(PortalError::save_conflict().into());
        }
        current.name = name;
        current.description = description;
        current.editor = Some(identity.editor.clone());
        current.revision += 1;
        let current = current.clone();
        let subscription = current.offer.as_ref().map(|offer| offer.subscription);
        Ok(Reply::ok(&shape::user(state, &current, secret.as_deref(), subscription)))
    })
}

/// A junk id in the path and a body that cannot be read are reported together.
fn both<T>(body: Result<T, Unreadable>, path: &Result<uuid::Uuid, ModelErrors>) -> Result<T, Failure> {
    body.map_err(|error| match error {
        Unreadable::Model(mut errors) => {
            if let Err(path) = path {
                errors.merge(path.clone());
            }
            errors.into()
        }
        error @ Unreadable::NoMediaType => error.into(),
    })
}
