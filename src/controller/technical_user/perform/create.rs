//! An attempt to create a user: recorded on the resource, then one POST, as one task that no deadline cancels.

use std::sync::Arc;
use std::time::Duration;

use kube::api::DynamicObject;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::basis::Basis;
use super::written_down::{WriteDown, random_id};
use crate::api::{FINALIZER, keys};
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::connections::Connection;
use crate::controller::portal::inventory::{Change, Kind};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::memory::attempts::Outcome;
use crate::controller::technical_user::memory::places::Place;
use crate::controller::technical_user::memory::turns;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::reference;
use crate::controller::technical_user::refusal::RefusalFingerprint;
use crate::domain::attempt::Attempt;
use crate::domain::blocker::Blocker;
use crate::domain::identity::Mark;
use crate::domain::permissions::{PermissionNames, login_advice};
use crate::domain::plan;
use crate::domain::reason::Reason;
use crate::domain::user::{CreatedUser, ListedUser, NewUser, Ownership};
use crate::portal::{CreateFailure, CreateSlot, Effect, PortalError, Refusal};

/// The POST starts within this time of the patch that records the attempt, or not at all: a process that finds the attempt
/// later counts on it.
const START_LIMIT: Duration = Duration::from_secs(10);

/// The longest wait of a reconcile for the answer to its POST: meanwhile it uses a place that other resources of the Portal
/// need. The task continues, and wakes the resource at its end.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the task needs; nothing of the reconcile, which may be cancelled.
struct Task {
    ctx: Arc<Context>,
    key: Key,
    connection: Connection,
    user: NewUser,
    mark: Mark,
    attempt: Attempt,
    resource_version: String,
    finalizers: Vec<String>,
    fingerprint: RefusalFingerprint,
    basis: Basis,
    /// Keeps proofs of absence waiting until the create has ended.
    _change: Change,
    /// Held until the outcome is known.
    _places: Vec<Place>,
}

/// Starts the task and waits a while for its end. Where it takes longer, or the reconcile is cancelled meanwhile, the outcome is
/// kept for the next one.
pub async fn create(reconcile: &mut Reconcile, generation: i64, user: NewUser) -> Result<(), Failure> {
    if !reconcile.ctx.may_create() {
        return Err(Failure::NotActive);
    }
    let owner = reconcile.observation.owner.clone();
    let connection = reconcile.connected()?.clone();
    let Some(pin) = plan::attempt_pin(&reconcile.observation) else { return Err(Failure::Overtaken) };
    // Waited for here, where the reconcile may end meanwhile.
    let change = connection.inventory.change(&reconcile.key, Kind::Create).await?;
    let slot = match connection.portal.create_slot().await {
        Err(error @ PortalError::CreatesInProgress) => {
            reconcile.ctx.memory.turns.wait(&reconcile.portal_key, &reconcile.key);
            return Err(error.into());
        }
        slot => slot?,
    };
    reconcile.ctx.memory.turns.begin(&reconcile.key);
    let turn = PassTurnOn { ctx: Arc::clone(&reconcile.ctx), portal: reconcile.portal_key.clone() };
    let attempt = Attempt { generation, id: random_id(&reconcile.ctx.process.random), pin };
    let mut finalizers = reconcile.object.metadata.finalizers.clone().unwrap_or_default();
    if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
        finalizers.push(FINALIZER.to_owned());
    }
    let task = Task {
        mark: Mark {
            owner,
            generation,
            hint: reconcile.observation.hint.clone(),
            retained: false,
            login: false,
        },
        ctx: Arc::clone(&reconcile.ctx),
        key: reconcile.key.clone(),
        connection,
        user,
        attempt: attempt.clone(),
        resource_version: reconcile.resource_version().unwrap_or_default().to_owned(),
        finalizers,
        fingerprint: reconcile.fingerprint,
        basis: Basis::of(reconcile).ok_or(Failure::Overtaken)?,
        _change: change,
        _places: std::mem::take(&mut reconcile.places),
    };
    let (sender, written_down) = oneshot::channel();
    let mut running = reconcile.ctx.process.tasks.spawn(reconcile.ctx.creates.track_future(async move {
        let _turn = turn;
        task.run(slot, sender).await
    }));
    let Ok(object) = written_down.await else {
        return Err(running
            .await
            .map_or(Failure::Overtaken, |ended| ended.err().unwrap_or(Failure::Overtaken)));
    };
    let _in_progress = timeout(PATIENCE, &mut running).await;
    // Read back after an unclear patch, in a state that another client has written since: what is known of the status is
    // older than the resourceVersion. The outcome of the attempt is kept for the next reconcile.
    if object.data.get("status") != reconcile.object.data.get("status") {
        return Err(Failure::Overtaken);
    }
    reconcile.object = object;
    let state = reconcile
        .ctx
        .memory
        .change(&reconcile.key, |user| user.attempts.state(&attempt.id, reconcile.fingerprint));
    // A refusal of this very reconcile is not tried again in it.
    reconcile.observation.attempt_began(attempt, state);
    Ok(())
}

/// At the end of a create the next resource has its turn.
struct PassTurnOn {
    ctx: Arc<Context>,
    portal: Key,
}

impl Drop for PassTurnOn {
    fn drop(&mut self) {
        turns::wake_next(&self.ctx, &self.portal);
    }
}

/// Where the task panics, the resource does not wait for it for ever.
struct AbandonAtEnd<'a>(&'a Task);

impl Drop for AbandonAtEnd<'_> {
    fn drop(&mut self) {
        let Task { ctx, key, attempt, .. } = self.0;
        ctx.memory.change(key, |user| user.attempts.abandon(attempt));
    }
}

impl Task {
    /// Sends the object to `written_down` once the attempt is written on it, and then the POST.
    async fn run(
        self,
        slot: Box<dyn CreateSlot>,
        written_down: oneshot::Sender<DynamicObject>,
    ) -> Result<(), Failure> {
        if !self.ctx.may_create() {
            return Err(Failure::NotActive);
        }
        if !self.basis.holds(&self.ctx).await? {
            tracing::debug!(resource = %self.key, "A create was not sent, because what it depends on has changed");
            return Err(Failure::Overtaken);
        }
        self.ctx.memory.change(&self.key, |user| user.attempts.begin(&self.attempt));
        let _abandon = AbandonAtEnd(&self);
        let began = Instant::now();
        let object = match self.write_down().await {
            Ok(object) => object,
            Err(failure) => {
                self.ctx.memory.change(&self.key, |user| user.attempts.forget());
                return Err(failure);
            }
        };
        // A reconcile that was given up receives nothing.
        let _given_up = written_down.send(object);
        let late = began.elapsed() > START_LIMIT || !self.ctx.may_write();
        let outcome = if late {
            tracing::warn!(resource = %self.key, "A create was not sent, because it was not started in time");
            Outcome::NotSent
        } else {
            self.outcome(slot.create(self.user.clone()).await)
        };
        self.ctx.memory.change(&self.key, |user| user.attempts.end(&self.attempt, outcome, self.fingerprint));
        self.ctx.wake(&self.key);
        Ok(())
    }

    /// The patch: finalizer and annotation, on the object in the state that was decided on.
    async fn write_down(&self) -> Result<DynamicObject, Failure> {
        let write_down = WriteDown {
            key: &self.key,
            resource_version: &self.resource_version,
            finalizers: Some(&self.finalizers),
            annotation: keys::CREATING,
            attempt: &self.attempt,
        };
        write_down.send(&self.ctx).await
    }

    fn outcome(&self, answer: Result<Vec<CreatedUser>, CreateFailure>) -> Outcome {
        match answer {
            Ok(users) => {
                for user in &users {
                    self.connection.inventory.put(listed(user));
                    self.connection.inventory.remember(&user.id, Some(self.mark.clone()));
                }
                let Some(user) = users.first() else { return Outcome::Refused(no_user_created()) };
                self.ctx.events.normal(
                    reference(&self.ctx, &self.key),
                    Reason::UserCreated.as_str(),
                    "Create",
                    &format!("The operator created user {} ({}) in the portal", user.id, user.name),
                );
                Outcome::Created(user.id.clone())
            }
            Err(CreateFailure { error, effect: Effect::None }) => {
                Outcome::Refused(refused(&error, &self.connection.capabilities.permissions))
            }
            Err(CreateFailure { effect: Effect::Unknown, error }) => {
                tracing::warn!(resource = %self.key, %error, "A create ended without an answer; the operator searches for the user");
                Outcome::Unknown
            }
        }
    }
}

fn no_user_created() -> Blocker {
    Blocker::lasting(
        Reason::NoUserCreated,
        "The portal accepted the request and created no user, because only providers may use the roles. Create the TechnicalUser \
         with other roles.",
    )
}

fn refused(error: &PortalError, names: &PermissionNames) -> Blocker {
    match error {
        PortalError::Refused { refusal: Refusal::RoleNotOffered, .. } => Blocker::lasting(
            Reason::RoleNotOffered,
            "The portal refuses a role, because it does not offer the role to this company (any more)",
        ),
        PortalError::Refused { refusal: Refusal::ExternalNotAllowed, .. } => Blocker::lasting(
            Reason::CreateRefused,
            "The portal refuses a role: this company has its own wallet, so the portal creates no wallet users for it",
        ),
        // Its token was revoked between two calls; where the login itself is refused, the Portal says so.
        PortalError::Unauthorized => Blocker::passing(
            Reason::PortalError,
            "The portal did not accept the token of the login. The operator repeats the request with a new token.",
        ),
        PortalError::Forbidden { .. } => Blocker::lasting(
            Reason::PermissionMissing,
            format!("The Portal's login may not create users. {}.", login_advice(names)),
        ),
        PortalError::Refused { .. } => {
            Blocker::lasting(Reason::CreateRefused, format!("The portal refuses to create the user: {error}"))
        }
        // Nothing was sent, or the portal asks for a pause: the failure is temporary.
        other => Blocker::passing(Reason::PortalError, other.to_string()),
    }
}

fn listed(user: &CreatedUser) -> ListedUser {
    ListedUser {
        id: user.id.clone(),
        client_id: user.client_id.clone(),
        name: user.name.clone(),
        kind: user.kind,
        status: user.status,
        ownership: Ownership::Own,
        is_owner: true,
        connector: None,
        offer: None,
    }
}
