//! A reset of a user's secret to publish the next one: recorded on the resource, then one request, as one task that no deadline
//! cancels. From the request on, the published secret is invalid.

use std::sync::Arc;
use std::time::Duration;

use kube::api::DynamicObject;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::basis::Basis;
use super::written_down::{WriteDown, random_id};
use crate::api::keys;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::connections::Connection;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::memory::attempts::Outcome;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::reference;
use crate::controller::technical_user::refusal::RefusalFingerprint;
use crate::domain::attempt::Attempt;
use crate::domain::blocker::Blocker;
use crate::domain::plan::{self, AttemptState, Done, OpenReset, ResetState, UserRef};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;
use crate::portal::{CREATE_TIMEOUT, PortalError};

/// The request starts within this time of the patch that records the attempt, or not at all: a process that finds the attempt
/// later counts on it.
const START_LIMIT: Duration = Duration::from_secs(10);

/// The longest wait of a reconcile for the answer: meanwhile it uses a place that other resources of the Portal need. The task
/// continues, and wakes the resource at its end.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the task needs; nothing of the reconcile, which may be cancelled.
struct Task {
    ctx: Arc<Context>,
    key: Key,
    connection: Connection,
    user: UserId,
    attempt: Attempt,
    resource_version: String,
    fingerprint: RefusalFingerprint,
    basis: Basis,
}

/// Starts the task and waits a while for its end. If it takes longer, or the reconcile is cancelled meanwhile, the outcome is
/// kept for the next one.
pub async fn rotate_secret(
    reconcile: &mut Reconcile,
    user: &UserRef,
    credential: i64,
) -> Result<(), Failure> {
    if !reconcile.ctx.may_create() {
        return Err(Failure::NotActive);
    }
    let connection = reconcile.connected()?.clone();
    let Some(pin) = plan::attempt_pin(&reconcile.observation) else { return Err(Failure::Overtaken) };
    let attempt = Attempt { generation: credential, id: random_id(&reconcile.ctx.process.random), pin };
    let task = Task {
        ctx: Arc::clone(&reconcile.ctx),
        key: reconcile.key.clone(),
        connection,
        user: user.id.clone(),
        attempt: attempt.clone(),
        resource_version: reconcile.resource_version().unwrap_or_default().to_owned(),
        fingerprint: reconcile.fingerprint,
        basis: Basis::of(reconcile).ok_or(Failure::Overtaken)?,
    };
    let (sender, written_down) = oneshot::channel();
    let mut running = reconcile
        .ctx
        .process
        .tasks
        .spawn(reconcile.ctx.creates.track_future(async move { task.run(sender).await }));
    let Ok(object) = written_down.await else {
        return Err(running
            .await
            .map_or(Failure::Overtaken, |ended| ended.err().unwrap_or(Failure::Overtaken)));
    };
    let _in_progress = timeout(PATIENCE, &mut running).await;
    // As after a create: what is known of the status is older than the resourceVersion.
    if object.data.get("status") != reconcile.object.data.get("status") {
        return Err(Failure::Overtaken);
    }
    reconcile.object = object;
    see_outcome(reconcile, &user.id, attempt);
    Ok(())
}

/// What was read of the user before is out of date, and so is what the token endpoint answered.
fn see_outcome(reconcile: &mut Reconcile, id: &UserId, attempt: Attempt) {
    let state = reconcile
        .ctx
        .memory
        .change(&reconcile.key, |user| user.resets.state(&attempt.id, reconcile.fingerprint));
    let state = match state {
        AttemptState::InFlight => ResetState::InFlight,
        AttemptState::Settling(left) => ResetState::Settling(left),
        AttemptState::Refused(blocker) => ResetState::Refused(blocker),
        AttemptState::RefusedRetry | AttemptState::Settled => ResetState::Compared,
        AttemptState::Created(_) => ResetState::Ended,
    };
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

/// If the task panics, the resource does not wait for it for ever.
struct AbandonAtEnd<'a>(&'a Task);

impl Drop for AbandonAtEnd<'_> {
    fn drop(&mut self) {
        let Task { ctx, key, attempt, .. } = self.0;
        ctx.memory.change(key, |user| user.resets.abandon(attempt));
    }
}

impl Task {
    /// Sends the object to `written_down` once the attempt is written on it, and then the request.
    async fn run(self, written_down: oneshot::Sender<DynamicObject>) -> Result<(), Failure> {
        if !self.ctx.may_create() {
            return Err(Failure::NotActive);
        }
        if !self.basis.holds(&self.ctx).await? {
            tracing::debug!(resource = %self.key, "A reset was not sent, because what it depends on has changed");
            return Err(Failure::Overtaken);
        }
        self.ctx.memory.change(&self.key, |user| user.resets.begin(&self.attempt));
        let _abandon = AbandonAtEnd(&self);
        let began = Instant::now();
        let write_down = WriteDown {
            key: &self.key,
            resource_version: &self.resource_version,
            finalizers: None,
            annotation: keys::RESETTING,
            attempt: &self.attempt,
        };
        let object = match write_down.send(&self.ctx).await {
            Ok(object) => object,
            Err(failure) => {
                self.ctx.memory.change(&self.key, |user| user.resets.forget());
                return Err(failure);
            }
        };
        // A reconcile that was given up receives nothing.
        let _given_up = written_down.send(object);
        let late = began.elapsed() > START_LIMIT || !self.ctx.may_write();
        let outcome = if late {
            tracing::warn!(resource = %self.key, "A reset was not sent, because it was not started in time");
            Outcome::NotSent
        } else {
            self.reset().await
        };
        self.ctx.memory.change(&self.key, |user| user.resets.end(&self.attempt, outcome, self.fingerprint));
        self.ctx.wake(&self.key);
        Ok(())
    }

    async fn reset(&self) -> Outcome {
        let answer = timeout(CREATE_TIMEOUT, self.connection.portal.reset(&self.user)).await;
        let error = match answer {
            Ok(Ok(())) => {
                self.ctx.events.normal(
                    reference(&self.ctx, &self.key),
                    Reason::SecretReset.as_str(),
                    "Rotate",
                    &format!(
                        "The operator reset the secret of user {} in the portal to rotate it",
                        self.user
                    ),
                );
                return Outcome::Created(self.user.clone());
            }
            Ok(Err(error)) => error,
            Err(_elapsed) => {
                tracing::warn!(resource = %self.key, "A reset ended without an answer; the operator reads the secret later");
                return Outcome::Unknown;
            }
        };
        match &error {
            PortalError::Refused { .. } | PortalError::NotFound | PortalError::Forbidden { .. } => {
                let message =
                    format!("The portal refuses to reset the secret of user {}: {error}", self.user);
                Outcome::Refused(Blocker::lasting(Reason::PortalError, message))
            }
            _ => {
                tracing::warn!(resource = %self.key, %error, "A reset may have had an effect; the operator reads the secret later");
                Outcome::Unknown
            }
        }
    }
}
