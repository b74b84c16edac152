//! What the object itself remembers: its status, and the last attempt that is written on it.

use kube::api::DynamicObject;

use crate::api::keys;
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::context::Context;
use crate::controller::objects::{Key, annotation};
use crate::controller::technical_user::status;
use crate::domain::attempt::Attempt;
use crate::domain::identity::{Hint, Owner};
use crate::domain::ownership;
use crate::domain::plan::{OpenAttempt, Recorded, RecordedPortal, RecordedUser};
use crate::domain::user::UserId;

pub(in crate::controller::technical_user) fn recorded(
    ctx: &Context,
    owner: &Owner,
    status: &TechnicalUserStatus,
    output: &str,
) -> Recorded {
    let proved = |id: &UserId, given: Option<&String>| {
        given.is_some_and(|given| *given == ownership::proof(&ctx.installation.digest_key, owner, id))
    };
    let written = status.outputs.iter().find(|written| written.name == output);
    Recorded {
        portal: status.portal.as_ref().filter(|portal| !portal.url.is_empty()).map(|portal| RecordedPortal {
            url: portal.url.clone(),
            token_url: portal.token_url.clone(),
            bpn: portal.bpn.clone(),
            hint: Hint::read(&portal.hint),
        }),
        user: status.user.as_ref().filter(|user| !user.id.is_empty()).map(|user| RecordedUser {
            id: UserId::new(&user.id),
            generation: user.generation.unwrap_or(0),
            active: user.status == status::ACTIVE,
            proved: proved(&UserId::new(&user.id), user.proof.as_ref()),
        }),
        credential: status.credential.is_some(),
        digest: written.map(|written| written.digest.clone()),
    }
}

pub(in crate::controller::technical_user) fn open_attempt(
    ctx: &Context,
    object: &DynamicObject,
    key: &Key,
    recorded: &Recorded,
    circumstances: u64,
) -> Option<OpenAttempt> {
    let text = annotation(object, keys::CREATING)?;
    let attempt = Attempt::parse(text);
    let closed = attempt.as_ref().is_some_and(|attempt| {
        recorded.user.as_ref().is_some_and(|user| user.generation == attempt.generation)
    });
    if closed {
        return None;
    }
    // What cannot be read is told apart from another such by its whole text.
    let id = attempt.as_ref().map_or(text, |attempt| &attempt.id);
    let state = ctx.memory.attempts.state(key, id, circumstances);
    Some(OpenAttempt { attempt, state })
}
