//! The status of a Vault, written where it changed.

use kube::Api;
use kube::Resource as _;
use kube::api::Patch;
use serde_json::json;

use super::login::jwt::audience;
use crate::api::bounds::Bounded as _;
use crate::api::conditions::{INSECURE_HTTP, READY, RECONCILING, STALLED, Wanted, brought_up_to_date};
use crate::api::vault::{AbandonedEntry, VaultSpec, VaultStatus};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, lenient, part};
use crate::controller::status::{grace, merge_patch};
use crate::controller::writes;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;
use crate::transport::PlainHttp;

/// Writes what the checks found, or what is wrong; whether anything changed.
pub async fn write(
    ctx: &Context,
    key: &Key,
    object: &StoredObject,
    (version, abandoned): (Result<String, Blocker>, Vec<AbandonedEntry>),
    leaving: Option<&Blocker>,
) -> Result<bool, KubeError> {
    let old: VaultStatus = lenient(object, "status");
    let spec = part::<VaultSpec>(object, "spec").ok();
    let mut new = VaultStatus { observed_generation: object.metadata.generation, ..old.clone() };
    new.audience = spec.as_ref().and_then(|spec| spec.auth.kubernetes.as_ref()).map(|_| audience(key));
    new.abandoned = abandoned;
    let blocker = match version {
        Ok(version) => {
            ctx.vault_memory.waiting.forget(key);
            new.version = Some(version);
            None
        }
        Err(blocker) => Some(within_grace(ctx, key, object, &old, blocker)),
    };
    let blocker = leaving.cloned().or(blocker);
    let mut wanted = ready(blocker.as_ref());
    wanted.extend(plain_http(spec.as_ref(), ctx.transports.plain_http()));
    let now = ctx.process.clock.now();
    new.conditions = brought_up_to_date(&old.conditions, &wanted, new.observed_generation, now);
    let new = new.bounded();
    let values = [&old, &new].map(|status| serde_json::to_value(status).unwrap_or_default());
    let Some(difference) = merge_patch::difference(&values[0], &values[1]) else { return Ok(false) };
    let api: Api<StoredObject> = Api::namespaced_with(ctx.client.clone(), &key.namespace, &ctx.vaults.api);
    let body =
        json!({ "metadata": { "resourceVersion": object.metadata.resource_version }, "status": difference });
    api.patch_status(&key.name, &writes::patch(), &Patch::Merge(&body)).await?;
    announce(ctx, object, &old, blocker.as_ref());
    Ok(true)
}

/// What another object may still bring is not `Stalled` at first.
fn within_grace(
    ctx: &Context,
    key: &Key,
    object: &StoredObject,
    old: &VaultStatus,
    blocker: Blocker,
) -> Blocker {
    let now = ctx.process.clock.now();
    let waiting = ctx.vault_memory.waiting.change(key, |since| {
        let waiting = grace::waiting(since, &object.metadata, &old.conditions, now);
        grace::remember(since, &waiting, Some(&blocker));
        waiting
    });
    Blocker { stalled: blocker.stalled && waiting.left(&blocker).is_none(), ..blocker }
}

fn ready(blocker: Option<&Blocker>) -> Vec<Wanted> {
    let Some(blocker) = blocker else {
        return vec![Wanted {
            type_: READY,
            status: Some(true),
            reason: Reason::VaultReady.as_str(),
            message: "Vault answers, and the login may write where access permits entries".to_owned(),
        }];
    };
    let reported = |type_, status| Wanted {
        type_,
        status: Some(status),
        reason: blocker.reason.as_str(),
        message: blocker.message.clone(),
    };
    vec![reported(READY, false), reported(if blocker.stalled { STALLED } else { RECONCILING }, true)]
}

fn plain_http(spec: Option<&VaultSpec>, permitted: PlainHttp) -> Option<Wanted> {
    spec.filter(|spec| spec.insecure_http.unwrap_or(false) && spec.address.starts_with("http://"))?;
    let (status, reason, message) = match permitted {
        PlainHttp::PrivateAddresses => (
            true,
            Reason::InsecureHttpAllowed,
            "insecureHttp is set: logins and client secrets are sent unencrypted to Vault. Use it for test systems only",
        ),
        PlainHttp::Refused => (
            false,
            Reason::InsecureHttpRefused,
            "insecureHttp is set, and the operator does not permit plain http (chart value allowInsecureHttp)",
        ),
    };
    Some(Wanted {
        type_: INSECURE_HTTP,
        status: Some(status),
        reason: reason.as_str(),
        message: message.to_owned(),
    })
}

fn announce(ctx: &Context, object: &StoredObject, old: &VaultStatus, blocker: Option<&Blocker>) {
    let Some(blocker) = blocker else { return };
    let before = old.conditions.iter().find(|c| c.type_ == READY).map(|c| c.reason.as_str());
    if before != Some(blocker.reason.as_str()) {
        let reference = object.object_ref(&ctx.vaults.api);
        ctx.events.warning(reference, blocker.reason.as_str(), "Reconcile", &blocker.message);
    }
}
