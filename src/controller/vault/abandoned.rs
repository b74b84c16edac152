//! Entries that were left in a Vault, because it was down when their resources were deleted: listed in its status, and removed
//! once that is possible.

use kube::Resource as _;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::json;

use crate::api::bounds::Bounded as _;
use crate::api::vault::{AbandonedEntry, VaultStatus};
use crate::api::{FIELD_MANAGER, keys};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, lenient, vaults};
use crate::domain::identity::Owner;
use crate::domain::reason::Reason;
use crate::domain::vault_path::{Alias, EntryPath, Mount};
use crate::vault::{VaultClient, VaultError};

/// Lists entries that are left, and reports them with an Event. A Vault that is gone lists none.
///
/// # Errors
/// If the status cannot be written.
pub async fn list(ctx: &Context, vault: &Key, entries: Vec<AbandonedEntry>) -> Result<(), KubeError> {
    let api: Api<DynamicObject> = Api::namespaced_with(ctx.client.clone(), &vault.namespace, &vaults());
    let object = match api.get(&vault.name).await.map_err(KubeError::from) {
        Ok(object) => object,
        Err(KubeError::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut status: VaultStatus = lenient(&object, "status");
    let is_new = |entry: &AbandonedEntry| status.abandoned.iter().all(|known| known.path != entry.path);
    let new: Vec<_> = entries.into_iter().filter(is_new).collect();
    if new.is_empty() {
        return Ok(());
    }
    status.abandoned.extend(new.clone());
    let status = status.bounded();
    let body = json!({
        "metadata": { "resourceVersion": object.metadata.resource_version },
        "status": { "abandoned": status.abandoned },
    });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    api.patch_status(&vault.name, &params, &Patch::Merge(&body)).await?;
    for entry in &new {
        let reference = object.object_ref(&vaults());
        let AbandonedEntry { path, owner, why, .. } = entry;
        let note = format!("The entry {path} of the deleted TechnicalUser {owner} is left. {why}");
        ctx.events.warning(reference, Reason::EntryAbandoned.as_str(), "Delete", &note);
    }
    Ok(())
}

/// Removes the entries that were left, as far as they still have the mark of a resource that does not exist. Those that are
/// left after that.
pub async fn clean_up(
    ctx: &Context,
    key: &Key,
    (client, mount): (&VaultClient, &Mount),
    entries: &[AbandonedEntry],
) -> Vec<AbandonedEntry> {
    let mut left = Vec::new();
    for entry in entries {
        match remove(ctx, client, mount, entry).await {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(vault = %key, %error, "An entry that was left in a Vault cannot be removed");
                left.push(entry.clone());
            }
        }
    }
    left
}

async fn remove(
    ctx: &Context,
    client: &VaultClient,
    mount: &Mount,
    entry: &AbandonedEntry,
) -> Result<(), VaultError> {
    let path = entry.path.strip_prefix(&format!("{}/data/", mount.as_str()));
    let Some(path) = path.and_then(|path| Alias::parse(path).ok()) else { return Ok(()) };
    let path = EntryPath::in_mount_at(mount, &path);
    let Some(metadata) = client.metadata(&path).await? else { return Ok(()) };
    if metadata.custom_metadata.get(keys::OWNER) != Some(&entry.owner) || exists(ctx, &entry.owner) {
        return Ok(());
    }
    client.delete(&path).await
}

/// Whether there is a resource with this mark: it removes its entry itself.
fn exists(ctx: &Context, owner: &str) -> bool {
    let Some(owner) = Owner::parse(owner) else { return true };
    let key = Key { namespace: owner.namespace, name: owner.name };
    owner.instance != ctx.installation.instance
        || ctx.hides_users(&key.namespace)
        || ctx.cached_user(&key).is_some()
}
