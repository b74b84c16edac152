//! Which resources have entries in a Vault.

use kube::Api;
use kube::api::{DynamicObject, ListParams};
use serde_json::Value;

use crate::api::technical_user::ENTRY;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, technical_users};

/// The resources that keep a Vault.
pub enum Holders {
    /// All of them.
    Seen(Vec<Key>),
    /// Not all namespaces may be listed.
    Hidden {
        /// Which, in words.
        namespace: String,
        /// What the apiserver says.
        why: String,
    },
}

/// The resources that have an entry in the Vault, or may have one, read from the apiserver.
pub async fn seen(ctx: &Context, vault: &Key) -> Result<Holders, KubeError> {
    let mut holders = Vec::new();
    for namespace in &ctx.watched {
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(ctx.client.clone(), namespace, &technical_users()),
            None => Api::all_with(ctx.client.clone(), &technical_users()),
        };
        match api.list(&ListParams::default()).await.map_err(KubeError::from) {
            Ok(list) => {
                let holding = list.iter().filter(|object| holds(object, vault));
                holders.extend(holding.map(Key::of));
            }
            Err(KubeError::Denied { message, .. }) => {
                let place = |name: &String| format!("namespace {name}");
                let namespace = namespace.as_ref().map_or_else(|| "all namespaces".to_owned(), place);
                return Ok(Holders::Hidden { namespace, why: message });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Holders::Seen(holders))
}

/// Whether a resource has an entry in the Vault, or may have one that its status does not record yet.
fn holds(object: &DynamicObject, vault: &Key) -> bool {
    has_entry(object, vault) || (has_finalizer(object) && names(object, vault))
}

/// Whether a resource names the Vault in an output, or has an entry there by its status.
pub(super) fn names(object: &DynamicObject, vault: &Key) -> bool {
    if has_entry(object, vault) {
        return true;
    }
    let outputs = object.data.pointer("/spec/outputs").and_then(Value::as_array);
    let own = Key::of(object).namespace;
    outputs.into_iter().flatten().filter_map(|output| output.pointer("/vault/vaultRef")).any(|reference| {
        let text = |field: &str| reference.get(field).and_then(Value::as_str);
        text("name") == Some(vault.name.as_str())
            && text("namespace").unwrap_or(own.as_str()) == vault.namespace
    })
}

/// Whether the status records an entry in the Vault.
fn has_entry(object: &DynamicObject, vault: &Key) -> bool {
    let recorded = object.data.pointer("/status/outputs").and_then(Value::as_array);
    let prefix = format!("{vault}/");
    recorded.into_iter().flatten().any(|output| {
        let text = |field: &str| output.get(field).and_then(Value::as_str).unwrap_or_default();
        text("kind") == ENTRY && text("name").starts_with(&prefix)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_output_names_a_vault_of_its_own_namespace_or_of_another() {
        let user = |outputs: Value| -> DynamicObject {
            serde_json::from_value(json!({
                "metadata": {"name": "edc", "namespace": "tenant"}, "spec": {"outputs": outputs},
            }))
            .unwrap()
        };
        let vault = |namespace: &str| Key { namespace: namespace.into(), name: "vault".into() };
        let own = json!([{"secret": {"name": "s"}}, {"vault": {"vaultRef": {"name": "vault"}}}]);
        assert!(names(&user(own.clone()), &vault("tenant")) && !names(&user(own), &vault("ops")));
        let other = json!([{"vault": {"vaultRef": {"name": "vault", "namespace": "ops"}}}]);
        assert!(names(&user(other.clone()), &vault("ops")) && !names(&user(other), &vault("tenant")));
        assert!(!names(&user(json!([{"secret": {"name": "vault"}}])), &vault("tenant")));
        assert!(!names(&user(json!(null)), &vault("tenant")));
        let mut former = user(json!([{"secret": {}}]));
        former.data["status"] = json!({"outputs": [{"kind": "VaultEntry", "name": "ops/vault/a/b"}]});
        assert!(holds(&former, &vault("ops")) && !holds(&former, &vault("tenant")));
    }
}
