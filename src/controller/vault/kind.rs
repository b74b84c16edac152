//! Vaults as a kind that the operator checks: when the checks are due, and what they are based on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kube::api::ApiResource;

use super::abandoned::clean_up;
use super::checks::{Found, check};
use super::view::state;
use super::{finalizer, status, wake_all};
use crate::api::Vault;
use crate::api::vault::{VaultSpec, VaultStatus};
use crate::controller::checked::failure::ReconcileFailure;
use crate::controller::checked::kind::{CheckedKind, Kept};
use crate::controller::checked::objects::CheckedObjects;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, is_deleting, lenient, part};
use crate::domain::blocker::Blocker;
use crate::domain::grace::RETRY_INTERVAL;
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;
use crate::metrics::Kind;

/// How often a Vault that works is checked. It is also how often a token can be renewed that is used for nothing else.
const INTERVAL: Duration = Duration::from_mins(5);

/// The kind.
pub struct VaultKind;

#[async_trait]
impl CheckedKind for VaultKind {
    fn api(&self) -> ApiResource {
        ApiResource::erase::<Vault>(&())
    }

    fn label(&self) -> Kind {
        Kind::Vault
    }

    fn queue_name(&self) -> &'static str {
        "queue of Vaults"
    }

    fn workers(&self) -> u16 {
        2
    }

    fn objects<'a>(&self, ctx: &'a Context) -> &'a CheckedObjects {
        &ctx.vaults
    }

    fn inputs(&self, object: &StoredObject) -> String {
        format!("{} {}", state(object), is_deleting(object))
    }

    async fn check(
        &self,
        ctx: &Arc<Context>,
        key: &Key,
        object: &StoredObject,
        kept_because: Option<&Blocker>,
    ) -> Result<(Duration, bool), KubeError> {
        ctx.vaults.checks.begin(key);
        let state = state(object);
        let found = match part::<VaultSpec>(object, "spec") {
            Ok(spec) => check(ctx, key, (&spec, &state)).await,
            Err(why) => Found { version: Err(Blocker::lasting(Reason::InvalidResource, why)), site: None },
        };
        if ctx.vault_memory.found(key, &state, found.version.as_ref().map(drop).map_err(Clone::clone)) {
            wake_all(ctx, key);
        }
        let next = next_check(ctx, key, found.version.as_ref().err());
        ctx.vaults.checks.ended(key, &self.inputs(object), next, found.version.is_ok());
        // The outputs do not wait for it: it may last.
        let mut abandoned = lenient::<VaultStatus>(object, "status").abandoned;
        if let Some(site) = &found.site {
            abandoned = clean_up(ctx, key, site, &abandoned).await;
        }
        let changed = status::write(ctx, key, object, (found.version, abandoned), kept_because).await?;
        Ok((next, changed))
    }

    async fn release(
        &self,
        ctx: &Arc<Context>,
        key: &Key,
        object: &StoredObject,
    ) -> Result<Option<Kept>, KubeError> {
        finalizer::release(ctx, key, object).await
    }

    fn wake_users(&self, ctx: &Context, key: &Key) {
        wake_all(ctx, key);
    }

    fn forget(&self, ctx: &Context, key: &Key) {
        ctx.vault_memory.forget(key);
    }

    fn log_failure(&self, key: &Key, failure: &ReconcileFailure) {
        tracing::warn!(vault = %key, error = %failure, "A reconcile failed");
    }
}

fn next_check(ctx: &Context, key: &Key, blocker: Option<&Blocker>) -> Duration {
    let Some(blocker) = blocker else {
        ctx.vaults.backoffs.forget(key);
        return ctx.process.random.spread(INTERVAL);
    };
    let backoff = ctx.vaults.backoffs.after_failure(key).min(INTERVAL);
    if blocker.reason.may_appear() { backoff.min(RETRY_INTERVAL) } else { backoff }
}
