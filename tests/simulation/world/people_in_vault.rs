//! What other clients of the Vault change meanwhile, and what befalls the server.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::EntryView;

use super::World;
use super::objects::ours;
use super::swarm::Trouble;
use super::vault::{FOLDER, HOST, MOUNT};

/// The entry of another owner that a resource adds keys to.
pub const SHARED: &str = "shared";
/// What a person writes into an entry of the operator.
const OF_A_PERSON: &str = "of a person";
/// Longer than the operator tries to delete the entry of a resource that is deleted.
const LONG_OUTAGE: Duration = Duration::from_mins(75);

impl World {
    /// The Vault resource with its login, and what connectors need to know of the data space.
    pub async fn install_vault(&self) {
        let (role_id, secret_id) = self.vault.login();
        self.vault_login.lock().clone_from(&secret_id);
        let login = json!({
            "metadata": { "name": "vault-login" }, "stringData": { "secret-id": secret_id },
        });
        self.create(&format!("/api/v1/namespaces/{}/secrets", super::NAMESPACE), &login).await;
        let dataspace = json!({
            "did": "did:web:wallet.example.org:BPNL000000000ONE",
            "walletUrl": "https://wallet.example.org/api/sts",
        });
        let portal = json!({ "spec": { "dataspace": dataspace, "verification": { "interval": "30m" } } });
        self.change_portal(&portal).await;
        let mode = if self.below(3) == 0 { "Fixed" } else { "PerGeneration" };
        let vault = json!({
            "metadata": { "name": "vault" },
            "spec": {
                "address": format!("https://{HOST}:8200"), "mount": MOUNT, "aliasMode": mode,
                "auth": { "appRole": { "roleId": role_id, "secretRef": { "name": "vault-login" } } },
                "access": [{ "namespaces": { "from": "Same" }, "prefix": FOLDER }],
            },
        });
        self.create(&ours("vaults"), &vault).await;
        self.write_theirs(SHARED, &json!({ "theirs": "0" }));
    }

    /// Another client writes an entry of its own, or its fields in it.
    fn write_theirs(&self, alias: &str, fields: &Value) {
        let path = format!("{MOUNT}/{FOLDER}/{alias}");
        self.record.add(format!("another client writes the entry {path}"));
        let mut data = self.entry(&path).and_then(|entry| entry.data).unwrap_or_else(|| json!({}));
        for (key, value) in fields.as_object().into_iter().flatten() {
            data[key] = value.clone();
        }
        // Nobody can while it is sealed.
        if self.in_vault(&path, "POST", "data", &json!({ "data": data })) {
            self.theirs.lock().insert(path, fields.clone());
        }
    }

    fn entry(&self, path: &str) -> Option<EntryView> {
        self.vault.entries().remove(path)
    }

    /// A person sends a call for an entry. Whether it succeeds.
    fn in_vault(&self, path: &str, method: &str, part: &str, body: &Value) -> bool {
        let before = self.entry(path);
        let below = path.trim_start_matches(MOUNT).trim_start_matches('/');
        let done = self.vault.as_person(method, &format!("{MOUNT}/{part}/{below}"), body);
        let after = self.entry(path);
        self.moments.entry_changed_by_person(path, before.as_ref(), after.as_ref());
        done
    }

    /// What befalls the Vault at the beginning of a time of troubles.
    pub async fn trouble_vault(&self, kind: Trouble) {
        match kind {
            Trouble::VaultCalls => {
                let words = self.vault.fail_calls();
                self.record.add(words);
            }
            Trouble::VaultDown if self.below(2) == 0 => {
                self.record.add(self.vault.go_down());
            }
            Trouble::VaultRights if self.below(2) == 0 => {
                self.record.add("the policy of the Vault lacks something");
                self.vault.narrow_policy();
            }
            Trouble::VaultRights => self.set_vault_login("revoked").await,
            Trouble::RestoredVault => {
                let backup = self.vault.back_up();
                *self.vault_backup.lock() = Some((backup, self.theirs.lock().clone()));
            }
            _ => {}
        }
    }

    async fn set_vault_login(&self, secret_id: &str) {
        self.record.add("a person changes the login of the Vault");
        self.change_secret("vault-login", &json!({ "stringData": { "secret-id": secret_id } })).await;
    }

    /// What people do in the Vault, and with it, by chance.
    pub async fn interfere_in_vault(&self, troubles: &BTreeSet<Trouble>) {
        if troubles.contains(&Trouble::VaultTokens) && self.may_change() {
            self.record.add("a person revokes the tokens of the Vault");
            self.vault.revoke_tokens();
        }
        if troubles.contains(&Trouble::PeopleInVault) {
            for path in self.vault.entries().into_keys() {
                if self.below(3) == 0 && self.may_change() {
                    self.change_entry(&path);
                }
            }
        }
        if troubles.contains(&Trouble::RestoredVault) && self.below(3) == 0 && self.may_change() {
            self.restore_vault();
        }
        if troubles.contains(&Trouble::VaultDown) && self.below(4) == 0 {
            if self.below(3) == 0 {
                tokio::time::sleep(LONG_OUTAGE).await;
            }
            self.record.add("the Vault is up");
            self.vault.come_up();
        }
    }

    /// A person changes or deletes an entry of the operator, or the fields of the shared one.
    fn change_entry(&self, path: &str) {
        if self.theirs.lock().contains_key(path) {
            if path.ends_with(SHARED) {
                self.write_theirs(SHARED, &json!({ "theirs": self.record.count().to_string() }));
            }
            return;
        }
        // Where both mark and data are of others, the entry is of others.
        let entry = self.entry(path).unwrap_or_default();
        let is_marked = entry.custom_metadata.contains_key("technicaluser.dev/owner");
        let is_whole = entry.data.as_ref().is_some_and(|data| data["content"] != OF_A_PERSON);
        let (what, method, part, body) = match self.below(7) {
            0 if is_marked => ("deletes the newest version of", "DELETE", "data", Value::Null),
            1 => ("deletes", "DELETE", "metadata", Value::Null),
            2 if is_marked => {
                ("destroys a version of", "POST", "destroy", json!({ "versions": [entry.version] }))
            }
            3 => ("labels", "PATCH", "metadata", json!({ "custom_metadata": { "theirs": "kept" } })),
            // Without a mark it is repaired only if a status names it.
            4 if is_whole && self.is_recorded(path) => {
                ("replaces the mark of", "POST", "metadata", json!({ "custom_metadata": { "theirs": "x" } }))
            }
            5 if is_marked && self.is_recorded(path) => {
                ("changes the data of", "POST", "data", json!({ "data": { "content": OF_A_PERSON } }))
            }
            6 if self.is_recorded(path) => {
                self.in_vault(path, "DELETE", "metadata", &Value::Null);
                ("writes an entry in place of", "POST", "data", json!({ "data": { "content": OF_A_PERSON } }))
            }
            _ => return,
        };
        self.record.add(format!("a person {what} the entry {path}"));
        self.in_vault(path, method, part, &body);
    }

    /// Whether the status of a resource says that it has written an entry: what others change there is repaired.
    fn is_recorded(&self, path: &str) -> bool {
        self.users().iter().any(|user| {
            let outputs = user["status"]["outputs"].as_array();
            let is_it = |output: &Value| {
                let alias = output["entry"]["secretAlias"].as_str();
                alias.is_some_and(|alias| path == format!("{MOUNT}/{FOLDER}/{alias}"))
            };
            user["metadata"]["deletionTimestamp"].is_null() && outputs.into_iter().flatten().any(is_it)
        })
    }

    /// The Vault is restored from a backup: entries that were deleted since are there again.
    fn restore_vault(&self) {
        let Some((backup, theirs)) = self.vault_backup.lock().take() else { return };
        self.record.add("the Vault is restored from a backup");
        let before = self.vault.entries();
        self.vault.restore(&backup);
        // The keys of a resource may be there again as well.
        let again = self.vault.entries().into_keys();
        let again = again.filter(|path| !before.contains_key(path) || theirs.contains_key(path));
        self.restored_entries.lock().extend(again);
        *self.theirs.lock() = theirs;
    }

    /// A person deletes what people have written or whose mark they have removed, where a resource reports it: no status says any
    /// more that the operator wrote the entry before.
    pub(super) fn delete_what_is_in_the_way(&self) {
        let is_reported = |user: &Arc<Value>| {
            let conditions = user["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|condition| condition["reason"] == "OutputNotOurs")
        };
        if !self.users().iter().any(is_reported) {
            return;
        }
        let is_of_a_person =
            |entry: &EntryView| entry.data.as_ref().is_some_and(|data| data["content"] == OF_A_PERSON);
        let is_bare = |entry: &EntryView| !entry.custom_metadata.contains_key("technicaluser.dev/owner");
        let theirs = self.theirs.lock().clone();
        let written = self.vault.entries().into_iter();
        let written = written.filter(|(path, _)| !theirs.contains_key(path));
        let written = written.filter(|(_, entry)| is_of_a_person(entry) || is_bare(entry));
        for (path, _) in written {
            self.record.add(format!("a person deletes the entry {path}, which is in the way"));
            self.in_vault(&path, "DELETE", "metadata", &Value::Null);
        }
    }

    /// People delete the entries that the operator lists and cannot remove, because their mark was removed.
    fn remove_what_is_listed(&self) {
        for vault in self.apiserver.objects("vaults.technicaluser.dev") {
            for left in vault["status"]["abandoned"].as_array().into_iter().flatten() {
                let path = left["path"].as_str().unwrap_or_default().replacen("/data/", "/", 1);
                let is_bare =
                    |entry: &EntryView| !entry.custom_metadata.contains_key("technicaluser.dev/owner");
                if self.entry(&path).as_ref().is_some_and(is_bare) {
                    self.record.add(format!("a person deletes the entry {path}, which is listed"));
                    self.in_vault(&path, "DELETE", "metadata", &Value::Null);
                }
            }
        }
    }

    /// Another client has an entry that a resource wants.
    pub fn take_path(&self, alias: &str) {
        if self.entry(&format!("{MOUNT}/{FOLDER}/{alias}")).is_none() {
            self.write_theirs(alias, &json!({ "content": "of another client" }));
        }
    }

    /// What people have to repair in the Vault.
    pub async fn repair_vault(&self) {
        self.vault.end_troubles();
        self.remove_what_is_listed();
        let login = self.vault_login.lock().clone();
        if login.is_empty() {
            return;
        }
        self.set_vault_login(&login).await;
        let taken: Vec<String> = {
            let theirs = self.theirs.lock();
            theirs.keys().filter(|path| !path.ends_with(SHARED)).cloned().collect()
        };
        for path in taken {
            self.record.add(format!("another client deletes its entry {path}"));
            self.in_vault(&path, "DELETE", "metadata", &Value::Null);
            self.theirs.lock().remove(&path);
        }
    }
}
