//! The audit trail: one log line for each write to a portal and for each credential that is published.
//!
//! A `TechnicalUser` reaches its portal only through [`Audited`], so no write goes by without its line. Each line has the
//! fields `resource`, `action`, `user_id`, `client_id`, `outcome` and `duration_ms`, and `error` where it failed; never a
//! secret. They are described in `docs/operations.md`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::controller::kube_error::KubeError;
use crate::controller::objects::Key;
use crate::controller::technical_user::failure::Failure;
use crate::domain::plan::OutputId;
use crate::domain::user::{Credential, NewUser, Role, UserDetails, UserId};
use crate::portal::observe::{Operation, timed};
use crate::portal::{
    Absence, Capabilities, CreateFailure, CreateSlot, Effect, Lane, Login, Portal, PortalError, Scan,
    ScanProgress, ServerKind, ShownDataspace, Verification,
};

/// The client IDs that were seen, by the portal's id of the user.
type ClientIds = Arc<Mutex<BTreeMap<UserId, String>>>;

/// A portal as one resource uses it: each write is logged.
pub struct Audited {
    portal: Arc<dyn Portal>,
    resource: Key,
    client_ids: ClientIds,
}

impl Audited {
    /// The portal for a resource. `recorded` is the user in the resource's status, with its client ID.
    #[must_use]
    pub fn new(portal: Arc<dyn Portal>, resource: Key, recorded: Option<(UserId, String)>) -> Self {
        Self { portal, resource, client_ids: Arc::new(Mutex::new(recorded.into_iter().collect())) }
    }

    /// Carries a write out and logs it.
    async fn write(
        &self,
        operation: Operation,
        action: &str,
        id: &UserId,
        call: impl Future<Output = Result<(), PortalError>>,
    ) -> Result<(), PortalError> {
        let (result, duration) = timed(operation, call).await;
        let client_id = client_id(&self.client_ids, id);
        let outcome = result.as_ref().map_or_else(outcome, |()| SUCCESS);
        let error = result.as_ref().err().map(ToString::to_string);
        let user = (Some(id.as_str()), client_id.as_deref());
        line(&self.resource, action, user, outcome, duration, error.as_deref());
        result
    }
}

const SUCCESS: &str = "success";
/// Nothing was changed: the portal said no.
const REFUSED: &str = "refused";
/// The request did not leave the operator.
const NOT_SENT: &str = "not_sent";
/// Without a usable answer: it may have been carried out.
const UNKNOWN: &str = "unknown";

fn outcome(error: &PortalError) -> &'static str {
    match error {
        PortalError::Tls { .. }
        | PortalError::CircuitOpen { .. }
        | PortalError::LoginRefused { .. }
        | PortalError::TokenNotStored { .. }
        | PortalError::DeletionLogin { .. }
        | PortalError::CreatesInProgress
        | PortalError::NotATokenEndpoint
        | PortalError::OtherCompany => NOT_SENT,
        // The token for it was not obtained.
        PortalError::Throttled { server, .. } | PortalError::Server { server, .. }
            if *server != ServerKind::Portal =>
        {
            NOT_SENT
        }
        PortalError::Throttled { .. }
        | PortalError::Unauthorized
        | PortalError::Forbidden { .. }
        | PortalError::NotFound
        | PortalError::Refused { .. } => REFUSED,
        PortalError::Unreachable { .. }
        | PortalError::NotThePortalBackend { .. }
        | PortalError::ClientMissing
        | PortalError::Server { .. }
        | PortalError::BadAnswer { .. } => UNKNOWN,
    }
}

fn client_id(client_ids: &ClientIds, id: &UserId) -> Option<String> {
    client_ids.lock().get(id).cloned()
}

fn line(
    resource: &Key,
    action: &str,
    (user_id, client_id): (Option<&str>, Option<&str>),
    outcome: &str,
    duration: Duration,
    error: Option<&str>,
) {
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%resource, action, user_id, client_id, outcome, duration_ms, error, "Audit");
}

/// Logs that a credential was written into an output of a resource, or could not be.
pub fn published(
    resource: &Key,
    output: &OutputId,
    user: (&UserId, &str),
    began: Instant,
    result: Result<(), &Failure>,
) {
    let outcome = match result {
        Ok(()) => SUCCESS,
        Err(Failure::Kube(KubeError::Denied { .. } | KubeError::NotFound) | Failure::Overtaken) => REFUSED,
        Err(_) => UNKNOWN,
    };
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let error = result.err().map(ToString::to_string);
    let (user_id, client_id) = (user.0.as_str(), user.1);
    tracing::info!(
        %resource, action = "publish", user_id, client_id, %output, outcome, duration_ms, error, "Audit"
    );
}

/// Logs that a workload was restarted, or could not be.
pub fn restarted(resource: &Key, workload: &str, began: Instant, result: Result<(), &KubeError>) {
    let outcome = match result {
        Ok(()) => SUCCESS,
        Err(KubeError::Denied { .. } | KubeError::NotFound | KubeError::Conflict) => REFUSED,
        Err(KubeError::Failed { .. } | KubeError::Unclear { .. }) => UNKNOWN,
    };
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let error = result.err().map(ToString::to_string);
    tracing::info!(%resource, action = "restart", workload, outcome, duration_ms, error, "Audit");
}

#[async_trait]
impl Portal for Audited {
    async fn login(&self) -> Result<Login, PortalError> {
        self.portal.login().await
    }

    async fn forget_token(&self) {
        self.portal.forget_token().await;
    }

    async fn confirm(&self, login: &Login) -> Result<(), PortalError> {
        self.portal.confirm(login).await
    }

    async fn confirm_deletion_login(&self, client_id: &str) -> Result<(), PortalError> {
        self.portal.confirm_deletion_login(client_id).await
    }

    fn bound_to(self: Arc<Self>, companies: &[String]) -> Arc<dyn Portal> {
        let portal = Arc::clone(&self.portal).bound_to(companies);
        let (resource, client_ids) = (self.resource.clone(), Arc::clone(&self.client_ids));
        Arc::new(Self { portal, resource, client_ids })
    }

    async fn capabilities(&self) -> Result<Capabilities, PortalError> {
        self.portal.capabilities().await
    }

    async fn roles(&self, lane: Lane) -> Result<Vec<Role>, PortalError> {
        self.portal.roles(lane).await
    }

    async fn scan(&self, lane: Lane) -> Result<Scan, PortalError> {
        self.portal.scan(lane).await
    }

    fn scan_progress(&self) -> Option<ScanProgress> {
        self.portal.scan_progress()
    }

    async fn prove_absent(&self, beginning: &str, users: u64, lane: Lane) -> Result<Absence, PortalError> {
        self.portal.prove_absent(beginning, users, lane).await
    }

    async fn narrow(&self, client_id: &str, lane: Lane) -> Result<Scan, PortalError> {
        self.portal.narrow(client_id, lane).await
    }

    async fn pending(&self, lane: Lane) -> Result<Scan, PortalError> {
        self.portal.pending(lane).await
    }

    async fn details(&self, id: &UserId, lane: Lane) -> Result<UserDetails, PortalError> {
        let details = self.portal.details(id, lane).await?;
        if let Some(client_id) = &details.client_id {
            let mut known = self.client_ids.lock();
            known.insert(id.clone(), client_id.clone());
        }
        Ok(details)
    }

    fn named_token_url(&self) -> Option<String> {
        self.portal.named_token_url()
    }

    async fn dataspace(&self, lane: Lane) -> Result<Option<ShownDataspace>, PortalError> {
        self.portal.dataspace(lane).await
    }

    async fn create_slot(&self) -> Result<Box<dyn CreateSlot>, PortalError> {
        let slot = self.portal.create_slot().await?;
        Ok(Box::new(AuditedSlot { slot, resource: self.resource.clone() }))
    }

    async fn update(&self, id: &UserId, name: &str, description: &str) -> Result<(), PortalError> {
        self.write(Operation::Update, "update", id, self.portal.update(id, name, description)).await
    }

    async fn reset(&self, id: &UserId) -> Result<(), PortalError> {
        self.write(Operation::Reset, "reset", id, self.portal.reset(id)).await
    }

    async fn delete(&self, id: &UserId) -> Result<(), PortalError> {
        self.write(Operation::Delete, "delete", id, self.portal.delete(id)).await
    }

    async fn verify(&self, credential: &Credential, lane: Lane) -> Verification {
        self.portal.verify(credential, lane).await
    }
}

struct AuditedSlot {
    slot: Box<dyn CreateSlot>,
    resource: Key,
}

#[async_trait]
impl CreateSlot for AuditedSlot {
    async fn create(self: Box<Self>, user: NewUser) -> Result<Vec<UserDetails>, CreateFailure> {
        let Self { slot, resource } = *self;
        let (result, duration) = timed(Operation::Create, slot.create(user)).await;
        match &result {
            Ok(users) if users.is_empty() => {
                let error = "the portal answered with success and created no user";
                line(&resource, "create", (None, None), REFUSED, duration, Some(error));
            }
            // More than one only where the portal creates more than it was asked for: each has its line.
            Ok(users) => {
                for user in users {
                    let ids = (Some(user.id.as_str()), user.client_id.as_deref());
                    line(&resource, "create", ids, SUCCESS, duration, None);
                }
            }
            Err(CreateFailure { error, effect }) => {
                let outcome = match effect {
                    Effect::Unknown => UNKNOWN,
                    Effect::None if outcome(error) == REFUSED => REFUSED,
                    Effect::None => NOT_SENT,
                };
                line(&resource, "create", (None, None), outcome, duration, Some(&error.to_string()));
            }
        }
        result
    }
}

#[cfg(test)]
mod tests;
