//! Entries that were left in a Vault, because it was down when their resources were deleted: listed in its status, and removed
//! once that is possible.

mod data;
mod fate;
mod keys;

use std::sync::Arc;
use std::time::Duration;

use kube::Resource as _;
use kube::api::{Api, Patch};
use serde_json::json;
use tokio::time::Instant;

use self::fate::{Fate, fate};
use super::login;
use super::mark::EntryMark;
use super::note::EntryNote;
use super::view::{server, state};
use crate::api::bounds::Bounded as _;
use crate::api::vault::{ABANDONED, AbandonedEntry, VaultSpec, VaultStatus};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, lenient, part, technical_users};
use crate::controller::writes;
use crate::domain::identity::{Hint, Owner};
use crate::domain::reason::Reason;
use crate::domain::vault::path::{Alias, EntryPath, Mount};
use crate::domain::vault::place::Server;
use crate::k8s::stored::StoredObject;
use crate::vault::{VaultClient, VaultError};

/// How long one clean-up may last: the rest is left to the next check.
const LONGEST: Duration = Duration::from_mins(1);
/// How many entries an Event names.
const NAMED: usize = 5;

/// Lists entries that are left, and reports them with an Event; `false` if there is no such Vault, which lists none.
///
/// # Errors
/// If the status cannot be written.
pub async fn list(ctx: &Context, vault: &Key, entries: Vec<AbandonedEntry>) -> Result<bool, KubeError> {
    let api: Api<StoredObject> = Api::namespaced_with(ctx.client.clone(), &vault.namespace, &ctx.vaults.api);
    let object = match api.get(&vault.name).await.map_err(KubeError::from) {
        Ok(object) => object,
        Err(KubeError::NotFound) => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut status: VaultStatus = lenient(&object, "status");
    let place = |entry: &AbandonedEntry| (entry.path.clone(), entry.owner.clone(), entry.server.clone());
    let is_same = |a: &AbandonedEntry, b: &AbandonedEntry| place(a) == place(b);
    let is_new = |entry: &AbandonedEntry| !status.abandoned.iter().any(|known| is_same(known, entry));
    let mut new: Vec<_> = entries.into_iter().filter(is_new).collect();
    let omitted = new.split_off(new.len().min(ABANDONED.saturating_sub(status.abandoned.len())));
    if !new.is_empty() {
        status.abandoned.extend(new.clone());
        let status = status.bounded();
        let body = json!({
            "metadata": { "resourceVersion": object.metadata.resource_version },
            "status": { "abandoned": status.abandoned },
        });
        api.patch_status(&vault.name, &writes::patch(), &Patch::Merge(&body)).await?;
    }
    for AbandonedEntry { path, owner, why, .. } in &new {
        let note = format!("The entry {path} of the deleted TechnicalUser {owner} is left. {why}");
        ctx.events.warning(
            object.object_ref(&ctx.vaults.api),
            Reason::EntryAbandoned.as_str(),
            "Delete",
            &note,
        );
    }
    for entry in &omitted {
        tracing::warn!(%vault, entry = entry.path, "An entry is left in a Vault whose status has no room to list it");
    }
    if !omitted.is_empty() {
        let paths = named(&omitted);
        let note = format!(
            "Entries of deleted TechnicalUsers are left, and status.abandoned of the Vault is full, so the operator will not \
             delete them: {paths}. Delete them in Vault. The operator's log names each of them."
        );
        ctx.events.warning(
            object.object_ref(&ctx.vaults.api),
            Reason::EntryAbandoned.as_str(),
            "List",
            &note,
        );
    }
    Ok(true)
}

/// The paths of some entries.
fn named(entries: &[AbandonedEntry]) -> String {
    let more = if entries.len() > NAMED { ", …" } else { "" };
    let shown: Vec<_> = entries.iter().take(NAMED).map(|entry| entry.path.as_str()).collect();
    shown.join(", ") + more
}

/// Where entries are removed.
pub struct Site {
    /// The client of the Vault.
    pub client: Arc<VaultClient>,
    /// The mount that its spec names.
    pub mount: Mount,
    /// The server that answers; `None` if that is not known.
    pub server: Option<Server>,
}

/// Removes the entries that were left, as far as they still have the mark of a resource that does not need them. Those that are
/// listed after that.
pub async fn clean_up(
    ctx: &Context,
    key: &Key,
    site: &Site,
    entries: &[AbandonedEntry],
) -> Vec<AbandonedEntry> {
    let until = Instant::now() + LONGEST;
    let mut left = Vec::new();
    let mut entries = entries.iter();
    for entry in entries.by_ref() {
        let (path, outcome) = (&entry.path, remove(ctx, key, site, entry).await);
        match &outcome {
            Ok(Fate::Removable) => {
                tracing::info!(vault = %key, entry = path, "An entry that was left is removed");
            }
            Ok(Fate::NotOurs(why)) => {
                tracing::info!(vault = %key, entry = path, error = why, "An entry that was left is not listed any more");
            }
            Ok(Fate::Kept(why)) => {
                tracing::info!(vault = %key, entry = path, error = why, "An entry that was left is kept");
            }
            Err(error) => {
                tracing::warn!(vault = %key, entry = path, %error, "An entry that was left in a Vault cannot be removed");
            }
        }
        if matches!(outcome, Ok(Fate::Kept(_)) | Err(_)) {
            left.push(entry.clone());
        }
        // Each further call could last as long as this one.
        if outcome.is_err_and(|error| error.is_down()) || Instant::now() >= until {
            break;
        }
    }
    left.extend(entries.cloned());
    left
}

/// Removes what is listed before the Vault resource is deleted, as far as that is possible now, and reports the rest.
pub async fn end(ctx: &Arc<Context>, key: &Key, object: &StoredObject, spec: Option<&VaultSpec>) {
    let status = part::<VaultStatus>(object, "status").unwrap_or_default();
    if status.abandoned.is_empty() {
        return;
    }
    let left = match usable(ctx, key, object, spec).await {
        Some(site) => clean_up(ctx, key, &site, &status.abandoned).await,
        None => status.abandoned,
    };
    for AbandonedEntry { path, .. } in &left {
        tracing::warn!(vault = %key, entry = path, "An entry is left in Vault, whose resource is deleted");
    }
    if !left.is_empty() {
        let (number, paths) = (left.len(), named(&left));
        let note = format!(
            "{number} entries of deleted TechnicalUsers are left in Vault: {paths}. Delete them there: the operator does not do \
             so without this resource"
        );
        ctx.events.warning(
            object.object_ref(&ctx.vaults.api),
            Reason::EntryAbandoned.as_str(),
            "Finalize",
            &note,
        );
    }
}

async fn usable(
    ctx: &Arc<Context>,
    key: &Key,
    object: &StoredObject,
    spec: Option<&VaultSpec>,
) -> Option<Site> {
    let spec = spec?;
    let mount = Mount::parse(&spec.mount).ok()?;
    let client = match login::client(ctx, key, spec).await {
        Ok(built) => built.client,
        Err(_) => ctx.vault_memory.last_client(key)?,
    };
    let server = match ctx.vault_memory.server(key, &state(object)) {
        Some(server) => Some(server),
        None => client.health().await.ok().map(|health| server(&health, spec)),
    };
    Some(Site { client, mount, server })
}

async fn remove(
    ctx: &Context,
    vault: &Key,
    Site { client, mount, server }: &Site,
    entry: &AbandonedEntry,
) -> Result<Fate, VaultError> {
    let there = Server::of_record(&entry.server);
    // Nothing is deleted on a server that is not known.
    if there.is_some() && there != *server {
        return Ok(Fate::Kept("it is on another server than the one that the Vault leads to"));
    }
    let path = entry.path.strip_prefix(&format!("{}/data/", mount.as_str()));
    let Some(path) = path.and_then(|path| Alias::parse(path).ok()) else {
        return Ok(Fate::Kept("its path is not one of the mount"));
    };
    let path = EntryPath::in_mount_at(mount, &path);
    let Some(metadata) = client.metadata(&path).await? else {
        return Ok(Fate::NotOurs("it does not exist any more"));
    };
    let hint = &ctx.installation.hint;
    let taken_over: Vec<_> = entry.taken_over.iter().map(|hint| Hint::read(hint)).collect();
    let owner = Owner::parse(&entry.owner);
    let note = owner.as_ref().and_then(|owner| EntryNote::of(&metadata.custom_metadata, owner));
    let mark = EntryMark::of(&metadata.custom_metadata);
    // The mark of another client says nothing of keys. The digests in the note of another installation show none of its values, so
    // its keys are kept.
    let own_note = note.as_ref().filter(|note| note.is_here(hint, &[]));
    let own_mark = mark.as_ref().filter(|mark| mark.is_of(&entry.owner, hint, &taken_over));
    if own_note.is_none() && own_mark.is_none() {
        let is_of_owner = note.is_some() || mark.as_ref().is_some_and(|mark| mark.owner == entry.owner);
        return Ok(match mark {
            _ if is_of_owner => Fate::Kept("it has the mark of another cluster"),
            Some(_) => Fate::NotOurs("another client has it"),
            None => Fate::Kept("its mark was removed"),
        });
    }
    let Some(owner) = owner else {
        return Ok(Fate::Kept("the owner in its mark cannot be read"));
    };
    if owner.instance != ctx.installation.instance {
        return Ok(Fate::Kept("it has the mark of another instance"));
    }
    // The cache may be older than what the resource has recorded.
    let api: Api<StoredObject> =
        Api::namespaced_with(ctx.client.clone(), &owner.namespace, &technical_users());
    let fate = match api.get_opt(&owner.name).await {
        Ok(found) => fate(vault, &path, server.as_ref(), found.as_ref()),
        Err(_) => Fate::Kept("the operator cannot read the TechnicalUser of its mark"),
    };
    if !matches!(fate, Fate::Removable) {
        return Ok(fate);
    }
    if let Some(note) = own_note {
        keys::remove(client, &path, (&owner, note), &ctx.installation.digest_key).await?;
    }
    if let Some(mark) = own_mark {
        if !data::are_ours(client, &path, (entry, mark), &ctx.installation).await? {
            return Ok(Fate::NotOurs("its data are not those of its mark"));
        }
        client.delete(&path).await?;
    }
    Ok(fate)
}

#[cfg(test)]
mod tests;
