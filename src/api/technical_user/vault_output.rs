//! An output that is an entry in Vault: which Vault, its path, and what it holds.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recorded_output::OutputKind;
use super::secret_output::{CreationPolicy, DataKey};
use crate::api::names::{LABEL, SUBDOMAIN};

/// What a path is: whole segments, none of which is . or ..
const PATH: &str = "self.matches('^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$') \
     && !self.split('/').exists(segment, segment == '.' || segment == '..')";

/// An entry of KV version 2 that the operator writes.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct VaultOutput {
    /// The Vault that the entry is in. The Vault's `access` decides which namespaces may have entries there, and below which
    /// path.
    pub vault_ref: VaultRef,

    /// The path of the entry in the mount, such as connectors/tenant/edc-wallet. It must be below the prefix that the Vault's
    /// `access` has for this namespace. If the Vault's `aliasMode` is PerGeneration, a dash and the generation of the user
    /// follow. Default: the name of the resource, below that prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    #[x_kube(
        validation = Rule::new(PATH)
            .message("path has letters, digits and . _ - in segments with a / between them, and no segment . or ..")
    )]
    pub path: Option<String>,

    /// Whose entry it is. Owner: the operator creates the entry, owns it, and refuses one of another owner. Merge: the operator adds
    /// keys to an entry that another owner wrote, and removes just these keys when the output or the resource is removed. It
    /// overwrites no key of another owner. For Merge the path is that of the entry as the owner wrote it, whatever the Vault's
    /// `aliasMode` is, and no user that serves is replaced. Default: Owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_policy: Option<CreationPolicy>,

    /// What the entry holds: from the key of the format Raw (client-id, client-secret, token-url, technical-user-id, bpn or
    /// issuer-url) to the key in the entry. The operator writes these keys only. Default: client-secret: content, which a
    /// tractusx-connector reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 16))]
    pub keys: Option<BTreeMap<String, DataKey>>,
}

impl VaultOutput {
    /// Whether it adds keys to an entry of another owner.
    #[must_use]
    pub fn merges(&self) -> bool {
        self.creation_policy == Some(CreationPolicy::Merge)
    }

    /// The kind of the output.
    #[must_use]
    pub fn kind(&self) -> OutputKind {
        if self.merges() { OutputKind::MergedVaultEntry } else { OutputKind::VaultEntry }
    }
}

/// The name of a Vault, and its namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct VaultRef {
    /// The name of the Vault.
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN))]
    pub name: String,

    /// The namespace of the Vault. Default: the namespace of the TechnicalUser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = LABEL))]
    pub namespace: Option<String>,
}

impl VaultRef {
    /// The Vault that an entry of `outputs` names, of whichever kind the output is: a variant for outputs in a Vault has a field
    /// `vaultRef`. The entry may be one that this release cannot read.
    #[must_use]
    pub fn of_output(entry: &Value) -> Option<Self> {
        let mut variants = entry.as_object()?.values();
        variants.find_map(|variant| Self::deserialize(variant.get("vaultRef")?).ok())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::technical_user::Output;

    #[test]
    fn an_entry_of_a_later_release_names_its_vault() {
        let later = json!({"later": {"mode": ["new"], "vaultRef": {"name": "vault", "namespace": "ops"}}});
        let vault = VaultRef { name: "vault".into(), namespace: Some("ops".into()) };
        assert_eq!(VaultRef::of_output(&later), Some(vault));
        assert_eq!(VaultRef::of_output(&json!({"secret": {"name": "vault"}})), None);
    }

    /// Under another name the Vault would be deleted while outputs are in it.
    #[test]
    fn an_output_names_the_resource_of_its_store_by_vault_ref() {
        fn references(schema: &Value, path: &str, found: &mut Vec<String>) {
            for (field, below) in schema["properties"].as_object().into_iter().flatten() {
                let path = format!("{path}/{field}");
                if field.ends_with("Ref") {
                    found.push(path.clone());
                }
                references(below, &path, found);
            }
        }
        let mut settings = schemars::generate::SchemaSettings::openapi3();
        settings.inline_subschemas = true;
        let schema = settings.into_generator().into_root_schema_for::<Output>();
        let mut found = Vec::new();
        references(schema.as_value(), "", &mut found);
        let names_a_vault = |path: &String| path.split('/').count() == 3 && path.ends_with("/vaultRef");
        let (vaults, others): (Vec<_>, Vec<_>) = found.into_iter().partition(names_a_vault);
        assert!(vaults.contains(&"/vault/vaultRef".to_owned()), "{vaults:?}");
        assert_eq!(others, Vec::<String>::new());
    }
}
