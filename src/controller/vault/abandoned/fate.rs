//! What becomes of an entry that was left in a Vault, once its mark, or the note on its keys, is known to be that of its resource:
//! the resource may have been created again, and need it.

use crate::api::technical_user::{RecordedEntry, TechnicalUserStatus};
use crate::controller::objects::{Key, part};
use crate::controller::vault::holders::{is_in, names_a_vault};
use crate::domain::vault::path::EntryPath;
use crate::domain::vault::place::{EntryAt, Server};
use crate::k8s::stored::StoredObject;

/// What becomes of an entry that was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing needs it.
    Removable,
    /// It is no entry of a deleted resource any more, for this reason.
    NotOurs(&'static str),
    /// It is left, for this reason.
    Kept(&'static str),
}

/// What becomes of the entry at this path of the server. `resource` is the one that the mark names, which may have been created again:
/// the mark of its entries is the same.
pub fn fate(vault: &Key, path: &EntryPath, server: Option<&Server>, resource: Option<&StoredObject>) -> Fate {
    let Some(resource) = resource else { return Fate::Removable };
    let Ok(status) = part::<TechnicalUserStatus>(resource, "status") else {
        return Fate::Kept("the status of the TechnicalUser of its mark cannot be read");
    };
    let outputs: Vec<_> = status.outputs.iter().filter(|output| output.is_in_vault()).collect();
    for output in &outputs {
        for entry in output.entries() {
            match EntryAt::of_record(&entry.paths_secret, &entry.folder, &entry.secret_alias) {
                Ok(at) if at.path != *path => {}
                Ok(_) if is_elsewhere(entry, server) && !is_in(&output.name, vault) => {}
                Ok(_) if is_elsewhere(entry, server) => {
                    return Fate::Kept(
                        "the TechnicalUser of its mark exists and may have an entry there soon",
                    );
                }
                Ok(_) if is_in(&output.name, vault) || is_there(entry, server) => {
                    return Fate::NotOurs("the TechnicalUser of its mark exists and records it");
                }
                // That Vault may be the same server.
                Ok(_) => {
                    return Fate::Kept("the TechnicalUser of its mark records this path in another Vault");
                }
                Err(_) => {
                    return Fate::Kept("the TechnicalUser of its mark records a path that cannot be read");
                }
            }
        }
    }
    // A place is recorded before the first write to it.
    if names_a_vault(resource) && outputs.iter().all(|output| output.entries().next().is_none()) {
        return Fate::Kept("the TechnicalUser of its mark exists and may have an entry there soon");
    }
    Fate::Removable
}

/// Whether an entry of a status is on this server; `false` if that is not known.
fn is_there(entry: &RecordedEntry, server: Option<&Server>) -> bool {
    server.is_some() && Server::of_record(&entry.server).as_ref() == server
}

/// Whether an entry of a status is on another server; `false` if that is not known.
fn is_elsewhere(entry: &RecordedEntry, server: Option<&Server>) -> bool {
    Server::differ(Server::of_record(&entry.server).as_ref(), server)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::vault::path::{Alias, Mount};

    #[test]
    fn an_entry_is_removed_unless_a_resource_of_its_mark_has_it_or_may_have_it() {
        let vault = Key { namespace: "ops".into(), name: "vault".into() };
        let mount = Mount::parse("secret").unwrap();
        let path = EntryPath::in_mount_at(&mount, &Alias::parse("a/edc-1").unwrap());
        let output = |vault: &str, alias: &str| {
            json!([{"kind": "VaultEntry", "name": format!("ops/{vault}/a/edc"), "entry":
                {"pathsSecret": "/v1/secret", "folder": "a", "secretAlias": alias, "user": "u"}}])
        };
        let begun = json!([{"kind": "VaultEntry", "name": "ops/vault/a/edc", "begun":
            [{"pathsSecret": "/v1/secret", "folder": "a", "secretAlias": "edc-1", "user": "u"}]}]);
        let waits = json!([{"kind": "VaultEntry", "name": "ops/vault/a/edc"}]);
        let in_vault = json!([{"vault": {"vaultRef": {"name": "vault"}}}]);
        let unreadable = json!([{"vault": {"vaultRef": "vault"}}]);
        let on = |vault: &str, server: &str| {
            let mut outputs = output(vault, "edc-1");
            outputs[0]["entry"]["server"] = json!(server);
            outputs
        };
        let here = Server::new("here", None);
        let none = json!([]);
        for (spec, status, expected) in [
            (&none, none.clone(), "Removable"),
            (&in_vault, none.clone(), "Kept"),
            (&unreadable, none.clone(), "Kept"),
            (&in_vault, waits, "Kept"),
            (&in_vault, output("vault", "edc-1"), "NotOurs"),
            (&none, output("vault", "edc-1"), "NotOurs"),
            (&in_vault, begun, "NotOurs"),
            (&in_vault, output("other", "edc-1"), "Kept"),
            (&in_vault, on("other", "here"), "NotOurs"),
            (&in_vault, on("other", "there"), "Removable"),
            (&in_vault, on("vault", "here"), "NotOurs"),
            (&in_vault, on("vault", "there"), "Kept"),
            (&in_vault, output("vault", "edc-2"), "Removable"),
            (&in_vault, output("vault", "../edc"), "Kept"),
            (&in_vault, json!([{"kind": 1}]), "Kept"),
        ] {
            let resource: StoredObject = serde_json::from_value(json!({
                "metadata": {"name": "edc", "namespace": "tenant"},
                "spec": {"outputs": spec}, "status": {"outputs": status},
            }))
            .unwrap();
            let found = format!("{:?}", fate(&vault, &path, Some(&here), Some(&resource)));
            assert!(found.starts_with(expected), "{found} {:?}", resource.text("status"));
        }
        assert_eq!(fate(&vault, &path, None, None), Fate::Removable);
    }
}
