//! A Vault as a `TechnicalUser` of some namespace sees it: where its entries may be, and a client.

use std::sync::Arc;

use super::access::folders;
use super::{blocker, login};
use crate::api::ROLE_AGAIN;
use crate::api::vault::{AliasMode, VaultSpec};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, is_deleting, part};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::vault::path::{Alias, Folder, Mount, PathError};
use crate::domain::vault::place::{EntryPlace, NumberedAlias, Server};
use crate::k8s::stored::StoredObject;
use crate::vault::{Health, VaultClient, VaultError};

/// A Vault as a namespace sees it.
#[derive(Debug, Clone)]
pub struct VaultView {
    /// Which Vault.
    pub key: Key,
    /// Its mount.
    pub mount: Mount,
    spec: VaultSpec,
    /// In which state the resource is that a check must have found.
    state: String,
    /// Where the namespace may have entries, in the order of the rules.
    folders: Vec<Folder>,
    /// The namespace may read details of the Vault in messages, such as its address and its Secrets.
    discloses: bool,
    /// It accepts no new entries.
    deleting: bool,
}

impl VaultView {
    /// The Vault as the cache shows it to a namespace.
    ///
    /// # Errors
    /// If the labels of the namespace cannot be read; and, inside, why no output can be in it.
    pub async fn of(ctx: &Context, key: &Key, namespace: &str) -> Result<Result<Self, Blocker>, KubeError> {
        let (object, spec) = match read(ctx, key) {
            Ok(found) => found,
            Err(blocker) => return Ok(Err(blocker)),
        };
        let mount = match mount(key, &spec) {
            Ok(mount) => mount,
            Err(blocker) => return Ok(Err(blocker)),
        };
        let folders = folders(ctx, &spec, key, namespace).await?;
        let discloses = key.namespace == namespace || !folders.is_empty();
        let deleting = is_deleting(&object);
        let state = state(&object);
        Ok(Ok(Self { key: key.clone(), mount, spec, state, folders, discloses, deleting }))
    }

    /// The Vault as the cache shows it, to remove entries there: that needs no grant.
    ///
    /// # Errors
    /// If it is not there.
    pub fn for_cleanup(ctx: &Context, key: &Key, namespace: &str) -> Result<Self, Blocker> {
        let (object, spec) = read(ctx, key)?;
        let mount = mount(key, &spec)?;
        let (discloses, deleting) = (key.namespace == namespace, is_deleting(&object));
        let state = state(&object);
        Ok(Self { key: key.clone(), mount, spec, state, folders: Vec::new(), discloses, deleting })
    }

    /// Where the entries of an output with this path are; without a path, in the first folder by the resource's name. A folder
    /// in which the output has its entry comes before all others that the rules permit.
    ///
    /// # Errors
    /// Why the namespace may have no entry there.
    pub fn place(
        &self,
        path: Option<&str>,
        resource: &Key,
        current: Option<&Folder>,
    ) -> Result<EntryPlace, Blocker> {
        let current = self.folders.iter().find(|folder| Some(*folder) == current);
        let folders = || current.into_iter().chain(&self.folders);
        let Some(first) = folders().next() else {
            let message = format!(
                "The access of Vault {} permits namespace {} no entries. Ask the Vault's owner for a rule.",
                self.key, resource.namespace
            );
            return Err(Blocker::lasting(Reason::AccessDenied, message));
        };
        let invalid = |error: PathError| {
            Blocker::lasting(Reason::PathNotAllowed, format!("The path of the entry cannot be used: {error}"))
        };
        let path = match path {
            Some(path) => Alias::parse(path),
            None => Alias::parse(&resource.name).and_then(|name| first.join(&name)),
        };
        let path = path.map_err(invalid)?;
        let below = |folder: &Folder| Some((folder.clone(), folder.alias_of(&path)?));
        let Some((folder, alias)) = folders().find_map(below) else {
            let permitted: Vec<_> =
                self.folders.iter().map(|folder| format!("{}/", folder.as_str())).collect();
            let message = format!(
                "The path {} is not below a path that Vault {} permits for namespace {}: {}. Correct path, or ask the Vault's \
                 owner for a rule.",
                path.as_str(),
                self.key,
                resource.namespace,
                permitted.join(", ")
            );
            return Err(Blocker::lasting(Reason::PathNotAllowed, message));
        };
        let per_generation = self.spec.alias_mode.unwrap_or_default() == AliasMode::PerGeneration;
        Ok(EntryPlace { mount: self.mount.clone(), folder, alias: NumberedAlias { alias, per_generation } })
    }

    /// The server that answers now, where no check of the resource in this state has named it.
    ///
    /// # Errors
    /// If it does not say who it is.
    pub async fn answering(&self, ctx: &Context, client: &VaultClient) -> Result<Server, VaultError> {
        match self.server(ctx) {
            Some(server) => Ok(server),
            None => client.health().await.map(|health| server(&health, &self.spec)),
        }
    }

    /// The server that answered the last check; `None` before the first one.
    #[must_use]
    pub fn server(&self, ctx: &Context) -> Option<Server> {
        ctx.vault_memory.server(&self.key, &self.state)
    }

    /// A client, if the last check found that the Vault can be used.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn client(&self, ctx: &Arc<Context>) -> Result<Arc<VaultClient>, Blocker> {
        if self.deleting {
            let message = format!("Vault {} is being deleted, so it accepts no new entries", self.key);
            return Err(Blocker::passing(Reason::VaultNotReady, message));
        }
        match ctx.vault_memory.checked(&self.key, &self.state) {
            Some(Ok(())) => self.client_for_cleanup(ctx).await,
            // The policy is asked about each entry. All else was checked before it.
            Some(Err(why)) if why.reason == Reason::PolicyTooNarrow => self.client_for_cleanup(ctx).await,
            Some(Err(why)) => Err(self.not_ready(&why)),
            None => {
                let message = format!("The operator is checking Vault {}", self.key);
                Err(Blocker::passing(Reason::VaultNotReady, message))
            }
        }
    }

    /// What only a person can repair of the Vault, by the last check: no output can be served before, and no request says more. What
    /// the policy lacks is asked about each entry.
    #[must_use]
    pub fn lasting(&self, ctx: &Context) -> Option<Blocker> {
        let found = ctx.vault_memory.checked(&self.key, &self.state)?.err()?;
        (found.stalled && found.reason != Reason::PolicyTooNarrow).then(|| self.not_ready(&found))
    }

    /// A client, whatever the last check found. What is removed needs no grant, and a login whose Secret was deleted with its
    /// namespace serves until its end. A login that the last check found to be refused is not repeated: the check does that.
    ///
    /// # Errors
    /// If there is none.
    pub async fn client_for_cleanup(&self, ctx: &Arc<Context>) -> Result<Arc<VaultClient>, Blocker> {
        let refused = [Reason::LoginRefused, Reason::TokenRequestDenied];
        if let Some(Err(why)) = ctx.vault_memory.checked(&self.key, &self.state)
            && refused.contains(&why.reason)
        {
            return Err(self.not_ready(&why));
        }
        if let Some(known) = login::known(ctx, &self.key, &self.spec) {
            return Ok(known);
        }
        match login::client(ctx, &self.key, &self.spec).await {
            Ok(built) => Ok(built.client),
            Err(why) => ctx.vault_memory.last_client(&self.key).ok_or_else(|| self.not_ready(&why)),
        }
    }

    /// What a failed call means for an output. The Vault is checked soon, which reads the login again.
    pub fn blocker(&self, ctx: &Context, error: &VaultError) -> Blocker {
        if error.is_down() || matches!(error, VaultError::LoginRefused(_)) {
            ctx.vaults.check_soon(&self.key);
        }
        let found = blocker::blocker(error, &self.spec, &self.key);
        let of_the_entry = found.reason == Reason::PolicyTooNarrow;
        // What only a person can repair is that of the Vault, which the message has to name.
        if !self.discloses || found.stalled && !of_the_entry {
            return self.not_ready(&found);
        }
        if of_the_entry {
            return Blocker { message: format!("Vault {}: {}", self.key, found.message), ..found };
        }
        found
    }

    /// The Vault's own words name hosts and Secrets: a namespace without access gets the reason alone. It is as lasting as the reason.
    fn not_ready(&self, why: &Blocker) -> Blocker {
        let reason = why.reason.as_str();
        let message = if self.discloses {
            format!("Vault {} is not ready ({reason}): {}", self.key, why.message)
        } else {
            format!(
                "Vault {} is not ready ({reason}), and its access does not serve this namespace",
                self.key
            )
        };
        Blocker { stalled: why.stalled, ..Blocker::passing(Reason::VaultNotReady, message) }
    }
}

fn mount(key: &Key, spec: &VaultSpec) -> Result<Mount, Blocker> {
    let unusable =
        |error| Blocker::lasting(Reason::VaultNotReady, format!("The mount of Vault {key}: {error}"));
    Mount::parse(&spec.mount).map_err(unusable)
}

/// The object and its spec, or why there is none.
fn read(ctx: &Context, key: &Key) -> Result<(Arc<StoredObject>, VaultSpec), Blocker> {
    let Some(object) = ctx.vaults.get(key) else {
        if ctx.hides(&ctx.vaults.api, &key.namespace) {
            let message = format!(
                "Vault {key} cannot be seen: this operator may not list Vaults in namespace {}; {ROLE_AGAIN}",
                key.namespace
            );
            return Err(Blocker::passing(Reason::VaultNotReady, message));
        }
        let message = format!("There is no Vault {key} in the namespaces that this operator watches");
        return Err(Blocker::lasting(Reason::VaultNotFound, message));
    };
    match part::<VaultSpec>(&object, "spec") {
        Ok(spec) => Ok((object, spec)),
        Err(why) => {
            Err(Blocker::lasting(Reason::VaultNotReady, format!("Vault {key} cannot be read: {why}")))
        }
    }
}

/// The server that gave an answer: by the id of its cluster, or by its address where it shows none.
#[must_use]
pub fn server(health: &Health, spec: &VaultSpec) -> Server {
    let id = health.cluster_id.as_deref().filter(|id| !id.is_empty());
    let address = spec.address.trim_end_matches('/').to_ascii_lowercase();
    Server::new(id.unwrap_or(&address), spec.namespace.as_deref())
}

/// In which state of a Vault a check found something: its uid and generation. Our own writes of the status are no part of it.
#[must_use]
pub fn state(object: &StoredObject) -> String {
    let metadata = &object.metadata;
    format!("{} {}", metadata.uid.as_deref().unwrap_or_default(), metadata.generation.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::test_support::apiserver::{Apiserver, context};
    use crate::controller::test_support::vault::Vault;

    /// A policy may permit some entries and not others: it is asked about each of them.
    #[tokio::test]
    async fn a_vault_serves_no_output_but_for_the_policy_where_its_check_failed() {
        let apiserver = Apiserver::default();
        let mut ctx = context(apiserver.client());
        let vault = Vault::default();
        vault.serve(&mut ctx, "connector");
        apiserver.put("connector", "vault-token", json!({"data": {"token": "aHZzLnQ="}}));
        let ctx = Arc::new(ctx);
        let key = Key { namespace: "connector".into(), name: "vault".into() };
        let view = VaultView::of(&ctx, &key, "connector").await.unwrap().unwrap();
        let found = |found| ctx.vault_memory.found(&key, &view.state, found);
        view.client(&ctx).await.map(drop).unwrap();
        for (reason, serves) in
            [(Reason::PolicyTooNarrow, true), (Reason::VaultSealed, false), (Reason::MountNotFound, false)]
        {
            found(Err(Blocker::lasting(reason, "words")));
            assert_eq!(view.client(&ctx).await.is_ok(), serves, "{reason:?}");
            assert_eq!(view.lasting(&ctx).is_none(), serves, "{reason:?}");
        }
        found(Ok(()));
        assert!(view.client(&ctx).await.is_ok() && view.lasting(&ctx).is_none());
    }
}
