//! Callbacks of the wallet service (portal contract, sections 2 and 2.8). The caller's company is not checked.

use http::StatusCode;
use uuid::Uuid;

use crate::binding::{Body, path_id};
use crate::endpoints::{Context, Failure, Outcome};
use crate::errors::{PortalError, SERVICE};
use crate::http::Reply;
use crate::state::State;
use crate::state::user::Step;
use crate::version::Version;
use crate::wallet;

/// The user of the process in the path, if the process stands at this step.
fn user_at(context: &Context<'_>, state: &State, steps: &[Step]) -> Result<Uuid, Failure> {
    let process = path_id(&context.params, "processId")?;
    let found = state.users.iter().find_map(|user| match user.process {
        Some((id, step)) if id == process => Some((user.id, step)),
        _ => None,
    });
    let Some((user, step)) = found else {
        let text = format!("process {process} does not exist");
        return Err(PortalError::plain(StatusCode::NOT_FOUND, SERVICE, [text]).into());
    };
    if steps.contains(&step) {
        return Ok(user);
    }
    let text = format!("process {process} has no such step to do");
    Err(PortalError::plain(StatusCode::CONFLICT, SERVICE, [text]).into())
}

pub(super) fn created(context: &Context<'_>) -> Outcome {
    let mut body = Body::read(context.request, "callbackData")?;
    let url = body.text("authenticationServiceUrl", "AuthenticationServiceUrl");
    let client_id = body.text("clientID", "ClientId");
    let secret = body.text("clientSecret", "ClientSecret");
    body.finish()?;
    context.core.change(|state| {
        let user = user_at(context, state, &[Step::AwaitCreated, Step::CreateFailed])?;
        wallet::activate(state, user, &client_id, &secret, &url);
        Ok(Reply::empty(StatusCode::OK))
    })
}

/// Up to 2.6 the callback asks for another step than the one that waits.
pub(super) fn deleted(context: &Context<'_>) -> Outcome {
    let steps: &[Step] = if context.version >= Version::Main { &[Step::AwaitDeleted] } else { &[] };
    context.core.change(|state| {
        let user = user_at(context, state, steps)?;
        wallet::deleted(state, user);
        Ok(Reply::empty(StatusCode::OK))
    })
}

pub(super) fn retrigger_create(context: &Context<'_>) -> Outcome {
    let user = context.core.change(|state| {
        let id = user_at(context, state, &[Step::CreateFailed])?;
        if let Some((_, step)) = state.user_mut(id).and_then(|user| user.process.as_mut()) {
            *step = Step::AwaitCreated;
        }
        Ok::<_, Failure>(id)
    })?;
    wallet::schedule(context.core, wallet::Task::Create, user);
    Ok(Reply::empty(StatusCode::OK))
}

pub(super) fn retrigger_delete(context: &Context<'_>) -> Outcome {
    let user = context.core.read(|state| user_at(context, state, &[Step::AwaitDeleted]))?;
    wallet::schedule(context.core, wallet::Task::Delete, user);
    Ok(Reply::empty(StatusCode::OK))
}
