//! A request to the portal that must not be sent twice without a word: it is written down on the resource before it is sent, so that
//! a process that takes over knows of it. Both are one task that no deadline cancels.

use std::sync::Arc;
use std::time::Duration;

use kube::Api;
use kube::api::Patch;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::basis::Basis;
use crate::api::keys;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, annotation, technical_users};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::memory::UserMemory;
use crate::controller::technical_user::memory::attempts::{Attempts, Outcome};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::refusal::RefusalFingerprint;
use crate::controller::writes;
use crate::domain::attempt::Attempt;
use crate::domain::plan::{self, AttemptState, Desired};
use crate::domain::roles::{self, RoleSet};
use crate::k8s::stored::StoredObject;
use crate::process::Random;

/// The request is handed to the portal's client within this time of the patch that records the attempt, or not at all: a process
/// that finds the attempt later counts on it.
const START_LIMIT: Duration = Duration::from_secs(10);

/// The longest wait of a reconcile for the answer: meanwhile it uses a place that other resources of the Portal need. The task
/// continues, and wakes the resource at its end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The create of a user.
    Create,
    /// The reset of a secret.
    Reset,
}

impl Kind {
    /// The annotation that records it.
    const fn annotation(self) -> &'static str {
        match self {
            Self::Create => keys::CREATING,
            Self::Reset => keys::RESETTING,
        }
    }

    /// The roles of the user that it creates.
    fn roles(self, desired: &Desired) -> Option<RoleSet> {
        match (self, desired) {
            (Self::Create, Desired::Create(desired)) => Some(roles::set(&desired.roles)),
            (Self::Create, Desired::Existing { .. }) | (Self::Reset, _) => None,
        }
    }

    /// What the process remembers of such requests.
    const fn attempts(self, user: &mut UserMemory) -> &mut Attempts {
        match self {
            Self::Create => &mut user.attempts,
            Self::Reset => &mut user.resets,
        }
    }
}

/// What the task needs; nothing of the reconcile, which may be cancelled.
pub(super) struct Task {
    pub ctx: Arc<Context>,
    pub key: Key,
    pub attempt: Attempt,
    kind: Kind,
    resource_version: String,
    /// All finalizers of the resource from now on, or `None` if they do not change.
    finalizers: Option<Vec<String>>,
    fingerprint: RefusalFingerprint,
    basis: Basis,
}

impl Task {
    /// Prepares a request for this generation: of the user that it creates, or of the credential that it leads to.
    ///
    /// # Errors
    /// [`Failure::Overtaken`] if the Portal cannot be used any more.
    pub(super) fn of(
        reconcile: &Reconcile,
        kind: Kind,
        generation: i64,
        finalizers: Option<Vec<String>>,
    ) -> Result<Self, Failure> {
        let pin = plan::attempt_pin(&reconcile.observation).ok_or(Failure::Overtaken)?;
        Ok(Self {
            ctx: Arc::clone(&reconcile.ctx),
            key: reconcile.key.clone(),
            attempt: Attempt {
                roles: kind.roles(&reconcile.observation.desired),
                ..Attempt::new(generation, random_id(&reconcile.ctx.process.random), pin)
            },
            kind,
            resource_version: reconcile.resource_version().unwrap_or_default().to_owned(),
            finalizers,
            fingerprint: reconcile.fingerprint,
            basis: Basis::of(reconcile).ok_or(Failure::Overtaken)?,
        })
    }

    /// Sends the object to `written_down` once the attempt is written on it, and then the request.
    pub(super) async fn carry_out(
        &self,
        written_down: oneshot::Sender<StoredObject>,
        request: impl Future<Output = Outcome>,
    ) -> Result<(), Failure> {
        if !self.ctx.may_create() {
            return Err(Failure::NotActive);
        }
        if !self.basis.holds(&self.ctx).await? {
            tracing::debug!(resource = %self.key, "A {} was not sent, because what it depends on has changed", self.words());
            return Err(Failure::Overtaken);
        }
        self.ctx.memory.change(&self.key, |user| self.kind.attempts(user).begin(&self.attempt));
        let _abandon = AbandonAtEnd(self);
        let began = Instant::now();
        let object = match self.write_down().await {
            Ok(object) => object,
            Err(failure) => {
                self.remember(Attempts::forget);
                return Err(failure);
            }
        };
        // A reconcile that was given up receives nothing.
        let _given_up = written_down.send(object);
        let late = began.elapsed() > START_LIMIT || !self.ctx.may_write();
        let outcome = if late {
            tracing::warn!(resource = %self.key, "A {} was not sent, because it was not started in time", self.words());
            Outcome::NotSent
        } else {
            request.await
        };
        self.remember(|attempts| attempts.end(&self.attempt, outcome, self.fingerprint));
        self.ctx.wake(&self.key);
        Ok(())
    }

    fn words(&self) -> &'static str {
        match self.kind {
            Kind::Create => "create",
            Kind::Reset => "reset",
        }
    }

    /// Of a resource that is gone meanwhile, nothing is remembered.
    fn remember(&self, change: impl FnOnce(&mut Attempts)) {
        self.ctx.memory.change_known(&self.key, |user| change(self.kind.attempts(user)));
    }

    /// Patches the object in the state that was decided on.
    ///
    /// # Errors
    /// [`Failure::Overtaken`] if the object is gone, and the failure of the patch if nothing was written.
    async fn write_down(&self) -> Result<StoredObject, Failure> {
        let api: Api<StoredObject> =
            Api::namespaced_with(self.ctx.client.clone(), &self.key.namespace, &technical_users());
        let mut metadata = json!({
            "resourceVersion": self.resource_version,
            "annotations": { self.kind.annotation(): self.attempt.to_string() },
        });
        if let (Some(finalizers), Some(fields)) = (&self.finalizers, metadata.as_object_mut()) {
            fields.insert("finalizers".to_owned(), json!(finalizers));
        }
        let patch = json!({ "metadata": metadata });
        match api
            .patch(&self.key.name, &writes::patch(), &Patch::Merge(&patch))
            .await
            .map_err(KubeError::from)
        {
            Ok(object) => {
                let after = object.metadata.resource_version.as_deref();
                self.ctx
                    .memory
                    .change(&self.key, |user| user.overwritten.wrote(Some(&self.resource_version), after));
                Ok(object)
            }
            Err(KubeError::NotFound) => Err(Failure::Overtaken),
            Err(error @ KubeError::Denied { .. }) => Err(error.into()),
            // Unclear, a conflict included (a retried patch meets its own first try): our attempt there means ours.
            Err(error) => {
                let object = api.get(&self.key.name).await.map_err(KubeError::from)?;
                let written = annotation(&object, self.kind.annotation()) == Some(&self.attempt.to_string());
                if written { Ok(object) } else { Err(error.into()) }
            }
        }
    }
}

/// If the task panics, the resource does not wait for it for ever.
struct AbandonAtEnd<'a>(&'a Task);

impl Drop for AbandonAtEnd<'_> {
    fn drop(&mut self) {
        self.0.remember(|attempts| attempts.abandon(&self.0.attempt));
    }
}

/// Waits until the attempt is written down, and a while for its end. If it takes longer, or the reconcile is cancelled meanwhile,
/// the outcome is kept for the next one.
///
/// # Errors
/// Why nothing was sent; [`Failure::Overtaken`] if another client has written the status since it was read.
pub(super) async fn written_down(
    reconcile: &mut Reconcile,
    kind: Kind,
    attempt: &Attempt,
    mut running: JoinHandle<Result<(), Failure>>,
    object: oneshot::Receiver<StoredObject>,
) -> Result<AttemptState, Failure> {
    let Ok(object) = object.await else {
        return Err(running
            .await
            .map_or(Failure::Overtaken, |ended| ended.err().unwrap_or(Failure::Overtaken)));
    };
    let _in_progress = timeout(PATIENCE, &mut running).await;
    // Read back after an unclear patch, in a state that another client has written since: what is known of the status is
    // older than the resourceVersion. The outcome of the attempt is kept for the next reconcile.
    if !object.agrees_with(&reconcile.object, "status") {
        return Err(Failure::Overtaken);
    }
    reconcile.object = object;
    let state = |user: &mut UserMemory| kind.attempts(user).state(&attempt.id, reconcile.fingerprint);
    Ok(reconcile.ctx.memory.change(&reconcile.key, state))
}

/// Letters and digits that no other attempt has.
fn random_id(random: &Random) -> String {
    random.uuid().simple().to_string().chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_attempts_have_one_id() {
        let random = Random::seeded(1);
        let ids: BTreeSet<String> = (0..1000).map(|_| random_id(&random)).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())));
    }
}
