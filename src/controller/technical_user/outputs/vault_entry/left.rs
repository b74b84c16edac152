//! The entries of an output that are to be removed: where they are, or may be.

use std::sync::Arc;

use super::removal::of_entry;
use super::vaults;
use crate::api::technical_user::RecordedOutput;
use crate::controller::objects::Key;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::Resource;
use crate::controller::vault::view::VaultView;
use crate::domain::blocker::Blocker;
use crate::domain::plan::OutputId;
use crate::domain::reason::Reason;
use crate::domain::vault::path::EntryPath;
use crate::domain::vault::place::{EntryAt, Server};
use crate::vault::{VaultClient, VaultError};

/// The removal of the entries of one output from the server that its Vault leads to.
pub(super) struct Removal<'a> {
    resource: &'a Resource,
    id: &'a OutputId,
    view: VaultView,
    pub(super) vault: Key,
    pub(super) client: Arc<VaultClient>,
    /// The server that answers.
    pub(super) here: Server,
}

impl<'a> Removal<'a> {
    /// `None` if there is nothing to remove.
    pub(super) async fn of(resource: &'a Resource, id: &'a OutputId) -> Result<Option<Self>, Failure> {
        // A place is in the status before the first write to it. Without one nothing is left anywhere, also if the Vault does not
        // exist.
        let has_place = resource.history.recorded(id).is_some_and(|one| one.entries().next().is_some());
        let Some(vault) = vaults::vault_of(id).filter(|_| has_place) else { return Ok(None) };
        let view = VaultView::for_cleanup(&resource.ctx, &vault, &resource.key.namespace);
        let view = view.map_err(Failure::OutputUnavailable)?;
        let known = entries(resource, id, &vault, view.server(&resource.ctx).as_ref());
        if known.is_ok_and(|left| left.is_empty()) {
            return Ok(None);
        }
        let client = view.client_for_cleanup(&resource.ctx).await.map_err(Failure::OutputUnavailable)?;
        let here = view.answering(&resource.ctx, &client).await;
        let here = here.map_err(|error| Failure::OutputUnavailable(view.blocker(&resource.ctx, &error)))?;
        Ok(Some(Self { resource, id, view, vault, client, here }))
    }

    /// The entries.
    pub(super) fn left(&self) -> Result<Vec<Left>, Failure> {
        entries(self.resource, self.id, &self.vault, Some(&self.here))
    }

    /// What a failed request means. After another client has written, the entry is read again.
    pub(super) fn failure(&self, error: &VaultError) -> Failure {
        match error {
            VaultError::CasMismatch => Failure::Overtaken,
            error => Failure::OutputUnavailable(self.view.blocker(&self.resource.ctx, error)),
        }
    }
}

/// An entry that the status records.
pub(super) struct Left {
    pub(super) at: EntryAt,
    /// The server that it was written to, as far as that is known.
    pub(super) server: Option<Server>,
    /// The Vault leads to another server than that one.
    pub(super) elsewhere: bool,
    /// Another output of the spec has this path on the server that the Vault leads to.
    pub(super) taken_here: bool,
    /// The status has it as written: another client may have changed its data, but did not write them first.
    pub(super) written: bool,
}

/// Where entries of an output are, or may be: each is in the status before its first write. One that an output of the spec has
/// is not among them. One path on two servers is two entries.
pub(super) fn entries(
    resource: &Resource,
    id: &OutputId,
    vault: &Key,
    here: Option<&Server>,
) -> Result<Vec<Left>, Failure> {
    let recorded = resource.history.recorded(id);
    let written = recorded.and_then(RecordedOutput::written_entry);
    let mut left: Vec<Left> = Vec::new();
    for entry in recorded.into_iter().flat_map(RecordedOutput::entries) {
        let Ok(at) = of_entry(entry) else { continue };
        let there = Server::of_record(&entry.server);
        let elsewhere = Server::differ(there.as_ref(), here);
        let server = there.or_else(|| here.cloned());
        let is_used_on = |server| is_in_use(resource, id, (vault, here), (server, &at.path));
        let is_known = left.iter().any(|known| known.at.path == at.path && known.server == server);
        if !is_known && !is_used_on(server.as_ref())? {
            let taken_here = elsewhere && is_used_on(here)?;
            left.push(Left { at, server, elsewhere, taken_here, written: written == Some(entry) });
        }
    }
    Ok(left)
}

/// Whether another output of the spec has its entry at this path of a server. `here` is the one that the Vault leads to.
fn is_in_use(
    resource: &Resource,
    id: &OutputId,
    (vault, here): (&Key, Option<&Server>),
    (server, path): (Option<&Server>, &EntryPath),
) -> Result<bool, Failure> {
    for other in
        resource.stores.vaults.at_path(path, resource.history.generations()).filter(|other| *other != id)
    {
        let Some(key) = vaults::vault_of(other) else { continue };
        let recorded = || Server::of_record(&resource.history.recorded(other)?.written_entry()?.server);
        let known = || resource.stores.vaults.view(&key).ok()?.server(&resource.ctx);
        let leads_to = if key == *vault { here.cloned() } else { known() };
        let there = leads_to.or_else(recorded);
        match (server, there) {
            (Some(server), Some(there)) if *server == there => return Ok(true),
            (Some(_), Some(_)) => {}
            (None, _) if key == *vault => return Ok(true),
            _ => {
                let message = format!("The operator does not know yet to which server Vault {key} leads");
                return Err(Failure::OutputUnavailable(Blocker::passing(Reason::VaultNotReady, message)));
            }
        }
    }
    Ok(false)
}
