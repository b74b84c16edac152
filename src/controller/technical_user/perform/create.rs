//! The create of a user: what it waits for, and what its answer means.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::attempt::{self, Task, written_down};
use super::read;
use super::rotation;
use crate::api::FINALIZER;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::connections::Connection;
use crate::controller::portal::inventory::{Change, Kind};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::memory::attempts::Outcome;
use crate::controller::technical_user::memory::places::QuotaPlace;
use crate::controller::technical_user::memory::turns;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::reference;
use crate::domain::blocker::Blocker;
use crate::domain::identity::Mark;
use crate::domain::permissions::{PermissionNames, login_advice};
use crate::domain::plan::AttemptState;
use crate::domain::reason::Reason;
use crate::domain::user::{ListedUser, NewUser, Ownership, UserDetails, UserKind};
use crate::portal::{CreateFailure, Effect, PortalError, Refusal};

/// What a create needs beside its attempt; nothing of the reconcile, which may be cancelled.
struct Create {
    connection: Connection,
    user: NewUser,
    mark: Mark,
    /// For the reconcile, if it still waits: the user that was created.
    created: Arc<Mutex<Option<UserDetails>>>,
    /// Keeps proofs of absence waiting until the create has ended.
    _change: Change,
    /// Held until the outcome is known.
    _places: Vec<QuotaPlace>,
}

/// Starts the task and waits a while for its end. Where it takes longer, or the reconcile is cancelled meanwhile, the outcome is
/// kept for the next one.
pub async fn create(reconcile: &mut Reconcile, generation: i64, user: NewUser) -> Result<(), Failure> {
    if !reconcile.ctx.may_create() {
        return Err(Failure::NotActive);
    }
    let owner = reconcile.observation.owner.clone();
    let connection = reconcile.connected()?.clone();
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
    let mut finalizers = reconcile.object.metadata.finalizers.clone().unwrap_or_default();
    if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
        finalizers.push(FINALIZER.to_owned());
    }
    let task = Task::of(reconcile, attempt::Kind::Create, generation, Some(finalizers))?;
    rotation::announce_start(reconcile, "It creates another user");
    let attempt = task.attempt.clone();
    let created = Arc::new(Mutex::new(None));
    let create = Create {
        mark: Mark {
            owner,
            generation,
            hint: reconcile.observation.hint.clone(),
            retained: false,
            login: false,
        },
        connection,
        user,
        created: Arc::clone(&created),
        _change: change,
        _places: std::mem::take(&mut reconcile.places),
    };
    let (sender, object) = oneshot::channel();
    let running = reconcile.ctx.process.tasks.spawn(reconcile.ctx.creates.track_future(async move {
        // The next resource has its turn after this one has given back what it holds.
        let _turn = turn;
        let create = create;
        let request = async { create.outcome(&task, slot.create(create.user.clone()).await) };
        task.carry_out(sender, request).await
    }));
    let state = written_down(reconcile, attempt::Kind::Create, &attempt, running, object).await?;
    // A refusal of this very reconcile is not tried again in it.
    let known =
        created.lock().take().filter(|user| matches!(&state, AttemptState::Created(id) if *id == user.id));
    reconcile.observation.attempt_began(attempt, state);
    if let Some(user) = known {
        read::created(reconcile, &user);
    }
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

impl Create {
    fn outcome(&self, task: &Task, answer: Result<Vec<UserDetails>, CreateFailure>) -> Outcome {
        match answer {
            Ok(users) => {
                for user in &users {
                    self.connection.inventory.put(listed(user));
                    self.connection.inventory.remember(&user.id, Some(self.mark.clone()));
                }
                let Some(user) = users.first() else { return Outcome::Refused(no_user_created()) };
                // Events with the same action are counted as one, with the words of the first.
                let action = if self.mark.generation > 1 { "Recreate" } else { "Create" };
                task.ctx.events.normal(
                    reference(&task.ctx, &task.key),
                    Reason::UserCreated.as_str(),
                    action,
                    &format!("The operator created user {} ({}) in the portal", user.id, user.name),
                );
                let id = user.id.clone();
                *self.created.lock() = users.into_iter().next().filter(|user| self.is_as_requested(user));
                Outcome::Created(id)
            }
            Err(CreateFailure { error, effect: Effect::None }) => {
                Outcome::Refused(refused(&error, &self.connection.capabilities.permissions))
            }
            Err(CreateFailure { effect: Effect::Unknown, error }) => {
                tracing::warn!(resource = %task.key, %error, "A create ended without an answer; the operator searches for the user");
                Outcome::Unknown
            }
        }
    }

    /// Whether an answer to a create says all that the details of the user would say.
    fn is_as_requested(&self, user: &UserDetails) -> bool {
        let is_whole = user.kind == UserKind::External || user.credential.is_some();
        is_whole && user.description == self.user.description && user.mark.as_ref() == Some(&self.mark)
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

fn listed(user: &UserDetails) -> ListedUser {
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
