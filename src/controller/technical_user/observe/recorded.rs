//! What the object itself remembers: its status, and the last attempt that is written on it.

use kube::api::DynamicObject;

use crate::api::keys;
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::context::Context;
use crate::controller::objects::{Key, annotation};
use crate::controller::technical_user::status;
use crate::domain::attempt::Attempt;
use crate::domain::identity::{Hint, Pin};
use crate::domain::plan::{OpenAttempt, Recorded, RecordedPortal, RecordedUser};
use crate::domain::user::UserId;

pub(in crate::controller::technical_user) fn recorded(
    status: &TechnicalUserStatus,
    output: &str,
) -> Recorded {
    let written = status.outputs.iter().find(|written| written.name == output);
    Recorded {
        portal: status.portal.as_ref().filter(|portal| !portal.url.is_empty()).map(|portal| RecordedPortal {
            pin: Pin::new(&portal.url, portal.bpn.as_deref()),
            url: portal.url.clone(),
            bpn: portal.bpn.clone(),
            hint: Hint::read(&portal.hint),
        }),
        user: status.user.as_ref().filter(|user| !user.id.is_empty()).map(|user| RecordedUser {
            id: UserId::new(&user.id),
            generation: user.generation.unwrap_or(0),
            active: user.status == status::ACTIVE,
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
    let attempt = annotation(object, keys::CREATING).and_then(Attempt::parse)?;
    let closed = recorded.user.as_ref().is_some_and(|user| user.generation == attempt.generation);
    if closed {
        return None;
    }
    let state = ctx.memory.attempts.state(key, &attempt, circumstances);
    Some(OpenAttempt { attempt, state })
}
