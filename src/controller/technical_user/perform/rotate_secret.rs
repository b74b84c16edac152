//! A reset of a user's secret to publish the next one. From the request on, the published secret is invalid.

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::attempt::{Kind, Task, written_down};
use super::rotation;
use crate::controller::portal::connections::Connection;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::memory::attempts::Outcome;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::reference;
use crate::domain::attempt::Attempt;
use crate::domain::blocker::Blocker;
use crate::domain::plan::{AttemptState, Done, OpenReset, ResetState, UserRef};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;
use crate::portal::{CREATE_TIMEOUT, PortalError};

/// Starts the task and waits a while for its end.
pub async fn rotate_secret(
    reconcile: &mut Reconcile,
    user: &UserRef,
    credential: i64,
) -> Result<(), Failure> {
    if !reconcile.ctx.may_create() {
        return Err(Failure::NotActive);
    }
    let connection = reconcile.connected()?.clone();
    let task = Task::of(reconcile, Kind::Reset, credential, None)?;
    rotation::announce_start(reconcile, "It resets the secret of the user");
    let (attempt, id) = (task.attempt.clone(), user.id.clone());
    let (sender, object) = oneshot::channel();
    let running = reconcile.ctx.process.tasks.spawn(
        reconcile
            .ctx
            .creates
            .track_future(async move { task.carry_out(sender, reset(&task, &connection, &id)).await }),
    );
    let state = written_down(reconcile, Kind::Reset, &attempt, running, object).await?;
    see_outcome(reconcile, &user.id, attempt, state);
    Ok(())
}

/// What was read of the user before is out of date, and so is what the token endpoint answered.
fn see_outcome(reconcile: &mut Reconcile, id: &UserId, attempt: Attempt, state: AttemptState) {
    let state = ResetState::of(state, false);
    reconcile.details.remove(id);
    let o = &mut reconcile.observation;
    o.published_proof = None;
    let known = o.users.entry(id);
    (known.details, known.proof) = (None, None);
    if state == ResetState::Ended {
        known.done.push(Done::SecretRotated);
    }
    o.rotation.reset = Some(OpenReset { attempt: Some(attempt), state });
}

/// The request, and what its answer says of its effect.
async fn reset(task: &Task, connection: &Connection, user: &UserId) -> Outcome {
    let key = &task.key;
    match timeout(CREATE_TIMEOUT, connection.portal.reset(user)).await {
        Ok(Ok(())) => {
            let note = format!("The operator reset the secret of user {user} in the portal to rotate it");
            let resource = reference(&task.ctx, key);
            task.ctx.events.normal(resource, Reason::SecretReset.as_str(), "Rotate", &note);
            Outcome::Created(user.clone())
        }
        Ok(Err(
            error @ (PortalError::Refused { .. } | PortalError::NotFound | PortalError::Forbidden { .. }),
        )) => {
            let message = format!("The portal refuses to reset the secret of user {user}: {error}");
            Outcome::Refused(Blocker::lasting(Reason::PortalError, message))
        }
        Ok(Err(error)) => {
            tracing::warn!(resource = %key, %error, "A reset may have had an effect; the operator reads the secret later");
            Outcome::Unknown
        }
        Err(_elapsed) => {
            tracing::warn!(resource = %key, "A reset ended without an answer; the operator reads the secret later");
            Outcome::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::technical_user::test_support::Scene;
    use crate::domain::identity::Pin;
    use crate::domain::plan::{UserView, Verified};
    use crate::domain::test_support::details;

    /// What is published after a reset is read, and verified, after it.
    #[tokio::test]
    async fn what_was_known_of_a_user_before_a_reset_is_not_used_after_it() {
        let id = UserId::new("u1");
        for (state, ended) in [(AttemptState::Settled, true), (AttemptState::InFlight, false)] {
            let mut reconcile = Scene::without_portal(&json!({})).observed().await;
            reconcile.details.insert(id.clone(), details(&id, "sa1"));
            reconcile.observation.published_proof = Some(Verified::Accepted);
            let known = reconcile.observation.users.entry(&id);
            (known.details, known.proof) = (Some(UserView::ClientMissing), Some(Verified::Accepted));
            see_outcome(&mut reconcile, &id, Attempt::new(2, "a1".into(), Pin::read("pin")), state);
            assert!(reconcile.details.is_empty() && reconcile.observation.published_proof.is_none());
            let known = reconcile.observation.users.entry(&id);
            assert!(known.details.is_none() && known.proof.is_none());
            assert_eq!(known.done.contains(&Done::SecretRotated), ended);
            assert!(reconcile.observation.rotation.reset.is_some());
        }
    }
}
